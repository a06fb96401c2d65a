"""One bar becomes one seeded path of ticks, the same for every driver that consumes it.

The first tick is the open and comes 200 to 900 ms after the bar's start, so that an order sent at the end of the bar
before, with a latency below 100 ms, is there to meet it. The path touches high and low, ends at the close, trades the
bar's volume and lies on the tick grid. Every tick is MODELLED.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from aitrade.core.clock import SECOND
from aitrade.core.quotes import Bar, Tick
from aitrade.market.draws import Ints, stream, uniform, word

FEWEST = 4
"""Ticks that a bar has at the least: open, the two extremes, close."""
_FIRST_TICK = 200_000_000
_FIRST_TICK_SPREAD = 700_000_000
_HALF_STEP = 1 << 23
_WEIGHT_UNIT = 1 << 20
# Sums run over integers: a row's figures must not depend on the rounding of the rows before it.


class Bars(msgspec.Struct, frozen=True):
    """Bars as columns of int64 arrays, a bar a row; prices in paise, quantities in units, times in ns UTC."""

    name: Ints
    """`word` of the instrument's key."""
    start: Ints
    end: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    count: Ints
    """Ticks wanted; fewer than `FEWEST` are raised to it."""
    tick: Ints
    lot: Ints
    """Quantities are multiples of it, but for a rest that goes with the last tick."""
    spread: Ints
    """Ask minus bid in ticks; 0 for what has no bid and ask (an index)."""


class Path(msgspec.Struct, frozen=True):
    """Ticks as columns; `row` is the index of the bar they belong to. Within a row, times ascend strictly."""

    row: Ints
    ts: Ints
    price: Ints
    quantity: Ints
    bid: Ints
    ask: Ints
    bid_quantity: Ints
    ask_quantity: Ints

    def where(self, kept: np.ndarray) -> "Path":
        """Return the ticks where `kept` is true."""
        return Path(*(column[kept] for column in msgspec.structs.astuple(self)))

    def moved(self, rows: int) -> "Path":
        """Return the same ticks with `rows` added to each row."""
        return msgspec.structs.replace(self, row=self.row + rows)


class _Frame(msgspec.Struct, frozen=True):
    """Where each tick of the ragged table lies: its row, its place in it, its row's first place and length."""

    row: Ints
    place: Ints
    first: Ints
    count: Ints


def _frame(count: Ints, fewest: int = FEWEST) -> _Frame:
    count = np.maximum(count, fewest)
    first = np.cumsum(count) - count
    row = np.repeat(np.arange(len(count)), count)
    return _Frame(row, np.arange(len(row)) - first[row], first, count)


def times(start: Ints, end: Ints, count: Ints, name: Ints, seed: int, *, fewest: int = FEWEST) -> tuple[Ints, Ints]:
    """Return (row, ts) of `count` ticks a row between `start` and `end`, ns UTC.

    The first comes 200 to 900 ms after the start; the others are spread one a slot from the first second on.
    """
    frame = _frame(count, fewest)
    return frame.row, _times(start, end, frame, stream(seed, name, start))


def _times(start: Ints, end: Ints, frame: _Frame, names: Ints | np.ndarray) -> Ints:
    row = frame.row
    drawn = uniform(names[row], frame.place, "time")
    slot = (end - start - SECOND)[row] / (frame.count - 1)[row]
    later = start[row] + SECOND + ((frame.place - 1 + 0.95 * drawn) * slot).astype(np.int64)
    first = start[row] + _FIRST_TICK + (_FIRST_TICK_SPREAD * drawn).astype(np.int64)
    return np.where(frame.place == 0, first, later)


def _knots(bars: Bars, frame: _Frame, names: np.ndarray) -> tuple[Ints, Ints]:
    """Return the places and prices, four a row, that the path must pass: open, an extreme, the other, close.

    A bar that closed above its open visits its low first three times out of four, and the mirror of that.
    """
    inner = frame.count - 2
    low_first = (uniform(names, "order") < 0.75) == (bars.close >= bars.open)  # noqa: PLR2004 -- the docstring's three in four
    one = 1 + (uniform(names, "early") * inner).astype(np.int64)
    other = 1 + (uniform(names, "late") * (inner - 1)).astype(np.int64)
    other += other >= one
    early, late = np.minimum(one, other), np.maximum(one, other)
    places = np.stack([np.zeros_like(early), early, late, frame.count - 1], axis=1)
    extremes = np.where(low_first, bars.low, bars.high), np.where(low_first, bars.high, bars.low)
    return places, np.stack([bars.open, *extremes, bars.close], axis=1)


def _prices(bars: Bars, frame: _Frame, names: np.ndarray) -> Ints:
    places, values = _knots(bars, frame, names)
    row, place = frame.row, frame.place
    leg = (place >= places[row, 1]).astype(np.int64) + (place >= places[row, 2])
    begin, finish = places[row, leg], places[row, leg + 1]
    share = (place - begin) / (finish - begin)
    steps = (stream(names[row], place, "step") >> np.uint64(40)).astype(np.int64) - _HALF_STEP
    wandered = np.cumsum(steps)
    at_begin, at_finish = wandered[frame.first[row] + begin], wandered[frame.first[row] + finish]
    reach = (bars.high - bars.low) / np.sqrt(frame.count) / (2 * _HALF_STEP)
    bridge = (wandered - at_begin - share * (at_finish - at_begin)) * reach[row]
    raw = values[row, leg] + share * (values[row, leg + 1] - values[row, leg]) + bridge
    fixed = (place == begin) | (place == finish)
    return np.where(fixed, values[row, leg + (place == finish)], _inside(raw, bars, row))


