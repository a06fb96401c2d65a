"""Every indicator is the same on any window, looks at nothing later, and refuses nonsense kindly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitrade.core.clock import MINUTE, at
from aitrade.core.errors import Refused
from aitrade.core.quotes import Bar
from aitrade.ui.charts.bars import Bars, ist_days
from aitrade.ui.charts.indicators import INDICATORS, Input, Study, compute, parse_studies, reach

SHIFT = 300


def walk(days, seed=7, price=250_000):
    """A seeded random walk of 375 minutes a day."""
    random = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        start = at(f"2025-03-{day + 1:02}", "09:15")
        for minute in range(375):
            opened, price = price, price + int(random.normal(0, 120))
            spread = random.integers(0, 90, 2)
            ts = start + minute * MINUTE
            high, low = max(opened, price) + int(spread[0]), min(opened, price) - int(spread[1])
            rows.append(Bar("NSE:X", ts, ts + MINUTE, opened, high, low, price, int(random.integers(1, 5000))))
    return Bars.of(rows)


BARS = walk(12)


def data_of(bars):
    """Input of minute bars."""
    return Input.of(bars, ist_days(bars.start), intraday=True)


@pytest.mark.parametrize("name", INDICATORS)
def test_window_equals_whole_series(name):
    """From where the beginning is forgotten, a series that starts days later gives the same values to half a paisa."""
    study = Study(name)
    late = 375 * 4
    full = compute(study, data_of(BARS), whole=True)
    part = compute(study, data_of(BARS.part(slice(late, None))), whole=False)
    for a, b in zip(full, part, strict=True):
        drawn = ~np.isnan(b)
        assert np.allclose(a[late:][drawn], b[drawn], atol=0.5, rtol=1e-6)
    assert all((~np.isnan(line)).sum() > 100 for line in part)


@pytest.mark.parametrize("name", INDICATORS)
def test_reach_is_enough(name):
    """Bars of the study's reach before a window give every value of the window."""
    study = Study(name)
    first = min(reach((study,)), 3000)
    part = compute(study, data_of(BARS.part(slice(3375 - first // 375 * 375 - 375, None))), whole=False)
    shown = np.array([~np.isnan(line[-SHIFT:]) for line in part]).any(axis=0)
    assert shown.all()


@given(st.sampled_from(sorted(INDICATORS)), st.integers(600, 3000))
@settings(max_examples=60, deadline=None)
def test_nothing_later_is_seen(name, cut):
    """Cutting the data after any bar leaves every value up to it as it was."""
    full = compute(Study(name), data_of(BARS), whole=True)
    cut_off = compute(Study(name), data_of(BARS.part(slice(0, cut))), whole=True)
    for a, b in zip(full, cut_off, strict=True):
        assert np.allclose(a[:cut], b, atol=1e-3, equal_nan=True)


def test_simple_values_by_hand():
    """A three-bar average, a session's VWAP and OBV against sums done by hand."""
    ts = at("2025-03-28", "09:15")
    rows = [(100, 10), (110, 30), (105, 20)]
    bars = Bars.of(
        [Bar("NSE:X", ts + i * MINUTE, ts + (i + 1) * MINUTE, p, p, p, p, v) for i, (p, v) in enumerate(rows)]
    )
    assert compute(Study("sma", (3,)), data_of(bars), whole=True)[0][2] == 105
    assert compute(Study("vwap"), data_of(bars), whole=True)[0].tolist() == [100, 107.5, (1000 + 3300 + 2100) / 60]
    assert compute(Study("obv"), data_of(bars), whole=True)[0].tolist() == [0, 30, 10]


def test_vwap_begins_anew_each_session():
    """The first bar of a day carries that day's own typical price."""
    value = compute(Study("vwap"), data_of(BARS), whole=True)[0]
    typical = (BARS.high + BARS.low + BARS.close) / 3
    assert value[375] == pytest.approx(typical[375])


def test_short_series_give_no_values():
    """Two bars are too few for most averages, and nothing breaks."""
    for name in INDICATORS:
        lines = compute(Study(name), data_of(BARS.part(slice(0, 2))), whole=True)
        assert {len(line) for line in lines} == {2}
        assert {len(line) for line in compute(Study(name), data_of(BARS.part(slice(0, 0))), whole=True)} == {0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rzi", "no indicator “rzi”; choose one of sma"),
        ("rsi:0", "choose 2 to 500"),
        ("rsi:nan", "choose 2 to 500"),
        ("rsi:14:3", "takes 1 numbers, not 2"),
        ("rsi:x", "write it as rsi:14"),
    ],
)
def test_nonsense_is_refused(text, says):
    """Each refusal says what to write instead."""
    with pytest.raises(Refused, match=says):
        parse_studies(text)


def test_studies_are_read():
    """A list of studies reads in order, with or without numbers."""
    assert parse_studies("rsi:14,vwap,bands:20:2.5") == (
        Study("rsi", (14.0,)),
        Study("vwap"),
        Study("bands", (20.0, 2.5)),
    )
