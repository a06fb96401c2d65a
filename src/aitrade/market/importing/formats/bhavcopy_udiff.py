"""The exchanges' common end-of-day file (UDiFF), since 2024-07-08: cash and derivatives, NSE and BSE, 34 columns.

Open interest is in units; so is the traded quantity of cash rows, while that of derivatives is in contracts and is
multiplied by the contract's lot. An index has no row: its level is the underlying price of its derivatives.
"""

from typing import Any

from aitrade.core.instruments import Exchange, Kind, derivative_key
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Delimited, Parser, columns
from aitrade.market.importing.values import iso_day, paise, units
from aitrade.market.input_rows import EndOfDay
from aitrade.market.symbols import kind_of, series_key

HEADER = columns(
    "traddt,bizdt,sgmt,src,fininstrmtp,fininstrmid,isin,tckrsymb,sctysrs,xprydt,fininstrmactlxprydt,strkpric,"
    "optntp,fininstrmnm,opnpric,hghpric,lwpric,clspric,lastpric,prvsclsgpric,undrlygpric,sttlmpric,opnintrst,"
    "chnginopnintrst,ttltradgvol,ttltrfval,ttlnboftxsexctd,ssnid,newbrdlotqty,rmks,rsvd1,rsvd2,rsvd3,rsvd4"
)
_SEGMENTS = {
    ("FO", "NSE"): Exchange.NFO,
    ("FO", "BSE"): Exchange.BFO,
    ("CM", "NSE"): Exchange.NSE,
    ("CM", "BSE"): Exchange.BSE,
}
_KINDS = {"CE": Kind.CALL, "PE": Kind.PUT, "": Kind.FUTURE}
_COLUMN = {name: index for index, name in enumerate(HEADER)}


def _parser(_: Document) -> Parser:
    return _row


def _row(cells: list[str]) -> EndOfDay:
    segment, source = cells[_COLUMN["sgmt"]], cells[_COLUMN["src"]]
    exchange = _SEGMENTS.get((segment, source))
    if exchange is None:
        raise ValueError(f"segment {segment!r} of {source!r} is none that is traded here")
    return _cash(cells, exchange) if segment == "CM" else _derivative(cells, exchange)


def _cash(cells: list[str], exchange: Exchange) -> EndOfDay:
    symbol, series = cells[_COLUMN["tckrsymb"]], cells[_COLUMN["sctysrs"]]
    key = series_key(symbol, series, exchange)
    return EndOfDay(key=key, exchange=exchange, kind=kind_of(key), series=series, **_common(cells, lot=1))


def _derivative(cells: list[str], exchange: Exchange) -> EndOfDay:
    kind = _KINDS[cells[_COLUMN["optntp"]]]
    expiry = iso_day(cells[_COLUMN["fininstrmactlxprydt"]])
    strike = paise(cells[_COLUMN["strkpric"]]) if kind is not Kind.FUTURE else 0
    return EndOfDay(
        key=derivative_key(exchange, cells[_COLUMN["tckrsymb"]], expiry, kind, strike),
        exchange=exchange,
        kind=kind,
        expiry=expiry,
        strike=strike,
        settlement=paise(cells[_COLUMN["sttlmpric"]]),
        underlying_price=paise(cells[_COLUMN["undrlygpric"]]),
        oi=units(cells[_COLUMN["opnintrst"]]),
        oi_change=units(cells[_COLUMN["chnginopnintrst"]]),
        **_common(cells, lot=units(cells[_COLUMN["newbrdlotqty"]])),
    )


def _common(cells: list[str], lot: int) -> dict[str, Any]:
    prices = map(paise, cells[_COLUMN["opnpric"] : _COLUMN["undrlygpric"]])
    opened, high, low, close, last, previous = prices
    return {
        "day": iso_day(cells[0]),
        "symbol": cells[_COLUMN["tckrsymb"]],
        "isin": cells[_COLUMN["isin"]],
        "open": opened,
        "high": high,
        "low": low,
        "close": close,
        "last": last,
        "previous_close": previous,
        "volume": units(cells[_COLUMN["ttltradgvol"]]) * lot,
        "value": paise(cells[_COLUMN["ttltrfval"]]),
        "trades": units(cells[_COLUMN["ttlnboftxsexctd"]]),
        "lot": lot,
    }


FORMAT = Delimited(name="UDiFF bhavcopy", headers=(HEADER,), parser=_parser)
