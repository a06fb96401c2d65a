"""Tests for `market.calendar`: the published days and sessions, answered as a table."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import DAY, at, ist_time
from aitrade.core.errors import DataRefused, Refused, UnknownDate
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


OLD_OPEN = "PRE_OPEN 09:00 PRE_OPEN_MATCH 09:08 BUFFER 09:12 CONTINUOUS 09:15"
NEW_OPEN = "PRE_OPEN 09:00 PRE_OPEN_LIMIT_ONLY 09:05 PRE_OPEN_MATCH 09:10 BUFFER 09:12 CONTINUOUS 09:15"
AUCTION = "AUCTION_REFERENCE 15:15 AUCTION 15:20 AUCTION_LIMIT_ONLY 15:25 AUCTION_MATCH 15:30 CLOSED 15:35"
LATE_AUCTION = "AUCTION_REFERENCE 15:30 AUCTION 15:31 AUCTION_LIMIT_ONLY 15:36 AUCTION_MATCH 15:40 CLOSED 15:45"
OLD_POST = "CLOSED 15:30 POST_CLOSE 15:40 CLOSED 16:00"
POST = "POST_CLOSE 15:50 CLOSED 16:00"


@pytest.mark.parametrize(
    ("day", "segment", "phases"),
    [
        ("2024-03-02", Segment.CASH, "CONTINUOUS 09:15 CLOSED 10:00 CONTINUOUS 11:30 CLOSED 12:30"),
        ("2025-03-28", Segment.CASH, f"{OLD_OPEN} {OLD_POST}"),
        ("2026-07-31", Segment.CASH_FNO, f"{OLD_OPEN} {OLD_POST}"),
        ("2026-08-03", Segment.CASH, f"{OLD_OPEN} CLOSED 15:30 {POST}"),
        ("2026-08-03", Segment.CASH_FNO, f"{OLD_OPEN} {AUCTION} {POST}"),
        ("2026-09-07", Segment.CASH, f"{NEW_OPEN} CLOSED 15:30 {POST}"),
        ("2026-09-07", Segment.CASH_FNO, f"{NEW_OPEN} {AUCTION} {POST}"),
        ("2026-12-04", Segment.CASH_FNO, f"{NEW_OPEN} {AUCTION} {POST}"),
        ("2026-12-07", Segment.CASH, f"{NEW_OPEN} CLOSED 15:30 {POST}"),
        ("2026-12-07", Segment.CASH_FNO, f"{NEW_OPEN} {LATE_AUCTION} {POST}"),
        ("2026-12-07", Segment.DERIVATIVES, "CONTINUOUS 09:15 CLOSED 15:45"),
        ("2026-11-08", Segment.DERIVATIVES, "CONTINUOUS 18:15 CLOSED 19:15"),
        ("2025-10-21", Segment.COMMODITY, "CONTINUOUS 13:45 CLOSED 14:45 CONTINUOUS 17:00 CLOSED 23:30"),
    ],
)
def test_the_day_phase_by_phase(day, segment, phases):
    """Each phase with the minute in which it begins, as `phase_at` finds them from midnight to midnight."""
    ts, found = at(day, "00:00"), []
    while ts < at(day, "24:00"):
        phase = CALENDAR.phase_at(ts, segment)
        found.append(f"{phase.name} {ist_time(phase.start)[:5]}")
        ts = phase.end
    assert " ".join(found) == f"CLOSED 00:00 {phases}"


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
    """2016 is judged by weekday and says so, and so are the commodities of 2024; 2025 is known."""
    session = CALENDAR.session(date(2016, 1, 26), Segment.CASH)
    assert session.assumed
    assert session.note == "The CASH holidays before 2017-01-01 are not known: weekdays count as trading days."
    assert CALENDAR.session(date(2024, 1, 26), Segment.COMMODITY).assumed
    assert not CALENDAR.session(date(2025, 3, 28), Segment.CASH).assumed


@pytest.mark.parametrize(
    ("traded", "settles"),
    [
        ("2017-11-01", "2017-11-03"),
        ("2023-01-26", "2023-01-30"),
        ("2025-03-28", "2025-04-02"),
        ("2025-10-21", "2025-10-23"),
        ("2026-11-08", "2026-11-09"),
        ("2026-02-18", "2026-02-20"),
        ("2026-01-30", "2026-02-02"),
        ("2026-04-01", "2026-04-02"),
    ],
)
def test_settlement_waits_for_banks(traded, settles):
    """T+1 skips holidays, weekends and trading days on which nothing settles."""
    assert CALENDAR.settlement_day(date.fromisoformat(traded)) == date.fromisoformat(settles)


def test_sundays_never_settle():
    """Friday's purchases are not delivered on Budget Sunday, though it trades."""
    assert CALENDAR.is_trading_day(date(2026, 2, 1), Segment.CASH)
    assert CALENDAR.settlement_day(date(2026, 1, 30)) == date(2026, 2, 2)
    with pytest.raises(UnknownDate):
        CALENDAR.settlement_day(date(2026, 12, 31))


