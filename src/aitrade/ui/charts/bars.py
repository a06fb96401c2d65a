"""Bars as columns: time frames made from minutes, and thinning that keeps every high and low."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aitrade.core.clock import DAY, MINUTE, ist_date
from aitrade.core.quotes import Bar

Ints = NDArray[np.int64]
Bounds = Callable[[int], tuple[int, int] | None]
"""Of a ns UTC time: continuous trading's start and end on that IST day, or None where the calendar does not know."""

TIME_FRAMES = (1, 3, 5, 15, 30, 60, 1440)
"""Minutes of a bar; 1440 is the trading day."""
DAY_FRAME = 1440
_IST_SHIFT = 19_800_000_000_000
_FIELDS = ("start", "end", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Bars:
    """Equal-length int64 columns, oldest first: start and end in ns UTC, prices in paise, volume in units."""

    start: Ints
    end: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints

    @classmethod
    def of(cls, bars: Sequence[Bar]) -> "Bars":
        """Return the columns of `bars`, which must be in order of time."""
        rows = np.array([[getattr(bar, name) for name in _FIELDS] for bar in bars], dtype=np.int64)
        return cls(*rows.reshape(-1, len(_FIELDS)).T.copy())

    def __len__(self) -> int:
        return len(self.start)

    def columns(self) -> tuple[Ints, ...]:
        """Return the seven columns in the order of the fields."""
        return tuple(getattr(self, name) for name in _FIELDS)

    def part(self, chosen: slice) -> "Bars":
        """Return the bars of a slice, as views."""
        return Bars(*(column[chosen] for column in self.columns()))

    def then(self, later: "Bars") -> "Bars":
        """Return these bars followed by `later`, which replaces from its first start on."""
        kept = self.part(slice(0, int(np.searchsorted(self.start, later.start[0])))) if len(later) else self
        return Bars(*(np.concatenate(pair) for pair in zip(kept.columns(), later.columns(), strict=True)))


def ist_days(ts: Ints) -> Ints:
    """Return the IST calendar day of each time, days since 1970."""
    return (ts + _IST_SHIFT) // DAY


def sessions(bars: Bars, bounds: Bounds) -> tuple[Ints, Ints]:
    """Return each bar's session open and close, ns UTC; a day unknown to `bounds` has its first and last bar's."""
    _, first, inverse = np.unique(ist_days(bars.start), return_index=True, return_inverse=True)
    last = np.append(first[1:], len(bars)) - 1
    known = [
        bounds(int(bars.start[i])) or (int(bars.start[i]), int(bars.end[j])) for i, j in zip(first, last, strict=True)
    ]
    table = np.array(known, dtype=np.int64).reshape(-1, 2)
    return table[inverse, 0], table[inverse, 1]


def resample(bars: Bars, minutes: int, opens: Ints, closes: Ints) -> Bars:
    """Return bars of `minutes`, counted from each session's open, so that the last one may be short; 1440 is a day.

    A bar ends at its bucket's end or the session's close, whichever comes first.
    """
    if not len(bars):
        return bars
    span = minutes * MINUTE
    buckets = np.zeros_like(opens) if minutes == DAY_FRAME else (bars.start - opens) // span
    groups = _group_starts(ist_days(bars.start), buckets)
    merged = _merge(bars, groups)
    start = merged.start if minutes == DAY_FRAME else (opens + buckets * span)[groups]
    return Bars(start, _ends(merged, start + span, closes[groups], minutes), *merged.columns()[2:])


def _ends(merged: Bars, full: Ints, closes: Ints, minutes: int) -> Ints:
    if minutes == DAY_FRAME:
        return np.maximum(merged.end, closes)
    return np.where(merged.start < closes, np.minimum(full, closes), full)


def thin(bars: Bars, x: Ints, limit: int) -> tuple[Bars, NDArray[np.float64], int]:
    """Return at most about `limit` bars, the middle x of each, and how many bars went into one.

    Groups are cut at multiples of their size in x, so that a view that moves keeps its candles; each keeps first open,
    highest high, lowest low, last close and all the volume.
    """
    size = max(1, -(-len(bars) // max(1, limit)))
    if size == 1:
        return bars, x.astype(np.float64), 1
    groups = _group_starts(x // size)
    last = np.append(groups[1:], len(bars)) - 1
    return _merge(bars, groups), (x[groups] + x[last]) / 2, size


def last_of_groups(x: Ints, size: int) -> Ints:
    """Return the positions that close each group of `thin`."""
    return np.append(_group_starts(x // size)[1:], len(x)) - 1 if len(x) else x


def _group_starts(*keys: Ints) -> Ints:
    changed = np.zeros(len(keys[0]), dtype=bool)
    changed[:1] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed).astype(np.int64)


def _merge(bars: Bars, groups: Ints) -> Bars:
    last = np.append(groups[1:], len(bars)) - 1
    return Bars(
        bars.start[groups],
        bars.end[last],
        bars.open[groups],
        np.maximum.reduceat(bars.high, groups),
        np.minimum.reduceat(bars.low, groups),
        bars.close[last],
        np.add.reduceat(bars.volume, groups),
    )


def whole_days(bars: Bars) -> Bars:
    """Return the bars without the first day, which a count may have cut; one day alone is kept."""
    days = ist_days(bars.start)
    first = int(np.searchsorted(days, days[0] + 1)) if len(bars) else 0
    return bars.part(slice(first, None)) if first < len(bars) else bars


def day_name(ts: int) -> str:
    """Return the IST date of `ts` as ISO text."""
    return ist_date(ts).isoformat()
