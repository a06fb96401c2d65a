"""NSE's end-of-day cash files before UDiFF: the legacy bhavcopy, and the full one with delivery.

Legacy: thirteen columns and a trailing comma, days as 01-DEC-2017. Full: a blank after each comma, in header and
values, and "-" where a series has no delivery.
"""

from aitrade.core.instruments import Exchange
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Delimited, Parser
from aitrade.market.importing.values import iso_day, paise, units
from aitrade.market.input_rows import EndOfDay
from aitrade.market.input_tables import Basis
from aitrade.market.symbols import kind_of, series_key

LEGACY = (
    *("symbol", "series", "open", "high", "low", "close", "last", "prevclose"),
    *("tottrdqty", "tottrdval", "timestamp", "totaltrades", "isin"),
)
FULL = (
    *("symbol", "series", "date1", "prev_close", "open_price", "high_price", "low_price", "last_price", "close_price"),
    *("avg_price", "ttl_trd_qnty", "turnover_lacs", "no_of_trades", "deliv_qty", "deliv_per"),
)
_LAKH = 100_000


def _legacy(_: Document) -> Parser:
    def row(cells: list[str]) -> EndOfDay:
        symbol, series, opened, high, low, close, last, previous, quantity, value, day, trades, isin, _rest = cells
        key = series_key(symbol, series, Exchange.NSE)
        return EndOfDay(
            key=key,
            day=iso_day(day),
            exchange=Exchange.NSE,
            symbol=symbol,
            kind=kind_of(key),
            series=series,
            isin=isin,
            open=paise(opened),
            high=paise(high),
            low=paise(low),
            close=paise(close),
            last=paise(last),
            previous_close=paise(previous),
            volume=units(quantity),
            value=paise(value),
            trades=units(trades),
        )

    return row


def _full(_: Document) -> Parser:
    def row(cells: list[str]) -> EndOfDay:
        symbol, series, day, *numbers = (cell.strip() for cell in cells)
        previous, opened, high, low, last, close, _average, quantity, lakhs, trades, delivered, _share = numbers
        key = series_key(symbol, series, Exchange.NSE)
        return EndOfDay(
            key=key,
            day=iso_day(day),
            exchange=Exchange.NSE,
            symbol=symbol,
            kind=kind_of(key),
            series=series,
            open=paise(opened),
            high=paise(high),
            low=paise(low),
            close=paise(close),
            last=paise(last),
            previous_close=paise(previous),
            volume=units(quantity),
            value=paise(lakhs) * _LAKH,
            trades=units(trades),
            delivered=-1 if delivered == "-" else units(delivered),
        )

    return row


LEGACY_FORMAT = Delimited(name="NSE bhavcopy, legacy", headers=(LEGACY,), parser=_legacy, basis=Basis.RAW)
FULL_FORMAT = Delimited(name="NSE bhavcopy with delivery", headers=(FULL,), parser=_full, basis=Basis.RAW)
