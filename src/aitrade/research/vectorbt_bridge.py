"""vectorbt as a second opinion: a strategy's targets go in, trades come back that compare with a replay's.

Prices are paise as float64 that hold integers, so that vectorbt's arithmetic is exact. A target decided on a bar's
close becomes an order at the next bar's open, as everywhere else. vectorbt takes seconds to import: it is imported on
use, and never by what trades.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from aitrade.core.errors import Refused
from aitrade.core.orders import Order, OrderRequest, OrderState, OrderType, Side, client_order_id
from aitrade.core.quotes import Bar
from aitrade.core.strategy import Kernel, Strategy
from aitrade.research.columns import Columns, Ints, columns
from aitrade.research.compare import Trade
from aitrade.research.stepping import strategy_of

CASH = 1e15
"""Paise that the simulation starts with: more than any order needs, and float64 still counts single paise."""


class Simulated(msgspec.Struct, frozen=True):
    """What vectorbt made of the targets."""

    trades: list[Trade]
    engine: str
    """`rust`, or `numba` where the Rust engine could not do it."""
    note: str
    """Why it fell back; empty when it did not."""
    portfolio: Any
    """vectorbt's own Portfolio, in paise."""


def run(logic: Kernel | Strategy, bars: Sequence[Bar], quantity: int = 0, **parameters: int) -> Simulated:
    """Return the trades of a kernel (`quantity` units a position) or a Python strategy over one instrument's bars."""
    return simulate(columns(bars), targets(strategy_of(logic, quantity, **parameters), bars))


def targets(strategy: Strategy, bars: Sequence[Bar]) -> Ints:
    """Return the units that the strategy wants to hold after each bar."""
    recorder = _Recorder(strategy.name)
    wanted = np.empty(len(bars), np.int64)
    for row, bar in enumerate(bars):
        recorder.begin(bar)
        strategy.on_bar(recorder, bar)
        wanted[row] = recorder.wanted
    return wanted


def simulate(bars: Columns, wanted: Ints) -> Simulated:
    """Return what vectorbt does when `wanted` units after each bar are ordered at the next bar's open."""
    portfolio, engine, note = _from_orders(bars, np.concatenate(([0], wanted[:-1])).astype(np.float64))
    return Simulated(_trades(bars, portfolio.orders.values), engine, note, portfolio)


def _from_orders(bars: Columns, size: Any) -> tuple[Any, str, str]:
    """Return the portfolio, the engine that made it, and why it was not the Rust one."""
    import pandas as pd
    import vectorbt

    index = pd.to_datetime(bars.start, utc=True)
    given = {
        "close": pd.Series(bars.close.astype(np.float64), index),
        "size": pd.Series(size, index),
        "price": pd.Series(bars.open.astype(np.float64), index),
        "size_type": "targetamount",
        "direction": "both",
        "init_cash": CASH,
    }
    try:
        return vectorbt.Portfolio.from_orders(**given, engine="rust"), "rust", ""
    except (ImportError, ValueError) as error:
        return vectorbt.Portfolio.from_orders(**given, engine="numba"), "numba", f"vectorbt fell back to Numba: {error}"


def _trades(bars: Columns, records: Any) -> list[Trade]:
    """Return order records as `parity.order_list_hash` takes them; raise Refused for a fraction of a unit or paisa."""
    quantity, price = records["size"].astype(np.int64), records["price"].astype(np.int64)
    if (quantity != records["size"]).any() or (price != records["price"]).any():
        raise Refused("vectorbt filled a fraction of a unit or a paisa; give it bars in whole paise and whole units.")
    side = np.where(records["side"] == 0, Side.BUY, Side.SELL)
    times = bars.start[records["idx"]].tolist()
    return [
        (bars.instrument, Side(buys), units, paise, ts)
        for buys, units, paise, ts in zip(side.tolist(), quantity.tolist(), price.tolist(), times, strict=True)
    ]


class _Recorder:
    """What a strategy sees while its targets are written down: every target is held by the next bar."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wanted = 0
        self._held = 0
        self._now = 0

    def begin(self, bar: Bar) -> None:
        """Fill what was wanted, and move to the bar's end."""
        self._held, self._now = self.wanted, bar.end

    def now(self) -> int:
        """Return the end of the newest bar, ns UTC."""
        return self._now

    def position(self, instrument: str) -> int:  # noqa: ARG002 - one instrument only
        """Return the units held."""
        return self._held

    def target(self, instrument: str, quantity: int) -> None:  # noqa: ARG002 - one instrument only
        """Write the target down."""
        self.wanted = quantity

    def submit(self, request: OrderRequest) -> Order:
        """Add a market order to the target; raise Refused for another type."""
        if request.type is not OrderType.MARKET:
            raise Refused("vectorbt is given market orders only; play the session through the engine for others.")
        self.wanted += request.side.sign * request.quantity
        return Order(id=client_order_id(self._now, 0, 1), request=request, state=OrderState.PENDING)

    def cancel(self, order_id: str) -> None:  # noqa: ARG002 - the next bar fills, nothing rests
        """Take back what has not been sent."""
        self.wanted = self._held

    def log(self, text: str) -> None:
        """Research keeps no event log."""
