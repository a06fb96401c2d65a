"""A scratch market for probes: a whole book in this process, on the installation's limits, stepped by the probe."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aitrade.core.clock import SECOND, ReplayClock, at
from aitrade.core.errors import OrderRefused
from aitrade.core.instruments import Instrument
from aitrade.core.orders import OrderRequest, Side
from aitrade.core.quotes import Tick
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who

ACTOR = "preflight"
CASH = 100 * 10_000_000 * 100
"""₹100 crore in paise: no probe but the margin's is stopped by money."""
Make = Callable[[EngineSettings], Service]


class Market:
    """A simulated day on a scratch folder; times as IST text or ns UTC, prices in paise."""

    def __init__(self, home: Path, start: str, make: Make = Service) -> None:
        """Begin a day at `start`, such as 09:05."""
        self.service = make(
            EngineSettings(home=str(home), book="preflight", start=start, cash=CASH, client="PREFLIGHT")
        )
        self.engine = self.service.engine
        self.day = self.service.feed.day
        self._side = Side.SELL

    @property
    def share(self) -> Instrument:
        """A liquid share."""
        return self.engine.instruments[self.service.feed.watchlist[0]]

    def one(self, fits: Callable[[Instrument], bool]) -> Instrument:
        """Return the first instrument of the day that fits."""
        return next(row for row in self.engine.instruments.values() if fits(row))

    def last(self, row: Instrument) -> int:
        """Return an instrument's newest price, on its tick."""
        price = self.engine.quotes.last(row.key) or row.previous_close
        return price // row.tick * row.tick

    def request(self, row: Instrument, quantity: int = 1, side: Side = Side.BUY, **terms: Any) -> OrderRequest:
        """Return an order of the probes."""
        return OrderRequest(instrument=row.key, side=side, quantity=quantity, actor=ACTOR, **terms)

    def send(self, request: OrderRequest) -> set[str]:
        """Send an order; return the rules that refused it, none when it was sent."""
        who = Who(request.strategy, "strategy") if request.strategy else Who(ACTOR, "trader")
        try:
            self.service.commands.place(request, who)
        except OrderRefused as refused:
            return {str(rule) for rule, _text in refused.problems}  # type: ignore[attr-defined]
        return set()

    def sound(self) -> set[str]:
        """Send one share to and fro in turn, a second later: an order that nothing is wrong with."""
        self.service.step(1)
        self._side = self._side.opposite
        return self.send(self.request(self.share, side=self._side))

    def until(self, time: str) -> None:
        """Trade on until a time of the day."""
        self.service.step(max(at(self.day, time) - self.engine.clock.now(), 0) // SECOND)

    def stand_still(self, ts: int) -> None:
        """Let the clock go on to `ts` (ns UTC) without a price."""
        clock = self.engine.clock
        assert isinstance(clock, ReplayClock)
        clock.advance(ts)

    def print(self, row: Instrument, price: int) -> None:
        """Print a price now."""
        tick = row.tick
        self.engine.on_tick(Tick(row.key, self.engine.clock.now(), price, 1, price - tick, price + tick, 1, 1, 1))

    def close(self) -> None:
        """Let go of the book."""
        self.service.close()
