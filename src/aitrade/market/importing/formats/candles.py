"""Candles as vendors' APIs hand them out: Dhan (naive UTC), Kite (+05:30, adjusted), Upstox (newest first), yfinance.

Length, zone and market are read off the content; the file's name supplies the symbol, which the content lacks.
"""

from collections.abc import Sequence

from aitrade.core.clock import MINUTE
from aitrade.core.instruments import Exchange, Kind
from aitrade.core.quotes import Bar
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Custom, Parser, Reading, parsed
from aitrade.market.importing.series import Candle, bar_minutes, is_evening_market, is_spliced, zone_shift
from aitrade.market.importing.values import paise, stamp, units
from aitrade.market.input_tables import Basis
from aitrade.market.symbols import cash_key, kind_of, splice_in, symbol_in

_OHLCV = ("open", "high", "low", "close", "volume")
_MOMENTS = ("timestamp", "datetime", "date", "time")
_INTEREST: tuple[tuple[str, ...], ...] = ((), ("oi",), ("open_interest",))
HEADERS = frozenset((moment, *_OHLCV, *interest) for moment in _MOMENTS for interest in _INTEREST)
YFINANCE = ("price", "close", "high", "low", "open", "volume")

SPLICE = "a splice of strikes (rolling at-the-money), not one contract"
NO_CONTRACT = "the file does not say which contract month it is"
_KITE = "Kite's candles are restated for splits and bonuses, not for dividends"
_YAHOO = "yfinance's candles are restated for splits and dividends; the first bar of a day has no volume"


def _candle(cells: list[str]) -> Candle:
    ts, zoned = stamp(cells[0])
    opened, high, low, close = map(paise, cells[1:5])
    oi = units(cells[6]) if len(cells) > 6 else 0  # noqa: PLR2004 - the seventh column, where there is one
    return Candle(0, ts, zoned, opened, high, low, close, units(cells[5]), oi)


def _yahoo_candle(cells: list[str]) -> Candle:
    moment, close, high, low, opened, volume = cells
    return _candle([moment, opened, high, low, close, volume])


def _candles(document: Document, parser: Parser, skip: int) -> tuple[list[Candle], int, int, str]:
    """Return candles with their lines, their length in minutes, the ns that make them UTC, and the zone's name."""
    found = [Candle(line, *_numbers(candle)) for line, candle in parsed(document, parser, skip=skip)]
    if not found:
        raise document.refuse("candles without a row.")
    mixed = next((candle for candle in found if candle.zoned is not found[0].zoned), None)
    if mixed:
        raise document.refuse("some stamps have an offset and some have none.", mixed.line)
    try:
        minutes = bar_minutes(found)
    except ValueError as error:
        raise document.refuse(f"{error}.") from None
    return found, minutes, *zone_shift(found, minutes)


def _numbers(candle: Candle) -> tuple[int, bool, int, int, int, int, int, int]:
    return (
        *(candle.ts, candle.zoned, candle.open, candle.high, candle.low, candle.close),
        *(candle.volume, candle.oi),
    )


def _bars(key: str, candles: Sequence[Candle], minutes: int, shift: int) -> list[tuple[int, Bar]]:
    length = minutes * MINUTE
    return [
        (c.line, Bar(key, c.ts + shift, c.ts + shift + length, c.open, c.high, c.low, c.close, c.volume, c.oi))
        for c in candles
    ]


def _read(document: Document) -> Reading:
    candles, minutes, shift, zone = _candles(document, _candle, skip=1)
    evening = is_evening_market(candle.ts + shift for candle in candles)
    splice = splice_in(document.stem)
    key = splice or _named(document, Exchange.MCX if evening else Exchange.NSE)
    kite = document.header[-1] == "oi" and candles[0].zoned and not _is_whole(key)
    return Reading(
        rows=_bars(key, candles, minutes, shift),
        basis=Basis.RAW if _is_whole(key) else Basis.ADJUSTED if kite else Basis.UNKNOWN,
        zone=zone,
        untradable=SPLICE if splice or is_spliced(candles) else NO_CONTRACT if evening else "",
        notes=(_KITE,) if kite else (),
    )


def _is_whole(key: str) -> bool:
    """Tell whether nothing ever splits it: a derivative, a commodity, an index."""
    return not key.startswith(("NSE:", "BSE:")) or kind_of(key) is Kind.INDEX


def _named(document: Document, exchange: Exchange) -> str:
    symbol = symbol_in(document.stem)
    if not symbol:
        raise document.refuse("the content does not say the symbol; name the file for it.")
    return f"{exchange}:{symbol}" if exchange is Exchange.MCX else cash_key(symbol)


_SUFFIXES = {"NS": Exchange.NSE, "BO": Exchange.BSE}


def _read_yahoo(document: Document) -> Reading:
    tickers = {cell.strip() for _, cells in list(document.records())[1:2] for cell in cells[1:]}
    symbol, _, suffix = next(iter(tickers), "").partition(".")
    if len(tickers) != 1 or suffix not in _SUFFIXES:
        raise document.refuse("the Ticker row names no single symbol of NSE (.NS) or BSE (.BO).", 2)
    candles, minutes, shift, zone = _candles(document, _yahoo_candle, skip=3)
    key = cash_key(symbol, _SUFFIXES[suffix])
    return Reading(rows=_bars(key, candles, minutes, shift), basis=Basis.ADJUSTED, zone=zone, notes=(_YAHOO,))


VENDOR = Custom("candles", lambda document: document.header in HEADERS, _read)
YAHOO = Custom("yfinance candles", lambda document: document.header == YFINANCE, _read_yahoo)
