"""Time frames against tables written by hand, and thinning that keeps the extremes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import MINUTE, at, ist_date
from aitrade.core.quotes import Bar
from aitrade.ui.charts.bars import Bars, last_of_groups, resample, sessions, thin, whole_days


def minute_bars(day, clock_times, prices):
    """Minute bars at IST clock times; each rises three paise, falls two and closes one up."""
    starts = [at(day, clock_time) for clock_time in clock_times]
    rows = zip(starts, prices, strict=True)
    return Bars.of([Bar("NSE:X", ts, ts + MINUTE, p, p + 3, p - 2, p + 1, 10) for ts, p in rows])


def bounds(open_time, close_time):
    """The same session hours on every day."""
    return lambda ts: (at(ist_date(ts), open_time), at(ist_date(ts), close_time))


def frame(bars, minutes, open_time="09:15", close_time="15:30"):
    """Resample with the session's hours given."""
    return resample(bars, minutes, *sessions(bars, bounds(open_time, close_time)))


def table(bars):
    """Open, high, low, close, volume of each bar."""
    return [tuple(int(column[i]) for column in bars.columns()[2:]) for i in range(len(bars))]


def test_five_minutes_by_hand():
    """Six minutes from 09:15 make one full five-minute bar and the beginning of the next."""
    bars = minute_bars("2025-03-28", [f"09:{15 + i}" for i in range(6)], [100, 110, 90, 105, 120, 130])
    assert table(frame(bars, 5)) == [(100, 123, 88, 121, 50), (130, 133, 128, 131, 10)]


def test_late_first_trade_keeps_the_grid():
    """Buckets count from the session's open, not from the first print."""
    bars = minute_bars("2025-03-28", ["09:17", "09:19", "09:20"], [100, 101, 102])
    made = frame(bars, 5)
    assert made.start.tolist() == [at("2025-03-28", "09:15"), at("2025-03-28", "09:20")]


def test_last_hour_is_short():
    """The hour that begins at 15:15 ends with the session."""
    bars = minute_bars("2025-03-28", ["14:15", "15:14", "15:15", "15:29"], [1000, 1001, 1002, 1003])
    made = frame(bars, 60)
    assert made.start.tolist() == [at("2025-03-28", "14:15"), at("2025-03-28", "15:15")]
    assert made.end.tolist() == [at("2025-03-28", "15:15"), at("2025-03-28", "15:30")]


def test_early_close_cuts_the_bar():
    """Where continuous trading ends at 15:15, the half hour of 14:45 is the last; auction prints stand apart."""
    bars = minute_bars("2026-08-04", ["14:50", "15:14", "15:20"], [1000, 1001, 1005])
    made = frame(bars, 30, close_time="15:15")
    assert made.end.tolist() == [at("2026-08-04", "15:15"), at("2026-08-04", "15:45")]
    assert table(made)[1] == (1005, 1008, 1003, 1006, 10)


def test_evening_session():
    """A session that opens at 18:00 has its first quarter there."""
    bars = minute_bars("2025-10-21", ["18:00", "18:14", "18:15"], [1000, 1001, 1002])
    made = frame(bars, 15, "18:00", "19:00")
    assert made.start.tolist() == [at("2025-10-21", "18:00"), at("2025-10-21", "18:15")]


def test_days_do_not_mix():
    """A bar never reaches over the night, and a day's bar ends at its close."""
    one = minute_bars("2025-03-27", ["09:15", "15:29"], [1000, 1100])
    both = one.then(minute_bars("2025-03-28", ["09:15", "11:00"], [900, 950]))
    assert table(frame(both, 1440)) == [(1000, 1103, 998, 1101, 20), (900, 953, 898, 951, 20)]
    assert frame(both, 1440).end.tolist() == [at("2025-03-27", "15:30"), at("2025-03-28", "15:30")]


def test_unknown_day_counts_from_its_first_bar():
    """A day beyond the calendar still draws: its own first bar is its open."""
    bars = minute_bars("2031-01-02", ["10:00", "10:04", "10:05"], [1000, 1001, 1002])
    made = resample(bars, 5, *sessions(bars, lambda _: None))
    assert made.start.tolist() == [at("2031-01-02", "10:00"), at("2031-01-02", "10:05")]


def test_later_bars_replace():
    """The forming bar is replaced by its newer self, and the first day that a count cut is dropped."""
    bars = minute_bars("2025-03-27", ["09:15", "09:16"], [1000, 1100])
    newer = minute_bars("2025-03-27", ["09:16", "09:17"], [1200, 1300])
    assert bars.then(newer).open.tolist() == [1000, 1200, 1300]
    next_day = minute_bars("2025-03-28", ["09:15"], [900])
    assert whole_days(bars.then(next_day)).open.tolist() == [900]
    assert len(whole_days(bars)) == len(bars)


@st.composite
def series(draw):
    """Up to 300 minute bars with any prices."""
    count = draw(st.integers(1, 300))
    prices = draw(st.lists(st.integers(100, 10_000_000), min_size=count, max_size=count))
    spans = draw(st.lists(st.integers(0, 500), min_size=count, max_size=count))
    start = at("2025-03-28", "09:15")
    return Bars.of(
        [
            Bar("NSE:X", start + i * MINUTE, start + (i + 1) * MINUTE, p, p + s, p - s // 2, p + s // 3, s)
            for i, (p, s) in enumerate(zip(prices, spans, strict=True))
        ]
    )


@given(series(), st.integers(1, 400), st.integers(-500, 500))
def test_thinning_keeps_extremes(bars, limit, first):
    """The highest high, lowest low, first open, last close and all volume survive, within about the limit."""
    x = np.arange(first, first + len(bars))
    thinned, middle, size = thin(bars, x, limit)
    assert len(thinned) <= limit + 1
    assert thinned.high.max() == bars.high.max()
    assert thinned.low.min() == bars.low.min()
    assert (thinned.open[0], thinned.close[-1]) == (bars.open[0], bars.close[-1])
    assert thinned.volume.sum() == bars.volume.sum()
    assert len(middle) == len(thinned)
    assert np.array_equal(bars.close[last_of_groups(x, size)], thinned.close)


@given(series(), st.integers(2, 60), st.integers(0, 200))
def test_thinning_stays_when_the_view_moves(bars, limit, cut):
    """A group that lies wholly in both views is the same candle in both."""
    x = np.arange(len(bars))
    size = thin(bars, x, limit)[2]
    cut = min(cut, len(bars) - 1) // size * size
    whole, moved = (thin(b, i, -(-len(b) // size)) for b, i in ((bars, x), (bars.part(slice(cut, None)), x[cut:])))
    if whole[2] == moved[2]:
        assert whole[0].high[-len(moved[0]) :].tolist() == moved[0].high.tolist()


@pytest.mark.parametrize("minutes", [1, 3, 5, 15, 30, 60, 1440])
def test_every_frame_keeps_volume(minutes):
    """No time frame loses or doubles a trade."""
    bars = minute_bars("2025-03-28", [f"{9 + i // 60:02}:{i % 60:02}" for i in range(15, 390)], range(1000, 1375))
    made = frame(bars, minutes)
    assert made.volume.sum() == bars.volume.sum()
    assert (np.diff(made.start) > 0).all()
