"""The week's analysis of how the system performed: orders' way, journals, tasks, backups, alerts and incidents."""

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Self

import msgspec

from aitrade.compliance.journal import segments
from aitrade.compliance.operations import Noted, noted
from aitrade.core.clock import at
from aitrade.ops import ledger
from aitrade.ops.ledger import Day
from aitrade.ops.maintenance.task import Outcome
from aitrade.ops.reports.catalogue import week_begins
from aitrade.ops.reports.charts import Bars
from aitrade.ops.reports.pieces import Figures, Notice, Pieces, Table, short_day, table
from aitrade.ops.reports.subject import Totals, basis, headline, home

_TASK, _BAD = "task", ("failed", "late")
_NS_MS = 1e6
Ways = list[float]
"""From the record of an intent to that of the venue's first word, milliseconds, rising."""


class _Saved(msgspec.Struct):
    """What is read of a backup's record."""

    id: str = ""
    size: int = 0
    seconds: float = 0.0


class SystemPerformance(msgspec.Struct, kw_only=True):
    """A week up to a day, ready to be shown; `ways` by market day."""

    book: str
    first: str
    last: str
    ways: dict[str, Ways]
    records: dict[str, int]
    sizes: dict[str, int]
    """Bytes of the journal's segments by market day."""
    acts: list[Noted]

    @classmethod
    def of(cls, book: str, day: str) -> Self:
        """Read the week of `day`, from its Saturday, from the book's journal and the operations journal."""
        folder, last = home(), date.fromisoformat(day)
        first = week_begins(last).isoformat()
        days = list(ledger.walk(folder, book, first, day))
        return cls(
            book=book, first=first, last=day, ways={one.day: _ways(one) for one in days},
            records={one.day: one.records for one in days}, sizes=_sizes(folder, book, first, day),
            acts=[one for one in noted(folder) if at(first, "00:00") <= one.at < at(day, "24:00")],
        )  # fmt: skip

    def cover(self) -> Pieces:
        """Return what the figures rest on."""
        nil = Notice(f"NIL report: book {self.book} sent no order from {self.first} to {self.last}.")
        orders = f"Orders are those of book {self.book} on market days from {self.first} to {self.last}."
        acts = "What was done to the system is what the operations journal has of those dates."
        return Pieces([*([] if any(self.ways.values()) else [nil]), basis([orders, acts])])

    def summary(self) -> Figures:
        """Return the week in figures."""
        ways = sorted(way for day in self.ways.values() for way in day)
        tasks = self._tasks()
        bad = sum(one.operation.outcome in _BAD for one in tasks)
        alerts = len(self._of("alert", "raised"))
        return Figures(
            [
                headline("Orders answered", len(ways), f"p99 {_at(ways, 0.99):.2f} ms"),
                headline("Journal records", sum(self.records.values())),
                headline("Maintenance tasks", len(tasks), f"{bad} failed or late", mood="bad" if bad else "good"),
                headline("Backups", len(self._of("backup", "passed"))),
                headline("Alerts", alerts, mood="warn" if alerts else "good"),
                headline("Incidents", len(self._of("incident", "opened"))),
            ],
            how="Counted over the journals' records of the week.",
        )

    def orders(self) -> Table:
        """Return how long each day's orders took to the venue's first word."""
        rows = [
            (day, len(ways), _at(ways, 0.5), _at(ways, 0.95), _at(ways, 0.99), ways[-1] if ways else 0.0)
            for day, ways in sorted(self.ways.items())
        ]
        return table(
            "Day, Orders answered:count, p50 ms:figure, p95 ms:figure, p99 ms:figure, Longest ms:figure", rows,
            empty="No order was sent.",
            how="By the machine's clock, from the record of the intent to the record of the venue's first word; the "
            "venue's own time is in it, and on a simulated market that is the market's, divided by its speed.",
        )  # fmt: skip

    def slowest(self) -> Bars:
        """Return each day's p99."""
        days = sorted(day for day, ways in self.ways.items() if ways)
        return Bars(
            "p99 of an order's way, ms",
            [short_day(day) for day in days],
            [_at(self.ways[day], 0.99) for day in days],
            way="figure",
            how="The p99 column of the table above.",
        )

    def journal(self) -> Table:
        """Return how much was written."""
        rows = [(day, count, self.sizes.get(day, 0)) for day, count in sorted(self.records.items())]
        return table("Day, Records:count, Bytes:count", rows, how="Records and the size of each day's segments.")

    def tasks(self) -> Table:
        """Return how each maintenance task went."""
        found: dict[str, list[Noted]] = defaultdict(list)
        for one in self._tasks():
            found[one.operation.name].append(one)
        rows = [(name, len(runs), _bad(runs), *_seconds(runs)) for name, runs in sorted(found.items())]
        return table(
            "Task:words, Runs:count, Failed or late:count, Mean s:figure, Longest s:figure", rows,
            empty="No task ran.", how="Records of tasks that were begun; those that had to wait are left out.",
        )  # fmt: skip

    def backups(self) -> Table:
        """Return the backups that were made."""
        saved = [(one.at, one.operation.name, one.detail(_Saved)) for one in self._of("backup", "passed")]
        rows = [(at_, kind, one.id, one.size, one.seconds) for at_, kind, one in saved]
        return table(
            "Made (IST):moment, Kind, Backup:code, Bytes:count, Seconds:figure", rows, empty="None was made.",
            how="Backups that passed, as the operations journal has them.",
        )  # fmt: skip

    def alerts(self) -> Table:
        """Return how often each rule raised an alert."""
        counted = Counter(one.operation.name for one in self._of("alert", "raised"))
        return table(
            "Rule:words, Raised:count", counted.most_common(), empty="No alert was raised.",
            how="Alerts that were raised; one that was raised again while it stood counts once.",
        )  # fmt: skip

    def totals(self) -> Totals:
        """Return the control totals."""
        return Totals(
            {
                "orders_answered": sum(len(ways) for ways in self.ways.values()),
                "journal_records": sum(self.records.values()),
                "tasks_begun": len(self._tasks()),
                "backups": len(self._of("backup", "passed")),
                "alerts": len(self._of("alert", "raised")),
            }
        )

    def _of(self, what: str, outcome: str) -> list[Noted]:
        return [one for one in self.acts if (one.operation.what, one.operation.outcome) == (what, outcome)]

    def _tasks(self) -> list[Noted]:
        return [one for one in self.acts if one.operation.what == _TASK and one.operation.outcome != "skipped"]


def _ways(day: Day) -> Ways:
    answered = [story for story in day.stories.values() if story.sent is not None and story.updates]
    return sorted((story.updates[0].at.wall - story.sent.wall) / _NS_MS for story in answered if story.sent)


def _sizes(folder: Path, book: str, first: str, last: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for path in segments(folder / "books" / book / "journal"):
        day = path.stem.partition("-")[2]
        if first <= day <= last:
            found[day] += path.stat().st_size
    return dict(found)


def _at(ways: Ways, share: float) -> float:
    return ways[min(int(len(ways) * share), len(ways) - 1)] if ways else 0.0


def _bad(runs: list[Noted]) -> int:
    return sum(one.operation.outcome in _BAD for one in runs)


def _seconds(runs: list[Noted]) -> tuple[float, float]:
    seconds = [one.detail(Outcome).seconds for one in runs]
    return sum(seconds) / len(seconds), max(seconds)
