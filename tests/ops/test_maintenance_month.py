"""A simulated month: every schedule on its right day, holidays and a special session included, on a virtual clock.

The clock walks from 31 October to 2 December 2026: Muhurat trading on Sunday 8 November from 18:15 to 19:15, holidays
on Tuesdays 10 and 24 November. Backups, databases, models, caches and health are the real tasks on a small data folder,
and so are the last week's analysis and the month's reports; what else starts kernels or scans the installation is
recorded only, and done in earnest elsewhere.
"""

import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from made_book import MadeBook

from aitrade.compliance.operations import noted
from aitrade.core.clock import MINUTE, ReplayClock, at, ist, ist_date
from aitrade.ops.alerts import standing
from aitrade.ops.backup import listed
from aitrade.ops.maintenance.job import perform
from aitrade.ops.maintenance.process import Scheduler
from aitrade.ops.maintenance.schedule import schedule_of
from aitrade.ops.maintenance.task import Outcome, Status
from aitrade.ops.maintenance.timetable import load
from aitrade.ops.reports import altered, manifests, report

BEGIN, END = date(2026, 10, 31), date(2026, 12, 2)
HOLIDAYS = {date(2026, 11, 10), date(2026, 11, 24)}
MUHURAT = date(2026, 11, 8)
RECORDED = {
    "produce_daily_reports", "analyze_performance", "scan_security", "produce_compliance_report", "audit_system",
}  # fmt: skip


IN_EARNEST = {("analyze_performance", date(2026, 11, 28)), ("produce_compliance_report", date(2026, 12, 1))}


def performed(job, _seconds):
    """Do a job in earnest, or say that it was its turn."""
    if job.task in RECORDED and (job.task, ist_date(job.now)) not in IN_EARNEST:
        return Outcome(task=job.task, status=Status.DONE, says="It was its turn.", began=job.now)
    return perform(job)


def walk(home, schedule, clock, until):
    """Move the clock from one due time to the next; return what ran as (task, ns UTC, status)."""
    scheduler, ran = Scheduler(home, clock, schedule, perform=performed), []
    while clock.now() < until:
        outcomes = scheduler.tick()
        ran += [(one.task, clock.now(), one.status) for one in outcomes]
        waits = [planned.next_run for _row, planned in schedule.plan() if planned.next_run]
        soon = min(waits)
        clock.advance(soon if soon > clock.now() else clock.now() + 5 * MINUTE)
    return ran


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """A small data folder after a month of its scheduler, without data to fit to; the folder and what ran."""
    home = tmp_path_factory.mktemp("month")
    book = MadeBook(home)
    for day in ("2026-11-26", "2026-11-27"):
        book.day(day)
        book.trade("NSE:TCS", 10, 3_500_00)
        book.close({"NSE:TCS": 3_510_00})
        book.carry()
    with closing(sqlite3.connect(home / "books" / "made-1" / "aitrade.db")) as database:
        database.execute("CREATE TABLE orders (id TEXT)")
    clock = ReplayClock(at(BEGIN, "12:00"))
    with schedule_of(home, clock, load(home)) as schedule, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AITRADE_REAL_DATA", "")
        patch.setenv("PATH", str(Path(sys.executable).parent))  # no browser on it: a PDF of each report takes its time
        schedule.plan()
        return home, walk(home, schedule, clock, at(END, "00:00"))


def days_of(month, task):
    """Return the IST days on which a task ran, in order."""
    return [ist_date(when) for name, when, _status in month[1] if name == task]


def every_day():
    """Return the days of the walk."""
    return [BEGIN + timedelta(days=n) for n in range((END - BEGIN).days)]


def trades(day):
    """Return whether the exchange trades on a day of this month, by this test's own reckoning."""
    return day == MUHURAT or (day.weekday() < 5 and day not in HOLIDAYS)


