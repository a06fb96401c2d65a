"""The last preflight as a report: verdicts with their evidence, what the run is bound to, signatures and waivers."""

from collections import Counter
from datetime import date
from typing import Self

import msgspec

from aitrade.ops.preflight.check import Section, Status
from aitrade.ops.preflight.record import Kept, Result, Signature, Waiver, last, signatures, waivers
from aitrade.ops.reports.charts import Bars
from aitrade.ops.reports.pieces import Figure, Figures, Notice, Pieces, Table, moment, table
from aitrade.ops.reports.subject import NIL, Totals, headline, home

_MOODS = {Status.PASS: "good", Status.FAIL: "bad", Status.NOT_PROVABLE: "warn"}
_WORDS = {Status.PASS: "Passed", Status.FAIL: "Failed", Status.NOT_PROVABLE: "Not provable here"}


class PreflightReport(msgspec.Struct):
    """A run, ready to be shown; None where there was none."""

    kept: Kept | None
    signatures: list[Signature]
    waivers: dict[str, Waiver]

    @classmethod
    def of(cls, day: str) -> Self:
        """Read the newest run over the whole list, its signatures, and the waivers that hold on a day."""
        folder = home()
        kept = last(folder)
        return cls(kept, signatures(folder, kept) if kept else [], waivers(folder, date.fromisoformat(day)))

    def cover(self) -> Pieces:
        """Return which run this is."""
        if self.kept is None:
            return Pieces([Notice(f"{NIL}: preflight has not run over the whole list yet.", "warn")])
        kept = self.kept
        words = f"Run number {kept.seq} of the operations journal, {moment(kept.at)} IST, by {kept.actor}."
        return Pieces([Notice(f"{words} It took {kept.run.seconds:.0f} s and is for {kept.run.bound.day} alone.")])

    def summary(self) -> Figures:
        """Return the verdicts counted; the environment's items stand beside the checklist's."""
        counted = Counter(Status(item.status) for item in self.checklist)
        tiles = [headline(_WORDS[status], counted[status], mood=_MOODS[status]) for status in Status]
        beside = sum(item.status == Status.PASS for item in self.environment)
        return Figures(
            [headline("Items of the checklist", len(self.checklist)), *tiles,
             Figure("Environment, beside it", f"{beside} of {len(self.environment)}", "passed")],
            how="Each item did what it says, on a scratch engine; nothing examined is a fail.",
        )  # fmt: skip

    def chart(self) -> Bars:
        """Return the verdicts, a bar each."""
        counted = Counter(Status(item.status) for item in (*self.checklist, *self.environment))
        how = "Items of the checklist and of the environment, as the table below has them."
        return Bars("Verdicts", [_WORDS[one] for one in Status], [counted[one] for one in Status], how=how)

    def items(self) -> Table:
        """Return every item with its evidence."""
        rows = [
            (item.section, item.item, _WORDS[Status(item.status)], item.evidence)
            for item in (*self.checklist, *self.environment)
        ]
        how = "Each item did what it says, on a scratch engine, and wrote down what it measured."
        return table("Section, Item:words, Verdict, Evidence:words", rows, empty="No item was examined.", how=how)

    def measured(self) -> Table:
        """Return every figure behind the evidence."""
        rows = [
            (item.id, name, str(value))
            for item in (*self.checklist, *self.environment)
            for name, value in item.measured.items()
        ]
        how = "As the items measured them; _ms are milliseconds, _s seconds, _mb MiB."
        return table("Item:code, Figure, Value:words", rows, empty="Nothing was measured.", how=how)

    def bound(self) -> Pieces:
        """Return what the run is bound to, who signed it, and what is waived."""
        bound = [] if self.kept is None else list(msgspec.structs.asdict(self.kept.run.bound).items())
        hashes = table(
            "What, SHA-256 or day:code", bound, empty="Nothing.",
            how="A change of any of them ends the pass.",
        )  # fmt: skip
        signed = table(
            "Time (IST):moment, Name, Role, Reason:words",
            [(one.at, one.name, one.role, one.reason) for one in self.signatures],
            caption="Signatures", empty="Nobody has signed this run.",
            how="Signatures of the operations journal for this very run.",
        )  # fmt: skip
        waived = table(
            "Item:code, By, Until, Reason:words",
            [(one.item, one.name, one.until, one.reason) for one in self.waivers.values()],
            caption="Waivers", empty="Nothing is waived.",
            how="Waivers that have not run out; each names its item.",
        )  # fmt: skip
        return Pieces([hashes, signed, waived])

    def totals(self) -> Totals:
        """Return the control totals."""
        counted = Counter(item.status for item in self.checklist)
        return Totals(
            {
                "items": len(self.checklist),
                "passed": counted[Status.PASS],
                "failed": counted[Status.FAIL],
                "not_provable": counted[Status.NOT_PROVABLE],
            }
        )

    @property
    def checklist(self) -> list[Result]:
        """The items of the checklist."""
        items = self.kept.run.items if self.kept else []
        return [item for item in items if item.section != Section.ENVIRONMENT]

    @property
    def environment(self) -> list[Result]:
        """The items beside it."""
        items = self.kept.run.items if self.kept else []
        return [item for item in items if item.section == Section.ENVIRONMENT]
