"""Tests for weighing the BTST rule's parts by the nights that followed."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import DAY
from aitrade.core.quotes import Bar
from aitrade.intelligence.btst import RuleScorer, Weights
from aitrade.intelligence.btst_fit import FITTED, LEAST, Night, correlation, fit, nights


def made(count, telling):
    """Nights whose return follows one part and nothing else."""
    draw = np.random.default_rng(7)
    shares = draw.random((count, len(FITTED)))
    returns = shares[:, FITTED.index(telling)] / 100 + draw.normal(0, 0.001, count)
    return [Night(n, tuple(row), float(r)) for n, (row, r) in enumerate(zip(shares, returns, strict=True))]


@pytest.mark.parametrize("telling", FITTED)
def test_the_part_that_tells_gains_points(telling):
    """Its points grow, the others' halve at least nearly, and the held-out nights are ordered better."""
    found = fit(made(1_500, telling), Weights())
    assert getattr(found.weights, telling) > getattr(Weights(), telling) * 1.5
    assert found.after > found.before
    assert found.worth[telling] > 0.9


def test_too_few_nights_fit_nothing():
    """No weights from chance."""
    assert fit(made(LEAST - 1, "place"), Weights()) is None


def test_parts_that_say_nothing_fit_nothing():
    """Where every part points the wrong way, the points stay."""
    shares = [Night(n, (n / 999,) * len(FITTED), -n / 999) for n in range(1_000)]
    assert fit(shares, Weights()) is None


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=50))
def test_correlation_is_of_ranks(values):
    """A rising function changes nothing, a falling one the sign; it stays within -1 and 1."""
    one = np.array(values)
    other = np.arange(len(one), dtype=float)
    found = correlation(one, other)
    assert -1 - 1e-9 <= found <= 1 + 1e-9
    assert correlation(one, other**3) == pytest.approx(found)
    assert correlation(one, -other) == pytest.approx(-found)


@given(st.integers(0, 10_000))
def test_new_points_make_ten_and_none_is_negative(seed):
    """Whatever the nights were, the weights are weights."""
    draw = np.random.default_rng(seed)
    found = fit([Night(n, tuple(draw.random(len(FITTED))), float(draw.normal())) for n in range(LEAST)], Weights())
    if found is not None:
        assert sum(msgspec.structs.astuple(found.weights)) == pytest.approx(10)
        assert found.weights.hour == Weights().hour


def test_a_night_looks_at_nothing_of_tomorrow_but_its_open():
    """Tomorrow's other prices change no share."""
    days = [Bar("NSE:X", n * DAY, (n + 1) * DAY, 100 + n, 110 + n, 95 + n, 105 + n, 1_000) for n in range(40)]
    index = [Bar("NSE:NIFTY", n * DAY, (n + 1) * DAY, 1000, 1010, 990, 1000 + n, 0) for n in range(40)]
    changed = [*days[:-1], msgspec.structs.replace(days[-1], high=999, low=1, close=999, volume=9)]
    assert nights(days, index) == nights(changed, index)
    assert nights(days, index)[-1].overnight == pytest.approx(days[-1].open / days[-2].close - 1)


def test_weights_that_do_not_make_ten_are_refused():
    """A score stays out of ten."""
    with pytest.raises(msgspec.ValidationError, match="make 10"):
        msgspec.json.decode(b'{"change": 3.0}', type=Weights)


def test_a_scorer_says_which_points_it_uses():
    """The list names the model's version; the package's own is the plain rule."""
    assert "version 4" in RuleScorer(Weights(), 4).says
    assert "version" not in RuleScorer().says
