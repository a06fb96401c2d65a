"""NSE's list of lot sizes (fo_mktlots.csv): padded, a column a contract month, a second heading amid the rows."""

import re
from datetime import datetime

from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Custom, Numbered, Reading
from aitrade.market.importing.values import units
from aitrade.market.input_rows import LotSize

_MONTHS = re.compile(r"^[A-Z]{3}-\d{2}$")


def _is_lots(document: Document) -> bool:
    header = document.header
    return header[:2] == ("underlying", "symbol") and all(_MONTHS.match(cell.upper()) for cell in header[2:])


def _read(document: Document) -> Reading:
    """Return a row a symbol and month; the heading that is repeated before the stocks is no row."""
    records = document.records()
    months = [_month(cell) for cell in next(records)[1][2:]]
    found: list[Numbered] = []
    for line, cells in records:
        if len(cells) != len(months) + 2:
            raise document.refuse(f"{len(cells)} columns where the header has {len(months) + 2}.", line)
        symbol = cells[1].strip()
        if symbol.upper() != "SYMBOL":
            given = [(month, cell) for month, cell in zip(months, cells[2:], strict=True) if cell.strip()]
            found += [
                (line, LotSize(symbol=symbol, month=month, lot=_lot(document, line, cell))) for month, cell in given
            ]
    return Reading(rows=found)


def _month(cell: str) -> str:
    return datetime.strptime(cell.strip(), "%b-%y").strftime("%Y-%m")  # noqa: DTZ007 - a month has no zone


def _lot(document: Document, line: int, cell: str) -> int:
    try:
        return units(cell.strip())
    except ValueError as error:
        raise document.refuse(f"{error}.", line) from None


FORMAT = Custom("NSE market lots", _is_lots, _read)
