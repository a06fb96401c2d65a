"""What preflight leaves in the operations journal: runs, signatures under them, and waivers of items."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from aitrade.compliance.operations import Noted, note, noted
from aitrade.core.errors import Refused
from aitrade.ops.preflight.binding import Binding
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.checklist import row_of

RUN, SIGNATURE, WAIVER = "preflight", "signature", "waiver"
WHOLE = "whole"
"""Name of a run over all sections; others are named for theirs."""


class Result(msgspec.Struct, frozen=True):
    """An item's verdict as it is printed and kept. `measured` has its source and how much was examined, too."""

    id: str
    section: str
    item: str
    status: str
    evidence: str
    measured: dict[str, int | float | str]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the checklist."""

    items: list[Result]
    bound: Binding
    seconds: float

    @property
    def failed(self) -> list[Result]:
        """Items that failed."""
        return [result for result in self.items if result.status == Status.FAIL]


class Kept(msgspec.Struct, frozen=True):
    """A run as it stands in the journal: its number, when (ns UTC) and by whom."""

    seq: int
    at: int
    actor: str
    name: str
    run: Run


class Signed(msgspec.Struct, frozen=True):
    """What a signature stands under: the run's number in the journal."""

    run: int


class Signature(msgspec.Struct, frozen=True):
    """Who signed a run, as what and why."""

    at: int
    name: str
    role: str
    reason: str


class Until(msgspec.Struct, frozen=True):
    """The last day of a waiver, ISO, IST."""

    until: str


class Waiver(msgspec.Struct, frozen=True):
    """Who lets an item be missing, why and until when."""

    item: str
    name: str
    reason: str
    until: str


def keep(home: Path, run: Run, section: str = "") -> int:
    """Write a run into the journal; return its number there."""
    return note(home, RUN, section or WHOLE, "failed" if run.failed else "passed", run)


def since(home: Path, run: Kept) -> Iterator[Kept]:
    """Yield the runs of single sections after a run, oldest first."""
    return (_kept(one) for one in noted(home, RUN) if one.seq > run.seq)


def last(home: Path, name: str = WHOLE) -> Kept | None:
    """Return the newest run over all sections (or over the named one); None when there is none."""
    found = list(noted(home, RUN, name))[-1:]
    return _kept(found[0]) if found else None


def sign(home: Path, run: Kept, name: str, role: str, reason: str) -> int:
    """Put a named person's signature under a run."""
    _named(name, reason)
    if not role.strip():
        raise Refused("A role is needed: as what does this person sign?")
    return note(home, SIGNATURE, RUN, "signed", Signed(run.seq), actor=name, role=role, reason=reason)


def signatures(home: Path, run: Kept) -> list[Signature]:
    """Return who signed a run."""
    found = noted(home, SIGNATURE, RUN)
    return [Signature(one.at, one.actor, one.role, one.reason) for one in found if one.detail(Signed).run == run.seq]


def waive(home: Path, item: str, name: str, reason: str, until: date, today: date) -> int:
    """Let an item be missing until a day; raise Refused for an unknown item, a past day or one without a name."""
    row_of(item)
    _named(name, reason)
    if until < today:
        raise Refused(f"{until} is past: a waiver runs until a day to come.")
    return note(home, WAIVER, item, "waived", Until(until.isoformat()), actor=name, reason=reason)


def waivers(home: Path, today: date) -> dict[str, Waiver]:
    """Return the waivers that hold on a day: of each item the newest, so that a shorter one ends a longer."""
    found = (Waiver(one.operation.name, one.actor, one.reason, one.detail(Until).until) for one in _waived(home))
    newest = {one.item: one for one in found}
    return {item: one for item, one in newest.items() if one.until >= today.isoformat()}


def _waived(home: Path) -> Iterator[Noted]:
    return noted(home, WAIVER)


def _named(name: str, reason: str) -> None:
    if not name.strip() or not reason.strip():
        raise Refused("A name and a reason are needed: who answers for this, and why.")


def _kept(one: Noted) -> Kept:
    return Kept(one.seq, one.at, one.actor, one.operation.name, one.detail(Run))
