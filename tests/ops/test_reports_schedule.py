"""Tests for when reports are due: every cadence, holidays, the month's end, years, and what was missed."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from made_book import MadeBook

from aitrade.cli import main
from aitrade.core.clock import DAY, ReplayClock, at, ist
from aitrade.core.config import load
from aitrade.market.calendar import Calendar, Segment
from aitrade.ops.maintenance import reporting
from aitrade.ops.maintenance.schedule import schedule_of
from aitrade.ops.maintenance.task import Ground, Outcome, Status
from aitrade.ops.maintenance.timetable import load as timetable
from aitrade.ops.reports import CATALOGUE, Cadence, due, production
from aitrade.ops.reports.catalogue import week_begins
from aitrade.ops.reports.schedule import due_on, is_due, next_due, schedule

CALENDAR = Calendar.load()
DAILY, WEEKLY, MONTHLY = Cadence.DAILY, Cadence.WEEKLY, Cadence.MONTHLY


@pytest.mark.parametrize(
    ("cadence", "today", "wanted"),
    [
        (DAILY, "2025-03-27", "2025-03-27"),  # a Thursday like any other
        (DAILY, "2025-03-29", "2025-04-01"),  # Saturday, Sunday, and Monday's holiday
        (DAILY, "2025-03-14", "2025-03-17"),  # a holiday on a Friday
        (DAILY, "2026-11-07", "2026-11-08"),  # Muhurat trading on a Sunday
        (WEEKLY, "2025-03-24", "2025-03-28"),  # a Friday
        (WEEKLY, "2025-03-10", "2025-03-13"),  # Friday is a holiday: Thursday
        (WEEKLY, "2025-03-29", "2025-04-04"),  # this week's is done
        (WEEKLY, "2025-01-27", "2025-01-31"),  # Saturday's session for the budget belongs to the week after
        (WEEKLY, "2025-02-01", "2025-02-07"),
        (WEEKLY, "2026-11-02", "2026-11-06"),  # Sunday's Muhurat trading belongs to the week after
        (WEEKLY, "2026-11-07", "2026-11-13"),
        (MONTHLY, "2025-03-01", "2025-03-28"),  # the month ends on a Monday's holiday after a weekend
        (MONTHLY, "2025-03-29", "2025-04-30"),
        (MONTHLY, "2024-12-31", "2024-12-31"),  # the year's last day
        (MONTHLY, "2026-02-01", "2026-02-27"),  # February ends on a Saturday
    ],
)
def test_the_day_that_a_report_is_due_for(cadence, today, wanted):
    """The next trading day, the last one of its week, or the last one of its month."""
    assert next_due(CALENDAR, cadence, date.fromisoformat(today)) == wanted


def test_what_is_made_when_asked_for_is_never_due():
    """Preflight's report has no day."""
    assert next_due(CALENDAR, Cadence.ASKED, date(2025, 3, 28)) == "when asked for"
    assert not is_due(CALENDAR, Cadence.ASKED, date(2025, 3, 28))


def test_beyond_the_calendar_it_says_so():
    """A year whose holidays are not published gives no day, but the last one that is known."""
    assert next_due(CALENDAR, DAILY, date(2031, 1, 1)).startswith("not known after ")
    assert next_due(CALENDAR, MONTHLY, CALENDAR.known_until(Segment.CASH_FNO)).startswith("not known after ")


@given(st.integers(0, 700), st.sampled_from([DAILY, WEEKLY, MONTHLY]))
def test_every_week_and_month_has_one_day_and_no_day_is_passed_over(number, cadence):
    """From any day: the day that is due trades, is not before it, and none between is due."""
    today = date(2024, 6, 1) + timedelta(days=number)
    found = date.fromisoformat(next_due(CALENDAR, cadence, today))
    between = [today + timedelta(days=n) for n in range((found - today).days)]
    traded = [day for day in between if CALENDAR.is_trading_day(day, Segment.CASH_FNO)]
    assert CALENDAR.is_trading_day(found, Segment.CASH_FNO)
    assert not any(is_due(CALENDAR, cadence, day) for day in traded)
    following = CALENDAR.next_trading_day(found, Segment.CASH_FNO)
    if cadence is WEEKLY:
        assert week_begins(following) > week_begins(found)
    if cadence is MONTHLY:
        assert following.month != found.month


