"""Runs strategies: gives them bars, turns their targets into orders, stops the one that fails."""

import hashlib
import inspect
import operator
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from aitrade.core.clock import MINUTE
from aitrade.core.events import StrategyChange
from aitrade.core.instruments import Instrument
from aitrade.core.orders import Order, OrderRequest, Side
from aitrade.core.quotes import Bar
from aitrade.core.strategy import Kernel
from aitrade.engine.watchdog import StrategyStuck, Watchdog


def code_hash(kernel: Kernel) -> str:
    """Return SHA-256 over the file that the kernel's step is written in: the identity of the logic that trades."""
    return hashlib.sha256(Path(inspect.getsourcefile(kernel.step) or "").read_bytes()).hexdigest()


class Desk(Protocol):
    """What a runner needs of the engine."""

    def submit(self, request: OrderRequest) -> list[Order]:
        """Submit an order for a strategy."""
        ...

    def owned(self, strategy: str, instrument: str) -> int:
        """Return the units that the strategy holds."""
        ...

    def pending(self, strategy: str, instrument: str) -> int:
        """Return signed units of the strategy's working orders."""
        ...

    def instrument(self, key: str) -> Instrument | None:
        """Return an instrument of the day."""
        ...


class Running(msgspec.Struct):
    """A kernel strategy at work: a state and a forming bar for each instrument."""

    kernel: Kernel
    change: StrategyChange
    open_minute: int
    states: dict[str, Any] = {}
    forming: dict[str, Bar] = {}


class Runner:
    """All strategies of a book."""

    def __init__(
        self, kernels: dict[str, Kernel], desk: Desk, failed: Callable[[str, str], None], seconds: float
    ) -> None:
        self.kernels = kernels
        self.running: dict[str, Running] = {}
        self._desk = desk
        self._failed = failed
        self._watchdog = Watchdog(seconds)

    def start(self, change: StrategyChange, day_open: int, bars: Iterable[Bar] = ()) -> None:
        """Begin; `bars` of the day so far, since the strategy was first started, bring its state to now."""
        kernel = self.kernels[change.name]
        running = Running(kernel, change, day_open)
        running.states = {key: kernel.start(**change.parameters) for key in change.instruments}
        self.running[change.name] = running
        for bar in bars:
            if bar.instrument in running.states:
                self._step(running, bar)

    def stop(self, name: str) -> None:
        """Forget a strategy; its positions stay."""
        self.running.pop(name, None)

    def new_day(self, day_open: int) -> None:
        """Count minutes from this morning's open."""
        for running in self.running.values():
            running.open_minute = day_open
            running.forming.clear()

    def on_bar(self, bar: Bar) -> None:
        """Give a closed minute bar to every strategy that takes its instrument."""
        for running in list(self.running.values()):
            if bar.instrument in running.states:
                self._guarded(running, bar)

    def close(self) -> None:
        """End the watchdog."""
        self._watchdog.close()

    def _guarded(self, running: Running, bar: Bar) -> None:
        """Step under the watchdog; the order follows outside of it, where nothing is cut off in the middle."""
        name = running.kernel.name
        try:
            wanted = self._watchdog.run(lambda: self._decide(running, bar))
        except StrategyStuck:
            self._fail(name, f"did not return within {self._watchdog.seconds:g} s")
        except Exception as error:
            self._fail(name, f"raised {type(error).__name__}: {error}")
        else:
            if wanted is not None:
                self._reach(running, bar.instrument, wanted)

    def _fail(self, name: str, reason: str) -> None:
        self.running.pop(name, None)
        self._failed(name, f"{reason}; it is stopped, its positions stay: close them by hand or start it again.")

    def _decide(self, running: Running, bar: Bar) -> int | None:
        """Return the units that the strategy wants, None while its bar forms; raise TypeError for another answer."""
        target = self._step(running, bar)
        return None if target is None else operator.index(target) * running.change.quantity

    def _step(self, running: Running, bar: Bar) -> int | None:
        """Step on a complete bar of the kernel's length; None while it forms."""
        complete = _grow(running, bar)
        if complete is None:
            return None
        state = running.states[bar.instrument]
        minute = (complete.start - running.open_minute) // MINUTE
        bar_ = complete
        return running.kernel.step(state, bar_.open, bar_.high, bar_.low, bar_.close, bar_.volume, minute)

    def _reach(self, running: Running, key: str, wanted: int) -> None:
        name = running.kernel.name
        missing = wanted - self._desk.owned(name, key) - self._desk.pending(name, key)
        instrument = self._desk.instrument(key)
        if not missing or instrument is None:
            return
        self._desk.submit(
            OrderRequest(
                instrument=key,
                side=Side.BUY if missing > 0 else Side.SELL,
                quantity=abs(missing),
                product=running.kernel.product,
                strategy=name,
                actor=name,
                slice=True,
            )
        )


def _grow(running: Running, bar: Bar) -> Bar | None:
    """Grow the kernel's longer bar by a minute; return it when it is complete."""
    minutes = running.kernel.minutes
    if minutes == 1:
        return bar
    forming = running.forming.get(bar.instrument)
    grown = bar if forming is None else _joined(forming, bar)
    if (bar.end - running.open_minute) // MINUTE % minutes == 0:
        running.forming.pop(bar.instrument, None)
        return grown
    running.forming[bar.instrument] = grown
    return None


def _joined(one: Bar, two: Bar) -> Bar:
    return Bar(
        one.instrument, one.start, two.end, one.open, max(one.high, two.high), min(one.low, two.low), two.close,
        one.volume + two.volume, two.oi,
    )  # fmt: skip
