"""What of a reading is market data of its day, and what is set aside, with the reason."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from aitrade.core.clock import ist, ist_date
from aitrade.core.quotes import Bar
from aitrade.market.importing.hours import Hours
from aitrade.market.importing.reading import Numbered
from aitrade.market.input_rows import DepthTick
from aitrade.market.input_tables import DAILY, Aside, minutes_of

EARLIEST = "1990-01-01"
"""No market data of ours is older; a stamp before it is of a clock that was never set."""
BROKEN_STAMP = "stamp before 1990, of a clock that was not set"
OUT_OF_SESSION = "out of session"
NO_PRICE = "a price of zero or below"
BAD_OHLC = "high or low does not span open and close"
OTHER_VALUES = "second row for the same bar with other values"
REPEAT = "repeat"


class Tally(msgspec.Struct):
    """What became of an instrument's rows."""

    aside: Counter[str] = msgspec.field(default_factory=Counter)
    duplicates: int = 0
    """Exact repeats: of a bar dropped, of a tick kept, since a print may repeat."""
    assumed: set[str] = msgspec.field(default_factory=set)
    """Days whose hours the calendar does not know."""


class Sieved(msgspec.Struct):
    """Rows to store, in time order; rows set aside, in the file's; a tally an instrument."""

    kept: list[Any]
    aside: list[Aside]
    tallies: dict[str, Tally]


def sieve(rows: Iterable[Numbered], hours: Hours) -> Sieved:
    """Sort bars and ticks by time and set aside what their session cannot have; rows of other kinds pass."""
    out = Sieved([], [], {})
    judges: dict[str, _Judge] = {}
    for line, row in sorted(rows, key=_moment):
        if isinstance(row, Aside):
            out.aside.append(row)
        elif isinstance(row, Bar | DepthTick):
            judge = judges.setdefault(row.instrument, _Judge(row.instrument, hours))
            _sort_out(line, row, judge, out)
        else:
            out.kept.append(row)
    out.aside.sort(key=lambda row: row.line)
    out.tallies = {key: judge.tally for key, judge in judges.items()}
    return out


def _moment(numbered: Numbered) -> int:
    row = numbered[1]
    return row.start if isinstance(row, Bar) else row.ts if isinstance(row, DepthTick) else 0


def _sort_out(line: int, row: Bar | DepthTick, judge: "_Judge", out: Sieved) -> None:
    reason = judge.bar(row) if isinstance(row, Bar) else judge.tick(row)
    if not reason:
        out.kept.append(row)
    elif reason is not REPEAT:
        judge.tally.aside[reason] += 1
        out.aside.append(Aside(line, reason, _text(row)))


class _Judge:
    """Looks at one instrument's rows in time order and says what is wrong with each, or "" ."""

    def __init__(self, instrument: str, hours: Hours) -> None:
        self._instrument = instrument
        self._hours = hours
        self._day = (0, 0, 0, 0)
        self._last: Bar | DepthTick | None = None
        self.tally = Tally()

    def bar(self, bar: Bar) -> str:
        """Judge a bar: stamped at its start, which lies before the close."""
        repeated = isinstance(self._last, Bar) and self._last.start == bar.start
        reason = self._stamp(bar.start, last_moment=False, daily=minutes_of(bar) >= DAILY)
        if not reason and min(bar.open, bar.high, bar.low, bar.close) <= 0:
            reason = NO_PRICE
        if not reason and not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
            reason = BAD_OHLC
        if not reason and repeated:
            self.tally.duplicates += bar == self._last
            reason = REPEAT if bar == self._last else OTHER_VALUES
        if not reason:
            self._last = bar
        return reason

    def tick(self, tick: DepthTick) -> str:
        """Judge a tick: the print that carries the closing moment itself belongs to the session."""
        reason = self._stamp(tick.ts, last_moment=True, daily=False) or (NO_PRICE if tick.price <= 0 else "")
        if not reason:
            self.tally.duplicates += tick == self._last
            self._last = tick
        return reason

    def _stamp(self, ts: int, *, last_moment: bool, daily: bool) -> str:
        begin, end, opens, closes = self._day
        if not begin <= ts < end:
            begin, end, opens, closes = self._day = self._bounds(ts)
        if opens < 0:
            return BROKEN_STAMP
        inside = daily or opens <= ts < closes or (last_moment and ts == closes)
        return "" if inside else OUT_OF_SESSION

    def _bounds(self, ts: int) -> tuple[int, int, int, int]:
        """Return the IST day's begin and end and its session, which is (-1, -1) for a day that cannot be."""
        day = ist_date(ts)
        begin = ts - _since_midnight(ts)
        end = begin + 86_400 * 1_000_000_000
        if day.isoformat() < EARLIEST:
            return begin, end, -1, -1
        span = self._hours.of(self._instrument, day.isoformat())
        if span.assumed:
            self.tally.assumed.add(day.isoformat())
        return begin, end, span.open, span.close


def _since_midnight(ts: int) -> int:
    moment = ist(ts)
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return seconds * 1_000_000_000 + ts % 1_000_000_000


def _text(row: Bar | DepthTick) -> str:
    return msgspec.json.encode(row).decode()
