"""Bars: built from ticks as they come, and longer ones from shorter ones."""

from collections.abc import Iterable

import msgspec

from aitrade.core.clock import MINUTE, ist_date
from aitrade.core.quotes import Bar, Tick

DAY_MINUTES = 1440
"""The length that stands for a whole trading day."""
_QUARTER = 15 * MINUTE


def day_open(first: int) -> int:
    """Return when the day of a first bar opened: the quarter of an hour that `first` (ns UTC) lies in.

    Indian sessions open on the quarter (09:00, 09:15, 18:15), and IST is UTC plus whole quarters.
    """
    return first // _QUARTER * _QUARTER


class BarBuilder:
    """Builds bars of `minutes`, counted from the session's `open` (ns UTC), for every instrument that ticks.

    Feed it ticks in time order, then ask `close(ts)` for what is complete: a bar is complete when its end has come,
    not when the next tick happens to arrive.
    """

    def __init__(self, minutes: int, open_: int) -> None:
        self._open = open_
        self._length = minutes * MINUTE
        self._forming: dict[str, list[int]] = {}

    def on_tick(self, tick: Tick) -> Bar | None:
        """Take a tick; return the instrument's bar before, if this tick begins another one."""
        price, bar = tick.price, self._forming.get(tick.instrument)
        if bar is None or tick.ts >= bar[1]:
            start = tick.ts - (tick.ts - self._open) % self._length
            self._forming[tick.instrument] = [
                start,
                start + self._length,
                price,
                price,
                price,
                price,
                tick.quantity,
                tick.oi,
            ]
            return Bar(tick.instrument, *bar) if bar else None
        if price > bar[3]:
            bar[3] = price
        elif price < bar[4]:
            bar[4] = price
        bar[5], bar[7] = price, tick.oi
        bar[6] += tick.quantity
        return None

    def close(self, ts: int) -> list[Bar]:
        """Return and drop the bars whose end is at or before `ts`, in the order of their instruments' first ticks."""
        done = [Bar(name, *bar) for name, bar in self._forming.items() if bar[1] <= ts]
        for bar in done:
            del self._forming[bar.instrument]
        return done

    def forming(self, instrument: str) -> Bar | None:
        """Return the bar that is being built, or None before the first tick of it."""
        bar = self._forming.get(instrument)
        return Bar(instrument, *bar) if bar else None


def _merge(one: Bar, more: Bar) -> Bar:
    high, low = max(one.high, more.high), min(one.low, more.low)
    return Bar(one.instrument, one.start, more.end, one.open, high, low, more.close, one.volume + more.volume, more.oi)


def resample(bars: Iterable[Bar], minutes: int) -> list[Bar]:
    """Return bars of `minutes` from shorter bars of one instrument in time order; each day counts from its open.

    The last bar of a day ends where a full one would; with `DAY_MINUTES` a day is one bar, from its open to its last
    bar's end.
    """
    made: list[Bar] = []
    day, opened, length = None, 0, minutes * MINUTE
    for bar in bars:
        if (today := ist_date(bar.start)) != day:
            day, opened = today, day_open(bar.start)
        start = opened if minutes >= DAY_MINUTES else bar.start - (bar.start - opened) % length
        end = bar.end if minutes >= DAY_MINUTES else start + length
        piece = msgspec.structs.replace(bar, start=start, end=end)
        if made and made[-1].start == start:
            made[-1] = _merge(made[-1], piece)
        else:
            made.append(piece)
    return made
