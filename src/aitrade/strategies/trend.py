"""The moving-average trend as a Python strategy: the same decisions as the kernel, in a few lines to read aloud."""

from collections import deque

from aitrade.core.orders import Fill
from aitrade.core.quotes import Bar, Tick
from aitrade.core.strategy import Context


class Trend:
    """Long `quantity` units while the fast average of closes is above the slow one, flat otherwise."""

    def __init__(self, quantity: int, fast: int = 10, slow: int = 50) -> None:
        self.name = "trend"
        self.quantity = quantity
        self._fast, self._slow = fast, slow
        self._recent: deque[int] = deque([0] * fast, maxlen=fast)
        self._window: deque[int] = deque([0] * slow, maxlen=slow)
        self._fast_sum = self._slow_sum = self._seen = 0

    def on_bar(self, context: Context, bar: Bar) -> None:
        """Follow the averages once the slow one is full."""
        close = bar.close
        self._fast_sum += close - self._recent[0]
        self._slow_sum += close - self._window[0]
        self._recent.append(close)
        self._window.append(close)
        self._seen += 1
        if self._seen >= self._slow:
            above = self._fast_sum * self._slow > self._slow_sum * self._fast
            context.target(bar.instrument, self.quantity if above else 0)

    def on_tick(self, context: Context, tick: Tick) -> None:
        """Ticks do not matter to it."""

    def on_fill(self, context: Context, fill: Fill) -> None:
        """Neither do fills."""

    def on_timer(self, context: Context, ts: int) -> None:
        """Nor minutes."""
