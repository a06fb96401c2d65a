"""The simulated market's own files, and the expiries that it lists."""

from datetime import date

import numpy as np
import pytest

from aitrade.core.errors import DataRefused
from aitrade.market.rules import Rules
from aitrade.market.simulated.expiries import next_expiries
from aitrade.market.simulated.universe import load_calibration, load_universe


def test_indices_are_whole():
    """Every index is the weighted sum of stocks that are listed, and the weights sum to one."""
    universe = load_universe()
    weights = universe.weights()
    assert weights.shape == (len(universe.index), len(universe.stock))
    assert weights.sum(axis=1) == pytest.approx(np.ones(len(universe.index)))
    named = {name for stock in universe.stock for name in stock.weight}
    assert named == {index.symbol for index in universe.index}
    assert len({stock.symbol for stock in universe.stock}) == len(universe.stock)


def test_a_shape_stretches_over_any_session():
    """The U shape begins and ends as fitted, however long the session."""
    figures = load_calibration().minute
    for minutes in (60, 360, 375, 390):
        shape = figures.shape(figures.volume, minutes)
        assert len(shape) == minutes
        assert (shape[0], shape[-1]) == pytest.approx((figures.volume[0], figures.volume[-1]))


@pytest.mark.parametrize("text", ["anchor = ", "anchor = 2026-08-21\nstock = 5\nindex = []", "[[stock]]\nodd = 1"])
def test_a_damaged_file_is_refused_by_name(tmp_path, text):
    """The refusal names the file and says what to do."""
    path = tmp_path / "universe.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataRefused, match=r"universe\.toml.*Restore"):
        load_universe(path)


def test_expiries_are_weekly_and_monthly_and_end_with_the_calendar():
    """Two weeks and the month's end, a holiday moving one; what the calendar does not reach is not listed."""
    rules = Rules.load()
    assert next_expiries(rules, date(2026, 3, 25), "NIFTY", 2, 1) == [date(2026, 3, 30), date(2026, 4, 7)]
    assert next_expiries(rules, date(2026, 8, 5), "NIFTY", 2, 1) == [
        date(2026, 8, 11),
        date(2026, 8, 18),
        date(2026, 8, 25),
    ]
    assert next_expiries(rules, date(2026, 12, 31), "NIFTY", 2, 1) == []
