"""Upstox's contract master as JSON: tick sizes in paise, expiry in epoch milliseconds, freeze quantities in units."""

from typing import Any

from aitrade.core.clock import ist_date
from aitrade.core.instruments import Exchange, Kind
from aitrade.market.importing.documents import Document
from aitrade.market.importing.formats.masters import EXCHANGES, SIDES, as_of, cash, derivative
from aitrade.market.importing.reading import Custom, Numbered, Reading
from aitrade.market.importing.values import paise, units
from aitrade.market.input_rows import Listing

_MILLISECOND = 1_000_000
_CASH = frozenset({Exchange.NSE, Exchange.BSE})


def _is_master(document: Document) -> bool:
    rows = document.json
    return isinstance(rows, list) and bool(rows) and isinstance(rows[0], dict) and "instrument_key" in rows[0]


def _read(document: Document) -> Reading:
    day = as_of(document)
    found: list[Numbered] = []
    for line, row in enumerate(document.json, 1):
        try:
            listing = _listing(row, day)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise document.refuse(f"its entry {line} is damaged ({error!r}).") from None
        if listing:
            found.append((line, listing))
    return Reading(rows=found)


def _listing(row: dict[str, Any], day: str) -> Listing | None:
    exchange = EXCHANGES.get(row["segment"])
    if exchange is None:
        return None
    facts: dict[str, str | int] = {
        "source": "Upstox JSON",
        "as_of": day,
        "token": row.get("exchange_token", ""),
        "trading_symbol": row["trading_symbol"],
        "name": row.get("name", ""),
        "tick": round(row.get("tick_size", 0)),
        "lot": units(row.get("lot_size", 1)),
        "freeze": units(row.get("freeze_quantity", 0)),
        "isin": row.get("isin", ""),
    }
    if exchange in _CASH:
        return cash(exchange, row["trading_symbol"], row["instrument_type"], **facts)
    expiry = ist_date(row["expiry"] * _MILLISECOND).isoformat()
    kind = SIDES.get(row["instrument_type"], Kind.FUTURE)
    strike = paise(row.get("strike_price", 0)) if kind is not Kind.FUTURE else 0
    return derivative(exchange, row["underlying_symbol"], expiry, kind, strike, **facts)


FORMAT = Custom("Upstox instruments, JSON", _is_master, _read)