def test_a_muhurat_with_provisional_hours_says_so():
    """The hours of 2026 were not seen in a final circular; those of 2025 were."""
    assert "provisional" in CALENDAR.session(date(2026, 11, 8), Segment.CASH).note
    assert not CALENDAR.session(date(2025, 10, 21), Segment.CASH).assumed


@pytest.mark.parametrize(
    ("day", "segment", "window"),
    [
        ("2026-08-03", Segment.CASH, ("15:00:00", "15:30:00")),
        ("2026-08-03", Segment.DERIVATIVES, ("15:10:00", "15:40:00")),
        ("2026-07-31", Segment.CASH_FNO, ("15:00:00", "15:30:00")),
        ("2026-08-03", Segment.CASH_FNO, None),
        ("2025-10-21", Segment.CASH, None),
    ],
)
def test_the_window_of_the_closing_price(day, segment, window):
    """A half hour's average, where no auction makes the closing price."""
    found = CALENDAR.session(date.fromisoformat(day), segment).close_vwap
    assert (found and tuple(ist_time(ts) for ts in found)) == window


def test_entry_may_end_at_a_random_moment():
    """The pre-open's last minute before 2026-09-07; two minutes of the new pre-open and of the closing auction."""
    old = CALENDAR.phase_at(at("2026-09-04", "09:07"), Segment.CASH)
    new = CALENDAR.phase_at(at("2026-09-07", "09:09"), Segment.CASH)
    auction = CALENDAR.phase_at(at("2026-09-07", "15:29"), Segment.CASH_FNO)
    assert [ist_time(phase.random_from) for phase in (old, new, auction)] == ["09:07:00", "09:08:00", "15:28:00"]


@pytest.mark.parametrize(
    ("day", "phases"),
    [("2025-12-05", 0), ("2025-12-08", 3), ("2026-09-07", 4), ("2026-11-08", 0), ("2026-11-24", 0)],
)
def test_the_pre_open_of_futures(day, phases):
    """The current month's futures open by an auction from 2025-12-08, not on special days nor holidays."""
    assert len(CALENDAR.futures_pre_open(date.fromisoformat(day))) == phases


@given(st.dates(date(2015, 1, 1), date(2026, 12, 31)), st.sampled_from(Segment), st.integers(0, DAY - 1))
def test_phases_tile_the_day(day, segment, offset):
    """Every moment lies in exactly one phase, which `phase_at` finds, and the phases follow each other."""
    ts = at(day, "00:00") + offset
    found = CALENDAR.phase_at(ts, segment)
    assert found.start <= ts < found.end
    if CALENDAR.is_trading_day(day, segment):
        phases = CALENDAR.session(day, segment).phases
        assert all(one.end <= two.start for one, two in pairwise(phases))
        assert [phase for phase in phases if phase.start <= ts < phase.end] in ([found], [])


