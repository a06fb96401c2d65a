"""Brokers' contract masters as CSV: Kite, Upstox, Noren (Shoonya, FLATTRADE), ALICE BLUE, Dhan.

Tick sizes are rupees in all of them but Dhan's, which are paise. Rows of segments that are not traded here (currency,
NSE commodities) are passed over. The day of a master stands in its file's name only.
"""

import re
from collections.abc import Callable
from typing import Any

from aitrade.core.instruments import Exchange, Kind, derivative_key
from aitrade.market.importing.documents import Document, day_in
from aitrade.market.importing.reading import Delimited, Parser, columns
from aitrade.market.importing.values import iso_day, paise, units
from aitrade.market.input_rows import Listing
from aitrade.market.symbols import cash_key, index_name, kind_of, series_key

KITE = columns(
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)
UPSTOX = columns(
    "instrument_key,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,"
    "option_type,exchange"
)
NOREN = ("exchange", "token", "lotsize", "symbol", "tradingsymbol", "instrument", "ticksize")
NOREN_DERIVATIVES = columns(
    "exchange,token,lotsize,symbol,tradingsymbol,expiry,instrument,optiontype,strikeprice,ticksize"
)
ALICE = columns(
    "exch,exchange segment,group name,symbol,token,instrument type,instrument name,formatted ins name,"
    "trading symbol,lot size,tick size"
)
ALICE_DERIVATIVES = columns(
    "exch,exchange segment,symbol,token,instrument type,option type,strike price,instrument name,"
    "formatted ins name,trading symbol,expiry date,lot size,tick size"
)
DHAN = columns(
    "sem_exm_exch_id,sem_segment,sem_smst_security_id,sem_instrument_name,sem_expiry_code,sem_trading_symbol,"
    "sem_lot_units,sem_custom_symbol,sem_expiry_date,sem_strike_price,sem_option_type,sem_tick_size,"
    "sem_expiry_flag,sem_exch_instrument_type,sem_series,sm_symbol_name"
)
SIDES = {"CE": Kind.CALL, "PE": Kind.PUT}
EXCHANGES = {exchange.value: exchange for exchange in Exchange} | {
    "NSE_EQ": Exchange.NSE,
    "BSE_EQ": Exchange.BSE,
    "NSE_INDEX": Exchange.NSE,
    "BSE_INDEX": Exchange.BSE,
    "NSE_FO": Exchange.NFO,
    "BSE_FO": Exchange.BFO,
    "MCX_FO": Exchange.MCX,
}
_DERIVATIVE_SEGMENTS = frozenset({Exchange.NFO, Exchange.BFO, Exchange.MCX})
_HOME = {Exchange.NFO: Exchange.NSE, Exchange.BFO: Exchange.BSE, Exchange.MCX: Exchange.MCX}


def as_of(document: Document) -> str:
    """Return the day in the file's name, else its month, else ""."""
    month = re.search(r"(?<!\d)(\d{4}-\d{2})(?!\d)", document.stem)
    return day_in(document.stem) or (month.group(1) if month else "")


def _facts(source: str, day: str, token: str, trading_symbol: str, lot: str, tick: int) -> dict[str, str | int]:
    return {
        "source": source,
        "as_of": day,
        "token": token,
        "trading_symbol": trading_symbol,
        "lot": units(lot),
        "tick": tick,
    }


def derivative(exchange: Exchange, base: str, expiry: str, kind: Kind, strike: int, **rest: str | int) -> Listing:
    """Return a future's or an option's row; its key is built of the base, the expiry, the side and the strike."""
    symbol = index_name(base) or base
    return Listing(
        key=derivative_key(exchange, symbol, expiry, kind, strike),
        exchange=exchange,
        symbol=symbol,
        kind=kind,
        underlying=cash_key(symbol, _HOME[exchange]),
        expiry=expiry,
        strike=strike,
        **rest,
    )


def cash(exchange: Exchange, symbol: str, series: str, **rest: Any) -> Listing:
    """Return the row of a share, a fund, a bond or, with series INDEX, an index."""
    key = cash_key(symbol, exchange) if series == Kind.INDEX else series_key(symbol, series, exchange)
    kind = Kind.INDEX if series == Kind.INDEX else kind_of(key)
    return Listing(key=key, exchange=exchange, symbol=key.split(":", 1)[1], kind=kind, series=series, **rest)


def _kite(document: Document) -> Parser:
    day = as_of(document)

    def row(cells: list[str]) -> Listing | None:
        _, token, trading, name, _, expiry, strike, tick, lot, kind, _, exchange = cells
        where = EXCHANGES.get(exchange)
        facts = _facts("Kite", day, token, trading, lot, paise(tick)) | {"name": name}
        if where in _DERIVATIVE_SEGMENTS:
            return derivative(where, name, iso_day(expiry), SIDES.get(kind, Kind.FUTURE), paise(strike), **facts)
        return cash(where, trading, kind, **facts) if where else None

    return row


