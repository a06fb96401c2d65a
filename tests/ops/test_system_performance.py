"""Tests for the week's analysis of the system: what it counts is what the journals have."""

import pytest
from report_books import FIRST, SECOND, traded

from aitrade.compliance.operations import note
from aitrade.core.clock import at
from aitrade.ops import ledger
from aitrade.ops.maintenance.task import Outcome, Status
from aitrade.ops.reports.system_performance import SystemPerformance

BOOK = "made-1"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A book of two days and a week in which a task went well twice and failed once."""
    monkeypatch.setenv("AITRADE_HOME", str(tmp_path))
    traded(tmp_path)
    for day, status, seconds in ((FIRST, "done", 2.0), (SECOND, "failed", 4.0), (SECOND, "done", 3.0)):
        outcome = Outcome(task="optimize_database", status=Status(status), says="x", seconds=seconds)
        note(tmp_path, "task", "optimize_database", status, outcome, at=at(day, "18:30"))
    note(tmp_path, "task", "optimize_database", "skipped", at=at(SECOND, "18:31"))
    note(tmp_path, "alert", "stale-feed", "raised", at=at(SECOND, "11:00"))
    note(tmp_path, "alert", "stale-feed", "raised", at=at("2025-04-01", "11:00"))
    return tmp_path


def test_tasks_are_counted_with_their_failures_and_times(home):
    """One row a task: runs, failures, mean and longest; what only waited is no run."""
    found = SystemPerformance.of(BOOK, SECOND)
    assert found.tasks().rows == [("optimize_database", 3, 1, 3.0, 4.0)]
    assert found.totals().totals["tasks_begun"] == 3


def test_orders_and_records_are_the_journals(home):
    """Every answered order of both days, every record, every byte of their segments."""
    found = SystemPerformance.of(BOOK, SECOND)
    days = [ledger.read(home, BOOK, day) for day in (FIRST, SECOND)]
    answered = sum(story.sent is not None and bool(story.updates) for day in days for story in day.stories.values())
    assert found.totals().totals["orders_answered"] == answered > 10
    assert found.totals().totals["journal_records"] == sum(day.records for day in days)
    sizes = [path.stat().st_size for path in (home / "books" / BOOK / "journal").glob("*2025-03-2*")]
    assert sum(found.sizes.values()) == sum(sizes)
    assert all(row[2] <= row[3] <= row[4] <= row[5] for row in found.orders().rows)


def test_what_lies_outside_the_week_is_not_counted(home):
    """The alert of the week after is another week's; weeks begin on Saturday, when their reports are made."""
    found = SystemPerformance.of(BOOK, SECOND)
    assert found.alerts().rows == [("stale-feed", 1)]
    assert found.first == "2025-03-22"


def test_a_week_without_orders_says_so(home):
    """NIL, with its tables empty and not an error."""
    found = SystemPerformance.of(BOOK, "2025-05-02")
    assert "NIL report" in found.cover().text()
    assert found.orders().rows == []
    assert found.slowest().html()
