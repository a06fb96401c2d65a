"""A simulated month: every schedule on its right day, holidays and a special session included, on a virtual clock.

November 2026: Muhurat trading on Sunday the 8th from 18:15 to 19:15, holidays on Tuesdays the 10th and the 24th. All
tasks are the real ones on a small data folder, and every report of the schedule is made; only the search for secrets
is recorded and not done, since it looks at the installation and not at this folder.
"""

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from made_book import MadeBook

from aitrade.compliance.operations import noted
from aitrade.core.clock import ReplayClock, at, ist, ist_date
from aitrade.ops.alerts import standing
from aitrade.ops.backup import listed
from aitrade.ops.maintenance.job import perform
from aitrade.ops.maintenance.rehearsal import rehearse
from aitrade.ops.maintenance.schedule import schedule_of
from aitrade.ops.maintenance.task import Outcome, Status
from aitrade.ops.maintenance.timetable import load
from aitrade.ops.reports import manifests, report
from aitrade.ops.reports.opening import faults

BEGIN, END = date(2026, 11, 1), date(2026, 12, 2)
HOLIDAYS = {date(2026, 11, 10), date(2026, 11, 24)}
MUHURAT = date(2026, 11, 8)
TRADED = (2, 9, 20, 30)
"""Days of the month on which the book trades: the first, and the last, which is a Monday."""
DAILY = {
    "trade-register", "order-log", "audit-trail", "charges", "positions-and-limits", "risk", "daily-summary",
}  # fmt: skip
WEEKLY = {"tear-sheet", "system-performance"}
MONTHLY = {"profit-and-tax", "compliance-pack", "system-audit"}


class Books:
    """Trades the chosen days on a book, and leaves the others out."""

    def __init__(self):
        self.book = None

    def __call__(self, home, day):
        """Trade, and say whether it was."""
        if day.day not in TRADED:
            return False
        if self.book is None:
            self.book = MadeBook(home)
            with closing(sqlite3.connect(home / "books" / "made-1" / "aitrade.db")) as database:
                database.execute("CREATE TABLE orders (id TEXT)")
        self.book.day(day.isoformat())
        self.book.trade("NSE:TCS", 10, 3_500_00)
        self.book.close({"NSE:TCS": 3_510_00})
        self.book.carry()
        return True


def performed(job, _seconds):
    """Do a job in earnest; of the search for secrets, say that it was its turn."""
    if job.task == "scan_security":
        return Outcome(task=job.task, status=Status.DONE, says="It was its turn.", began=job.now)
    return perform(job)


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """A small data folder after a month of its scheduler; the folder and what came of it."""
    home = tmp_path_factory.mktemp("rehearsed") / "home"
    return home, rehearse(home, BEGIN, Books(), how=performed)


def days_of(month, task):
    """Return the IST days on which a task ran, in order."""
    return [ist_date(one.began) for one in month[1].ran if one.task == task]


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
    """Each of the month's four."""
    assert days_of(month, task) == [date(2026, 11, day) for day in (7, 14, 21, 28)]


@pytest.mark.parametrize("task", ["perform_full_backup", "produce_compliance_report", "audit_system"])
def test_monthly_tasks_run_on_the_first(month, task):
    """On Sunday 1 November and on Tuesday 1 December."""
    assert days_of(month, task) == [date(2026, 11, 1), date(2026, 12, 1)]


def test_nothing_runs_while_anything_trades(month):
    """Every start lies outside 09:00 to 16:00 of trading days, and after Muhurat's hour on its Sunday."""
    for one in month[1].ran:
        moment = ist(one.began)
        if moment.date() == MUHURAT:
            assert f"{moment:%H:%M}" >= "19:15", one.task
        elif trades(moment.date()):
            assert not "08:45" <= f"{moment:%H:%M}" < "16:00", (one.task, moment)


def test_every_task_went_well_and_nobody_was_alarmed(month):
    """The real ones are done; nothing was skipped, and no alert stands."""
    assert Counter(one.status for one in month[1].ran) == {Status.DONE: len(month[1].ran)}
    assert standing(month[0]) == []
    assert month[1].bad == []


