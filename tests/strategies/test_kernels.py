"""Tests for the kernel strategies that ship: plain Python and compiled code are one strategy."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitrade.strategies import KERNELS, MOVING_AVERAGE, OPENING_RANGE

compiled = {name: numba.njit(kernel.step) for name, kernel in KERNELS.items()}
closes = st.lists(st.integers(1000, 10**8), min_size=1, max_size=120)


def targets(step, state, bars):
    """The targets of a step over (open, high, low, close, volume, minute) rows."""
    return [int(step(state, *bar)) for bar in bars]


def bars_of(prices):
    """Flat bars at the given closes, a minute apart."""
    return [(p, p + 5, max(p - 5, 1), p, 10, minute) for minute, p in enumerate(prices)]


@pytest.mark.parametrize("name", KERNELS)
@settings(deadline=None, max_examples=50)
@given(prices=closes)
def test_plain_is_compiled(name, prices):
    """The same state and bars give the same targets, interpreted and compiled, and the same state after."""
    kernel = KERNELS[name]
    small = {"fast": 3, "slow": 7} if "slow" in kernel.parameters else {"range": 5, "stop_minute": 100}
    plain = kernel.start(**small)
    array = np.array(plain, dtype=np.int64)
    bars = bars_of(prices)
    assert targets(kernel.step, plain, bars) == targets(compiled[name], array, bars)
    assert plain == array.tolist()


@pytest.mark.parametrize("name", KERNELS)
def test_a_decision_does_not_know_the_future(name):
    """Cutting the data at any point leaves the decisions before it as they were."""
    kernel = KERNELS[name]
    prices = [100_000 + (i * 7919 % 997) * 5 for i in range(200)]
    whole = targets(kernel.step, kernel.start(), bars_of(prices))
    for cut in (1, 20, 57, 120, 199):
        assert targets(kernel.step, kernel.start(), bars_of(prices[:cut])) == whole[:cut]


def test_moving_average_follows_the_naive_definition():
    """Long exactly when the mean of the last fast closes exceeds the mean of the last slow ones."""
    prices = [1000, 1010, 1005, 990, 1020, 1040, 1030, 980, 960, 955, 970, 1100, 1090]
    got = targets(MOVING_AVERAGE.step, MOVING_AVERAGE.start(fast=2, slow=4), bars_of(prices))
    naive = [
        0 if i < 3 else int(sum(prices[i - 1 : i + 1]) * 4 > sum(prices[i - 3 : i + 1]) * 2) for i in range(len(prices))
    ]
    assert got == naive
    assert 1 in got


def test_opening_range_trades_once_a_day():
    """A break above the range goes long, a fall through its middle goes flat for the day; the next day begins anew."""
    prices = [100, 104, 102, 107, 108, 99, 120, 120]
    bars = [(p * 100, p * 100 + 50, p * 100 - 50, p * 100, 10, m) for m, p in enumerate(prices)]
    state = OPENING_RANGE.start(range=3, stop_minute=345)
    assert targets(OPENING_RANGE.step, state, bars) == [0, 0, 0, 1, 1, 0, 0, 0]
    assert targets(OPENING_RANGE.step, state, bars) == [0, 0, 0, 1, 1, 0, 0, 0]


def test_an_unknown_parameter_is_refused():
    """A kernel knows its parameters."""
    with pytest.raises(KeyError):
        MOVING_AVERAGE.start(quick=3)
