"""Orders: what is asked for, what became of it, and which steps its life allows."""

from functools import lru_cache

import msgspec

from aitrade.core.errors import ImpossibleTransition
from aitrade.core.words import Word


class Side(Word):
    """Which way."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(Word):
    """How an order is priced. SL rests until its trigger and becomes a limit; SL-M becomes a protected market order."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    SL = "SL"
    SL_M = "SL-M"


class Product(Word):
    """CNC delivery, MIS intraday (squared off), NRML carried derivative."""

    CNC = "CNC"
    MIS = "MIS"
    NRML = "NRML"


class Validity(Word):
    """DAY rests until the session ends, IOC cancels what does not fill at once."""

    DAY = "DAY"
    IOC = "IOC"


class OrderState(Word):
    """Where an order is in its life; IN_DOUBT is an outcome that nobody has proven yet."""

    NEW = "NEW"
    PENDING = "PENDING"
    IN_DOUBT = "IN_DOUBT"
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


_S = OrderState
TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    _S.NEW: frozenset({_S.PENDING, _S.REJECTED}),
    _S.PENDING: frozenset(
        {_S.OPEN, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED, _S.IN_DOUBT}
    ),
    _S.IN_DOUBT: frozenset({_S.OPEN, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED}),
    _S.OPEN: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED}),
    _S.PARTIALLY_FILLED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED}),
    _S.FILLED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.EXPIRED: frozenset(),
}
"""The whole life of an order: from each state, the states that may follow."""

TERMINAL = frozenset(state for state, following in TRANSITIONS.items() if not following)
WORKING = frozenset({_S.PENDING, _S.IN_DOUBT, _S.OPEN, _S.PARTIALLY_FILLED})


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a person or a strategy asks for. Prices in paise, quantity in units (not lots)."""

    instrument: str
    side: Side
    quantity: int
    type: OrderType = OrderType.MARKET
    price: int = 0
    """Limit price; 0 for MARKET and SL-M."""
    trigger: int = 0
    """Trigger price of SL and SL-M."""
    product: Product = Product.MIS
    validity: Validity = Validity.DAY
    strategy: str = ""
    """Name of the strategy that asks; empty for a person."""
    actor: str = ""
    """Who asks: a user's name, or the strategy's."""
    basket: str = ""
    """Common name of the legs that were sent together."""
    reference: str = ""
    """The caller's own key; the same key twice is one order."""
    slice: bool = False
    """Send a quantity above the freeze limit as several orders of one basket."""


class Order(msgspec.Struct, kw_only=True):
    """An order and what became of it. `id` is our client order id, 20 letters and digits, sortable by time."""

    id: str
    request: OrderRequest
    state: OrderState = OrderState.NEW
    venue: str = ""
    quantity: int = 0
    price: int = 0
    trigger: int = 0
    """Quantity, price and trigger as they stand now: a modification changes these, never the request."""
    triggered: bool = False
    filled: int = 0
    filled_value: int = 0
    """Sum of price times quantity over the fills, paise."""
    reason: str = ""
    broker_order_id: str = ""
    exchange_order_id: str = ""
    created: int = 0
    updated: int = 0
    is_exit: bool = False
    """Judged once, at submission, by the rule of exits."""

    @property
    def remaining(self) -> int:
        """Units that can still fill."""
        return self.quantity - self.filled

    @property
    def average(self) -> float:
        """Average fill price in paise, 0.0 before the first fill."""
        return self.filled_value / self.filled if self.filled else 0.0

    def move(self, state: OrderState) -> None:
        """Go to `state`, or raise ImpossibleTransition and stay."""
        if state not in TRANSITIONS[self.state]:
            raise ImpossibleTransition(f"Order {self.id} is {self.state} and cannot become {state}.")
        self.state = state


CHARGE_COMPONENTS = ("brokerage", "stt", "transaction", "sebi", "ipft", "stamp", "gst", "dp")


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution. `id` is the venue's trade id, unique within the market day."""

    id: str
    order_id: str
    instrument: str
    side: Side
    quantity: int
    price: int
    ts: int
    product: Product
    strategy: str = ""
    modelled: bool = False
    """Filled at a MODELLED price: keeps that mark in every report."""
    charges: tuple[int, ...] = ()
    """Paise by `CHARGE_COMPONENTS`, added by the engine when it books the fill; empty as the venue reports it."""


class Update(Word):
    """What a venue can say about an order."""

    ACCEPTED = "ACCEPTED"
    TRIGGERED = "TRIGGERED"
    FILL = "FILL"
    MODIFIED = "MODIFIED"
    MODIFY_REJECTED = "MODIFY_REJECTED"
    CANCELLED = "CANCELLED"
    CANCEL_REJECTED = "CANCEL_REJECTED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    IN_DOUBT = "IN_DOUBT"


class VenueUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """One message from a venue about one order."""

    order_id: str
    what: Update
    ts: int
    """When we hear it, ns UTC on our clock."""
    exchange_ts: int = 0
    broker_order_id: str = ""
    exchange_order_id: str = ""
    reason: str = ""
    fill: Fill | None = None
    quantity: int = 0
    price: int = 0
    trigger: int = 0
    """The new terms, with MODIFIED."""


_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PAIRS = [one + two for one in _ALPHABET for two in _ALPHABET]
_PAIR = 1296
_FOUR = _PAIR * _PAIR


def client_order_id(ts: int, run: int, sequence: int) -> str:
    """Return 20 letters and digits that sort by time: 10 of the millisecond, 4 of the run, 6 of the sequence.

    Deterministic in its arguments, so that a replay names its orders as the original did; it travels as the broker's
    tag. `run` and `sequence` wrap at 36**4 and 36**6.
    """
    early, late = divmod(ts // 1_000_000, _FOUR)
    order, last = divmod(sequence, _PAIR)
    minute, second = divmod(late, _PAIR)
    middle = _seldom(run * _FOUR + order % _FOUR, 4)
    return f"{_seldom(early, 3)}{_PAIRS[minute]}{_PAIRS[second]}{middle}{_PAIRS[last]}"


@lru_cache(maxsize=64)
def _seldom(number: int, pairs: int) -> str:
    """Return `number` in base 36, twice `pairs` digits wide: parts that stay the same for many orders."""
    digits = []
    for _ in range(pairs):
        number, pair = divmod(number, _PAIR)
        digits.append(_PAIRS[pair])
    return "".join(reversed(digits))
