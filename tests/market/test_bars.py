"""Bars from ticks and from shorter bars."""

from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import MINUTE, at
from aitrade.core.quotes import Bar, Tick
from aitrade.market.bars import DAY_MINUTES, BarBuilder, resample
from aitrade.market.tick_path import path

OPEN = at("2025-03-28", "09:15")


def minute_bar(minute, price=10_000, volume=10, day="2025-03-28"):
    """A bar of one minute that rises by 40 paise."""
    start = at(day, "09:15") + minute * MINUTE
    return Bar("NSE:TCS", start, start + MINUTE, price, price + 50, price - 20, price + 40, volume, minute)


def test_a_bar_is_built_from_its_ticks():
    """Built from a bar's own path, the bar comes back."""
    builder, bar = BarBuilder(1, OPEN), minute_bar(3)
    assert [builder.on_tick(tick) for tick in path(bar, 1, 20, 5)] == [None] * 20
    assert builder.forming("NSE:TCS") == bar
    assert builder.close(bar.end - 1) == []
    assert builder.close(bar.end) == [bar]
    assert builder.forming("NSE:TCS") is None


def test_a_late_tick_hands_over_the_bar_before():
    """A tick of a later bar returns the bar that nobody has closed."""
    builder = BarBuilder(5, OPEN)
    builder.on_tick(Tick("NSE:TCS", OPEN + MINUTE, 100, 3))
    done = builder.on_tick(Tick("NSE:TCS", OPEN + 6 * MINUTE, 90, 4))
    assert done == Bar("NSE:TCS", OPEN, OPEN + 5 * MINUTE, 100, 100, 100, 100, 3)
    assert builder.forming("NSE:TCS").start == OPEN + 5 * MINUTE


@given(st.sampled_from([3, 5, 15, 30, 60]), st.sets(st.integers(0, 374), min_size=1))
def test_resampling_keeps_volume_and_extremes(length, minutes):
    """Whatever is missing, the longer bars hold the shorter ones' volume and extremes and count from 09:15."""
    bars = [minute_bar(minute, 10_000 + 7 * minute) for minute in sorted(minutes | {0})]
    made = resample(bars, length)
    assert sum(bar.volume for bar in made) == sum(bar.volume for bar in bars)
    assert max(bar.high for bar in made) == max(bar.high for bar in bars)
    assert min(bar.low for bar in made) == min(bar.low for bar in bars)
    assert made[0].open == bars[0].open
    assert made[-1].close == bars[-1].close
    assert all((bar.start - OPEN) % (length * MINUTE) == 0 and bar.end - bar.start == length * MINUTE for bar in made)


def test_a_day_is_one_bar():
    """Day bars run from the day's open to its last bar's end."""
    bars = [minute_bar(m, day=day) for day in ("2025-03-27", "2025-03-28") for m in range(375)]
    made = resample(bars, DAY_MINUTES)
    assert [(bar.start, bar.end, bar.volume, bar.oi) for bar in made] == [
        (at(day, "09:15"), at(day, "15:30"), 3750, 374) for day in ("2025-03-27", "2025-03-28")
    ]
