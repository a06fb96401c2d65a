"""A kernel as a Python strategy, so that whatever takes strategies takes kernels too."""

from aitrade.core.clock import MINUTE
from aitrade.core.orders import Fill
from aitrade.core.quotes import Bar, Tick
from aitrade.core.strategy import Context, Kernel, Strategy
from aitrade.market.bars import day_open


class Stepping:
    """Steps a kernel bar by bar, uncompiled, as the engine does; `quantity` units a position.

    The bars are those of one instrument and of the kernel's length. Make a new one for another run.
    """

    def __init__(self, kernel: Kernel, quantity: int, **parameters: int) -> None:
        self.name = kernel.name
        self._step, self._quantity = kernel.step, quantity
        self._state = kernel.start(**parameters)
        self._opened = 0

    def on_bar(self, context: Context, bar: Bar) -> None:
        """Ask for the position that the kernel wants."""
        if bar.start - self._opened >= _NIGHT:
            self._opened = day_open(bar.start)
        minute = (bar.start - self._opened) // MINUTE
        wanted = self._step(self._state, bar.open, bar.high, bar.low, bar.close, bar.volume, minute)
        context.target(bar.instrument, wanted * self._quantity)

    def on_tick(self, context: Context, tick: Tick) -> None:
        """Kernels see bars."""

    def on_fill(self, context: Context, fill: Fill) -> None:
        """Kernels see bars."""

    def on_timer(self, context: Context, ts: int) -> None:
        """Kernels see bars."""


_NIGHT = 16 * 60 * MINUTE
"""Longer than any session, shorter than from one open to the next."""


def strategy_of(logic: Kernel | Strategy, quantity: int = 0, **parameters: int) -> Strategy:
    """Return `logic` as a Python strategy; quantity and parameters are a kernel's, a strategy has its own."""
    return Stepping(logic, quantity, **parameters) if isinstance(logic, Kernel) else logic
