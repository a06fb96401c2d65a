"""A snapshot of NSE's pre-open auctions as JSON; stocks that nobody asked for carry zeros."""

from typing import Any

from aitrade.core.instruments import Exchange
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Custom, Numbered, Reading
from aitrade.market.importing.series import IST_OFFSET
from aitrade.market.importing.values import paise, stamp, units
from aitrade.market.input_rows import PreOpen
from aitrade.market.symbols import series_key


def _is_pre_open(document: Document) -> bool:
    found = document.json
    rows = found.get("all_stocks") if isinstance(found, dict) else None
    return isinstance(rows, list) and bool(rows) and isinstance(rows[0], dict) and "iep" in rows[0]


def _read(document: Document) -> Reading:
    found: list[Numbered] = []
    try:
        ts, zoned = stamp(str(document.json["timestamp"]))
        moment = ts if zoned else ts - IST_OFFSET
        found.extend((line, _row(row, moment)) for line, row in enumerate(document.json["all_stocks"], 1))
    except (KeyError, TypeError, ValueError) as error:
        raise document.refuse(f"after {len(found)} stocks one is damaged ({error!r}).") from None
    return Reading(rows=found)


def _row(row: dict[str, Any], ts: int) -> PreOpen:
    return PreOpen(
        key=series_key(row["symbol"], row["series"], Exchange.NSE),
        ts=ts,
        symbol=row["symbol"],
        series=row["series"],
        price=paise(row["iep"]),
        previous_close=paise(row["prev_close"]),
        quantity=units(row["final_quantity"]),
        value=paise(row["final_value"]),
        buy_quantity=units(row["total_buy_qty"]),
        sell_quantity=units(row["total_sell_qty"]),
    )


FORMAT = Custom("NSE pre-open snapshot", _is_pre_open, _read)
