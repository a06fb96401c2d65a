"""Kernel strategies compiled: one machine-code loop over a whole history, for sweeps and benches.

Compilation happens on the first use of a kernel in a process (about a second); numba is imported then, not before.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import numpy as np

from aitrade.core.orders import Side
from aitrade.core.strategy import Kernel, Step
from aitrade.research.columns import Columns, Ints


class Orders(msgspec.Struct, frozen=True):
    """What a kernel decided: after bar `row`, an order of signed `quantity` units, to fill at the next bar's open."""

    row: Ints
    quantity: Ints

    def __len__(self) -> int:
        """Return how many orders there are."""
        return len(self.row)

    def trades(self, bars: Columns) -> list[tuple[str, Side, int, int, int]]:
        """Return the fills at next open as `parity.order_list_hash` takes them."""
        following = self.row + 1
        columns = (self.quantity.tolist(), bars.open[following].tolist(), bars.start[following].tolist())
        return [
            (bars.instrument, Side.BUY if quantity > 0 else Side.SELL, abs(quantity), price, ts)
            for quantity, price, ts in zip(*columns, strict=True)
        ]


@cache
def compiled(step: Step) -> Callable[..., int]:
    """Return the loop of `step`, compiled."""
    from numba import njit

    decide = njit(step)

    @njit(nogil=True)  # type: ignore[untyped-decorator]
    def loop(
        state: Any, open_: Any, high: Any, low: Any, close: Any, volume: Any, minute: Any,
        quantity: int, rows: Any, quantities: Any,
    ) -> int:  # fmt: skip
        held = 0
        count = 0
        for row in range(len(close) - 1):
            target = decide(state, open_[row], high[row], low[row], close[row], volume[row], minute[row]) * quantity
            if target != held:
                rows[count] = row
                quantities[count] = target - held
                held = target
                count += 1
        return count

    run: Callable[..., int] = loop
    return run


def run(kernel: Kernel, bars: Columns, quantity: int, **parameters: int) -> Orders:
    """Return the orders of a kernel over `bars`, `quantity` units a position; no order after the last bar."""
    state = np.array(kernel.start(**parameters), np.int64)
    rows, quantities = np.empty(len(bars), np.int64), np.empty(len(bars), np.int64)
    count = compiled(kernel.step)(
        state, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.minute, quantity, rows, quantities
    )
    return Orders(rows[:count].copy(), quantities[:count].copy())
