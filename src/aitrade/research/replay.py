"""Research replay: a Python strategy over minute bars of one instrument, at a million bars a second.

The fill is the exchange's: a market order decided on a bar's close meets the next bar's first tick, which is its open.
To be that quick the replay fills there at once and checks afterwards, for all fills together, that the first tick's
volume would have carried the order; `Result.fills_carried` says so, and names the first that would not. Only market
orders have this short way: for others, and for several instruments, play the session through the whole engine.
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import msgspec
import numpy as np

from aitrade.compliance.journal import Journal
from aitrade.core.errors import Refused
from aitrade.core.events import InputBatch, Kind, Record
from aitrade.core.orders import (
    Fill,
    Order,
    OrderRequest,
    OrderState,
    OrderType,
    Product,
    Side,
    Update,
    VenueUpdate,
    client_order_id,
)
from aitrade.core.parity import order_list_hash
from aitrade.core.quotes import Bar
from aitrade.core.strategy import Strategy
from aitrade.market import tick_path
from aitrade.market.charges import Rates

PARTICIPATION = 25
"""Percent of a print's volume that orders may take, as the paper exchange has it."""
PRINTS = 30
"""Prints a minute of the tick path."""


class Leg(Protocol):
    """What a fill costs: `market.charges.Rates` answers, and so does `Free`."""

    def total(self, side: Side, value: int, quantity: int) -> int:
        """Return the charges of an order leg, paise."""
        ...


class Charged:
    """Charges by a day's rates."""

    def __init__(self, rates: Rates) -> None:
        self._leg = rates.leg

    def total(self, side: Side, value: int, quantity: int) -> int:
        """Return all components of a leg, paise."""
        return self._leg(side, value, quantity).total


class Result(msgspec.Struct, kw_only=True):
    """What a replay did; paise."""

    fills: list[Fill]
    realised: int
    charges: int
    position: int
    bars: int
    fills_carried: bool
    first_not_carried: int
    """Market time of the first fill that its tick's volume would not have carried, 0 when all would."""

    @property
    def net(self) -> int:
        """Realised P&L less charges."""
        return self.realised - self.charges

    def hash(self) -> str:
        """Return the order list hash."""
        return order_list_hash((f.instrument, f.side, f.quantity, f.price, f.ts) for f in self.fills)


