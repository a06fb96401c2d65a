"""Ticks of futures and options: each is priced off the tick of its underlying that was printed last."""

import msgspec
import numpy as np

from aitrade.core.clock import MINUTE
from aitrade.core.quotes import Bar
from aitrade.market.draws import Floats, Ints, stream, uniform
from aitrade.market.simulated.contracts import Contracts, moneyness, values, years
from aitrade.market.simulated.universe import OptionFigures
from aitrade.market.tick_path import Path, shared, times, waiting_quantities

_COUNTS = ((1.0, 15), (2.0, 6))
"""Ticks a minute of an option closer to the money than so many deviations; futures tick as stocks do."""
_FAR_COUNT = 2
FUTURE_COUNT = 30
_FUTURE_SPREAD = 0.00003
"""Bid to ask of a future as a share of its price, one tick at the least; chosen, no quotes of index futures at hand."""


class Rows(msgspec.Struct, frozen=True):
    """Contract-minutes to tick, a row each."""

    index: Ints
    """Of the contract."""
    start: Ints
    end: Ints
    lots: Ints
    """Lots traded in the minute."""
    spot: Ints
    vix: Floats
    """Underlying (paise) and India VIX (points) at the minute's open."""
    bar: Ints
    """Which row of the underlyings' path it follows."""


def counts(contracts: Contracts, rows: Rows) -> Ints:
    """Return how often each contract ticks in its minute, by its distance from the money at the minute's open."""
    x = np.abs(moneyness(contracts, rows.index, rows.spot, years(contracts, rows.index, rows.start), rows.vix))
    near = np.select([x < limit for limit, _ in _COUNTS], [count for _, count in _COUNTS], _FAR_COUNT)
    return np.where(contracts.option[rows.index], near, FUTURE_COUNT)


def tick(contracts: Contracts, rows: Rows, below: Path, figures: OptionFigures, seed: int) -> Path:
    """Return the ticks of the contract-minutes, row after row; bid and ask straddle the fair value."""
    names, count = stream(seed, contracts.word[rows.index], rows.start), counts(contracts, rows)
    row, ts = times(rows.start, rows.end, count, contracts.word[rows.index], seed, fewest=_FAR_COUNT)
    index, place = rows.index[row], np.arange(len(row)) - (np.cumsum(count) - count)[row]
    spot = below.price[last_tick(below, rows.bar[row], ts)]
    fair = values(contracts, index, spot.astype(np.float64), rows.vix[row], ts, figures)
    bid, ask = _around(contracts, index, fair, figures)
    price = np.where(uniform(names[row], place, "side") < 0.5, bid, ask)  # noqa: PLR2004 -- a coin
    lot = contracts.lot[rows.index]
    quantity = shared(rows.lots * lot, lot, row, names, place)
    waiting = waiting_quantities(rows.lots * lot // count, lot, row, names, place)
    return Path(row, ts, price, quantity, bid, ask, *waiting)


def _around(contracts: Contracts, index: Ints, fair: Floats, figures: OptionFigures) -> tuple[Ints, Ints]:
    """Return bid and ask on the grid around fair values, a tick apart at the least, the bid a tick at the least."""
    grid = contracts.tick[index]
    share = np.where(contracts.option[index], figures.spread_share, _FUTURE_SPREAD)
    spread = np.maximum(np.rint(fair * share / grid), 1).astype(np.int64) * grid
    bid = np.maximum(np.rint((fair - spread / 2) / grid), 1).astype(np.int64) * grid
    return bid, bid + spread


def last_tick(below: Path, bar: Ints, ts: Ints) -> Ints:
    """Return the index of the last tick of `bar` at or before `ts`; its first one where none was before."""
    base = int(below.ts.min())
    span = int(max(below.ts.max(), ts.max())) - base + 1
    keys = below.row * span + (below.ts - base)
    first = np.searchsorted(below.row, bar)
    found = np.searchsorted(keys, bar * span + np.maximum(ts - base, 0), side="right") - 1
    return np.maximum(found, first)


def minute_bars(name: str, starts: Ints, path: Path, volume: Ints, oi: Ints) -> list[Bar]:
    """Return the minute bars that a path makes, a row of it a minute."""
    first = np.flatnonzero(np.diff(path.row, prepend=-1))
    last = np.append(first[1:], len(path.row)) - 1
    high, low = np.maximum.reduceat(path.price, first), np.minimum.reduceat(path.price, first)
    columns = (starts, starts + MINUTE, path.price[first], high, low, path.price[last], volume, oi)
    return [Bar(name, *rest) for rest in zip(*(column.tolist() for column in columns), strict=True)]
