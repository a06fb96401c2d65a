"""The path inside a bar is honest: it adds nothing that the bar does not say."""

from itertools import pairwise

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import MINUTE, SECOND, at
from aitrade.core.quotes import Bar
from aitrade.market.tick_path import FEWEST, columns, path, walk

START = at("2025-03-28", "09:15")


@st.composite
def bars(draw, tick=5):
    """Bars on the grid of `tick` with any shape and volume."""
    prices = st.integers(20, 40_000).map(lambda n: n * tick)
    low = draw(prices)
    high = low + draw(st.integers(0, 200)) * tick
    inside = st.integers(0, (high - low) // tick).map(lambda n: low + n * tick)
    minutes = draw(st.sampled_from([1, 5]))
    start = START + draw(st.integers(0, 300)) * MINUTE
    volume = draw(st.integers(0, 3_000_000))
    return Bar("NSE:TCS", start, start + minutes * MINUTE, draw(inside), high, low, draw(inside), volume, 7)


@given(bars(), st.integers(0, 2**40), st.integers(1, 60), st.sampled_from([1, 75]), st.integers(1, 3))
def test_a_path_says_what_its_bar_says(bar, seed, count, lot, spread):
    """Open, high, low, close and volume of the ticks are the bar's; every price lies on the grid and is modelled."""
    made = path(bar, seed, count, 5, lot=lot, spread=spread)
    prices = [tick.price for tick in made]
    assert len(made) == max(count, FEWEST)
    assert (prices[0], max(prices), min(prices), prices[-1]) == (bar.open, bar.high, bar.low, bar.close)
    assert sum(tick.quantity for tick in made) == bar.volume == made[-1].volume
    assert all(tick.quantity % lot == 0 for tick in made[:-1])
    assert all(tick.modelled and tick.oi == 7 for tick in made)
    for tick in made:
        assert tick.price % 5 == tick.bid % 5 == tick.ask % 5 == 0
        assert tick.bid > 0
        assert tick.ask - tick.bid == 5 * spread
        assert tick.price in (tick.bid, tick.ask)


@given(bars(), st.integers(0, 2**40), st.integers(1, 60))
def test_an_order_at_the_end_of_a_bar_meets_the_next_open(bar, seed, count):
    """The first tick comes 200 to 900 ms after the start, and times ascend strictly to before the end."""
    stamps = [tick.ts for tick in path(bar, seed, count, 5)]
    assert 200_000_000 <= stamps[0] - bar.start <= 900_000_000
    assert all(one < other for one, other in pairwise(stamps))
    assert stamps[-1] < bar.end
    assert stamps[1] >= bar.start + SECOND


@given(st.lists(bars(), min_size=1, max_size=8), st.integers(0, 2**40), st.integers(4, 30))
def test_a_path_depends_on_its_own_bar_alone(several, seed, count):
    """Walked together or alone, a bar has the same ticks."""
    together = walk(columns(several, count, 5), seed)
    for row, bar in enumerate(several):
        alone = walk(columns([bar], count, 5), seed)
        for name in ("ts", "price", "quantity", "bid", "ask", "bid_quantity", "ask_quantity"):
            assert np.array_equal(getattr(together, name)[together.row == row], getattr(alone, name)), name


def test_an_index_has_neither_bid_nor_ask():
    """Without a spread nothing is quoted, and without volume nothing is traded."""
    bar = Bar("NSE:NIFTY", START, START + MINUTE, 2_350_000, 2_351_000, 2_349_000, 2_350_500)
    made = path(bar, 1, 20, 5, spread=0)
    assert {(tick.bid, tick.ask, tick.quantity) for tick in made} == {(0, 0, 0)}


def test_seed_and_instrument_change_the_path():
    """Another seed, or another instrument with the same bar, walks otherwise."""
    bar = Bar("NSE:TCS", START, START + MINUTE, 400_000, 401_000, 399_000, 400_500, 5000)
    first = [tick.price for tick in path(bar, 1, 20, 5)]
    assert first == [tick.price for tick in path(bar, 1, 20, 5)]
    assert first != [tick.price for tick in path(bar, 2, 20, 5)]
    assert first != [tick.price for tick in path(msgspec.structs.replace(bar, instrument="NSE:INFY"), 1, 20, 5)]


@given(bars(tick=3), st.integers(0, 2**40))
def test_bars_off_the_grid_keep_their_own_prices(bar, seed):
    """A bar older than its tick size keeps open, high, low and close as printed."""
    prices = [tick.price for tick in path(bar, seed, 20, 10)]
    assert (prices[0], max(prices), min(prices), prices[-1]) == (bar.open, bar.high, bar.low, bar.close)
