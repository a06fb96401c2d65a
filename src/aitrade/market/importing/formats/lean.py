"""LEAN's minute trades: no header, milliseconds since midnight IST; share prices times 10,000, index levels not.

Symbol and day stand in the member's name only. An archive may carry the next day's name over the same rows again: the
member that bears the archive's own day counts.
"""

import re
from collections.abc import Callable

from aitrade.core.clock import DAY, MINUTE, at
from aitrade.core.instruments import Kind
from aitrade.core.quotes import Bar
from aitrade.market.importing.documents import Document, day_in
from aitrade.market.importing.reading import Custom, Reading, parsed
from aitrade.market.importing.values import paise, units
from aitrade.market.input_tables import Basis
from aitrade.market.symbols import cash_key, kind_of

_ROW = re.compile(r"^\d{7,8}(,\d+(\.\d+)?){5}\s*$")
_NAME = re.compile(r"^(\d{8})_([a-z0-9&-]+)_minute_trade$")
_SCALED = 100
"""LEAN's units in a paisa: 10,000 to the rupee."""
_MILLISECOND = 1_000_000
_OTHER_DAY = "a member that bears another day than its archive is passed over"


def _is_lean(document: Document) -> bool:
    if not document.is_text:
        return False
    lines = document.text.split("\n", 3)[:3]
    return all(_ROW.match(line) for line in lines if line)


def _read(document: Document) -> Reading:
    named = _NAME.match(document.stem)
    if not named:
        raise document.refuse("the content says neither day nor symbol; LEAN calls it YYYYMMDD_symbol_minute_trade.")
    day, archive_day = day_in(document.stem), day_in(document.path.stem)
    if document.member and archive_day and archive_day != day:
        return Reading(rows=[], notes=(_OTHER_DAY,), passed_over=True)
    key = cash_key(named.group(2).upper())
    rupees: Callable[[str], int] = paise if "." in document.text else _from_scaled
    basis = Basis.RAW if kind_of(key) is Kind.INDEX else Basis.UNKNOWN
    midnight = at(day, "00:00")

    def bar(cells: list[str]) -> Bar:
        since, quantity = units(cells[0]) * _MILLISECOND, units(cells[5])
        if since >= DAY:
            raise ValueError(f"{cells[0]} ms lie beyond the day")
        opened, high, low, close = map(rupees, cells[1:5])
        return Bar(key, midnight + since, midnight + since + MINUTE, opened, high, low, close, quantity)

    return Reading(rows=list(parsed(document, bar, skip=0, width=6)), basis=basis)


def _from_scaled(text: str) -> int:
    return round(units(text) / _SCALED)


FORMAT = Custom("LEAN minute trades", _is_lean, _read)
