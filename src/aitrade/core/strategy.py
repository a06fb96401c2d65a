"""Strategies are written once: the object that a quant tests is the object that trades.

A **kernel strategy** is a pure function `step(state, open, high, low, close, volume, minute) -> target` over an array
of
integers, in the subset of Python that Numba compiles: the engine calls it as it stands, a sweep compiles it.
A **Python strategy** answers events through a small context, for anything with richer state.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from aitrade.core.orders import Fill, Order, OrderRequest, Product
from aitrade.core.quotes import Bar, Tick

Step = Callable[[Any, int, int, int, int, int, int], int]
"""step(state, open, high, low, close, volume, minute) -> target in lots-of-one: -1, 0, +1 times the trade quantity.

`state` is an int64 array (numpy in compiled drivers, a list in the engine) of the kernel's `state_size`, all zero at
the start of a run except `state[:len(parameters)]`, which hold the parameters; prices in paise; `minute` is minutes
since 09:15 IST of the bar's start.
"""


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """A kernel strategy: a name, a step, and the parameters it starts with."""

    name: str
    step: Step
    parameters: Mapping[str, int]
    """Name to default; in this order they fill the first cells of the state."""
    state_size: int
    minutes: int = 1
    """Length of the bars that it takes."""
    product: Product = Product.MIS
    describes: str = ""

    def start(self, **changes: int) -> list[int]:
        """Return a fresh state with the parameters in its first cells; raise KeyError for a name it does not have."""
        for name in changes:
            if name not in self.parameters:
                raise KeyError(name)
        values = [changes.get(name, default) for name, default in self.parameters.items()]
        return values + [0] * (self.state_size - len(values))


class Context(Protocol):
    """What a Python strategy sees of the world."""

    name: str

    def now(self) -> int:
        """Market time, ns UTC."""
        ...

    def position(self, instrument: str) -> int:
        """Units that this strategy holds; negative for short."""
        ...

    def submit(self, request: OrderRequest) -> Order:
        """Ask for an order; it goes through risk and journal like any other."""
        ...

    def cancel(self, order_id: str) -> None:
        """Ask for an order's cancellation."""
        ...

    def target(self, instrument: str, quantity: int) -> None:
        """Ask for whatever order takes the strategy's position in `instrument` to `quantity`."""
        ...

    def log(self, text: str) -> None:
        """Leave a line in the event log."""
        ...


@runtime_checkable
class Strategy(Protocol):
    """A Python strategy; every handler is optional in spirit: a base class with empty ones ships in `strategies`."""

    name: str

    def on_bar(self, context: Context, bar: Bar) -> None:
        """A bar is complete."""

    def on_tick(self, context: Context, tick: Tick) -> None:
        """A price printed."""

    def on_fill(self, context: Context, fill: Fill) -> None:
        """One of its orders filled."""

    def on_timer(self, context: Context, ts: int) -> None:
        """A market minute began."""