def test_a_month_s_last_day_has_every_cadence():
    """On Friday 28 March 2025 all twelve that have a cadence are due; on Thursday 27 the daily ones."""
    daily = [one.name for one in CATALOGUE.values() if one.cadence is DAILY]
    assert due_on(CALENDAR, date(2025, 3, 27)) == daily
    assert set(due_on(CALENDAR, date(2025, 3, 28))) == {
        one.name for one in CATALOGUE.values() if one.cadence is not Cadence.ASKED
    }


@pytest.mark.parametrize("clock_time", ["00:00", "05:29", "05:30", "18:29"])
@pytest.mark.parametrize("day", ["2025-03-30", "2025-10-26", "2025-07-01", "2025-12-31"])
def test_tasks_come_at_the_same_ist_hour_all_year(tmp_path, day, clock_time):
    """India has no summer time: nights in which other countries move their clocks change nothing, nor UTC's date."""
    start = at(day, clock_time)
    with schedule_of(tmp_path, ReplayClock(start), timetable(tmp_path)) as planned:
        row = next(row for row, _ in planned.plan() if row.name == "backup_database")
        found = ist(planned.next_time(row, start))
    assert (found.hour, found.minute, found.utcoffset()) == (18, 30, timedelta(hours=5, minutes=30))
    assert found.date() == date.fromisoformat(day)
    assert found.astimezone(ZoneInfo("UTC")).hour == 13


