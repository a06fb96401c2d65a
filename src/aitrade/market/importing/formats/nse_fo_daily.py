"""NSE's daily derivatives report (fo<DDMMYYYY>.zip): padded fixed-width CSV, zero-filled numbers, a closing note.

The futures file and the options file hold every contract; the others of the archive are totals of these and are passed
over. The trading day stands in the file's name only.
"""

import re

from aitrade.core.instruments import Exchange, Kind, derivative_key
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Delimited, Parser, Skipped
from aitrade.market.importing.values import iso_day, paise, units
from aitrade.market.input_rows import EndOfDay

FUTURES = (
    *("instrument", "symbol", "exp_date", "open_price", "hi_price", "lo_price", "close_price", "open_int*"),
    *("trd_val", "trd_qty", "no_of_cont", "no_of_trade"),
)
OPTIONS = (
    *("instrument", "symbol", "exp_date", "str_price", "opt_type", "open_price", "hi_price", "lo_price"),
    *("close_price", "open_int*", "trd_qty", "no_of_cont", "no_of_trade", "notion_val", "pr_val"),
)
_FOOTER = "* -"
_KINDS = {"CE": Kind.CALL, "PE": Kind.PUT}
_TOTALS = re.compile(
    r"^(Total volume summary of Futures|Index Futures|Vol Futures|Futures on individual|Index Options|Options on indiv|"
    r"The top \d+ (futures|option) contracts|National Stock Exchange of India Limited\s+Futures and Options Segment)"
)


def _day(document: Document) -> str:
    found = re.search(r"(\d{2})(\d{2})(\d{4})$", document.stem)
    if not found:
        raise document.refuse("the content does not say the day; its name must end in DDMMYYYY.")
    day, month, year = found.groups()
    return iso_day(f"{year}{month}{day}")


def _futures(document: Document) -> Parser:
    today = _day(document)

    def row(cells: list[str]) -> EndOfDay:
        _instrument, symbol, expiry, *prices, oi, value, quantity, contracts, trades = (c.strip() for c in cells)
        return _contract(today, symbol, expiry, Kind.FUTURE, "0", prices, (oi, quantity, contracts, trades, value))

    return row


def _options(document: Document) -> Parser:
    today = _day(document)

    def row(cells: list[str]) -> EndOfDay:
        _instrument, symbol, expiry, strike, side, *rest = (cell.strip() for cell in cells)
        prices, (oi, quantity, contracts, trades, value, _premium) = rest[:4], rest[4:]
        return _contract(today, symbol, expiry, _KINDS[side], strike, prices, (oi, quantity, contracts, trades, value))

    return row


def _contract(
    today: str, symbol: str, expiry: str, kind: Kind, strike: str, prices: list[str], totals: tuple[str, ...]
) -> EndOfDay:
    opened, high, low, close = map(paise, prices)
    oi, quantity, contracts, trades = map(units, totals[:4])
    ends, strikes = iso_day(expiry), paise(strike)
    return EndOfDay(
        key=derivative_key(Exchange.NFO, symbol, ends, kind, strikes),
        day=today,
        exchange=Exchange.NFO,
        symbol=symbol,
        kind=kind,
        expiry=ends,
        strike=strikes,
        open=opened,
        high=high,
        low=low,
        close=close,
        oi=oi,
        volume=quantity,
        value=paise(totals[4]),
        trades=trades,
        lot=quantity // contracts if contracts else 0,
    )


def _is_total(document: Document) -> bool:
    return document.is_text and bool(_TOTALS.match(document.text))


FUTURES_FORMAT = Delimited(name="NSE daily futures report", headers=(FUTURES,), parser=_futures, footer=_FOOTER)
OPTIONS_FORMAT = Delimited(name="NSE daily options report", headers=(OPTIONS,), parser=_options, footer=_FOOTER)
TOTALS_FORMAT = Skipped("NSE daily totals", _is_total, "totals of the contracts, which are read from the other files")
