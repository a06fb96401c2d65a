"""From a path to the store: each file whole or not at all, and a report of every one."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from aitrade.core.clock import LiveClock
from aitrade.core.errors import DataRefused, Refused
from aitrade.market.importing.documents import LARGEST, Document, documents
from aitrade.market.importing.formats import FORMATS
from aitrade.market.importing.hours import Sessions
from aitrade.market.importing.reading import Format, Reading
from aitrade.market.importing.sieve import Sieved, sieve
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import TABLES, Basis, ImportedSet, Source, Table, minutes_of

Progress = Callable[[Iterable[Path]], Iterable[Path]]
"""Wraps the files to import, tqdm for instance, to show how far the work is."""


class Outcome(StrEnum):
    """What became of a file."""

    IMPORTED = "imported"
    KNOWN = "already imported"
    SKIPPED = "skipped"
    REFUSED = "refused"


class FileResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file; `text` says why it was refused, `notes` why it was skipped or what to know of it."""

    path: Path
    outcome: Outcome
    text: str = ""
    notes: tuple[str, ...] = ()
    rows: int = 0
    aside: int = 0


class ImportReport(msgspec.Struct, frozen=True):
    """What became of every file of an import, in order."""

    files: tuple[FileResult, ...]

    def of(self, outcome: Outcome) -> list[FileResult]:
        """Return the files with this outcome."""
        return [one for one in self.files if one.outcome is outcome]

    @property
    def refused(self) -> list[FileResult]:
        """The files that were not understood."""
        return self.of(Outcome.REFUSED)


def import_path(
    path: Path, store: InputStore, progress: Progress = iter, sessions: Sessions | None = None
) -> ImportReport:
    """Import a file, or every file below a folder, and report on each; Refused where there is none.

    A file that is not understood is refused and the others stay; a file whose bytes were imported before is left alone.
    """
    if not path.exists():
        raise Refused(f"There is nothing at {path}; give a file or a folder of market data.")
    judged, files = sessions or Sessions(), list(_files(path))
    if not files:
        raise Refused(f"There is no file below {path}; give a file or a folder of market data.")
    return ImportReport(tuple(_import_file(one, store, judged) for one in progress(files)))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        hidden = (one for one in sorted(path.rglob("*")) if one.is_file())
        yield from (one for one in hidden if not one.name.startswith("."))


def _import_file(path: Path, store: InputStore, sessions: Sessions) -> FileResult:
    try:
        sha256, size = _hash(path)
        if store.has(sha256):
            return FileResult(path=path, outcome=Outcome.KNOWN)
        return _load(path, sha256, size, store, sessions)
    except DataRefused as error:
        return FileResult(path=path, outcome=Outcome.REFUSED, text=str(error))
    except OSError as error:
        text = f"{path.name}: {error.strerror or error} ({error.filename or store.folder}); nothing of it was kept."
        return FileResult(path=path, outcome=Outcome.REFUSED, text=text)


def _hash(path: Path) -> tuple[str, int]:
    size = path.stat().st_size
    if size > LARGEST:
        raise DataRefused(f"{path.name}: it is over {LARGEST >> 20} MiB, which no market data file is.")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), size


def _load(path: Path, sha256: str, size: int, store: InputStore, sessions: Sessions) -> FileResult:
    read = [_read(document) for document in documents(path)]
    notes = tuple(dict.fromkeys(note for _, reading in read for note in reading.notes))
    sieved = [(form, reading, sieve(reading.rows, sessions)) for form, reading in read if not reading.passed_over]
    if not sieved:
        return FileResult(path=path, outcome=Outcome.SKIPPED, notes=notes)
    if not any(rows.kept for _, _, rows in sieved):
        raise DataRefused(f"{path.name}: a {sieved[0][0].name} {_emptiness(sieved)}.")
    source = Source(
        sha256=sha256,
        file=path.name,
        size=size,
        imported=LiveClock().now(),
        formats=tuple(dict.fromkeys(form.name for form, _, _ in sieved)),
        parts=(),
        sets=tuple(one for form, reading, rows in sieved for one in _sets(form, reading, rows)),
        aside=dict(Counter(row.reason for _, _, rows in sieved for row in rows.aside)),
        notes=notes,
    )
    store.commit(source, _held(sieved))
    kept, aside = (
        sum(len(part) for part in parts) for parts in zip(*((r.kept, r.aside) for _, _, r in sieved), strict=True)
    )
    return FileResult(path=path, outcome=Outcome.IMPORTED, notes=notes, rows=kept, aside=aside)


def _emptiness(sieved: list[tuple[Format, Reading, Sieved]]) -> str:
    reasons = Counter(row.reason for _, _, rows in sieved for row in rows.aside)
    if not reasons:
        return "without a row in it"
    return "whose rows are all no market data: " + ", ".join(f"{count} {reason}" for reason, count in reasons.items())


def _read(document: Document) -> tuple[Format, Reading]:
    form = _format(document)
    try:
        return form, form.read(document)
    except DataRefused:
        raise
    except Exception as error:  # the boundary to content that anybody may have written
        raise document.refuse(f"taken for a file of kind {form.name}, and damaged: {error!r}.") from None


def _format(document: Document) -> Format:
    for form in FORMATS:
        if form.recognises(document):
            return form
    first = document.text.lstrip().splitlines()[:1] or ["(blank)"]
    raise document.refuse(f"not a format that we know; its first line is {first[0][:80]!r}.", 1)


def _held(sieved: list[tuple[Format, Reading, Sieved]]) -> Iterator[tuple[Basis, list[Any]]]:
    """Yield lists of rows of one table and basis, the rows set aside last."""
    tables: dict[tuple[Basis, type], list[Any]] = {}
    for _, reading, rows in sieved:
        for row in rows.kept:
            tables.setdefault((reading.basis, type(row)), []).append(row)
    for (basis, _), held in tables.items():
        yield basis, held
    aside = [row for _, _, rows in sieved for row in rows.aside]
    if aside:
        yield Basis.RAW, aside


def _sets(form: Format, reading: Reading, sieved: Sieved) -> Iterator[ImportedSet]:
    groups: dict[tuple[Table, str, int], list[Any]] = {}
    for row in sieved.kept:
        table = TABLES[type(row)]
        groups.setdefault((table, table.subject(row), minutes_of(row)), []).append(row)
    for (table, subject, minutes), rows in groups.items():
        tally = sieved.tallies.get(subject)
        days = Counter(table.day(row) for row in rows)
        yield ImportedSet(
            table=table.name,
            subject=subject,
            minutes=minutes,
            basis=reading.basis,
            format=form.name,
            first=min(days),
            last=max(days),
            rows=len(rows),
            zone=reading.zone,
            untradable=reading.untradable,
            days=dict(sorted(days.items())) if tally else {},
            aside=dict(tally.aside) if tally else {},
            remarks=dict(+tally.remarks) if tally else {},
            duplicates=tally.duplicates if tally else 0,
            assumed=tuple(sorted(tally.assumed)) if tally else (),
        )
