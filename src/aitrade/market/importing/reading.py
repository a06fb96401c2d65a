"""The seam of the formats: recognise a document by its content, read it into typed rows."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec

from aitrade.market.importing.documents import Document
from aitrade.market.input_tables import Aside, Basis

Row = Any
"""One of the row types of `input_store.TABLES`, `Aside` among them."""
Numbered = tuple[int, Row]
"""A row and the line of the document that it came from, from 1."""


class Reading(msgspec.Struct, kw_only=True):
    """What a document holds, in its own order; the importer checks it against the calendar afterwards."""

    rows: list[Numbered]
    basis: Basis = Basis.RAW
    zone: str = "IST"
    untradable: str = ""
    """Why the series cannot be traded, where it cannot."""
    notes: tuple[str, ...] = ()
    passed_over: bool = False
    """True for a document that is no data of ours; `notes` say why."""


class Format(Protocol):
    """One kind of document."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    def recognises(self, document: Document) -> bool:
        """True where the content is of this kind; never raises on what is not."""
        ...

    def read(self, document: Document) -> Reading:
        """Return the rows; DataRefused, with the line, for a document that is of this kind and damaged."""
        ...


class Skipped(msgspec.Struct, frozen=True):
    """A kind of document that is no market data of ours and is passed over, saying `why`."""

    name: str
    test: Callable[[Document], bool]
    why: str

    def recognises(self, document: Document) -> bool:
        """True where `test` says so."""
        return self.test(document)

    def read(self, document: Document) -> Reading:  # noqa: ARG002 - the seam's signature
        """Return no rows, and why."""
        return Reading(rows=[], notes=(self.why,), passed_over=True)


class Custom(msgspec.Struct, frozen=True):
    """A format made of two functions."""

    name: str
    test: Callable[[Document], bool]
    reading: Callable[[Document], Reading]

    def recognises(self, document: Document) -> bool:
        """True where `test` says so."""
        return self.test(document)

    def read(self, document: Document) -> Reading:
        """Return what `reading` finds."""
        return self.reading(document)


Parser = Callable[[list[str]], Row | None]
"""Cells to a row; None for a line that carries none; ValueError, in words, for one that is damaged."""


class Delimited(msgspec.Struct, frozen=True, kw_only=True):
    """A CSV that its header names: `parser(document)` returns what turns a line's cells into a row."""

    name: str
    headers: tuple[tuple[str, ...], ...]
    """The headers that it is known by: lower case, without padding or a trailing empty cell."""
    parser: Callable[[Document], Parser]
    basis: Basis = Basis.RAW
    footer: str = ""
    """How a closing line that is no row begins."""
    ragged: str = ""
    """Why a line with another number of cells is set aside; without it such a line refuses the file."""
    untradable: str = ""

    def recognises(self, document: Document) -> bool:
        """True where the first line is one of the headers."""
        return document.header in self.headers

    def read(self, document: Document) -> Reading:
        """Return the rows of all lines after the header."""
        found = list(parsed(document, self.parser(document), footer=self.footer, ragged=self.ragged))
        return Reading(rows=found, basis=self.basis, untradable=self.untradable)


def columns(text: str) -> tuple[str, ...]:
    """Return the header that `text` writes with commas."""
    return tuple(text.split(","))


def parsed(
    document: Document, parser: Parser, *, skip: int = 1, width: int = 0, footer: str = "", ragged: str = ""
) -> Iterator[Numbered]:
    """Yield the rows after `skip` header lines; DataRefused, with the line, for one that does not fit.

    A line has as many cells as the header, or as `width` where there is none.
    """
    records = document.records()
    for _ in range(skip):
        width = max(width, len(next(records, (0, []))[1]))
    for line, cells in records:
        if footer and cells[0].startswith(footer):
            continue
        if len(cells) != width:
            yield line, _odd(document, line, cells, width, ragged)
            continue
        try:
            row = parser(cells)
        except (ValueError, OverflowError, KeyError) as error:
            raise document.refuse(f"{error}.", line) from None
        if row is not None:
            yield line, row


def _odd(document: Document, line: int, cells: list[str], width: int, ragged: str) -> Aside:
    if not ragged:
        raise document.refuse(f"{len(cells)} columns where the header has {width}.", line)
    return Aside(line, ragged, ",".join(cells))
