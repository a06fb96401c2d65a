"""Ticks: second prints with the day's running volume, and recorded futures with depth.

Second ticks come with stamps of 1970, repeats after the close and rows of the next morning; the importer sets aside
what lies outside the session of its own day. The recorder of the depth file wrote the best ask into the second level of
the bid: where no ask stands and the second bid is above the first, it is read as the ask it is.
"""

from aitrade.core.clock import ist_date
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Custom, Numbered, Reading, parsed
from aitrade.market.importing.series import IST_OFFSET
from aitrade.market.importing.values import paise, stamp, units
from aitrade.market.input_rows import DepthTick
from aitrade.market.symbols import cash_key, short_name, symbol_in

SECONDS = ("timestamp", "ltp", "volume")
_LEVELS = range(1, 6)
DEPTH = (
    *("symbol", "exchange_timestamp", "last_price", "volume_traded", "last_traded_quantity"),
    *("open_interest", "change_in_oi"),
    *(f"{side}_{what}_{level}" for side in ("bid", "ask") for level in _LEVELS for what in ("price", "qty")),
    *("total_buy_qty", "total_sell_qty"),
)
Level = tuple[int, int]
"""Price in paise and quantity in units."""
_BOOK = 7
"""Column of the first bid."""
NO_CONTRACT = "the file does not say which contract month it is"
_BROKEN = "a broken line, with another number of columns"
_ASK_NOTE = "where the best ask was recorded as second bid, it is read as the ask"


def _moment(text: str) -> int:
    ts, zoned = stamp(text)
    return ts if zoned else ts - IST_OFFSET


def _read_seconds(document: Document) -> Reading:
    symbol = symbol_in(document.stem)
    if not symbol:
        raise document.refuse("the content does not say the symbol; name the file for it.")
    key = cash_key(symbol)

    def tick(cells: list[str]) -> DepthTick:
        return DepthTick(key, _moment(cells[0]), paise(cells[1]), volume=units(cells[2]))

    return Reading(rows=_with_quantities(list(parsed(document, tick))))


def _with_quantities(rows: list[Numbered]) -> list[Numbered]:
    """Give each tick the units since the highest running volume of its day before it, in time order."""
    highest: dict[object, int] = {}
    found = []
    for line, tick in sorted(rows, key=lambda numbered: numbered[1].ts):
        day = ist_date(tick.ts)
        before = highest.get(day, tick.volume)
        highest[day] = max(before, tick.volume)
        found.append((line, _traded(tick, max(0, tick.volume - before))))
    return found


def _traded(tick: DepthTick, quantity: int) -> DepthTick:
    return DepthTick(tick.instrument, tick.ts, tick.price, quantity, volume=tick.volume)


def _read_depth(document: Document) -> Reading:
    moved: set[bool] = set()

    def tick(cells: list[str]) -> DepthTick:
        bids, asks = _sides(cells)
        misplaced = _is_misplaced(bids, asks)
        moved.add(misplaced)
        return _depth_tick(cells, *((bids[:1], bids[1:2]) if misplaced else (bids, asks)))

    rows = list(parsed(document, tick, ragged=_BROKEN))
    return Reading(rows=rows, untradable=NO_CONTRACT, notes=(_ASK_NOTE,) if True in moved else ())


def _depth_tick(cells: list[str], bids: list[Level], asks: list[Level]) -> DepthTick:
    (bid, bid_quantity), (ask, ask_quantity) = ((*side, (0, 0))[0] for side in (bids, asks))
    return DepthTick(
        instrument=f"NFO:{short_name(cells[0])}-FUT",
        ts=_moment(cells[1]),
        price=paise(cells[2]),
        quantity=units(cells[4]),
        bid=bid,
        ask=ask,
        bid_quantity=bid_quantity,
        ask_quantity=ask_quantity,
        volume=units(cells[3]),
        oi=units(cells[5]),
        bid_prices=tuple(level for level, _ in bids),
        bid_quantities=tuple(quantity for _, quantity in bids),
        ask_prices=tuple(level for level, _ in asks),
        ask_quantities=tuple(quantity for _, quantity in asks),
    )


def _sides(cells: list[str]) -> tuple[list[Level], list[Level]]:
    book = [(paise(cells[i]), units(cells[i + 1])) for i in range(_BOOK, _BOOK + 20, 2)]
    bids, asks = ([level for level in side if level[0]] for side in (book[:5], book[5:]))
    return bids, asks


def _is_misplaced(bids: list[Level], asks: list[Level]) -> bool:
    return not asks and len(bids) > 1 and bids[1][0] > bids[0][0]


SECONDS_FORMAT = Custom("second ticks", lambda document: document.header == SECONDS, _read_seconds)
DEPTH_FORMAT = Custom("ticks with depth", lambda document: document.header == DEPTH, _read_depth)