def _upstox(document: Document) -> Parser:
    day = as_of(document)

    def row(cells: list[str]) -> Listing | None:
        key, token, trading, name, _, expiry, strike, tick, lot, kind, side, exchange = cells
        where = EXCHANGES.get(exchange)
        facts = _facts("Upstox CSV", day, token, trading, lot, paise(tick)) | {"name": name, "isin": _isin(key)}
        if where in _DERIVATIVE_SEGMENTS:
            ends = iso_day(expiry)
            base = _base(trading, ends)
            return derivative(where, base, ends, SIDES.get(side, Kind.FUTURE), paise(strike), **facts)
        return cash(where, trading, "INDEX" if kind == "INDEX" else "", **facts) if where else None

    return row


def _isin(key: str) -> str:
    tail = key.split("|", 1)[-1]
    return tail if tail.startswith("IN") and len(tail) == 12 else ""  # noqa: PLR2004 - length of an ISIN


def _base(trading_symbol: str, expiry: str) -> str:
    """Return the underlying in NIFTY25OCT62100PE: what stands before the expiry's year, in whatever form it goes on."""
    stem = re.match(rf"^(.+?){expiry[2:4]}(?:[A-Z]{{3}}|[1-9OND]\d{{2}})", trading_symbol)
    if not stem:
        raise ValueError(f"{trading_symbol!r} does not name the contract that expires on {expiry}")
    return stem.group(1)


def _noren(document: Document) -> Parser:
    day = as_of(document)

    def row(cells: list[str]) -> Listing:
        exchange, token, lot, symbol, trading, series, tick, _ = cells
        facts = _facts(f"Noren {exchange}", day, token, trading, lot, paise(tick)) | {"name": symbol}
        return cash(EXCHANGES[exchange], _named(symbol, trading, series), series, **facts)

    return row


def _named(symbol: str, trading: str, series: str) -> str:
    return index_name(symbol) or index_name(trading) or trading if series == "INDEX" else symbol


def _noren_derivatives(document: Document) -> Parser:
    day = as_of(document)

    def row(cells: list[str]) -> Listing:
        exchange, token, lot, symbol, trading, expiry, _, side, strike, tick, _ = cells
        facts = _facts(f"Noren {exchange}", day, token, trading, lot, paise(tick)) | {"name": symbol}
        ends, kind = iso_day(expiry), SIDES.get(side, Kind.FUTURE)
        base = symbol if exchange == "NFO" else _base(trading, ends)
        return derivative(EXCHANGES[exchange], base, ends, kind, _strike(kind, strike), **facts)

    return row


def _strike(kind: Kind, strike: str) -> int:
    return 0 if kind is Kind.FUTURE else paise(strike)


def _alice(document: Document) -> Parser:
    day = as_of(document)

    def row(cells: list[str]) -> Listing:
        exchange, _, series, symbol, token, _, name, _, trading, lot, tick = cells
        facts = _facts(f"Alice Blue {exchange}", day, token, trading, lot, paise(tick)) | {"name": name}
        return cash(EXCHANGES[exchange], symbol, series, **facts)

    return row


def _alice_derivatives(document: Document) -> Parser:
    day = as_of(document)

    def row(cells: list[str]) -> Listing:
        exchange, _, symbol, token, _, side, strike, name, _, trading, expiry, lot, tick = cells
        facts = _facts(f"Alice Blue {exchange}", day, token, trading, lot, paise(tick)) | {"name": name}
        kind = SIDES.get(side, Kind.FUTURE)
        return derivative(EXCHANGES[exchange], symbol, iso_day(expiry), kind, _strike(kind, strike), **facts)

    return row


def _dhan(document: Document) -> Parser:
    day = as_of(document)

    def row(cells: list[str]) -> Listing | None:
        exchange, segment, token, _, _, symbol, lot, name, *_, tick, _, _, series, _ = cells
        if segment != "E":
            return None
        facts = _facts("Dhan", day, token, symbol, lot, units(tick)) | {"name": name}
        return cash(EXCHANGES[exchange], symbol, series, **facts)

    return row


def _master(name: str, header: tuple[str, ...], parser: Callable[[Document], Parser]) -> Delimited:
    return Delimited(name=name, headers=(header,), parser=parser)


FORMATS = (
    _master("Kite instruments", KITE, _kite),
    _master("Upstox instruments, CSV", UPSTOX, _upstox),
    _master("Noren symbols", NOREN, _noren),
    _master("Noren symbols, derivatives", NOREN_DERIVATIVES, _noren_derivatives),
    _master("Alice Blue contracts", ALICE, _alice),
    _master("Alice Blue contracts, derivatives", ALICE_DERIVATIVES, _alice_derivatives),
    _master("Dhan scrip master", DHAN, _dhan),
)
