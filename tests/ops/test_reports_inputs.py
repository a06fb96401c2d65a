"""What a day's reports rest on: whatever changes it has them made again, and nothing else has."""

import pytest
from report_books import FIRST, SECOND, TCS, traded

from aitrade.compliance.operations import note
from aitrade.core.clock import at
from aitrade.core.config import load
from aitrade.ops.maintenance.reporting import DailyReports
from aitrade.ops.maintenance.task import Ground
from aitrade.ops.reports import manifests, settled
from aitrade.ops.reports.inputs import inputs_of

BOOK = "made-1"


@pytest.fixture
def book(tmp_path):
    """A book of two days, open."""
    return traded(tmp_path, orders=2)


def both(home):
    """Return what both days rest on."""
    return inputs_of(home, BOOK, FIRST), inputs_of(home, BOOK, SECOND)


def test_a_trade_changes_its_own_day_only(book):
    """The day before stays as it was; asked again, both are the same."""
    before = both(book.home)
    assert before == both(book.home)
    book.trade(TCS, 1, 3_600_00)
    after = both(book.home)
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


@pytest.mark.parametrize(
    ("name", "days"),
    [("facts/rules.toml", 2), ("limits.toml", 2), (f"contract-notes/{BOOK}-{SECOND}.csv", 1), ("logs/engine.jsonl", 0)],
)
def test_what_a_person_lays_there_counts_where_a_report_reads_it(book, name, days):
    """Facts and limits change every day, a contract note its own, a log none."""
    before = both(book.home)
    path = book.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x\n")
    assert sum(one != other for one, other in zip(before, both(book.home), strict=True)) == days


def test_what_is_done_to_the_system_changes_its_day(book):
    """An alert of the second day is the second day's; tasks and reports change none."""
    before = both(book.home)
    note(book.home, "task", "optimize_database", "done", at=at(SECOND, "18:30"))
    assert both(book.home) == before
    note(book.home, "alert", "stale-feed", "raised", at=at(SECOND, "11:00"))
    after = both(book.home)
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


def test_the_daily_task_makes_what_changed_and_leaves_the_rest(book, monkeypatch):
    """Twice with the same data: nothing; a trade, and a page that is gone: that day's seven."""
    monkeypatch.setenv("AITRADE_PRINT_REPORTS", "false")
    ground = Ground(load(home=book.home), at("2025-03-29", "18:30"))
    assert DailyReports().run(ground).measured == {"reports": 14, "days": 2}
    assert settled(book.home, FIRST)
    again = DailyReports().run(ground)
    assert again.says == f"The reports of {FIRST}, {SECOND} are there, and nothing has changed since."
    book.trade(TCS, 1, 3_600_00)
    assert (settled(book.home, FIRST), settled(book.home, SECOND)) == (True, False)
    page = next(name for one in manifests(book.home, "order-log", FIRST) for name in one.files if "html" in name)
    (book.home / "reports" / page).unlink()
    assert DailyReports().run(ground).measured == {"reports": 14, "days": 2}
    assert (book.home / "reports" / page).exists()
    assert {one.version for one in manifests(book.home, day=FIRST)} == {1}
    assert max(one.version for one in manifests(book.home, day=SECOND)) == 2
