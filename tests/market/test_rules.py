"""Tests for `market.rules`."""

from datetime import date

import pytest

from aitrade.core.instruments import Exchange, Kind
from aitrade.market.calendar import Segment
from aitrade.market.rules import Rules

RULES = Rules.load()


@pytest.mark.parametrize(
    ("day", "kind", "base", "rupees", "paise"),
    [
        ("2024-06-09", Kind.EQUITY, "", 100, 5),
        ("2024-06-10", Kind.EQUITY, "", 100, 1),
        ("2025-03-28", Kind.EQUITY, "", 1280, 5),
        ("2026-08-18", Kind.EQUITY, "", 1280, 10),
        ("2026-08-18", Kind.EQUITY, "", 25000, 500),
        ("2026-08-18", Kind.FUTURE, "RELIANCE", 1280, 10),
        ("2026-08-18", Kind.FUTURE, "NIFTY", 24500, 10),
        ("2026-08-18", Kind.FUTURE, "BANKNIFTY", 56000, 20),
        ("2026-08-18", Kind.FUTURE, "MIDCPNIFTY", 13000, 5),
        ("2026-08-18", Kind.CALL, "NIFTY", 120, 5),
    ],
)
def test_ticks(day, kind, base, rupees, paise):
    """The grid by date, kind and price."""
    assert RULES.tick(date.fromisoformat(day), kind, Exchange.NSE, rupees * 100, base) == paise


@pytest.mark.parametrize(
    ("day", "base", "lot", "freeze"),
    [
        ("2024-11-19", "NIFTY", 25, 1800),
        ("2025-03-28", "NIFTY", 75, 1800),
        ("2026-08-18", "NIFTY", 65, 1800),
        ("2026-05-04", "BANKNIFTY", 30, 900),
        ("2026-08-18", "BANKNIFTY", 30, 600),
        ("2026-08-18", "ZZZ", None, None),
    ],
)
def test_lots_and_freeze(day, base, lot, freeze):
    """Lots and freeze quantities by date; what is not known is None."""
    assert (RULES.lot(date.fromisoformat(day), base), RULES.freeze(date.fromisoformat(day), base)) == (lot, freeze)


@pytest.mark.parametrize(
    ("day", "segment", "time"),
    [
        ("2025-03-28", Segment.CASH_FNO, "15:20"),
        ("2026-09-07", Segment.CASH_FNO, "15:05"),
        ("2026-09-07", Segment.DERIVATIVES, "15:30"),
        ("2025-10-21", Segment.CASH, "14:35"),
    ],
)
def test_square_off_is_ten_minutes_before_the_close(day, segment, time):
    """It follows the session of the day, special ones too."""
    assert RULES.square_off(date.fromisoformat(day), segment) == time


def test_expiries_follow_the_weekday_and_the_holidays():
    """Thursdays before September 2025, Tuesdays after; 2026-03-31 and 2026-04-14 are holidays."""
    assert RULES.expiries(date(2025, 3, 24), "BANKNIFTY", Exchange.NFO, 1) == [date(2025, 3, 27)]
    found = RULES.expiries(date(2026, 3, 23), "NIFTY", Exchange.NFO, 4)
    assert found == [date(2026, 3, 24), date(2026, 3, 30), date(2026, 4, 7), date(2026, 4, 13)]


def test_what_is_assumed_is_said():
    """A day before the facts lists what is taken from later; a day within them lists nothing."""
    assert any("2019" in sentence for sentence in RULES.assumed(date(2019, 1, 2)))
    assert RULES.assumed(date(2026, 8, 18)) == []
