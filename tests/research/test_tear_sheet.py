"""The tear sheet of a book, against figures worked out by hand."""

from statistics import mean, stdev

import pytest

from aitrade.research.tear_sheet import DayMade, Trip, book_sheet, falls


def made(*pnl, begins=1_000_00):
    """Days that each begin with the same money."""
    return [DayMade(f"2026-01-{number:02d}", begins, one, 1_00) for number, one in enumerate(pnl, 1)]


def test_days_by_hand():
    """+10 %, -20 %, +5 %: chained -7.6 %; the fall from the first day's top to the second is 20 %."""
    sheet = book_sheet(made(100_00, -200_00, 50_00), [])
    assert sheet.pnl == -50_00
    assert sheet.total_return == pytest.approx(1.1 * 0.8 * 1.05 - 1)
    assert (sheet.drawdown, sheet.drawdown_from, sheet.drawdown_to) == (pytest.approx(0.2), "2026-01-01", "2026-01-02")
    assert (sheet.winning_days, sheet.best_day, sheet.worst_day) == (2, 100_00, -200_00)
    assert falls([0.1, -0.2, 0.05]) == pytest.approx([0.0, 0.2, 0.16])


def test_a_fall_from_the_first_day_on_began_with_the_book():
    """Two days of losses: the top was before the first of them, and no day is named for it."""
    sheet = book_sheet(made(-100_00, -100_00), [])
    assert (sheet.drawdown, sheet.drawdown_from, sheet.drawdown_to) == (pytest.approx(0.19), "", "2026-01-02")


def test_few_days_give_no_yearly_figure():
    """Nineteen days say nothing of a year; twenty do, by the textbook."""
    pnl = [10_00, -5_00] * 10
    few, enough = book_sheet(made(*pnl[:19]), []), book_sheet(made(*pnl), [])
    assert (few.yearly_return, few.volatility, few.sharpe, few.sortino) == (None, None, None, None)
    returns = [one / 1_000_00 for one in pnl]
    assert enough.volatility == pytest.approx(stdev(returns) * 250**0.5)
    assert enough.sharpe == pytest.approx(mean(returns) / stdev(returns) * 250**0.5)
    below = (sum(min(one, 0) ** 2 for one in returns) / 20) ** 0.5
    assert enough.sortino == pytest.approx(mean(returns) / below * 250**0.5)
    assert enough.yearly_return == pytest.approx((1.01**10 * 0.995**10) ** (250 / 20) - 1)


def test_closed_lots_by_hand():
    """Two gains of 30 and one loss of 20: factor 3, mean 13.33, held a day on average."""
    sheet = book_sheet([], [Trip(31_00, 30_00, 0), Trip(-19_00, -20_00, 3), Trip(30_00, 30_00, 0)])
    assert (sheet.trips, sheet.winners, sheet.profit_factor, sheet.expectancy) == (3, 2, 3.0, 13_33)
    assert sheet.held_days == 1.0
    assert book_sheet([], [Trip(1, 1, 0)]).profit_factor is None


def test_an_empty_book_has_an_empty_sheet():
    """No days and no lots: nothing made, nothing lost, no ratio."""
    sheet = book_sheet([], [])
    assert (sheet.days, sheet.pnl, sheet.total_return, sheet.drawdown, sheet.sharpe) == (0, 0, 0.0, 0.0, None)
