"""Tests for when tasks come: the calendar's hours, holidays, catching up, rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import DAY, MINUTE, ReplayClock, at, ist
from aitrade.core.errors import UnknownDate
from aitrade.ops.maintenance.schedule import schedule_of
from aitrade.ops.maintenance.task import Outcome, Status
from aitrade.ops.maintenance.timetable import load


@pytest.fixture
def opened(tmp_path):
    """Open schedules on a data folder of this test's own, each from a moment on."""
    schedules = []

    def begin(day, clock_time):
        clock = ReplayClock(at(day, clock_time))
        manager = schedule_of(tmp_path, clock, load(tmp_path))
        schedules.append(manager)
        return clock, manager.__enter__()

    yield begin
    for manager in schedules:
        manager.__exit__(None, None, None)


def daily(schedule):
    """Return the row of a task that comes each day."""
    return next(row for row, _planned in schedule.plan() if row.name == "optimize_database")


def done(clock, status=Status.DONE):
    """Return how a task went just now."""
    return Outcome(task="optimize_database", status=status, says="It is done.", began=clock.now())


def test_a_new_folder_has_every_task_planned_and_none_due(opened):
    """Nothing was missed before there was a folder."""
    clock, schedule = opened("2026-11-24", "11:00")
    assert all(planned.next_run > clock.now() and not planned.runs for _row, planned in schedule.plan())
    assert schedule.due() == []


def test_a_task_is_due_at_its_time_and_again_the_next_day(opened):
    """18:30 of each day, and only once."""
    clock, schedule = opened("2026-11-24", "11:00")
    row = daily(schedule)
    clock.advance(at("2026-11-24", "18:29:59"))
    assert row not in schedule.due()
    clock.advance(at("2026-11-24", "18:30"))
    assert row in schedule.due()
    planned = schedule.ran(row, done(clock))
    assert ist(planned.next_run).isoformat() == "2026-11-25T18:30:00+05:30"
    assert row not in schedule.due()


def test_downtime_is_caught_up_once(opened):
    """Ten days away: one run, and then the regular time."""
    clock, schedule = opened("2026-11-10", "11:00")
    row = daily(schedule)
    clock.advance(at("2026-11-20", "20:00"))
    assert row in schedule.due()
    assert ist(schedule.ran(row, done(clock)).next_run).isoformat() == "2026-11-21T18:30:00+05:30"
    assert row not in schedule.due()


def test_what_is_late_waits_for_the_market_to_close(opened):
    """A machine that wakes in market hours does nothing until they are over, nor just before they begin."""
    clock, schedule = opened("2026-11-24", "19:00")
    row = daily(schedule)
    for moment in ("08:20", "08:50", "09:15", "12:00", "15:29"):
        clock.advance(at("2026-11-25", moment))
        assert row not in schedule.due(), moment
    clock.advance(at("2026-11-25", "18:30"))
    assert row in schedule.due()


def test_what_is_late_runs_early_on_a_holiday(opened):
    """On Christmas nothing trades; noon is as quiet as the night."""
    clock, schedule = opened("2026-12-23", "11:00")
    row = daily(schedule)
    clock.advance(at("2026-12-25", "12:00"))
    assert row in schedule.due()


def test_a_day_beyond_the_calendar_is_refused(opened):
    """What is not published cannot be kept clear of."""
    clock, schedule = opened("2026-12-31", "19:00")
    row = daily(schedule)
    clock.advance(at("2027-01-01", "18:30"))
    with pytest.raises(UnknownDate, match="beyond the calendar"):
        schedule.due()
    assert schedule.rows()[row.name].next_run == clock.now(), "it stays due until the year's holidays are there"


@pytest.mark.parametrize("status", [Status.SKIPPED, Status.STOPPED])
def test_what_could_not_run_comes_again_within_the_hour(opened, status):
    """A task that was held up is not lost until the next day."""
    clock, schedule = opened("2026-11-24", "18:30")
    planned = schedule.ran(daily(schedule), done(clock, status))
    assert planned.next_run == clock.now() + 60 * MINUTE


def test_a_failed_task_comes_at_its_regular_time(opened):
    """A failure is for a person; it is not tried over and over."""
    clock, schedule = opened("2026-11-24", "18:30")
    planned = schedule.ran(daily(schedule), done(clock, Status.FAILED))
    assert planned.next_run == clock.now() + DAY
    assert (planned.status, planned.runs, planned.last_run) == ("failed", 1, clock.now())


def test_rows_survive_the_process(opened):
    """Another process reads the same last and next run."""
    clock, schedule = opened("2026-11-24", "18:30")
    planned = schedule.ran(daily(schedule), done(clock))
    _clock, another = opened("2026-11-24", "19:00")
    assert another.rows()["optimize_database"] == planned


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    """A schedule to ask about hours only."""
    home = tmp_path_factory.mktemp("quiet")
    with schedule_of(home, ReplayClock(at("2026-01-01", "00:00")), load(home)) as schedule:
        yield schedule


@given(st.integers(0, 364 * 24 * 60), st.integers(1, 3600))
def test_quiet_never_touches_a_session(steady, minute, seconds):
    """Whatever starts at a quiet moment ends before anything trades."""
    start = at("2026-01-01", "00:00") + minute * MINUTE
    if steady.quiet(start, seconds):
        for moment in range(start, start + seconds * 10**9, MINUTE):
            assert holiday(steady, moment) or not "09:00" <= f"{ist(moment):%H:%M}" < "15:30"


def holiday(schedule, ts):
    """Return whether nothing trades on the day of `ts`."""
    day = ist(ts).date()
    return not any(schedule._calendar.is_trading_day(day, one) for one in schedule._table.segments)
