"""Market data: a tick, a bar. Prices in paise, quantities in units, times in ns UTC."""

from typing import NamedTuple

import msgspec


class Tick(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One print with the best bid and ask after it."""

    instrument: str
    ts: int
    price: int
    quantity: int = 0
    """Units traded since the tick before."""
    bid: int = 0
    ask: int = 0
    bid_quantity: int = 0
    ask_quantity: int = 0
    volume: int = 0
    """Units traded since the day began."""
    oi: int = 0
    modelled: bool = False
    """True for a price that we computed (a path inside a bar, an option priced off its underlying)."""


class Level(NamedTuple):
    """A price and the units that wait there."""

    price: int
    quantity: int


class Depth(msgspec.Struct, frozen=True):
    """The book's levels after a print, best first; a level that nobody knows is not there."""

    instrument: str
    ts: int
    bids: list[Level]
    asks: list[Level]
    modelled: bool


class Bar(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One bar, stamped at its start; it is known only at `end`."""

    instrument: str
    start: int
    end: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    oi: int = 0