@pytest.mark.parametrize(
    "task", ["backup_database", "cleanup_old_logs", "update_ai_models", "optimize_database", "validate_system_health"]
)
def test_daily_tasks_run_once_each_day(month, task):
    """Weekends and holidays too: a backup is daily."""
    assert days_of(month, task) == every_day()


def test_daily_reports_are_made_on_trading_days_only(month):
    """Not on the two holidays, not on weekends; on the Sunday of Muhurat trading they are."""
    assert days_of(month, "produce_daily_reports") == [day for day in every_day() if trades(day)]


@pytest.mark.parametrize("task", ["analyze_performance", "optimize_caches", "scan_security", "checkpoint_models"])
def test_weekly_tasks_run_on_saturdays(month, task):
    """The first Saturday's hour had passed when the walk began."""
    assert days_of(month, task) == [date(2026, 11, day) for day in (7, 14, 21, 28)]


@pytest.mark.parametrize("task", ["perform_full_backup", "produce_compliance_report", "audit_system"])
def test_monthly_tasks_run_on_the_first(month, task):
    """On Sunday 1 November and on Tuesday 1 December."""
    assert days_of(month, task) == [date(2026, 11, 1), date(2026, 12, 1)]


def test_nothing_runs_while_anything_trades(month):
    """Every start lies outside 09:00 to 16:00 of trading days, and after Muhurat's hour on its Sunday."""
    for name, when, _status in month[1]:
        moment = ist(when)
        if moment.date() == MUHURAT:
            assert f"{moment:%H:%M}" >= "19:15", name
        elif trades(moment.date()):
            assert not "08:45" <= f"{moment:%H:%M}" < "16:00", (name, moment)


def test_every_task_went_well_and_nobody_was_alarmed(month):
    """The real ones are done; nothing was skipped, and no alert stands."""
    assert Counter(status for _name, _when, status in month[1]) == {Status.DONE: len(month[1])}
    assert standing(month[0]) == []


def test_the_backup_comes_before_any_clean_up(month):
    """In each round the backup is first of what writes."""
    for day in every_day():
        order = [name for name, when, _status in month[1] if ist_date(when) == day]
        assert order.index("backup_database") < order.index("optimize_database")
        if "optimize_caches" in order:
            assert any(
                ist_date(one.at) >= day - timedelta(days=1) for one in noted(month[0], "task", "backup_database")
            )


def test_the_month_is_recorded_and_its_backups_lie_there(month):
    """As many records as runs; daily backups as many as are kept, both full ones."""
    home, ran = month
    assert [(one.operation.name, one.at) for one in noted(home, "task")] == [(name, when) for name, when, _s in ran]
    kinds = Counter(backup.kind for backup in listed(home))
    assert kinds["full"] == 2
    assert kinds["daily"] == 14


def test_the_months_reports_are_there_and_open(month):
    """The last week's and the month's reports: what was made has its hash, and its page says what it is."""
    made = manifests(month[0])
    assert {(one.report, one.day) for one in made} == {
        *((name, "2026-11-27") for name in ("tear-sheet", "system-performance")),
        *((name, "2026-11-30") for name in ("profit-and-tax", "compliance-pack", "system-audit")),
    }
    assert altered(month[0]) == []
    for one in made:
        page = next(month[0] / "reports" / name for name in one.files if name.endswith(".html"))
        assert report(one.report).title in page.read_text()


def test_the_rows_say_when_it_goes_on(month):
    """After the walk every task has its next time, counted in runs."""
    clock = ReplayClock(at(END, "00:00"))
    with schedule_of(month[0], clock, load(month[0])) as schedule:
        rows = schedule.rows()
    assert rows["backup_database"].runs == len(every_day())
    assert ist(rows["backup_database"].next_run).date() == END
    assert ist(rows["analyze_performance"].next_run).date() == date(2026, 12, 5)
    assert rows["perform_full_backup"].next_run == at("2027-01-01", "20:30")
