"""Making reports: asked for by name and day, made by a job child, kept by version, noted in the operations journal."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from aitrade.compliance.operations import note, noted
from aitrade.core.errors import AitradeError, Refused
from aitrade.core.files import FileLock
from aitrade.ops import archive, ledger
from aitrade.ops.reports import press
from aitrade.ops.reports.canonical import file_hash
from aitrade.ops.reports.catalogue import CATALOGUE, Cadence, Report, Value, a_day, report
from aitrade.ops.reports.inputs import inputs_of
from aitrade.ops.reports.job import Job, Made

WHAT = "report"
INSTALLATION = "installation"
"""What stands for the book on a report that is of no book."""


class ReportFailed(AitradeError):
    """A report could not be made; the text names the cell and the partial notebook."""


class Produced(msgspec.Struct, frozen=True, kw_only=True):
    """A report that was made; paths are absolute, `pdf` is empty where there is none."""

    report: str
    day: str
    book: str
    path: str
    html: str
    pdf: str
    no_pdf: str
    version: int
    content_hash: str
    file_hash: str
    totals: dict[str, int]
    seconds: float


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the operations journal keeps of a report: SHA-256 of its content and of each file, by its path in reports/.

    `asked` is what it was made with, as text; control totals are in paise and units.
    """

    report: str
    day: str
    book: str
    asked: dict[str, str]
    version: int
    content_hash: str
    files: dict[str, str]
    totals: dict[str, int]
    inputs: str = ""
    """What it was made from, as `inputs_of` has it; empty for a report of no book."""


def folder_of(home: Path, day: str) -> Path:
    """Return where a day's reports lie."""
    return home / "reports" / day


def produce(
    home: Path, name: str, day: str, parameters: Mapping[str, str] | None = None, *, pdf: bool = True
) -> Produced:
    """Make a report of a market day (ISO); the same data give the version that is there, changed data the next one.

    `parameters` are texts as a person types them; `book` is one of every report's. Raises Refused for a wrong name,
    day or parameter before anything starts, ReportFailed (alerted, with the partial notebook kept) when a cell fails.
    """
    wanted, day = report(name), a_day(day).isoformat()
    given = dict(parameters or {})
    named = given.pop("book", "")
    book = book_of(home, day, named) if wanted.of_book else INSTALLATION
    made = _all(home, [(wanted, wanted.values(given))], book, day, pdf=pdf)
    if isinstance(made[0], ReportFailed):
        raise made[0]
    return made[0]


def run(
    home: Path, cadence: str, day: str, *, names: Iterable[str] = (), book: str = "", pdf: bool = True
) -> list[Produced]:
    """Make every report of a cadence (daily, weekly, monthly; or those named) for a day, in one child.

    One that fails does not stop the others; raises ReportFailed at the end naming those that failed.
    """
    wanted = [report(name) for name in names] or due(cadence)
    day = a_day(day).isoformat()
    made = _all(home, [(one, one.values({})) for one in wanted], book_of(home, day, book), day, pdf=pdf)
    failed = [one for one in made if isinstance(one, ReportFailed)]
    if failed:
        words = " ".join(map(str, failed))
        raise ReportFailed(f"{len(made) - len(failed)} reports were made, {len(failed)} were not: {words}")
    return [one for one in made if isinstance(one, Produced)]


def settled(home: Path, day: str) -> bool:
    """Return whether a day's reports are there, made from what there is now: making them again changes nothing.

    A day's journal is chained to all before it. Imported market data do not count; who changes them asks by name.
    """
    book = book_of(home, day)
    newest = {one.report: one for one in manifests(home, day=day, book=book)}
    made = [newest.get(one.name) for one in due(Cadence.DAILY)]
    rests_on = inputs_of(home, book, day)
    return all(one and one.inputs == rests_on and _there(home, one) for one in made)


def due(cadence: str) -> list[Report]:
    """Return the reports of a cadence."""
    return [one for one in CATALOGUE.values() if one.cadence == Cadence(cadence)]


def book_of(home: Path, day: str, book: str = "") -> str:
    """Return the book to report on: the one that is named, else the one last written of those that traded on `day`.

    Raises Refused when there is no such book, or none at all.
    """
    names = ledger.books(home)
    if not names or book not in ("", *names):
        known = ", ".join(names) or "none yet; `aitrade up` begins one"
        raise Refused(f"There is no book {book or 'to report on'}; the books there are: {known}.")
    traded = [name for name in names if day in ledger.days(home, name)]
    return book or max(traded or names, key=lambda name: _written(home, name))


