"""1-minute stock CSV, a file a symbol and day: IST, stamped at the bar's start, UTF-8 with a byte-order mark.

The content says the NSE token, not the symbol: the file's or the folder's name supplies it.
"""

from aitrade.core.clock import MINUTE, at
from aitrade.core.quotes import Bar
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Delimited, Parser
from aitrade.market.importing.values import iso_day, midnight, paise, time_of_day, units
from aitrade.market.input_tables import Basis
from aitrade.market.symbols import cash_key, symbol_in

HEADER = (
    *("date", "time", "open", "high", "low", "close"),
    *("volume", "oi", "exchangecode", "symbolcode", "expiry"),
)
_IST = midnight("1970-01-01") - at("1970-01-01", "00:00")


def _parser(document: Document) -> Parser:
    symbol = symbol_in(document.stem) or symbol_in(document.folder)
    if not symbol:
        raise document.refuse("neither content nor name says the symbol; name the file or its folder for it.")
    key = cash_key(symbol)

    def bar(cells: list[str]) -> Bar:
        start = midnight(iso_day(cells[0])) + time_of_day(cells[1]) - _IST
        opened, high, low, close = map(paise, cells[2:6])
        return Bar(key, start, start + MINUTE, opened, high, low, close, units(cells[6]), units(cells[7]))

    return bar


FORMAT = Delimited(name="1-minute stock CSV", headers=(HEADER,), parser=_parser, basis=Basis.UNKNOWN)