def _inside(raw: np.ndarray, bars: Bars, row: Ints) -> Ints:
    """Fold what left the bar's range back into it, and round to the grid within the range."""
    low, high, tick = bars.low[row], bars.high[row], bars.tick[row]
    folded = low + np.abs(raw - low)
    folded = high - np.abs(high - folded)
    rounded = np.rint(folded / tick).astype(np.int64) * tick
    return np.clip(rounded, -(-low // tick) * tick, np.maximum(high // tick, -(-low // tick)) * tick).clip(low, high)


def shared(total: Ints, lot: Ints, row: Ints, names: np.ndarray, place: Ints) -> Ints:
    """Share each row's `total` over its ticks by exponential weights, in whole lots; a rest goes with the last tick."""
    last = np.flatnonzero(np.diff(row, append=-1))
    first = np.concatenate([[0], last[:-1] + 1])
    weight = np.ceil(-np.log(uniform(names[row], place, "size")) * _WEIGHT_UNIT).astype(np.int64)
    running = np.cumsum(weight)
    before = (running - weight)[first]
    share = (running - before[row]) / (running[last] - before)[row]
    until = np.floor(share * (total // lot)[row]).astype(np.int64) * lot[row]
    until[last] = total
    quantity = np.diff(until, prepend=0)
    quantity[first] = until[first]
    return quantity


def walk(bars: Bars, seed: int) -> Path:
    """Return the ticks of all `bars`, row after row; a row's ticks depend on seed, instrument and start alone."""
    frame = _frame(bars.count)
    names = stream(seed, bars.name, bars.start)
    price = _prices(bars, frame, names)
    bid, ask = sides(price, (bars.tick * bars.spread)[frame.row], names[frame.row], frame.place)
    quantity = shared(bars.volume, bars.lot, frame.row, names, frame.place)
    waiting = waiting_quantities(bars.volume // frame.count, bars.lot, frame.row, names, frame.place)
    ts = _times(bars.start, bars.end, frame, names)
    return Path(frame.row, ts, price, quantity, bid, ask, *waiting)


def sides(price: Ints, spread: Ints, names: np.ndarray, place: Ints) -> tuple[Ints, Ints]:
    """Return bid and ask around each print: at the ask or at the bid, a coin's throw each; 0, 0 without a spread.

    A print too low to leave room for a bid was at the bid.
    """
    bought = (uniform(names, place, "side") < 0.5) & (price > spread)  # noqa: PLR2004 -- a coin
    bid = np.where(bought, price - spread, price)
    quoted = spread > 0
    return np.where(quoted, bid, 0), np.where(quoted, bid + spread, 0)


def waiting_quantities(typical: Ints, lot: Ints, row: Ints, names: np.ndarray, place: Ints) -> tuple[Ints, Ints]:
    """Return units at bid and ask: some three prints' worth, in whole lots, one at the least."""
    lots = np.maximum(typical // lot, 1)[row] * 3.0
    bid = np.ceil(-np.log(uniform(names[row], place, "bids")) * lots).astype(np.int64)
    ask = np.ceil(-np.log(uniform(names[row], place, "asks")) * lots).astype(np.int64)
    return bid * lot[row], ask * lot[row]


def running(quantity: Ints, row: Ints) -> Ints:
    """Return the sum of `quantity` within each row so far; rows lie together."""
    total = np.cumsum(quantity)
    first = np.flatnonzero(np.diff(row, prepend=-1))
    lengths = np.diff(np.append(first, len(row)))
    return total - np.repeat((total - quantity)[first], lengths)


def columns(bars: Sequence[Bar], count: int, tick_size: int, lot: int = 1, spread: int = 1) -> Bars:
    """Return `bars` as columns, all with the same count, tick, lot and spread (in ticks)."""
    names = [word(bar.instrument) for bar in bars]
    fields = np.array([msgspec.structs.astuple(bar)[1:8] for bar in bars], np.int64).reshape(-1, 7)
    same = [np.full(len(bars), value, np.int64) for value in (count, tick_size, lot, spread)]
    return Bars(np.array(names, np.int64), *fields.T, *same)


def path(bar: Bar, seed: int, count: int, tick_size: int, *, lot: int = 1, spread: int = 1) -> list[Tick]:
    """Return the ticks of one bar, modelled, with `volume` counted from the bar's start and the bar's own OI.

    `count` below `FEWEST` is raised to it; `tick_size` in paise, `lot` in units, `spread` in ticks (0: no bid and ask).
    """
    walked = walk(columns([bar], count, tick_size, lot, spread), seed)
    volume = np.cumsum(walked.quantity)
    return ticks([bar.instrument], walked, volume, np.full(len(volume), bar.oi))


def join(names: Sequence[str], parts: Sequence[tuple[Path, Ints, Ints]]) -> list[Tick]:
    """Return (path, volume, OI) parts as ticks in time order; ties go by row. `names` by row."""
    joined = [
        np.concatenate(columns) for columns in zip(*(msgspec.structs.astuple(path) for path, *_ in parts), strict=True)
    ]
    volume, oi = (np.concatenate([part[place] for part in parts]) for place in (1, 2))
    order = np.lexsort((joined[0], joined[1]))
    return ticks(names, Path(*joined).where(order), volume[order], oi[order])


def ticks(names: Sequence[str], walked: Path, volume: Ints, oi: Ints) -> list[Tick]:
    """Return a path as ticks, in the path's order; `names` by row, `volume` and `oi` by tick."""
    fields = (walked.ts, walked.price, walked.quantity, walked.bid, walked.ask, walked.bid_quantity)
    listed = [column.tolist() for column in (walked.row, *fields, walked.ask_quantity, volume, oi)]
    return [Tick(names[row], *rest, True) for row, *rest in zip(*listed, strict=True)]
