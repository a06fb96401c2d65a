"""NSE corporate actions: rows of the exchange's API as Parquet, and a hand-made list of demergers."""

from collections.abc import Iterator
from typing import Any

from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Custom, Numbered, Reading
from aitrade.market.importing.values import EMPTY, iso_day, paise
from aitrade.market.input_rows import CorporateAction

_COLUMNS = ("symbol", "exDate", "subject", "series", "isin", "comp", "faceVal", "recDate")
_MAGIC = b"PAR1"


def _is_parquet(document: Document) -> bool:
    return document.data.startswith(_MAGIC)


def _read_parquet(document: Document) -> Reading:
    columns = _table(document)
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise document.refuse(f"a Parquet file that is no list of corporate actions; it lacks {', '.join(missing)}.")
    rows = zip(*(columns[name] for name in _COLUMNS), strict=True)
    return Reading(rows=list(_actions(document, rows)))


def _table(document: Document) -> dict[str, list[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        columns: dict[str, list[Any]] = pq.read_table(pa.BufferReader(document.data)).to_pydict()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise document.refuse(f"the Parquet file is damaged ({error}).") from None
    return columns


def _actions(document: Document, rows: Iterator[tuple[Any, ...]]) -> Iterator[Numbered]:
    for line, (symbol, ex_day, subject, series, isin, company, face, record) in enumerate(rows, 1):
        try:
            yield (
                line,
                CorporateAction(
                    symbol=str(symbol).strip(),
                    ex_day=ex_day.date().isoformat(),
                    subject=str(subject).strip(),
                    series=series or "",
                    isin=isin or "",
                    company=company or "",
                    face_value=paise(face or "-"),
                    record_day="" if record is None or record in EMPTY else iso_day(record),
                ),
            )
        except (ValueError, AttributeError) as error:
            raise document.refuse(f"{error}.", line) from None


DEMERGERS = "ticker,date"


def _is_demergers(document: Document) -> bool:
    return document.is_text and next(_bare(document), (0, ""))[1] == DEMERGERS


def _bare(document: Document) -> Iterator[tuple[int, str]]:
    """Yield (line, content) without comments, which begin at a number sign anywhere, and without blank lines."""
    for line, text in enumerate(document.text.splitlines(), 1):
        content = text.split("#", 1)[0].strip()
        if content:
            yield line, content


def _read_demergers(document: Document) -> Reading:
    return Reading(rows=[(line, _demerger(document, line, text)) for line, text in list(_bare(document))[1:]])


def _demerger(document: Document, line: int, text: str) -> CorporateAction:
    symbol, comma, day = text.partition(",")
    try:
        ex_day = iso_day(day)
    except ValueError as error:
        raise document.refuse(f"{error}." if comma else "one column where the header has 2.", line) from None
    return CorporateAction(symbol=symbol.strip(), ex_day=ex_day, subject="Demerger")


ACTIONS = Custom("NSE corporate actions", _is_parquet, _read_parquet)
DEMERGED = Custom("list of demergers", _is_demergers, _read_demergers)
