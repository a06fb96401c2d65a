"""What a day's reports rest on, as one hash: while it stays, making them again would give what is there."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

import aitrade
from aitrade.compliance.journal import JournalBroken, frames, segments
from aitrade.core.clock import DAY, at
from aitrade.ops.reports.canonical import file_hash
from aitrade.ops.reports.month import done_between


def inputs_of(home: Path, book: str, day: str) -> str:
    """Return SHA-256, hex, over all that a day (ISO) of a book rests on, imported market data apart.

    That is: the version of aitrade, the book's records of the day, the facts, limits and contract note that a person
    laid there, and what was done to the system on that day.
    """
    digest = hashlib.sha256(aitrade.__version__.encode())
    kept = _segments(home, book, day)
    notes = (home / "contract-notes").glob(f"{book}-{day}.csv")
    for path in [*kept, *sorted(notes), *sorted((home / "facts").glob("*")), home / "limits.toml"]:
        if path.is_file():
            digest.update(f"{path.name} {file_hash(path)}\n".encode())
    for one in done_between(home, day, day, _traded(kept, day)):
        digest.update(msgspec.json.encode(one))
    return digest.hexdigest()


def _segments(home: Path, book: str, day: str) -> list[Path]:
    """Return the segments of a day, its night in them, else the last one before it."""
    until = [path for path in segments(home / "books" / book / "journal") if _day(path) <= day]
    return [path for path in until if _day(path) == day] or until[-1:]


def _traded(kept: list[Path], day: str) -> Iterator[tuple[int, int]]:
    """Yield the machine's times between which a day's records were written, where that was on another day.

    What is damaged is told by the report that reads it.
    """
    for path in kept:
        walls = []
        with suppress(JournalBroken):
            walls += [frame.record.wall for frame in frames(path)] if _day(path) == day else []
        if walls and not at(day, "00:00") <= walls[0] < at(day, "00:00") + DAY:
            yield walls[0], walls[-1]


def _day(segment: Path) -> str:
    """Return the market day in a segment's name; a book's first segment has none, and comes before all."""
    name = segment.stem.partition("-")[2]
    return name if name[:1].isdigit() else ""
