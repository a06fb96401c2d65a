"""The operations journal: what was done to the system, chained like the books' journals, in `operations/journal`.

Any process may write to it, one at a time; it is there whether an engine runs or not. `aitrade audit verify` proves it
with the books.
"""

import getpass
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from aitrade.compliance.journal import Journal, frames, segments
from aitrade.compliance.tail import Tail
from aitrade.core.events import Kind, Operation, RawRecord, Record
from aitrade.core.files import FileLock

BOOK = "operations"
T = TypeVar("T")


class Noted(msgspec.Struct, frozen=True):
    """An operation as it stands in the journal; `at` is ns UTC."""

    seq: int
    at: int
    actor: str
    role: str
    reason: str
    operation: Operation

    def detail(self, of: type[T]) -> T:
        """Return the owner's struct."""
        return msgspec.json.decode(self.operation.detail, type=of)


def journal_folder(home: Path) -> Path:
    """Return where the operations journal of a data folder lies."""
    return home / BOOK / "journal"


def note(
    home: Path, what: str, name: str, outcome: str, detail: msgspec.Struct | None = None, *,
    at: int = 0, actor: str = "", role: str = "operator", reason: str = "",
) -> int:  # fmt: skip
    """Append one operation, on disk when this returns; return its number. `at` is ns UTC, now where it is 0.

    Raises JournalUnwritable when the disk takes nothing.
    """
    body = Operation(what=what, name=name, outcome=outcome, detail=msgspec.json.encode(detail or {}).decode())
    wall = time.time_ns()
    record = Record(0, Kind.OPERATION, at or wall, wall, BOOK, body, actor or getpass.getuser(), role, reason=reason)
    folder = journal_folder(home)
    with FileLock(folder.parent / "lock", wait=True):
        journal = Journal(folder, durability="disk")
        try:
            return journal.append(record)
        finally:
            journal.close()


def noted(home: Path, what: str = "", name: str = "") -> Iterator[Noted]:
    """Yield the operations of a kind and name (empty: all), oldest first; raise JournalBroken where one is damaged."""
    for path in segments(journal_folder(home)):
        for frame in frames(path):
            found = _noted(frame.record)
            if what in ("", found.operation.what) and name in ("", found.operation.name):
                yield found


class Follower:
    """Reads the operations journal as it grows: each call of `new` goes on where the last one stopped."""

    def __init__(self, home: Path) -> None:
        self._tail = Tail(journal_folder(home))
        self._seq = -1

    def new(self) -> Iterator[Noted]:
        """Yield what was noted since the last call, oldest first; raise JournalBroken where a record is damaged."""
        for record in self._tail.read(self._seq):
            self._seq = record.seq
            yield _noted(record)


def _noted(record: RawRecord) -> Noted:
    return Noted(record.seq, record.ts, record.actor, record.role, record.reason, record.decoded())
