"""The check behind "regulatory reports produced": every one is made, and its totals are those of a count of its own.

The count goes over the journal's records and knows neither the ledger nor the reports. It is made on a copy of the book
in the scratch place, so that the installation is only read.
"""

import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import msgspec

from aitrade.compliance.journal import frames, segments
from aitrade.compliance.operations import journal_folder
from aitrade.core.events import Kind, RawRecord
from aitrade.core.orders import CHARGE_COMPONENTS, Fill, Side
from aitrade.ops import ledger
from aitrade.ops.reports import CATALOGUE, Cadence, Report, ReportFailed, manifests, run


class Compared(msgspec.Struct, frozen=True):
    """What was made of which day, how many totals were compared, and which do not agree."""

    book: str
    day: str
    mode: str
    """The book's: simulated, replay, paper or live."""
    orders: int
    made: list[str]
    compared: int
    others: int
    """Totals that are no sum of records, such as what a position is worth: they are not compared."""
    wrong: list[str]


def last_traded(home: Path) -> tuple[str, str]:
    """Return the book that was written last and its last market day with an order, or two empty texts."""
    books = sorted(ledger.books(home), key=lambda book: max(_times(home, book)), reverse=True)
    for book in books:
        for day in reversed(ledger.days(home, book)):
            if count(home, book, [day])["orders"]:
                return book, day
    return "", ""


def compare(home: Path, scratch: Path, book: str, day: str) -> Compared:
    """Make every regulatory report of a day on a copy of the book, and compare its totals with the count."""
    _copied(home, scratch, book)
    wanted = [one for one in CATALOGUE.values() if one.regulatory]
    wrong: list[str] = []
    try:
        run(scratch, Cadence.DAILY, day, names=[one.name for one in wanted], book=book, pdf=False)
    except ReportFailed as failed:
        wrong.append(str(failed))
    made = {one.report: one.totals for one in manifests(scratch, day=day, book=book)}
    compared = 0
    for one in wanted:
        if one.name in made:
            number, differ = _differences(one, made[one.name], count(scratch, book, span(scratch, book, day, one)))
            compared += number
            wrong += differ
        elif not wrong:
            wrong.append(f"{one.name} was not made, and nothing said why")
    others = sum(len(totals) for totals in made.values()) - compared
    orders = count(scratch, book, [day])["orders"]
    return Compared(book, day, ledger.read(scratch, book, day).mode, orders, sorted(made), compared, others, wrong)


def span(home: Path, book: str, day: str, report: Report) -> list[str]:
    """Return the market days that a report's totals are over."""
    known = [one for one in ledger.days(home, book) if one <= day]
    return [one for one in known if report.first_day(date.fromisoformat(day)).isoformat() <= one]


def count(home: Path, book: str, days: list[str]) -> Counter[str]:
    """Count the records of a book's days, by the names that reports use for their totals."""
    found, seen = Counter[str](), set[str]()
    for path in segments(home / "books" / book / "journal"):
        day = path.stem.partition("-")[2]
        if day in days:
            seen.add(day)
            for frame in frames(path):
                _count(frame.record, found)
    found["market_days"] = len(seen)
    found["orders_examined"] = found["orders"] + found["refusals"]
    return found


_COUNTED = {
    Kind.INTENT: "orders",
    Kind.REFUSAL: "refusals",
    Kind.MODIFY: "changes_asked",
    Kind.CANCEL: "cancellations_asked",
    Kind.UPDATE: "updates",
}


def _count(record: RawRecord, found: Counter[str]) -> None:
    found["records"] += 1
    if record.kind in _COUNTED:
        found[_COUNTED[record.kind]] += 1
    if record.kind is Kind.UPDATE:
        fill: Fill | None = record.decoded().fill
        if fill is not None:
            _count_fill(fill, found)
    elif record.kind is Kind.CASH:
        _count_charges(record.decoded().charges, found)


def _count_fill(fill: Fill, found: Counter[str]) -> None:
    found["trades"] += 1
    found["fills"] += 1
    found["units_bought" if fill.side is Side.BUY else "units_sold"] += fill.quantity
    found["turnover_paise"] += fill.quantity * fill.price
    _count_charges(fill.charges, found)


def _count_charges(charges: tuple[int, ...], found: Counter[str]) -> None:
    found["charges_paise"] += sum(charges)
    for name, paid in zip(CHARGE_COMPONENTS, charges, strict=False):
        found[f"{name}_paise"] += paid


COUNTED = frozenset(
    (
        *_COUNTED.values(), "records", "market_days", "orders_examined", "trades", "fills", "units_bought",
        "units_sold", "turnover_paise", "charges_paise", *(f"{name}_paise" for name in CHARGE_COMPONENTS),
    )
)  # fmt: skip
"""The totals that the count knows; a report has to have one of them at least."""


def _differences(report: Report, totals: dict[str, int], plain: Counter[str]) -> tuple[int, list[str]]:
    shared = [name for name in totals if name in COUNTED]
    if not shared:
        return 0, [f"{report.name} has no total that can be counted independently"]
    wrong = [
        f"{report.name}: {name} is {totals[name]} and the journal has {plain[name]}"
        for name in shared
        if totals[name] != plain[name]
    ]
    return len(shared), wrong


def _copied(home: Path, scratch: Path, book: str) -> None:
    """Put what reports read into the scratch place: a book's journal as it stands now, operations, market data.

    Closed segments are links, which leave the files as they are, or copies where a link is no right; an open one is
    copied, for a running engine goes on with it.
    """
    *closed, newest = segments(home / "books" / book / "journal")
    for path in closed:
        _linked(path, scratch / path.relative_to(home))
    for path in [newest, *segments(journal_folder(home))]:
        target = scratch / path.relative_to(home)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for path in (home / "market").rglob("*"):
        if path.is_file():
            _linked(path, scratch / path.relative_to(home))


def _linked(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.symlink_to(path.absolute())
    except OSError:
        shutil.copyfile(path, target)


def _times(home: Path, book: str) -> list[int]:
    return [path.stat().st_mtime_ns for path in segments(home / "books" / book / "journal")] or [0]
