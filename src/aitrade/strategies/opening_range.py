"""Opening-range breakout: trade the first break of the morning's range, one way, until the day's end.

The range is the high and low of the first `range` minutes after 09:15. A close above it goes long, one below it goes
short; a close back inside beyond the middle goes flat, and there is one trade a day.
"""

from typing import Any

from aitrade.core.strategy import Kernel

RANGE, STOP_MINUTE = 0, 1
DAY_HIGH, DAY_LOW, TARGET, TRADED, LAST_MINUTE = 2, 3, 4, 5, 6


def step(state: Any, open_: int, high: int, low: int, close: int, volume: int, minute: int) -> int:  # noqa: ARG001 - every kernel has this signature
    """Return -1, 0 or +1 after a closed bar."""
    if minute < state[LAST_MINUTE] or state[DAY_HIGH] == 0:
        state[DAY_HIGH] = high
        state[DAY_LOW] = low
        state[TARGET] = 0
        state[TRADED] = 0
    state[LAST_MINUTE] = minute
    if minute < state[RANGE]:
        state[DAY_HIGH] = max(high, state[DAY_HIGH])
        state[DAY_LOW] = min(low, state[DAY_LOW])
        return 0
    if minute >= state[STOP_MINUTE]:
        state[TARGET] = 0
        return 0
    middle = (state[DAY_HIGH] + state[DAY_LOW]) // 2
    if state[TARGET] == 0 and state[TRADED] == 0:
        if close > state[DAY_HIGH]:
            state[TARGET] = 1
            state[TRADED] = 1
        elif close < state[DAY_LOW]:
            state[TARGET] = -1
            state[TRADED] = 1
    elif (state[TARGET] == 1 and close < middle) or (state[TARGET] == -1 and close > middle):
        state[TARGET] = 0
    return int(state[TARGET])


OPENING_RANGE = Kernel(
    name="opening-range",
    step=step,
    parameters={"range": 15, "stop_minute": 345},
    state_size=7,
    describes="First break of the opening range, one trade a day, flat by the stop minute",
)
