"""Proves a backup by restoring it into a scratch place and comparing it with what it was made of."""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aitrade.compliance.journal import HEADER, frames, segments
from aitrade.compliance.operations import note
from aitrade.core.errors import AitradeError
from aitrade.ops.backup.contents import journals
from aitrade.ops.backup.making import one_at_a_time, scratch_folder
from aitrade.ops.backup.opening import keys_for
from aitrade.ops.backup.restoring import rebuild_in, unsound
from aitrade.ops.backup.shelf import Backup, BookHead, LeftOut, Shelf

WHAT, NAME = "drill", "backup verify"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found; no difference is a pass."""

    backup: str
    files: int
    books: tuple[BookHead, ...]
    differences: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    seconds: float


def verify(home: Path, id_: str = "", scratch: Path | None = None) -> Verified:
    """Restore a backup (the newest without a name) into scratch and compare; it is recorded, also where it fails.

    Compared are every file with the manifest, each book's last record, chain, state and cash as recovery reads them
    with what they were, the databases with themselves and their journals, and the chain with that of the running book.
    Raises Refused where there is none or it does not open; `scratch` is an empty folder, else one is made.
    """
    shelf = Shelf.of(home)
    backup = shelf.find(id_)
    try:
        verified = _verified(home, shelf, backup, scratch)
    except AitradeError as error:
        verified = Verified(backup=backup.id, files=0, books=(), differences=(str(error),), seconds=0)
        note(home, WHAT, NAME, "failed", verified)
        raise
    note(home, WHAT, NAME, "failed" if verified.differences else "passed", verified)
    return verified


def _verified(home: Path, shelf: Shelf, backup: Backup, scratch: Path | None) -> Verified:
    began = time.monotonic()
    keys = keys_for(home, shelf)
    if scratch is not None:
        return compared(home, shelf, backup, keys, scratch, began)
    with one_at_a_time(home), scratch_folder(home, "verify") as folder:
        return compared(home, shelf, backup, keys, folder, began)


def compared(home: Path, shelf: Shelf, backup: Backup, keys: Sequence[bytes], folder: Path, began: float) -> Verified:
    """Rebuild in `folder` and compare; `began` is of the monotonic clock."""
    rebuilt = rebuild_in(folder / "home", shelf, backup, keys)
    differences = [*unsound(rebuilt.folder, rebuilt.books), *_unlike(home, rebuilt.books)]
    if rebuilt.books != backup.books:
        differences.append("the books rebuilt are not those that were backed up")
    return Verified(
        backup=backup.id, files=backup.files, books=rebuilt.books, differences=tuple(differences),
        left_out=backup.left_out,
        seconds=round(time.monotonic() - began, 3),
    )  # fmt: skip


def _unlike(home: Path, books: tuple[BookHead, ...]) -> list[str]:
    """Return which books of the data folder have another record where the backup ends."""
    own = dict(journals(home))
    there = [head for head in books if head.book in own]
    return [
        f"the chain of {head.book} is another at record {head.seq}"
        for head in there
        if _chain_at(own[head.book], head) not in ("", head.head)
    ]


def _chain_at(folder: Path, head: BookHead) -> str:
    """Return the chain's hash after a record of a journal, "" where it has not (any more) that record."""
    for path in reversed(segments(folder)):
        for frame in frames(path) if path.stat().st_size > HEADER.size else ():
            if frame.record.seq == head.seq:
                return frame.head.hex()
            if frame.record.seq > head.seq:
                break
    return ""
