"""Draws are functions of their names."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aitrade.market.draws import normal, uniform, word


@given(st.integers(0, 2**62), st.integers(1, 500), st.integers(0, 499))
def test_a_draw_does_not_depend_on_what_else_is_drawn(seed, count, place):
    """The number of one name is the same alone and among others."""
    place %= count
    together = uniform(seed, "volume", np.arange(count))
    assert together[place] == uniform(seed, "volume", place)[0]
    assert ((together > 0) & (together < 1)).all()


def test_draws_are_uniform_and_normal_and_apart():
    """A hundred thousand draws have the moments of their law, and other names give other numbers."""
    flat, bell = uniform(7, np.arange(100_000)), normal(7, np.arange(100_000))
    assert abs(flat.mean() - 0.5) < 0.005
    assert abs(flat.var() - 1 / 12) < 0.002
    assert abs(bell.mean()) < 0.02
    assert abs(bell.std() - 1) < 0.01
    assert abs(np.corrcoef(flat[:-1], flat[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(bell, normal(8, np.arange(100_000)))[0, 1]) < 0.02


def test_words_are_the_same_everywhere():
    """A name's hash is fixed: a changed one would change every simulated day."""
    assert word("NSE:NIFTY") == word("NSE:NIFTY") != word("NSE:BANKNIFTY")
    assert 0 <= word("") < 2**63
