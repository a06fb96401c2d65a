"""The grid of prices: rounding to a tick, and bands on it."""

from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.quotes import Bar, Tick
from aitrade.market.grid import band, rounded_bar, rounded_tick

PRICES = st.integers(1_000, 500_000)
SIZES = st.sampled_from([1, 5, 10, 20, 50])


@given(st.lists(PRICES, min_size=4, max_size=4), SIZES)
def test_a_rounded_bar_is_a_bar_on_the_grid(prices, size):
    """Each price moves by half a tick at the most, high and low still span the others; on the grid nothing moves."""
    low, first, last, high = sorted(prices)
    bar = Bar("NSE:X", 0, 60, first, high, low, last, 10)
    found = rounded_bar(bar, size)
    pairs = list(zip((found.open, found.high, found.low, found.close), (first, high, low, last), strict=True))
    assert all(price % size == 0 and 2 * abs(price - was) <= size for price, was in pairs)
    assert found.low <= min(found.open, found.close) <= max(found.open, found.close) <= found.high
    assert rounded_bar(found, size) is found


@given(PRICES, st.integers(0, 100), SIZES)
def test_a_rounded_print_is_marked(price, gap, size):
    """Print, bid and ask lie on the grid, bid below ask as before; one that was moved is MODELLED."""
    one = Tick("NSE:X", 0, price, 1, price - gap, price + gap)
    found = rounded_tick(one, size)
    assert not any(each % size for each in (found.price, found.bid, found.ask))
    assert found.bid <= one.bid <= one.ask <= found.ask
    assert found.modelled is (found != one)


@given(PRICES, st.sampled_from([10, 20]), SIZES)
def test_a_band_lies_inside_its_percentage(close, percent, size):
    """Both ends on the grid, within the percentage by less than a tick."""
    lower, upper = band(close, percent, size)
    assert lower % size == upper % size == 0
    assert 0 <= 100 * lower - close * (100 - percent) < 100 * (size + 1)
    assert 0 <= close * (100 + percent) - 100 * upper < 100 * (size + 1)
