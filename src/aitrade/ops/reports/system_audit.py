"""The system audit: who did what to the system in a month, on which code, and whether its own controls worked."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Self

import msgspec

from aitrade.compliance.operations import Noted
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.record import Run
from aitrade.ops.reports.chains import Segment, book_chain, operations_chain, torn
from aitrade.ops.reports.charts import Bars
from aitrade.ops.reports.month import Month
from aitrade.ops.reports.pieces import Figures, Notice, Pieces, Table, table
from aitrade.ops.reports.subject import NIL, Totals, basis, headline, home

_ITEMS = "Each item did what it says and wrote down what it measured; preflight's own report has every figure."


class SystemAudit(msgspec.Struct):
    """A month of the system, ready to be shown."""

    month: Month
    folder: Path
    chain: list[Segment]
    operations: Segment
    torn: list[str]

    @classmethod
    def of(cls, book: str, day: str) -> Self:
        """Read a book's month and the operations of it; raise JournalBroken where a chain does not verify."""
        folder = home()
        month = Month.of(folder, book, day, 0)
        last = max((one.seq for one in month.operations), default=0)
        operations = operations_chain(folder, lambda record: record.seq <= last)
        return cls(month, folder, book_chain(folder, book, day), operations, torn(folder, book))

    def cover(self) -> Pieces:
        """Return what was audited."""
        month, parts = self.month, []
        if not month.days and not month.operations:
            parts.append(Notice(f"{NIL}: nothing was done from {month.first} to {month.last}."))
        sentences = [
            f"The data folder with book {month.book}, from {month.first} to {month.last}.",
            "Everything below is read from the two chained journals, the book's and the operations'.",
            "Records of reports and of maintenance tasks are left out: the same month has to give the same report.",
        ]
        return Pieces([*parts, basis(sentences)])

    def summary(self) -> Figures:
        """Return the month in figures."""
        month = self.month
        starts = sum(row[2] == "started" for row in month.starts)
        events = [row[2] == "started" for row in sorted(month.starts, key=lambda row: row[1])]
        crashes = sum(one and following for one, following in pairwise(events))
        failed = [one for one in month.operations if one.operation.outcome in ("failed", "refused")]
        return Figures(
            [
                headline("Records proven", sum(one.records for one in self.chain) + self.operations.records),
                headline("Engine starts", starts, f"after a crash: {crashes}"),
                headline("People and accounts", len({actor for actor, _, _ in month.people})),
                headline("Acts on the system", len(month.operations)),
                headline("Of which failed", len(failed), mood="warn" if failed else "good"),
                headline("Alerts", sum(one.operation.outcome == "raised" for one in month.done("alert"))),
            ],
            how="Records whose hash was taken again and compared; engine starts of the book, and how many of them "
            "followed another start with no stop in between; distinct "
            "names on people's commands; records of the operations journal, reports and maintenance tasks apart.",
        )

    def code(self) -> Table:
        """Return which code and configuration ran."""
        return table(
            "Market time (IST):moment, Machine's time (IST):moment, Event, Version, Configuration:code, Code:code",
            self.month.starts,
            empty="The engine was not started.",
            how="Each start carries the version, and the beginning of the SHA-256 over its configuration and its "
            "sources. A start without a stop before it follows a crash.",
        )

    def people(self) -> Table:
        """Return who commanded what."""
        rows = [(*who, number) for who, number in sorted(self.month.people.items())]
        return table(
            "Who, Role, Address:code, Commands:count", rows, empty="No person gave a command.",
            how="Orders, changes, cancellations, trading states, starts and stops of strategies, conversions and "
            "refused requests that came from people, by name, role and address.",
        )  # fmt: skip

    def acts(self) -> Table:
        """Return how many acts of each kind there were, and how they ended."""
        counted = Counter((one.operation.what, one.operation.outcome) for one in self.month.operations)
        rows = [(what, outcome, number) for (what, outcome), number in sorted(counted.items())]
        return table("Kind, Outcome, Number:count", rows, empty="None.", how="Records of the operations journal.")

    def by_kind(self) -> Bars:
        """Return how many acts of each kind there were."""
        counted = Counter(one.operation.what for one in self.month.operations)
        names = sorted(counted)
        how = "The Number column of the table above, summed by kind."
        return Bars("Acts by kind", names, [counted[name] for name in names], how=how)

    def failures(self) -> Table:
        """Return what failed or was refused."""
        rows = [_row(one) for one in self.month.operations if one.operation.outcome in ("failed", "refused")]
        return table(_COLUMNS, rows, empty="Nothing failed.", how="Every record whose outcome is failed or refused.")

    def controls(self) -> Pieces:
        """Return what was done about secrets, configuration, backups, models and updates."""
        parts = []
        for caption, whats in (
            ("Vault", ("vault",)),
            ("Configuration", ("configuration",)),
            ("Backups, restores and drills", ("backup", "restore", "drill")),
            ("Scans", ("scan",)),
            ("Models", ("model",)),
            ("Service and updates", ("service", "update")),
        ):
            rows = [_row(one) for one in self.month.done(*whats)]
            how = f"Records of the operations journal of the kinds {', '.join(whats)}."
            parts.append(table(_COLUMNS, rows, caption=caption, empty="None.", how=how))
        return Pieces(parts)

    def preflight(self) -> Pieces:
        """Return the last preflight run of the month, item by item."""
        runs = self.month.done("preflight")
        if not runs:
            return Pieces([Notice("Preflight was not run in this month.", "warn")])
        last = runs[-1].detail(Run)
        failed = sum(item.status == Status.FAIL for item in last.items)
        said = Notice(
            f"{len(runs)} runs; the last one had {failed} failed items of {len(last.items)}.",
            "bad" if failed else "good",
        )
        rows = [(item.section, item.item, item.status.replace("_", " "), item.evidence) for item in last.items]
        return Pieces([said, table("Section, Item:words, Verdict, Evidence:words", rows, how=_ITEMS)])

    def chains(self) -> Table:
        """Return the chains with their heads."""
        rows = [(one.name, one.records, one.first, one.last, one.head) for one in (*self.chain, self.operations)]
        return table(
            "Segment:code, Records:count, First:count, Last:count, Head:code", rows,
            how="Verified from the first record on, as in the audit-trail attestation. Files with records that were "
            f"cut short: {', '.join(self.torn) or 'none'}.",
        )  # fmt: skip

    def totals(self) -> Totals:
        """Return the control totals."""
        days = self.month.days
        return Totals(
            {
                "market_days": len(days),
                "orders": sum(one.orders for one in days),
                "refusals": sum(one.refusals for one in days),
                "trades": sum(one.trades for one in days),
                "acts": len(self.month.operations),
                "commands_of_people": sum(self.month.people.values()),
                "chain_records": sum(one.records for one in self.chain),
            }
        )


_COLUMNS = "Time (IST):moment, Kind, Name:words, Outcome, By, Role, Why:words"


def _row(one: Noted) -> tuple[int, str, str, str, str, str, str]:
    act = one.operation
    return one.at, act.what, act.name, act.outcome, one.actor, one.role, one.reason