@given(st.dates(date(2015, 1, 1), date(2026, 12, 1)), st.sampled_from(Segment))
def test_trading_days_are_neighbours(day, segment):
    """The day before the next trading day is this one, and shares settle after the trade."""
    following = CALENDAR.next_trading_day(day, segment)
    assert following > day
    assert CALENDAR.previous_trading_day(following, segment) <= day
    assert CALENDAR.settlement_day(day) > day


@pytest.fixture
def own(tmp_path):
    """Write one of the data folder's facts files and load the calendar over it."""

    def write(text, name="days.toml"):
        (tmp_path / "facts").mkdir(exist_ok=True)
        (tmp_path / "facts" / name).write_text(text)
        return Calendar.load(tmp_path)

    return write


def test_a_year_can_be_added(own):
    """A few lines in the data folder make 2027 known; the rest of the calendar stays."""
    calendar = own(
        """
        [[known]]
        segments = ["CASH", "CASH_FNO", "DERIVATIVES"]
        from = 2027-01-01
        until = 2027-12-31
        source = "the exchange's list"
        confidence = "A"
        [holidays]
        2027-01-26 = "Republic Day"
        2026-11-24 = ""
        """
    )
    assert calendar.known_until(Segment.CASH) == date(2027, 12, 31)
    assert [calendar.is_trading_day(date(2027, 1, day), Segment.CASH) for day in (25, 26)] == [True, False]
    assert calendar.is_trading_day(date(2026, 11, 24), Segment.CASH)
    assert not calendar.is_trading_day(date(2026, 12, 25), Segment.CASH)
    with pytest.raises(UnknownDate, match="COMMODITY holidays are published until 2026-12-31"):
        calendar.is_trading_day(date(2027, 1, 4), Segment.COMMODITY)


def test_a_year_that_was_left_out_is_unknown(own):
    """Holidays of 2028 say nothing about 2027."""
    calendar = own(
        """
        known = [{segments = ["CASH"], from = 2028-01-01, until = 2028-12-31, source = "a list", confidence = "A"}]
        """
    )
    with pytest.raises(UnknownDate):
        calendar.is_trading_day(date(2027, 1, 4), Segment.CASH)
    assert calendar.is_trading_day(date(2028, 1, 4), Segment.CASH)


def test_a_muhurat_time_can_be_corrected(own):
    """The folder's row for the same day and segment holds."""
    calendar = own(
        """
        [[special]]
        day = 2026-11-08
        what = "Muhurat"
        segments = ["CASH"]
        phases = [["CONTINUOUS", "13:45", "14:45"]]
        source = "the exchange's circular"
        confidence = "A"
        """
    )
    session = calendar.session(date(2026, 11, 8), Segment.CASH)
    assert (ist_time(session.open), session.assumed) == ("13:45:00", False)
    assert ist_time(calendar.session(date(2026, 11, 8), Segment.DERIVATIVES).open) == "18:15:00"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("known = ", r"days\.toml is not read: Invalid value"),
        ("[holidays]\nsoon = 'Diwali'", r"days\.toml does not fit.*holidays"),
        ("[[special]]\nday = 2026-12-01", r"days\.toml does not fit.*missing required field.*special\[0\]"),
        ("[[holyday]]\nday = 2026-12-01", r"days\.toml does not fit.*holyday"),
        (
            """
            [[special]]
            day = 2026-12-01
            what = "x"
            segments = ["CASH"]
            phases = [["CONTINUOUS", "15:30", "09:15"]]
            source = "x"
            confidence = "A"
            """,
            "x on 2026-12-01 do not follow",
        ),
    ],
)
def test_a_damaged_fact_is_refused(own, text, says):
    """The refusal names the file and the place."""
    with pytest.raises(DataRefused, match=says):
        own(text)