def manifests(
    home: Path, name: str = "", day: str = "", book: str = "", values: Mapping[str, Value] | None = None
) -> list[Manifest]:
    """Return what was made, oldest first; an empty name, day or book is any."""
    asked = None if values is None else _texts(values)
    kept = [one.detail(Manifest) for one in noted(home, WHAT, name) if one.operation.outcome == "made"]
    return [
        one for one in kept
        if day in ("", one.day) and book in ("", one.book) and asked in (None, one.asked)
    ]  # fmt: skip


def altered(home: Path) -> list[str]:
    """Return the report files that are gone or not as their manifest has them, by path in reports/."""
    wanted = {name: hash_ for one in manifests(home) for name, hash_ in one.files.items()}
    found = []
    for name, hash_ in wanted.items():
        path = home / "reports" / name
        if not path.is_file() or file_hash(path) != hash_:
            found.append(name)
    return sorted(found)


def gone(home: Path) -> list[str]:
    """Return the report files that are neither there nor archived since, by path in the data folder."""
    archived = {name for one in noted(home, archive.WHAT) for name in one.detail(archive.Archived).files}
    wanted = {f"reports/{name}" for one in manifests(home) for name in one.files}
    return sorted(name for name in wanted - archived if not (home / name).is_file())


def _there(home: Path, made: Manifest) -> bool:
    return all((home / "reports" / name).is_file() for name in made.files)


def _all(
    home: Path, wanted: list[tuple[Report, dict[str, Value]]], book: str, day: str, *, pdf: bool
) -> list[Produced | ReportFailed]:
    """Let a child make them, one after the other, and note what came of each."""
    folder = folder_of(home, day)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "run" / "report.lock", wait=True):
        jobs = [
            Job(
                report=one.name, day=day, book=book, parameters=values, folder=str(folder),
                stem=_stem(one, book, values), pdf=pdf,
                known={str(kept.version): kept.content_hash for kept in before},
                kept={Path(name).name: hash_ for kept in before for name, hash_ in kept.files.items()},
            )
            for one, values in wanted
            for before in [manifests(home, one.name, day, book, values)]
        ]  # fmt: skip
        rests_on = "" if book == INSTALLATION else inputs_of(home, book, day)
        made = zip(jobs, press.make(home, jobs), strict=True)
        return [_failed(home, job, one) if one.error else _noted(home, job, one, rests_on) for job, one in made]


def _noted(home: Path, job: Job, made: Made, rests_on: str) -> Produced:
    files = [Path(path) for path in (made.notebook, made.html, made.pdf) if path]
    base = home / "reports"
    manifest = Manifest(
        report=job.report, day=job.day, book=job.book, asked=_texts(job.parameters), version=made.version,
        content_hash=made.content_hash, totals=made.totals, inputs=rests_on,
        files={path.relative_to(base).as_posix(): file_hash(path) for path in files},
    )  # fmt: skip
    note(home, WHAT, job.report, "made", manifest)
    return Produced(
        report=job.report, day=job.day, book=job.book, path=made.notebook, html=made.html, pdf=made.pdf,
        no_pdf=made.no_pdf, version=made.version, content_hash=made.content_hash, file_hash=made.file_hash,
        totals=made.totals, seconds=made.seconds,
    )  # fmt: skip


def _failed(home: Path, job: Job, made: Made) -> ReportFailed:
    kept = f"; what it had is in {made.notebook}" if made.notebook else ""
    text = f"Report {job.report} of {job.day} (book {job.book}) was not made: {made.error}{kept}."
    note(home, WHAT, job.report, "failed", made, reason=text)
    _alert(home, text, job.report)
    return ReportFailed(text)


def _alert(home: Path, text: str, subject: str) -> None:
    from aitrade.ops.alerts import raise_alert

    raise_alert(home, "report-failed", "warning", text, subject=subject)


def _stem(wanted: Report, book: str, values: Mapping[str, Value]) -> str:
    """Return the file's name without version: the report, the book, and what differs from the defaults."""
    defaults = wanted.values({})
    other = [f"{name}={_plain(value)}" for name, value in values.items() if value != defaults[name]]
    return ".".join([wanted.name, book, *other])


def _plain(value: Value) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in str(value))


def _texts(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _written(home: Path, book: str) -> int:
    return max(path.stat().st_mtime_ns for path in (home / "books" / book / "journal").iterdir())