class Replay:
    """One run; it is the strategy's context too. Make a new one for another run."""

    def __init__(
        self, strategy: Strategy, charged: Leg, *, journal: Journal | None = None, book: str = "research"
    ) -> None:
        self.name = strategy.name
        self.position_units = 0
        self._strategy = strategy
        self._charged = charged
        self._journal = journal
        self._book = book
        self._now = 0
        self._wanted: int | None = None
        self._sequence = 0
        self._cost = self._realised = self._charges = 0
        self._fills: list[Fill] = []
        self._filled_bars: list[Bar] = []

    # What the strategy sees

    def now(self) -> int:
        """Return the market time: the end of the newest bar."""
        return self._now

    def position(self, instrument: str) -> int:  # noqa: ARG002 - one instrument only
        """Return the units held."""
        return self.position_units

    def target(self, instrument: str, quantity: int) -> None:  # noqa: ARG002 - one instrument only
        """Ask for the order that takes the position to `quantity`."""
        if quantity != self.position_units:
            self._wanted = quantity

    def submit(self, request: OrderRequest) -> Order:
        """Ask for a market order; raise Refused for another type."""
        if request.type is not OrderType.MARKET:
            raise Refused("A research replay fills market orders only; play the session through the engine for others.")
        held = self._wanted if self._wanted is not None else self.position_units
        self._wanted = held + request.side.sign * request.quantity
        return Order(id=client_order_id(self._now, 0, self._sequence + 1), request=request, state=OrderState.PENDING)

    def cancel(self, order_id: str) -> None:  # noqa: ARG002 - the next tick fills, nothing rests
        """Take back what has not been sent."""
        self._wanted = None

    def log(self, text: str) -> None:
        """Research keeps no event log."""

    # The run

    def run(self, bars: Sequence[Bar]) -> Result:
        """Play `bars` (minutes of one instrument, in time order) and return what was done."""
        on_bar = self._strategy.on_bar
        if self._journal is not None:
            self._journal_inputs(bars)
        for bar in bars:
            if self._wanted is not None:
                self._fill(bar)
            self._now = bar.end
            on_bar(self, bar)
        return self._result(len(bars))

    def _fill(self, bar: Bar) -> None:
        wanted, held = self._wanted, self.position_units
        self._wanted = None
        change = (held if wanted is None else wanted) - held
        if not change:
            return
        side, quantity, price = (Side.BUY, change, bar.open) if change > 0 else (Side.SELL, -change, bar.open)
        charges = self._charged.total(side, quantity * price, quantity)
        self._sequence += 1
        fill = Fill(
            id=f"R{self._sequence}", order_id=client_order_id(self._now, 0, self._sequence), instrument=bar.instrument,
            side=side, quantity=quantity, price=price, ts=bar.start, product=Product.MIS, strategy=self.name,
            modelled=True, charges=(charges,),
        )  # fmt: skip
        self._fills.append(fill)
        self._filled_bars.append(bar)
        self._book_fill(change, price)
        self._charges += charges
        if self._journal is not None:
            self._journal_fill(fill)

    def _book_fill(self, change: int, price: int) -> None:
        """Average cost; a reversal closes first. Realised P&L is exact when the position is flat."""
        held = self.position_units
        if held * change < 0:
            closing = -change if abs(change) <= abs(held) else held
            cost = self._cost * closing // held
            self._realised += closing * price - cost
            self._cost -= cost
            change += closing
            self.position_units -= closing
        self.position_units += change
        self._cost += change * price

    def _journal_inputs(self, bars: Sequence[Bar]) -> None:
        """Journal the digest of each day's bars before the first of them is used."""
        days = [0, *(row + 1 for row, (a, b) in enumerate(pairwise(bars)) if b.start - a.start > _NIGHT), len(bars)]
        encode = msgspec.msgpack.Encoder().encode
        for begin, end in pairwise(days):
            digest = hashlib.sha256(encode(bars[begin:end])).digest()
            body = InputBatch(start=bars[begin].start, end=bars[end - 1].end, ticks=end - begin, digest=digest)
            self._append(Kind.INPUT, body, "")

    def _journal_fill(self, fill: Fill) -> None:
        request = OrderRequest(
            instrument=fill.instrument, side=fill.side, quantity=fill.quantity, strategy=self.name, actor=self.name
        )
        order = Order(
            id=fill.order_id, request=request, state=OrderState.PENDING, quantity=fill.quantity, venue="replay"
        )
        self._append(Kind.INTENT, order, fill.order_id)
        update = VenueUpdate(order_id=fill.order_id, what=Update.FILL, ts=fill.ts, fill=fill)
        self._append(Kind.UPDATE, update, fill.order_id)

    def _append(self, kind: Kind, body: object, order_id: str) -> None:
        record = Record(0, kind, self._now, 0, self._book, body, self.name, "strategy", self.name)
        record.order_id = order_id
        self._journal.append(record)  # type: ignore[union-attr]

    def _result(self, count: int) -> Result:
        missed = not_carried(self._filled_bars, self._fills)
        return Result(
            fills=self._fills,
            realised=self._realised,
            charges=self._charges,
            position=self.position_units,
            bars=count,
            fills_carried=missed == 0,
            first_not_carried=missed,
        )


_NIGHT = 3 * 3600 * 1_000_000_000


def not_carried(bars: Sequence[Bar], fills: Sequence[Fill]) -> int:
    """Return the time of the first fill larger than its share of the bar's first print, or 0."""
    if not bars:
        return 0
    walked = tick_path.walk(tick_path.columns(bars, PRINTS, 5), seed=0)
    first = np.flatnonzero(np.diff(walked.row, prepend=-1))
    allowed = walked.quantity[first] * PARTICIPATION // 100
    over = np.flatnonzero(allowed < np.array([fill.quantity for fill in fills]))
    return fills[int(over[0])].ts if len(over) else 0
