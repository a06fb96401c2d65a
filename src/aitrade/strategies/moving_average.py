"""Moving-average trend: long while the fast average is above the slow one, flat otherwise.

Averages are compared as exact integers (sum times the other's length), so that a tie is a tie on every machine. The
window lies in the state as a ring; parameters longer than the ring are cut to it.
"""

from typing import Any

from aitrade.core.strategy import Kernel

FAST, SLOW = 0, 1
COUNT, FAST_SUM, SLOW_SUM, RING = 2, 3, 4, 5
LONGEST = 240


def step(state: Any, open_: int, high: int, low: int, close: int, volume: int, minute: int) -> int:  # noqa: ARG001 - every kernel has this signature
    """Return 0 or +1 after a closed bar; 0 until the slow average is full."""
    fast = min(state[FAST], LONGEST)
    slow = min(state[SLOW], LONGEST)
    count = state[COUNT]
    if count >= slow:
        state[SLOW_SUM] -= state[RING + (count - slow) % LONGEST]
    if count >= fast:
        state[FAST_SUM] -= state[RING + (count - fast) % LONGEST]
    state[RING + count % LONGEST] = close
    state[FAST_SUM] += close
    state[SLOW_SUM] += close
    state[COUNT] = count + 1
    if count + 1 < slow:
        return 0
    return 1 if state[FAST_SUM] * slow > state[SLOW_SUM] * fast else 0


MOVING_AVERAGE = Kernel(
    name="moving-average",
    step=step,
    parameters={"fast": 10, "slow": 50},
    state_size=5 + LONGEST,
    describes="Long while the fast average of closes is above the slow one",
)
