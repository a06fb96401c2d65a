"""The reports that there are (`catalogue.toml`): what each answers, when it is due, and what it takes.

A parameter is checked here, before a kernel starts; a notebook is given values of the right type and within bounds.
"""

import tomllib
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec

import aitrade
from aitrade.core.errors import Refused
from aitrade.ops.reports import contract_note

Value = str | int | float | bool


class Cadence(StrEnum):
    """When a report is due: after each trading day, after the last of a week or month, or when asked for."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    ASKED = "when asked for"


class Span(StrEnum):
    """Which days up to a report's day its control totals are over; a financial year begins in April."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "financial year"
    BOOK = "book"


_APRIL = 4
_SATURDAY = 5


def week_begins(day: date) -> date:
    """Return the Saturday that a report's week begins with.

    The weekly reports are made on Saturday, of the week that ended on Friday: what that day brings, be it upkeep or a
    special session, and a session on Sunday are in the week after.
    """
    return day - timedelta(days=(day.weekday() - _SATURDAY) % 7)


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a report takes. The default's type is the parameter's; numbers lie within `least` and `most`."""

    name: str
    words: str
    default: Value
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    reads: Literal["", "contract note"] = ""
    """Of a file's path: what the file is, read here and refused when it is not one; an empty path is none."""

    def read(self, text: str) -> Value:
        """Return `text` as this parameter's value; raise Refused saying what it takes."""
        try:
            value = _READ[type(self.default)](text.strip())
        except ValueError:
            raise Refused(f"{self.name}={text}: {self.takes()}.") from None
        if self._out_of_bounds(value) or (self.choices and value not in self.choices):
            raise Refused(f"{self.name}={text}: {self.takes()}.")
        return self._file(str(value)) if self.reads and value else value

    def takes(self) -> str:
        """Return what it takes, in words."""
        if self.choices:
            return f"it is one of {', '.join(self.choices)}"
        kind = {int: "a whole number", float: "a number", bool: "yes or no", str: "text"}[type(self.default)]
        if self.least is None and self.most is None:
            return f"it is {kind}"
        return f"it is {kind} from {self.least:g} to {self.most:g}"

    def _file(self, text: str) -> str:
        """Return the absolute path of a file that was read without a complaint."""
        path = Path(text).absolute()
        if not path.is_file():
            raise Refused(f"{self.name}={text}: there is no such file; give the path of one, or leave it out.")
        _FILES[self.reads](path)
        return str(path)

    def _out_of_bounds(self, value: Value) -> bool:
        if isinstance(value, str | bool):
            return False
        return (self.least is not None and value < self.least) or (self.most is not None and value > self.most)


def _yes(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise ValueError(text)
    return text.lower() in ("yes", "true")


_FILES: Mapping[str, Callable[[Path], object]] = {"contract note": contract_note.read}
_READ: Mapping[type, type | object] = {str: str, int: int, float: float, bool: _yes}


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One report of the catalogue; `name` is also its notebook's."""

    name: str
    title: str
    answers: str
    """The question that it answers."""
    cadence: Cadence
    regulatory: bool = False
    """Made for an inspection; says that it is not a filing."""
    of_book: bool = True
    """It is about a book; otherwise about the installation, and wants no book to be there."""
    folder: str = "reports"
    parameters: tuple[Parameter, ...] = ()
    seconds: int = 120
    """How long one cell may take."""
    span: Span = Span.DAY
    """The days that its control totals are over."""

    @property
    def notebook(self) -> Path:
        """The notebook, installed with the package or in the checkout."""
        package = Path(aitrade.__file__).parent
        installed = package / "notebooks" / self.folder / f"{self.name}.ipynb"
        return installed if installed.is_file() else package.parents[1] / "notebooks" / self.folder / installed.name

    def first_day(self, day: date) -> date:
        """Return the first of the days that the totals of a report for `day` are over."""
        starts = {
            Span.DAY: day,
            Span.WEEK: week_begins(day),
            Span.MONTH: day.replace(day=1),
            Span.YEAR: date(day.year - (day.month < _APRIL), _APRIL, 1),
            Span.BOOK: date.min,
        }
        return starts[self.span]

    def values(self, given: Mapping[str, str]) -> dict[str, Value]:
        """Return every parameter's value; raise Refused for an unknown name or a wrong value."""
        known = {one.name: one for one in self.parameters}
        for name in given:
            if name not in known:
                names = ", ".join(known) or "none"
                raise Refused(f"{self.name} takes no parameter {name!r}; it takes: {names}.")
        return {name: one.read(given[name]) if name in given else one.default for name, one in known.items()}


def _catalogue() -> dict[str, Report]:
    rows = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))["report"]
    return {one.name: one for one in msgspec.convert(rows, list[Report])}


CATALOGUE = _catalogue()


def report(name: str) -> Report:
    """Return a report of the catalogue; raise Refused naming those that there are."""
    if name not in CATALOGUE:
        raise Refused(f"There is no report {name!r}; there are: {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]


def a_day(text: str) -> date:
    """Return an ISO date; raise Refused for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is not a date; write it like 2025-03-28.") from None
