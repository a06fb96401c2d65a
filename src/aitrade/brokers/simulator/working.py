"""An order as the exchange holds it, apart from the engine's own copy."""

from collections.abc import Callable

import msgspec

from aitrade.core.instruments import Instrument
from aitrade.core.orders import TERMINAL, WORKING, Order, OrderState, OrderType, Product, Side, Validity
from aitrade.market.calendar import Segment, segment_of

FAR = 1 << 62
"""Beyond every price: the rank of a market order that has no bound yet."""

STOPS = frozenset({OrderType.SL, OrderType.SL_M})
AT_MARKET = frozenset({OrderType.MARKET, OrderType.SL_M})


class Working(msgspec.Struct, kw_only=True, eq=False):
    """One order in the exchange's book. Prices in paise, quantities in units, times in ns UTC."""

    id: str
    instrument: Instrument
    segment: Segment
    side: Side
    sign: int
    type: OrderType
    product: Product
    validity: Validity
    strategy: str
    quantity: int
    filled: int = 0
    filled_value: int = 0
    limit: int = 0
    """The worst price at which it trades; 0 for a market order that no reference price bounds yet."""
    trigger: int = 0
    waiting: bool = False
    """A stop that has not triggered."""
    taking: bool = False
    """Has not met its first print: pays the opposite quote, and a stop no better than its trigger."""
    since: int = 0
    """Prints before this never fill it."""
    due: int = 0
    """When the last message about it arrives: messages about one order keep their sequence."""
    rank: tuple[int, int] = (0, 0)
    """Price, then time: what a queue is sorted by."""
    number: str = ""
    state: OrderState = OrderState.PENDING
    reached: int = 0
    """Prints that could have filled it."""

    @property
    def remaining(self) -> int:
        """Units that can still fill."""
        return self.quantity - self.filled

    @property
    def done(self) -> bool:
        """Nothing more can happen to it."""
        return self.state in TERMINAL

    @property
    def rests(self) -> bool:
        """It waits for its own first print no more."""
        return not self.waiting and not self.taking

    def ranked(self, sequence: int) -> None:
        """Take the place of price and `sequence` in its queue; a smaller rank comes first."""
        falling = self.sign == (-1 if self.waiting else 1)
        bound = self.trigger if self.waiting else self.limit
        self.rank = ((-bound if falling else bound) if bound else -FAR, sequence)


Rank = Callable[[Working], tuple[int, int]]


def from_order(order: Order, instrument: Instrument) -> Working:
    """Return the exchange's copy of `order`, as it stands (a new one, or one put back after a restart)."""
    request = order.request
    stop, at_market = request.type in STOPS, request.type in AT_MARKET
    waiting = stop and not order.triggered
    bounded = order.price if order.exchange_order_id else 0
    return Working(
        id=order.id,
        instrument=instrument,
        segment=segment_of(instrument),
        side=request.side,
        sign=request.side.sign,
        type=request.type,
        product=request.product,
        validity=request.validity,
        strategy=request.strategy,
        quantity=order.quantity or request.quantity,
        filled=order.filled,
        filled_value=order.filled_value,
        limit=bounded if at_market else order.price or request.price,
        trigger=(order.trigger or request.trigger) if stop else 0,
        waiting=waiting,
        taking=at_market and not waiting and not bounded,
        number=order.exchange_order_id,
        state=order.state if order.state in WORKING | TERMINAL else OrderState.PENDING,
    )
