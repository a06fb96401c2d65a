"""Hash chains as an inspection reads them: segment by segment, up to a moment, with the head that stands there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from aitrade.compliance.journal import HEADER, frames, segments
from aitrade.compliance.operations import journal_folder
from aitrade.core.errors import JournalBroken
from aitrade.core.events import RawRecord


class Segment(msgspec.Struct):
    """One segment, verified: `head` is the chain's hash after its last record, hex; times are market time, ns UTC."""

    name: str
    first: int = 0
    last: int = 0
    records: int = 0
    began: int = 0
    ended: int = 0
    head: str = ""


class Silence(msgspec.Struct, frozen=True):
    """A span of market time without any record."""

    began: int
    ended: int


def book_chain(home: Path, book: str, day: str) -> list[Segment]:
    """Verify a book's segments up to and including the market day; raise JournalBroken naming what does not verify."""
    folder = home / "books" / book / "journal"
    paths = [path for path in segments(folder) if not _day(path) or _day(path) <= day]
    return list(verified(paths))


def verified(paths: list[Path]) -> Iterator[Segment]:
    """Yield segments that follow each other, each verified; raise JournalBroken naming what does not verify."""
    before: bytes | None = None
    sequence = 0
    for path in paths:
        if path.stat().st_size < HEADER.size:
            continue
        segment = Segment(path.stem)
        head = b""
        for frame in frames(path, before):
            if sequence and frame.record.seq != sequence + 1:
                raise JournalBroken(f"{path.name}: record {frame.record.seq} follows {sequence}; one is missing.")
            sequence, head = frame.record.seq, frame.head
            _follow(segment, sequence, frame.record.ts, head)
        before = head or None
        yield segment


def operations_chain(home: Path, belongs: Callable[[RawRecord], bool]) -> Segment:
    """Verify the operations journal and return it as it stood after the last record that `belongs`."""
    whole, stood = Segment("operations"), Segment("operations")
    for path in segments(journal_folder(home)):
        for frame in frames(path):
            _follow(whole, frame.record.seq, frame.record.ts, frame.head)
            if belongs(frame.record):
                stood = msgspec.structs.replace(whole)
    return stood


def torn(home: Path, book: str) -> list[str]:
    """Return the files that keep records which were cut short."""
    return sorted(path.name for path in (home / "books" / book / "journal").glob("*.torn-*"))


def silences(home: Path, book: str, day: str, longest: int) -> list[Silence]:
    """Return the spans of a day's market time longer than `longest` ns between one record and the next."""
    found, before = [], 0
    for path in segments(home / "books" / book / "journal"):
        for frame in frames(path) if _day(path) == day else ():
            now = frame.record.ts
            if before and now - before > longest:
                found.append(Silence(before, now))
            before = now or before
    return found


def _follow(segment: Segment, seq: int, ts: int, head: bytes) -> None:
    segment.first = segment.first or seq
    segment.began = segment.began or ts
    segment.last, segment.ended, segment.head = seq, ts, head.hex()
    segment.records += 1


def _day(path: Path) -> str:
    name = path.stem.partition("-")[2]
    return name if name[:1].isdigit() else ""
