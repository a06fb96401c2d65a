"""The audit-trail attestation: the chain verified, its heads, and everything that is missing of a day's orders."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec

from aitrade.core.clock import SECOND
from aitrade.ops import trail
from aitrade.ops.ledger import Day
from aitrade.ops.reports.chains import Segment, Silence, book_chain, operations_chain, silences, torn
from aitrade.ops.reports.charts import Bars
from aitrade.ops.reports.month import walls
from aitrade.ops.reports.pieces import Figure, Figures, Notice, Pieces, Table, table
from aitrade.ops.reports.subject import Totals, cover, day_of, headline, home
from aitrade.ops.trail import Gap


class AuditTrail(msgspec.Struct):
    """What was verified and counted, ready to be shown."""

    day: Day
    folder: Path
    chain: list[Segment]
    operations: Segment
    gaps: list[Gap]
    silences: list[Silence]
    torn: list[str]

    @classmethod
    def of(cls, book: str, day: str, silence: int) -> Self:
        """Verify a book's chain up to a day and look at its orders; raise JournalBroken where it does not verify."""
        folder = home()
        chain = book_chain(folder, book, day)
        found = day_of(folder, book, day)
        until = walls(found)[1]
        operations = operations_chain(folder, lambda record: record.wall <= until)
        return cls(
            found, folder, chain, operations, trail.gaps(found),
            silences(folder, book, day, silence * SECOND), torn(folder, book),
        )  # fmt: skip

    def cover(self) -> Pieces:
        """Return where the figures come from."""
        return cover(self.day, self.folder, counted="orders", number=self.examined)

    def statement(self) -> Pieces:
        """Return the attestation itself."""
        day, head = self.day, self.chain[-1].head if self.chain else ""
        records = sum(segment.records for segment in self.chain)
        verified = Notice(
            f"The hash chain of book {day.book} verifies from its first record to the end of {day.day}: {records} "
            f"records in {len(self.chain)} segments, none missing, head {head}.",
            "good",
        )
        if self.gaps:
            complete = Notice(f"Of {self.examined} orders and refusals, {len(self.gaps)} things are missing.", "bad")
        elif self.examined:
            complete = Notice(f"The story of each of the {self.examined} orders and refusals is complete.", "good")
        else:
            complete = Notice("There was no order whose story could be examined.")
        figures = Figures(
            [
                headline("Orders and refusals examined", self.examined),
                headline("Things missing", len(self.gaps), mood="bad" if self.gaps else "good"),
                headline("Records of the day", day.records),
                headline("Records cut short", len(self.torn), "kept beside the segment" if self.torn else ""),
                Figure("Engine starts", str(len(day.opened)), f"clean stops: {len(day.closed)}"),
            ],
            how="Counted over the day's records in the journal; what is missing stands below, order by order.",
        )
        return Pieces([verified, complete, figures])

    def segments(self) -> Table:
        """Return the chain, a segment a row."""
        rows = [
            (one.name, one.records, one.first, one.last, one.began, one.ended, one.head)
            for one in (*self.chain, self.operations)
        ]  # fmt: skip
        return table(
            "Segment:code, Records:count, First:count, Last:count, From (IST):moment, To (IST):moment, Head:code", rows,
            how="Each record's SHA-256 is taken over the hash before it and its bytes, and compared with the one "
            "that is stored; numbers must follow without a hole, and a segment must begin with the hash that the one "
            "before ended with. The last row, operations, is the journal of what was done to the system, as it stood "
            "when the day's last record was written. Whoever keeps a head elsewhere can prove later that nothing was "
            "changed.",
        )  # fmt: skip

    def kinds(self) -> Table:
        """Return how many records of each kind the examined orders have."""
        steps = Counter(str(row.body.what) for story in self.day.stories.values() for row in story.updates)
        asked = Counter(str(row.at.kind) for story in self.day.stories.values() for row in story.asked)
        rows = [
            ("Orders sent", sum(story.sent is not None for story in self.day.stories.values())),
            ("Requests refused by our checks", len(self.day.refusals)),
            ("Changes asked for", asked["modify"]),
            ("Cancellations asked for", asked["cancel"]),
            *((f"Venue said {name}", number) for name, number in sorted(steps.items())),
        ]
        return table("Record, Number:count", rows, how="Counted over the day's records.")

    def by_segment(self) -> Bars:
        """Return how many records each segment of the chain has."""
        return Bars(
            "Records by segment of the chain", [one.name.partition("-")[2] or one.name for one in self.chain],
            [one.records for one in self.chain], how="The Records column of the table above.",
        )  # fmt: skip

    def missing(self) -> Table:
        """Return every gap."""
        return table(
            "Order or record:code, What is missing:words", [(gap.order, gap.what) for gap in self.gaps],
            empty="Nothing is missing.",
            how="Of each order sent: client, who asked and as what, address of a person, algo id and code hash of a "
            "strategy, terms, both times, the venue's numbers and exchange time, each trade with number, price, "
            "quantity and charges, a reason for each end that is not a fill; each change or cancellation answered; "
            "trades that sum to what the order says it filled; no trade number twice; nothing left unproven when the "
            "day had ended.",
        )  # fmt: skip

    def quiet(self) -> Pieces:
        """Return silences, cut records and restarts."""
        spans = table(
            "From (IST):moment, To (IST):moment, Seconds:count",
            [(one.began, one.ended, (one.ended - one.began) // SECOND) for one in self.silences],
            caption="Silences", empty="No silence.",
            how="Spans of market time between two records of the day that are longer than the parameter allows.",
        )  # fmt: skip
        starts = table(
            "Time (IST):moment, Machine's time (IST):moment, Event, By, What",
            sorted(_turns(self.day), key=lambda row: (row[1], row[0])),
            caption="Starts and stops of the engine", empty="The engine ran through.",
            how="A start without a stop before it follows a crash; the journal then goes on where it was cut.",
        )  # fmt: skip
        cut = table(
            "File:code", [(name,) for name in self.torn], caption="Records cut short", empty="None.",
            how="Files of last bytes that a crash left half written; the chain does not count them.",
        )  # fmt: skip
        return Pieces([spans, starts, cut])

    def totals(self) -> Totals:
        """Return the control totals."""
        return Totals(
            {
                "orders_examined": self.examined,
                "gaps": len(self.gaps),
                "records": self.day.records,
                "chain_records": sum(segment.records for segment in self.chain),
                "fills": len(self.day.fills),
            }
        )

    @property
    def examined(self) -> int:
        """How many orders and refusals were looked at."""
        return trail.examined(self.day)


def _turns(day: Day) -> Iterator[tuple[int, int, str, str, str]]:
    """Yield the engine's starts and stops."""
    for opened in day.opened:
        yield opened.at.ts, opened.at.wall, "started", opened.at.actor, f"version {opened.body.version}"
    for closed in day.closed:
        yield closed.at.ts, closed.at.wall, "stopped", closed.at.actor, closed.body.reason
