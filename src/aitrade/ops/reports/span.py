"""The days that a report is about: which of a book's days it stands on, and the spans that can be asked for."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from aitrade.market.tax import tax_year
from aitrade.ops import ledger
from aitrade.ops.reports.pieces import Notice
from aitrade.ops.reports.subject import day_of


def bounds(span: str, day: str) -> tuple[str, str]:
    """Return the first and last day of a span that ends on `day`, ISO."""
    last = date.fromisoformat(day)
    first = {"tax-year": tax_year(last)[0], "month": last.replace(day=1), "book": date.min}[span]
    return first.isoformat(), day


def newest(folder: Path, book: str, day: str) -> ledger.Day:
    """Return the book's last market day up to `day`: what it held then it holds on the days after; an empty one before.

    A report names the day it stands on; `standing` is the notice where that is not the day that was asked for.
    """
    earlier = [one for one in ledger.days(folder, book) if one <= day]
    return day_of(folder, book, earlier[-1] if earlier else day)


def standing(found: ledger.Day, day: str) -> list[Notice]:
    """Return the notice that the book did not trade on `day`, or none."""
    if found.day == day or not found.records:
        return []
    return [
        Notice(f"NIL report: the book did not trade on {day}; this is what its last market day, {found.day}, left.")
    ]


def until(folder: Path, book: str, day: str) -> Iterator[ledger.Day]:
    """Yield the book's days from its first up to `day`."""
    return ledger.walk(folder, book, last=day)
