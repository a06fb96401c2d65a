"""What a report is made of: figures, tables, charts and notices that show themselves in a notebook.

Each says how it was computed. Everything is escaped, in rupees with Indian grouping and in IST; charts are SVG in the
page. Nothing depends on the moment of drawing, so that the same data give the same bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from html import escape
from typing import Any

import msgspec

from aitrade.core.clock import ist
from aitrade.core.money import format_rupees, group_indian


def count(number: int) -> str:
    """Return a number with Indian grouping: -1234567 becomes -12,34,567."""
    return f"{'-' if number < 0 else ''}{group_indian(str(abs(number)))}"


def moment(ts: int) -> str:
    """Return ns UTC as an IST date and time to the millisecond, "–" for 0."""
    return f"{ist(ts):%Y-%m-%d %H:%M:%S.%f}"[:-3] if ts else "–"


def clock(ts: int) -> str:
    """Return ns UTC as an IST time of day to the millisecond, "–" for 0."""
    return f"{ist(ts):%H:%M:%S.%f}"[:-3] if ts else "–"


def short_day(iso: str) -> str:
    """Return an ISO day as 23 Nov."""
    return f"{date.fromisoformat(iso):%d %b}"


def percent(share: float) -> str:
    """Return a share (0.125) as 12.50 %."""
    return f"{share * 100:.2f} %"


WAYS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "words": str,
    "code": str,
    "count": count,
    "rupees": format_rupees,
    "signed": lambda paise: format_rupees(paise, sign=True),
    "moment": moment,
    "clock": clock,
    "percent": percent,
    "figure": lambda number: f"{number:,.2f}",
    "written": str,
}
"""How a column's values are written: paise as rupees, ns UTC as IST, shares as per cent; written: numbers as text."""
_ABREAST = 7
"""More headlines than this stand in two rows."""
_FEW = 4
"""A table of fewer columns is as wide as they need."""
_MANY = 9
"""A table of more columns is set smaller, so that it fits the page."""
_CLASSES = {
    **dict.fromkeys(("count", "rupees", "signed", "percent", "figure", "written"), "num"),
    **dict.fromkeys(("clock", "moment"), "code time"),
    "code": "code",
    "words": "words",
}
"""How a column looks: numbers to the right, codes in even letters, sentences in lines that wrap."""


class Piece:
    """Shows itself in a notebook as HTML, and as plain text where there is none."""

    def html(self) -> str:
        """Return the piece as HTML."""
        raise NotImplementedError

    def text(self) -> str:
        """Return the piece as plain text."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **_asked: object) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.text()}


class Figure(msgspec.Struct, frozen=True):
    """One headline: its words, its value and a remark below it; `mood` is "", "good", "bad" or "warn"."""

    words: str
    value: str
    remark: str = ""
    mood: str = ""


class Figures(msgspec.Struct, Piece):
    """Headlines in a row."""

    figures: list[Figure]
    how: str = ""

    def html(self) -> str:
        """Return the headlines as HTML."""
        tiles = "".join(
            f'<div class="figure {one.mood}"><span>{escape(one.words)}</span><b>{escape(one.value)}</b>'
            f"<i>{escape(one.remark)}</i></div>"
            for one in self.figures
        )
        across = len(self.figures) if len(self.figures) <= _ABREAST else -(-len(self.figures) // 2)
        return f'<div class="figures" style="--across:{across}">{tiles}</div>{explained(self.how)}'

    def text(self) -> str:
        """Return a line a headline."""
        return "\n".join(f"{one.words}: {one.value} {one.remark}".rstrip() for one in self.figures)


class Column(msgspec.Struct, frozen=True):
    """A column: its heading and how its values are written, one of `WAYS`; None in a row is an empty cell."""

    heading: str
    way: str = "text"

    def cell(self, value: Any) -> str:
        """Return a value as text."""
        return "" if value is None else WAYS[self.way](value)


class Table(msgspec.Struct, Piece):
    """Rows under columns, with a row of totals where there is one; an empty table says `empty`."""

    columns: list[Column]
    rows: Sequence[Sequence[Any]]
    total: Sequence[Any] = ()
    caption: str = ""
    how: str = ""
    empty: str = "None."

    def html(self) -> str:
        """Return the table as HTML."""
        caption = f"<h4>{escape(self.caption)}</h4>" if self.caption else ""
        if not self.rows:
            return f'{caption}<p class="nil">{escape(self.empty)}</p>{explained(self.how)}'
        heads = "".join(f"<th{_side(one)}>{escape(one.heading)}</th>" for one in self.columns)
        body = "".join(self._row(row) for row in self.rows)
        foot = f"<tfoot>{self._row(self.total)}</tfoot>" if self.total else ""
        table = f"<table{self._size()}><thead><tr>{heads}</tr></thead><tbody>{body}</tbody>{foot}</table>"
        return f'{caption}<div class="scroll">{table}</div>{explained(self.how)}'

    def text(self) -> str:
        """Return how much there is; the rows are in the HTML."""
        return f"{self.caption or 'Table'}: {len(self.rows)} rows" if self.rows else self.empty

    def _size(self) -> str:
        if len(self.columns) < _FEW:
            return ' class="narrow"'
        return ' class="wide"' if len(self.columns) > _MANY else ""

    def _row(self, row: Sequence[Any]) -> str:
        cells = (
            f"<td{_side(column)}>{escape(column.cell(value))}</td>"
            for column, value in zip(self.columns, row, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>"


def table(columns: str, rows: Iterable[Sequence[Any]], **more: Any) -> Table:
    """Return a table from columns as "Time:clock, Order:code, Value:rupees"; without a way it is text."""
    parts = (part.strip().partition(":") for part in columns.split(","))
    return Table([Column(heading, way or "text") for heading, _, way in parts], list(rows), **more)


class Notice(msgspec.Struct, Piece):
    """A sentence that must be seen; `mood` is plain, good, warn or bad."""

    sentence: str
    mood: str = "plain"

    def html(self) -> str:
        """Return the notice as HTML."""
        return f'<p class="notice {self.mood}">{escape(self.sentence)}</p>'

    def text(self) -> str:
        """Return the sentence."""
        return self.sentence


class Listing(msgspec.Struct, Piece):
    """Sentences under a heading; nothing where there is none."""

    heading: str
    sentences: list[str]

    def html(self) -> str:
        """Return the sentences as a list."""
        lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences)
        return f'<div class="listing"><b>{escape(self.heading)}</b><ul>{lines}</ul></div>' if lines else ""

    def text(self) -> str:
        """Return a line a sentence."""
        return "\n".join(self.sentences)


class Pieces(msgspec.Struct, Piece):
    """Several pieces as one."""

    parts: list[Any]

    def html(self) -> str:
        """Return them one below the other."""
        return "".join(part.html() for part in self.parts)

    def text(self) -> str:
        """Return them one below the other."""
        return "\n".join(part.text() for part in self.parts)


def _side(column: Column) -> str:
    return f' class="{_CLASSES[column.way]}"' if column.way in _CLASSES else ""


def explained(sentence: str) -> str:
    """Return how something was computed, as the small print below it; nothing for no sentence."""
    return f'<p class="how"><b>How it was computed</b> {escape(sentence)}</p>' if sentence else ""
