"""1-minute index CSV: IST, no volume. Its Instrument column says NIFTY whatever the index: the file's name decides."""

from aitrade.core.clock import MINUTE, at
from aitrade.core.quotes import Bar
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Delimited, Parser
from aitrade.market.importing.values import iso_day, midnight, paise, time_of_day
from aitrade.market.symbols import cash_key, symbol_in

HEADER = ("instrument", "date", "time", "open", "high", "low", "close")
_IST = midnight("1970-01-01") - at("1970-01-01", "00:00")


def _parser(document: Document) -> Parser:
    named = symbol_in(document.stem)

    def bar(cells: list[str]) -> Bar:
        instrument, day, time, *prices = cells
        start = midnight(iso_day(day)) + time_of_day(time) - _IST
        return Bar(cash_key(named or instrument.strip()), start, start + MINUTE, *map(paise, prices))

    return bar


FORMAT = Delimited(name="1-minute index CSV", headers=(HEADER,), parser=_parser)
