"""Warm bars of each instrument, grown to the left on demand and kept up to now on the right."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import numpy as np

from aitrade.core.clock import MINUTE
from aitrade.ui.charts.bars import DAY_FRAME, Bars, Bounds, Ints, ist_days, resample, sessions, whole_days

FIRST_LOAD = 4_000
LARGEST_LOAD = 10_000
DAYS_LOAD = 2_500
KEPT_BARS = 3_000_000
_NONE = Bars.of(())


class History(Protocol):
    """Where bars come from: the engine."""

    now: int
    """The market's time, ns UTC; 0 until it is known."""

    async def bars(self, instrument: str, minutes: int, count: int, before: int = 0) -> Bars:
        """Return at most `count` bars of `minutes` that start before `before` (0: up to now), oldest first."""
        ...


class Series:
    """One instrument: its minutes, its days, and the time frames made from them.

    A bar's x is its number in its time frame, counted from the first bar ever loaded, so that older bars get negative
    numbers and nothing on screen moves when they come.
    """

    def __init__(self, instrument: str, history: History, bounds: Bounds) -> None:
        self.instrument = instrument
        self.lock = asyncio.Lock()
        self.minutes = _NONE
        self.days = _NONE
        self.origin = 0
        self.whole = False
        """No older minutes exist."""
        self._history = history
        self._bounds = bounds
        self._frames: dict[int, Bars] = {}
        self._refreshed = -1.0
        self._days_asked = False

    def frame(self, minutes: int) -> Bars:
        """Return the bars of a time frame, the forming one last."""
        if minutes not in self._frames:
            self._frames[minutes] = self._make(minutes)
        return self._frames[minutes]

    def x(self, minutes: int) -> Ints:
        """Return the numbers of the bars of `frame`."""
        bars = self.frame(minutes)
        return np.arange(len(bars), dtype=np.int64) - int(np.searchsorted(bars.start, self.origin))

    def is_whole(self, minutes: int) -> bool:
        """Tell whether no older bars of this time frame exist."""
        return self.whole or (minutes == DAY_FRAME and len(self.days) > 0)

    @property
    def finest(self) -> int:
        """Minutes of the shortest bars that are stored of it; 1 before any is held."""
        return int(self.minutes.end[0] - self.minutes.start[0]) // MINUTE if len(self.minutes) else 1

    def close_of(self, ts: int) -> int:
        """Return when continuous trading ends on the day of `ts`, 0 where it is not known."""
        known = self._bounds(ts)
        return known[1] if known else 0

    async def reach_back(self, minutes: int, count: int, before: int) -> None:
        """Load older bars until `count` of them lie before ns `before`, or none is left."""
        if minutes == DAY_FRAME and not self._days_asked:
            await self._load_days()
        if not len(self.minutes) and not self.whole:
            await self._load_older(FIRST_LOAD)
        while not self.is_whole(minutes) and self._before(minutes, before) < count:
            lacking = count - self._before(minutes, before)
            await self._load_older(min(LARGEST_LOAD, max(FIRST_LOAD, lacking * min(minutes, 375))))

    async def refresh(self) -> None:
        """Bring the end up to now; twice within a fifth of a second asks once."""
        clock = asyncio.get_running_loop().time()
        if not len(self.minutes) or clock - self._refreshed < 0.2:  # noqa: PLR2004 -- a person cannot see faster
            return
        since = max(0, self._history.now - int(self.minutes.start[-1])) // MINUTE
        newest = await self._history.bars(self.instrument, 1, int(min(since + 2, LARGEST_LOAD)))
        self._refreshed = clock
        if len(newest) and newest.start[0] <= self.minutes.end[-1]:
            self._keep(self.minutes.then(newest))
        elif len(newest):
            await self._begin_again(newest)

    async def _begin_again(self, newest: Bars) -> None:
        """A gap wider than one load: what was held is too old to join."""
        self.whole, self.origin = False, 0
        self._keep(newest)
        await self._load_older(FIRST_LOAD)

    async def _load_older(self, count: int) -> None:
        before = int(self.minutes.start[0]) if len(self.minutes) else 0
        older = await self._history.bars(self.instrument, 1, count, before)
        older = older.part(slice(0, int(np.searchsorted(older.start, before)))) if before else older
        self.whole = not len(older)
        if self.whole:
            return
        self._keep(whole_days(older).then(self.minutes))
        self.origin = self.origin or int(self.minutes.start[0])

    async def _load_days(self) -> None:
        self.days = await self._history.bars(self.instrument, DAY_FRAME, DAYS_LOAD)
        self._days_asked = True
        self._frames.pop(DAY_FRAME, None)

    def _keep(self, bars: Bars) -> None:
        self.minutes = bars
        self._frames.clear()

    def _make(self, minutes: int) -> Bars:
        if minutes == 1 or not len(self.minutes):
            return self.minutes if minutes != DAY_FRAME else self.days
        made = resample(self.minutes, minutes, *sessions(self.minutes, self._bounds))
        return made if minutes != DAY_FRAME else self._join_days(made)

    def _join_days(self, made: Bars) -> Bars:
        """The engine's days, then those of our minutes from the last one on (it may be forming)."""
        if not len(self.days):
            return made
        later = made.part(slice(int(np.searchsorted(ist_days(made.start), ist_days(self.days.start)[-1])), None))
        return self.days.then(later)

    def _before(self, minutes: int, before: int) -> int:
        bars = self.frame(minutes)
        return int(np.searchsorted(bars.start, before)) if before else len(bars)


class Shelf:
    """The series in use, the least recently used given up beyond `KEPT_BARS` minutes in all."""

    def __init__(self, history: History, bounds: Callable[[str], Bounds]) -> None:
        self._history = history
        self._bounds = bounds
        self._kept: OrderedDict[str, Series] = OrderedDict()

    def series(self, instrument: str) -> Series:
        """Return the series of an instrument key, empty at first."""
        if instrument not in self._kept:
            self._kept[instrument] = Series(instrument, self._history, self._bounds(instrument))
        self._kept.move_to_end(instrument)
        self._give_up()
        return self._kept[instrument]

    def clear(self) -> None:
        """Forget all: another world has begun."""
        self._kept.clear()

    def counts(self) -> dict[str, int]:
        """Return how many minutes are held, by instrument."""
        return {key: len(series.minutes) for key, series in self._kept.items()}

    def _give_up(self) -> None:
        while len(self._kept) > 1 and sum(self.counts().values()) > KEPT_BARS:
            self._kept.popitem(last=False)