def test_the_backup_comes_before_any_clean_up(month):
    """In each round the backup is first of what writes."""
    for day in every_day():
        order = [one.task for one in month[1].ran if ist_date(one.began) == day]
        assert order.index("backup_database") < order.index("optimize_database")
        if "optimize_caches" in order:
            assert any(day - timedelta(days=1) <= ran <= day for ran in days_of(month, "backup_database"))


def test_the_month_is_recorded_and_its_backups_lie_there(month):
    """As many records as runs; daily backups as many as are kept, both full ones."""
    home, done = month
    recorded = [(one.operation.name, one.at) for one in noted(home, "task")]
    assert recorded == [(one.task, one.began) for one in done.ran]
    kinds = Counter(backup.kind for backup in listed(home))
    assert kinds == {"full": 2, "daily": 14, "models": 4}


def test_every_report_of_the_schedule_was_made_on_its_day(month):
    """Seven on each trading day from the first trade on, two for each week, three for the month; and no other."""
    days = [day.isoformat() for day in every_day() if trades(day)]
    fridays = ["2026-11-06", "2026-11-13", "2026-11-20", "2026-11-27"]
    expected = {(name, day) for day in days for name in DAILY}
    expected |= {(name, day) for day in fridays for name in WEEKLY}
    expected |= {(name, "2026-11-30") for name in MONTHLY}
    assert {(one.report, one.day) for one in manifests(month[0])} == expected
    assert month[1].reports == len({pair for pair in expected if pair[1] < "2026-12"})
    assert month[1].missing == []


def test_every_report_is_there_and_opens(month):
    """By this test's own reading: the bytes have their hash, no cell failed, and the page says what it is about."""
    made = manifests(month[0])
    for one in made:
        paths = {Path(name).suffix: month[0] / "reports" / name for name in one.files}
        assert {name: sha256((month[0] / "reports" / name).read_bytes()).hexdigest() for name in one.files} == one.files
        notebook = msgspec.json.decode(paths[".ipynb"].read_bytes())
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert all(cell["metadata"]["papermill"]["status"] == "completed" for cell in code)
        assert "error" not in {output["output_type"] for cell in code for output in cell["outputs"]}
        page = paths[".html"].read_text()
        assert page.rstrip().endswith("</html>")
        for words in (report(one.report).title, one.day, one.content_hash, "How it was computed"):
            assert words in page, (one.report, one.day, words)
    assert len(made) > 150
    assert faults(month[0]) == []


def test_days_with_trades_have_them_and_days_without_are_nil_reports(month):
    """Of the register: one trade on each of the days that traded, and NIL with the reason on all others."""
    newest = {one.day: one for one in manifests(month[0], "trade-register")}
    for day, one in newest.items():
        page = next(month[0] / "reports" / name for name in one.files if name.endswith(".html")).read_text()
        traded = date.fromisoformat(day) < date(2026, 12, 1) and date.fromisoformat(day).day in TRADED
        assert one.totals["trades"] == traded, day
        assert ("NIL report" in page) is not traded, day
    assert month[1].traded == [f"2026-11-{day:02}" for day in TRADED]


def test_what_has_not_changed_is_not_made_again(month):
    """Of a day whose journal went on in the night a second look was taken; no report has two versions."""
    made = Counter((one.report, one.day) for one in manifests(month[0]))
    assert max(made.values()) <= 2
    assert {one.version for one in manifests(month[0])} == {1}


def test_a_report_that_is_altered_gone_or_cut_short_is_named(month):
    """What says that reports open can say that they do not."""
    one = manifests(month[0], "order-log")[0]
    page = next(month[0] / "reports" / name for name in one.files if name.endswith(".html"))
    kept = page.read_bytes()
    try:
        page.write_bytes(kept[: len(kept) // 2])
        assert faults(month[0]) == [f"{one.day}/{page.name} is gone or altered since it was made."]
    finally:
        page.write_bytes(kept)


def test_the_rows_say_when_it_goes_on(month):
    """After the walk every task has its next time, counted in runs."""
    clock = ReplayClock(at(END, "00:00"))
    with schedule_of(month[0], clock, load(month[0])) as schedule:
        rows = schedule.rows()
    assert rows["backup_database"].runs == len(every_day())
    assert ist(rows["backup_database"].next_run).date() == END
    assert ist(rows["analyze_performance"].next_run).date() == date(2026, 12, 5)
    assert rows["perform_full_backup"].next_run == at("2027-01-01", "20:30")
