"""Whether anything that has to be kept is missing: journals from their beginning on, and books that were backed up."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from aitrade.compliance.journal import HASH_SIZE, HEADER, SUFFIX, frames, read_header, segments
from aitrade.compliance.operations import noted
from aitrade.core.errors import JournalBroken
from aitrade.ops.archive import WHAT, Archived
from aitrade.ops.backup.shelf import BookHead, listed

REMEMBERED = 5
"""How many of the newest backups are asked what there was."""


class Looked(msgspec.Struct, frozen=True):
    """What was looked at and what is missing, in sentences."""

    segments: int
    heads: int
    missing: tuple[str, ...]


def look(home: Path) -> Looked:
    """Look at every journal of a data folder, archived books too; only reads."""
    folders = sorted({path.parent for path in home.rglob(f"*{SUFFIX}") if not path.is_relative_to(home / "run")})
    archived = {(home / name).parent for row in noted(home, WHAT) for name in row.detail(Archived).files}
    gaps = [text for folder in folders for text in _gaps(home, folder, begun=folder not in archived)]
    heads = _remembered(home)
    lost = [_lost(head) for head in heads if not any(_has(folder, head) for folder in folders)]
    return Looked(sum(len(segments(folder)) for folder in folders), len(heads), (*gaps, *lost))


def _gaps(home: Path, folder: Path, *, begun: bool) -> Iterator[str]:
    """Yield where a journal does not go on from the segment before, or (`begun`) does not begin at its beginning."""
    before = None
    for path in [path for path in segments(folder) if path.stat().st_size >= HEADER.size]:
        name = path.relative_to(home).as_posix()
        number, continues = read_header(_bytes(path, 0, HEADER.size), path)
        if before is None and number > 1 and begun:
            yield f"{name} is segment {number}, and those before it are neither here nor archived"
        if before is not None and continues != _end(before):
            yield f"{name} does not go on from {before.name}"
        before = path


def _end(path: Path) -> bytes:
    """Return the chain's hash after a closed segment."""
    size = path.stat().st_size
    if size > HEADER.size:
        return _bytes(path, size - HASH_SIZE, HASH_SIZE)
    return hashlib.sha256(_bytes(path, 0, HEADER.size)).digest()


def _bytes(path: Path, begin: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(size)


def _remembered(home: Path) -> list[BookHead]:
    """Return the newest heads of every book that the newest backups know."""
    heads = {head.book: head for backup in listed(home)[-REMEMBERED:] for head in backup.books if head.seq}
    return list(heads.values())


def _has(folder: Path, head: BookHead) -> bool:
    for path in reversed(segments(folder)):
        try:
            for frame in frames(path) if path.stat().st_size > HEADER.size else ():
                if frame.record.seq == head.seq:
                    return frame.head.hex() == head.head
                if frame.record.seq > head.seq:
                    break
        except JournalBroken:
            return False
    return False


def _lost(head: BookHead) -> str:
    return f"record {head.seq} of book {head.book}, which was backed up, is in no journal of this data folder"
