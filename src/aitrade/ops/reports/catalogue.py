"""The reports that there are: what each answers, when it is due, and what it takes.

A parameter is checked here, before a kernel starts; a notebook is given values of the right type and within bounds.
"""

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path

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


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """What a report takes. The default's type is the parameter's; numbers lie within `least` and `most`."""

    name: str
    words: str
    default: Value
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    reads: Callable[[Path], object] | None = None
    """Of a file's path: reads the file and raises Refused when it is not one; an empty path is none."""

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
        if self.reads is None or not path.is_file():
            raise Refused(f"{self.name}={text}: there is no such file; give the path of one, or leave it out.")
        self.reads(path)
        return str(path)

    def _out_of_bounds(self, value: Value) -> bool:
        if isinstance(value, str | bool):
            return False
        return (self.least is not None and value < self.least) or (self.most is not None and value > self.most)


def _yes(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise ValueError(text)
    return text.lower() in ("yes", "true")


_READ: Mapping[type, type | object] = {str: str, int: int, float: float, bool: _yes}


class Report(msgspec.Struct, frozen=True, kw_only=True):
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


SPAN = Parameter(
    name="span",
    words="From when to the day: its tax year (1 April), its month, or the book's first day",
    default="tax-year",
    choices=("tax-year", "month", "book"),
)
CATALOGUE = {
    report.name: report
    for report in (
        Report(
            name="trade-register",
            title="Daily trade register",
            answers="Which trades were made, at what price, for whom and at what cost?",
            cadence=Cadence.DAILY,
            regulatory=True,
        ),
        Report(
            name="order-log",
            title="Order and algo log",
            answers="What was asked of the market, by whom or which algo, and what became of it?",
            cadence=Cadence.DAILY,
            regulatory=True,
        ),
        Report(
            name="audit-trail",
            title="Audit-trail attestation",
            answers="Is the record of the day whole and unaltered?",
            cadence=Cadence.DAILY,
            regulatory=True,
            parameters=(
                Parameter(
                    name="silence",
                    words="Seconds of market time without a record that are worth telling",
                    default=120,
                    least=1,
                    most=86_400,
                ),
            ),
        ),
        Report(
            name="charges",
            title="Charges and contract-note reconciliation",
            answers="What did the day cost, and does the broker's contract note say the same?",
            cadence=Cadence.DAILY,
            regulatory=True,
            parameters=(
                Parameter(
                    name="note",
                    words="Contract note as CSV; contract-notes/BOOK-DAY.csv in the data folder without it",
                    default="",
                    reads=contract_note.read,
                ),
                Parameter(
                    name="tolerance",
                    words="Paise by which a component may differ, since brokers round",
                    default=0,
                    least=0,
                    most=100,
                ),
            ),
        ),
        Report(
            name="positions-and-limits",
            title="Positions and limits",
            answers="What did the book hold when the day closed, and how near a position limit was it?",
            cadence=Cadence.DAILY,
            regulatory=True,
        ),
        Report(
            name="risk",
            title="Risk report",
            answers="What may the book lose in a day or in a shock, and how much of its limits did the day use?",
            cadence=Cadence.DAILY,
            parameters=(
                Parameter(
                    name="confidence",
                    words="Confidence of value at risk",
                    default=0.99,
                    least=0.9,
                    most=0.999,
                ),
                Parameter(
                    name="window",
                    words="Past market days to look at",
                    default=250,
                    least=20,
                    most=250,
                ),
            ),
        ),
        Report(
            name="profit-and-tax",
            title="P&L and tax statement",
            answers="What did each day make, and under which tax head does each closed lot fall?",
            cadence=Cadence.MONTHLY,
            regulatory=True,
            span=Span.YEAR,
            parameters=(SPAN,),
            seconds=540,
        ),
        Report(
            name="tear-sheet",
            title="Performance tear sheet",
            answers="How well did the book do, for what risk, and who did it?",
            cadence=Cadence.WEEKLY,
            parameters=(SPAN,),
            seconds=540,
        ),
        Report(
            name="system-performance",
            title="System performance",
            answers="How long did orders take in a week, and how did maintenance, backups and alerts go?",
            cadence=Cadence.WEEKLY,
            span=Span.WEEK,
            folder="maintenance",
        ),
        Report(
            name="compliance-pack",
            title="Monthly compliance pack",
            answers="Did a month of trading keep to the rules, and what changed, failed or was exercised in it?",
            cadence=Cadence.MONTHLY,
            regulatory=True,
            span=Span.MONTH,
            seconds=540,
        ),
        Report(
            name="system-audit",
            title="System audit",
            answers="Who did what to the system, on which code did it run, and did its controls work?",
            cadence=Cadence.MONTHLY,
            regulatory=True,
            span=Span.MONTH,
            seconds=540,
        ),
        Report(
            name="daily-summary",
            title="Daily summary",
            answers="How did the day go, and what happened to the system?",
            cadence=Cadence.DAILY,
            folder="maintenance",
        ),
        Report(
            name="preflight",
            title="Preflight",
            answers="What did the last run of the deployment checklist find?",
            cadence=Cadence.ASKED,
            of_book=False,
            folder="maintenance",
        ),
    )
}


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
