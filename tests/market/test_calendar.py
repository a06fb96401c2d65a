"""Tests for `market.calendar`: the published days and sessions, answered as a table."""

from datetime import date
from pathlib import Path

import pytest

from aitrade import market
from aitrade.core.clock import at, ist_time
from aitrade.core.errors import Refused, UnknownDate
from aitrade.market.calendar import Calendar, PhaseName, Segment

CALENDAR = Calendar.load()


@pytest.mark.parametrize(
    ("day", "segment", "opens", "closes"),
    [
        ("2025-03-28", Segment.CASH_FNO, "09:15:00", "15:30:00"),
        ("2025-02-01", Segment.CASH, "09:15:00", "15:30:00"),
        ("2024-03-02", Segment.CASH, "09:15:00", "12:30:00"),
        ("2025-10-21", Segment.DERIVATIVES, "13:45:00", "14:45:00"),
        ("2026-02-01", Segment.CASH, "09:15:00", "15:30:00"),
        ("2026-07-31", Segment.DERIVATIVES, "09:15:00", "15:30:00"),
        ("2026-08-03", Segment.DERIVATIVES, "09:15:00", "15:40:00"),
        ("2026-08-03", Segment.CASH_FNO, "09:15:00", "15:15:00"),
        ("2026-08-03", Segment.CASH, "09:15:00", "15:30:00"),
        ("2026-12-07", Segment.CASH_FNO, "09:15:00", "15:30:00"),
        ("2026-12-07", Segment.DERIVATIVES, "09:15:00", "15:45:00"),
        ("2026-07-27", Segment.COMMODITY, "09:00:00", "23:30:00"),
        ("2026-11-23", Segment.COMMODITY, "09:00:00", "23:55:00"),
        ("2026-11-24", Segment.COMMODITY, "17:00:00", "23:55:00"),
        ("2026-01-01", Segment.COMMODITY, "09:00:00", "17:00:00"),
    ],
)
def test_continuous_trading(day, segment, opens, closes):
    """Each segment opens and closes as its dated row says."""
    session = CALENDAR.session(date.fromisoformat(day), segment)
    assert (ist_time(session.open), ist_time(session.close)) == (opens, closes)


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        ("08:59:59", PhaseName.CLOSED),
        ("09:00:00", PhaseName.PRE_OPEN),
        ("09:05:00", PhaseName.PRE_OPEN_LIMIT_ONLY),
        ("09:12:00", PhaseName.BUFFER),
        ("15:14:59", PhaseName.CONTINUOUS),
        ("15:15:00", PhaseName.AUCTION_REFERENCE),
        ("15:29:59", PhaseName.AUCTION_LIMIT_ONLY),
        ("15:40:00", PhaseName.CLOSED),
        ("15:50:00", PhaseName.POST_CLOSE),
        ("16:00:00", PhaseName.CLOSED),
    ],
)
def test_phases_of_a_day_with_a_closing_auction(moment, phase):
    """2026-09-07 on: new pre-open, continuous to 15:15, closing auction."""
    found = CALENDAR.phase_at(at("2026-09-07", moment), Segment.CASH_FNO)
    assert found.name is phase
    assert found.start <= at("2026-09-07", moment) < found.end


def test_the_drill_has_a_gap():
    """The market is closed between the two legs of a drill."""
    assert CALENDAR.phase_at(at("2024-03-02", "10:30"), Segment.CASH).name is PhaseName.CLOSED


def test_a_holiday_is_refused_by_name():
    """The refusal says which holiday it is and when trading goes on."""
    with pytest.raises(Refused, match=r"Guru Nanak Jayanti\); the next is 2026-11-25"):
        CALENDAR.session(date(2026, 11, 24), Segment.CASH)


def test_a_date_beyond_the_published_is_unknown():
    """Nothing is guessed about 2027; its phases are CLOSED."""
    with pytest.raises(UnknownDate, match="2026-12-31"):
        CALENDAR.is_trading_day(date(2027, 1, 4), Segment.CASH)
    assert CALENDAR.phase_at(at("2027-01-04", "11:00"), Segment.CASH).name is PhaseName.CLOSED


def test_a_date_before_the_published_is_assumed():
    """2017 is judged by weekday and says so; 2025 is known."""
    assert CALENDAR.session(date(2017, 11, 1), Segment.CASH).assumed
    assert not CALENDAR.session(date(2025, 3, 28), Segment.CASH).assumed


@pytest.mark.parametrize(
    ("traded", "settles"),
    [
        ("2025-03-28", "2025-04-01"),
        ("2026-02-18", "2026-02-20"),
        ("2026-01-30", "2026-02-02"),
        ("2026-04-01", "2026-04-02"),
    ],
)
def test_settlement_waits_for_banks(traded, settles):
    """T+1 skips holidays, weekends and trading days on which nothing settles."""
    assert CALENDAR.settlement_day(date.fromisoformat(traded)) == date.fromisoformat(settles)


def test_a_fact_can_be_replaced(tmp_path):
    """A file in the data folder replaces the package's; a damaged one is refused with its place."""
    (tmp_path / "facts").mkdir()
    own = tmp_path / "facts" / "days.toml"
    text = (Path(market.__file__).parent / "facts" / "days.toml").read_text()
    own.write_text(text.replace('2026-11-24 = "Guru Nanak Jayanti"\n', ""))
    assert Calendar.load(tmp_path).is_trading_day(date(2026, 11, 24), Segment.CASH)
    own.write_text("known = ")
    with pytest.raises(Refused, match=r"days\.toml"):
        Calendar.load(tmp_path)
