"""Option-chain snapshots: Upstox v2 JSON, the NSE site's CSV download, the NSE API's JSON."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import gcd
from typing import Any

import msgspec

from aitrade.core.clock import IST
from aitrade.core.instruments import Exchange, Kind, derivative_key
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Custom, Numbered, Reading, parsed
from aitrade.market.importing.values import EMPTY, iso_day, number, paise, stamp, units
from aitrade.market.input_rows import ChainQuote
from aitrade.market.symbols import cash_key, index_name

_NO_MOMENT = "the file does not say the moment of the snapshot"


def _quote(underlying: str, expiry: str, strike: int, kind: Kind, **rest: Any) -> ChainQuote:
    segment = Exchange.BFO if underlying.startswith("BSE:") else Exchange.NFO
    key = derivative_key(segment, underlying.split(":", 1)[1], expiry, kind, strike)
    return ChainQuote(key=key, underlying=underlying, expiry=expiry, strike=strike, kind=kind, **rest)


def _guarded(document: Document, rows: Iterable[ChainQuote]) -> list[Numbered]:
    """Number the rows from 1, and refuse with that number where one lacks a field or has a wrong one."""
    found: list[Numbered] = []
    try:
        found.extend(enumerate(rows, 1))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise document.refuse(f"after {len(found)} quotes one is damaged ({error!r}).") from None
    return found


# Upstox v2


def _is_upstox(document: Document) -> bool:
    rows = _at(document.json, "response", "data") or _at(document.json, "data")
    return isinstance(rows, list) and bool(rows) and isinstance(rows[0], dict) and "call_options" in rows[0]


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _read_upstox(document: Document) -> Reading:
    recorded = _at(document.json, "recorded_at")
    ts = stamp(str(recorded))[0] if recorded else 0
    rows = _at(document.json, "response", "data") or _at(document.json, "data")
    quotes = (quote for row in rows for quote in _upstox_row(row, ts))
    return Reading(rows=_guarded(document, quotes), notes=() if ts else (_NO_MOMENT,))


_SIDES = {"call_options": Kind.CALL, "put_options": Kind.PUT}


def _upstox_row(row: dict[str, Any], ts: int) -> Iterator[ChainQuote]:
    underlying = cash_key(row["underlying_key"].split("|", 1)[1])
    for side, kind in _SIDES.items():
        market, greeks = row[side]["market_data"], row[side]["option_greeks"]
        oi = units(market["oi"])
        yield _quote(
            underlying,
            iso_day(row["expiry"]),
            paise(row["strike_price"]),
            kind,
            ts=ts,
            spot=paise(row["underlying_spot_price"]),
            price=paise(market["ltp"]),
            bid=paise(market["bid_price"]),
            ask=paise(market["ask_price"]),
            bid_quantity=units(market["bid_qty"]),
            ask_quantity=units(market["ask_qty"]),
            volume=units(market["volume"]),
            oi=oi,
            oi_change=oi - units(market["prev_oi"]),
            iv=number(greeks["iv"]) / 100,
            delta=number(greeks["delta"]),
            gamma=number(greeks["gamma"]),
            theta=number(greeks["theta"]),
            vega=number(greeks["vega"]),
        )


# NSE API


def _is_nse_api(document: Document) -> bool:
    rows = _at(document.json, "records", "data")
    return isinstance(rows, list) and bool(rows) and isinstance(rows[0], dict) and "strikePrice" in rows[0]


def _read_nse_api(document: Document) -> Reading:
    moment = str(_at(document.json, "records", "timestamp") or "")
    try:
        taken = datetime.strptime(moment, "%d-%b-%Y %H:%M:%S").replace(tzinfo=IST)
    except ValueError:
        raise document.refuse(f"its timestamp {moment!r} is not like 03-May-2023 15:30:00.") from None
    ts = int(taken.timestamp()) * 1_000_000_000
    rows = _at(document.json, "records", "data")
    quotes = (_nse_quote(row[side], kind, ts) for row in rows for side, kind in _NSE_SIDES.items() if side in row)
    return Reading(rows=_in_units(_guarded(document, quotes)), notes=(_IN_CONTRACTS,))


_NSE_SIDES = {"CE": Kind.CALL, "PE": Kind.PUT}
_IN_CONTRACTS = "NSE's chain counts contracts: made units by the lot, which every order quantity is a multiple of"


def _in_units(rows: list[Numbered]) -> list[Numbered]:
    """Multiply what NSE counts in contracts by the lot of its expiry: the common divisor of bid and ask quantities."""
    lots: dict[str, int] = {}
    for _, quote in rows:
        lots[quote.expiry] = gcd(lots.get(quote.expiry, 0), quote.bid_quantity, quote.ask_quantity)
    return [(line, _times(quote, lots[quote.expiry] or 1)) for line, quote in rows]


def _times(quote: ChainQuote, lot: int) -> ChainQuote:
    return msgspec.structs.replace(quote, oi=quote.oi * lot, oi_change=quote.oi_change * lot, volume=quote.volume * lot)


def _nse_quote(leg: dict[str, Any], kind: Kind, ts: int) -> ChainQuote:
    return _quote(
        cash_key(leg["underlying"]),
        iso_day(leg["expiryDate"]),
        paise(leg["strikePrice"]),
        kind,
        ts=ts,
        spot=paise(leg["underlyingValue"]),
        price=paise(leg["lastPrice"]),
        bid=paise(leg["bidprice"]),
        ask=paise(leg["askPrice"]),
        bid_quantity=units(leg["bidQty"]),
        ask_quantity=units(leg["askQty"]),
        volume=units(leg["totalTradedVolume"]),
        oi=units(leg["openInterest"]),
        oi_change=units(leg["changeinOpenInterest"]),
        iv=number(leg["impliedVolatility"]) / 100,
    )


# NSE site


WEB = ("calls", "", "puts")
_CALL = ("oi", "oi_change", "volume", "iv", "price", "change", "bid_quantity", "bid", "ask", "ask_quantity")
_PUT = ("bid_quantity", "bid", "ask", "ask_quantity", "change", "price", "iv", "volume", "oi_change", "oi")
_STRIKE = 11
"""Column of the strike, between the calls' cells and the puts'; the first and the last cell of a line are empty."""


def _is_web(document: Document) -> bool:
    return document.header == WEB


def _read_web(document: Document) -> Reading:
    underlying, expiry = _named(document)

    def rows(cells: list[str]) -> tuple[ChainQuote, ChainQuote]:
        strike = paise(cells[_STRIKE])
        call = dict(zip(_CALL, cells[1:_STRIKE], strict=True))
        put = dict(zip(_PUT, cells[_STRIKE + 1 : -1], strict=True))
        return _web_quote(underlying, expiry, strike, Kind.CALL, call), _web_quote(
            underlying, expiry, strike, Kind.PUT, put
        )

    both = parsed(document, rows, skip=2)
    found = [(line, quote) for line, pair in both for quote in pair]
    return Reading(rows=_in_units(found), notes=(_NO_MOMENT, _IN_CONTRACTS))


def _named(document: Document) -> tuple[str, str]:
    """Return underlying and expiry out of the file's name (…NIFTY-30-Jun-2026), where alone they stand."""
    words = document.stem.replace("_", "-").split("-")
    index = next((word for word in words if index_name(word)), "")
    try:
        return cash_key(index or words[-4]), iso_day("-".join(words[-3:]))
    except (IndexError, ValueError):
        raise document.refuse("its name must end in SYMBOL-DD-MMM-YYYY; the content says neither.") from None


def _web_quote(underlying: str, expiry: str, strike: int, kind: Kind, cells: dict[str, str]) -> ChainQuote:
    plain = {name: "" if cell.strip() in EMPTY else cell for name, cell in cells.items()}
    return _quote(
        underlying,
        expiry,
        strike,
        kind,
        ts=0,
        price=paise(plain["price"]),
        bid=paise(plain["bid"]),
        ask=paise(plain["ask"]),
        bid_quantity=units(plain["bid_quantity"]),
        ask_quantity=units(plain["ask_quantity"]),
        volume=units(plain["volume"]),
        oi=units(plain["oi"]),
        oi_change=units(plain["oi_change"]),
        iv=number(plain["iv"]) / 100,
    )


UPSTOX = Custom("Upstox option chain", _is_upstox, _read_upstox)
NSE_API = Custom("NSE option chain, API", _is_nse_api, _read_nse_api)
NSE_WEB = Custom("NSE option chain, site", _is_web, _read_web)