@pytest.mark.parametrize(
    ("task", "began", "back", "run_at", "then"),
    [
        ("produce_daily_reports", "2025-03-05", "2025-03-13", "2025-03-13T16:00", "2025-03-13T18:30"),
        ("analyze_performance", "2025-03-05", "2025-03-23", "2025-03-23T12:00", "2025-03-29T10:00"),
        ("produce_compliance_report", "2024-12-15", "2025-03-09", "2025-03-09T12:00", "2025-04-01T20:30"),
    ],
)
def test_what_was_missed_is_made_once(tmp_path, task, began, back, run_at, then):
    """After a week, three weeks or three months away: one run, as soon as the market is closed, then the right day."""
    clock = ReplayClock(at(began, "12:00"))
    with schedule_of(tmp_path, clock, timetable(tmp_path)) as planned:
        planned.plan()
        clock.advance(at(back, "12:00"))
        while (row := next((one for one in planned.due() if one.name == task), None)) is None:
            clock.advance(clock.now() + 30 * 60 * 10**9)
        assert f"{ist(clock.now()):%Y-%m-%dT%H:%M}" == run_at
        planned.ran(row, Outcome(task=task, status=Status.DONE, says="", began=clock.now()))
        assert f"{ist(planned.rows()[task].next_run):%Y-%m-%dT%H:%M}" == then
        clock.advance(clock.now() + DAY // 24)
        assert task not in [one.name for one in planned.due()]


def ground(home, day):
    """Return what a task stands on, on an evening."""
    return Ground(load(home=home), at(day, "18:30"))


@pytest.mark.parametrize(
    ("evening", "day"),
    [
        ("2025-03-29", "2025-03-28"),  # a Saturday
        ("2025-02-01", "2025-01-31"),  # a Saturday that trades
        ("2026-11-07", "2026-11-06"),  # the eve of a Sunday that trades
        ("2025-03-15", "2025-03-13"),  # Friday was a holiday
        ("2025-04-02", "2025-03-28"),  # caught up on a Wednesday: the week that ended, not this one's half
    ],
)
def test_the_weekly_task_makes_the_day_that_the_schedule_names(tmp_path, evening, day):
    """The task reports on the newest day that `report schedule` had as due, whenever it comes to run."""
    assert reporting.WeeklyAnalysis()._day(ground(tmp_path, evening)) == day
    assert is_due(CALENDAR, WEEKLY, date.fromisoformat(day))


@pytest.mark.parametrize(
    ("evening", "day"), [("2025-04-01", "2025-03-28"), ("2025-03-01", "2025-02-28"), ("2025-01-01", "2024-12-31")]
)
def test_the_monthly_task_makes_the_day_that_the_schedule_names(tmp_path, evening, day):
    """On the 1st the month that ended is reported on, by its last trading day."""
    assert reporting.month_before(ground(tmp_path, evening)) == day
    assert is_due(CALENDAR, MONTHLY, date.fromisoformat(day))


def test_after_downtime_the_newest_days_are_reported_on(tmp_path):
    """The last three days that were traded, and the last three that are over: one without a trade, too."""
    book = MadeBook(tmp_path)
    for day in ("2025-03-20", "2025-03-21", "2025-03-24", "2025-03-25", "2025-03-27"):
        book.day(day)
        book.close()
    wanted = ["2025-03-24", "2025-03-25", "2025-03-26", "2025-03-27", "2025-03-28"]
    assert reporting.days_to_report(ground(tmp_path, "2025-03-28")) == wanted
    assert reporting.days_to_report(ground(tmp_path, "2025-03-29")) == wanted


def test_a_morning_s_catching_up_reports_on_the_day_that_is_over(tmp_path):
    """At 07:00 nobody has traded yet: no NIL report of the day to come, but one of the day before, which was missed."""
    book = MadeBook(tmp_path)
    book.day("2025-03-26")
    book.close()
    morning = Ground(load(home=tmp_path), at("2025-03-28", "07:00"))
    assert reporting.days_to_report(morning) == ["2025-03-26", "2025-03-27"]
    evening = Ground(load(home=tmp_path), at("2025-03-28", "18:30"))
    assert reporting.days_to_report(evening) == ["2025-03-26", "2025-03-27", "2025-03-28"]
    earlier = Ground(load(home=tmp_path), at("2025-03-26", "07:00"))
    assert reporting.days_to_report(earlier) == ["2025-03-26"], "not of the day before the book began"


def test_the_command_shows_what_is_due_and_what_was_made(tmp_path):
    """A row for each report: its cadence, the day it is due for, the newest day that it was made for."""
    shown = CliRunner().invoke(
        main, ["report", "schedule", "--date", "2025-03-29", "--data-folder", str(tmp_path)], catch_exceptions=False
    )
    rows = {line.split()[0]: line for line in shown.output.splitlines() if line.strip()}
    assert set(CATALOGUE) < set(rows)
    for cadence, day in ((DAILY, "2025-04-01"), (WEEKLY, "2025-04-04"), (MONTHLY, "2025-04-30")):
        for one in due(cadence):
            assert str(cadence) in rows[one.name]
            assert day in rows[one.name]
            assert rows[one.name].rstrip().endswith("–")
    assert "when asked for" in rows["preflight"]


def test_a_wrong_day_is_refused(tmp_path):
    """One sentence that says how a day is written."""
    shown = CliRunner().invoke(main, ["report", "schedule", "--date", "29.3.2025", "--data-folder", str(tmp_path)])
    assert shown.exit_code == 2
    assert "is not a date; write it like 2025-03-28" in shown.output


def test_the_schedule_names_the_newest_day_that_was_made(tmp_path):
    """By market day, not by when it was made: an old day that was made again is not the last one."""
    made = [
        production.Manifest(
            report="order-log", day=day, book="made-1", asked={}, version=1, content_hash="", files={}, totals={}
        )
        for day in ("2025-03-27", "2025-03-24")
    ]
    for one in made:
        production.note(tmp_path, production.WHAT, one.report, "made", one)
    row = next(one for one in schedule(tmp_path, date(2025, 3, 28)) if one.name == "order-log")
    assert (row.last, row.next) == ("2025-03-27", "2025-03-28")
