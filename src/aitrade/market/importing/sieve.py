"""What of a reading is market data of its day, and what is set aside, with the reason."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from aitrade.core.clock import DAY, at, ist_date
from aitrade.core.quotes import Bar
from aitrade.market.importing.hours import Sessions
from aitrade.market.importing.reading import Numbered
from aitrade.market.input_rows import DepthTick, EndOfDay
from aitrade.market.input_tables import DAILY, Aside, minutes_of

EARLIEST = "1990-01-01"
"""No market data of ours is older; a stamp before it is of a clock that was never set."""
BROKEN_STAMP = "stamp before 1990, of a clock that was not set"
OUT_OF_SESSION = "out of session"
NO_PRICE = "a price of zero or below"
BAD_OHLC = "high or low does not span open and close"
OTHER_VALUES = "second row for the same bar with other values"
REPEAT = "repeat"
ODD_LOT = "open interest is no multiple of the lot"


class Tally(msgspec.Struct):
    """What became of the rows of one subject: an instrument, or an exchange's day."""

    aside: Counter[str] = msgspec.field(default_factory=Counter)
    remarks: Counter[str] = msgspec.field(default_factory=Counter)
    """What is odd about rows that are kept."""
    duplicates: int = 0
    """Exact repeats: of a bar dropped, of a tick kept, since a print may repeat."""
    assumed: set[str] = msgspec.field(default_factory=set)
    """Days whose hours nobody published."""


class Sieved(msgspec.Struct):
    """Rows to store, in time order; rows set aside, in the file's; a tally a subject."""

    kept: list[Any]
    aside: list[Aside]
    tallies: dict[str, Tally]


def sieve(rows: Iterable[Numbered], sessions: Sessions) -> Sieved:
    """Sort bars and ticks by time and set aside what their session cannot have; rows of other kinds are kept."""
    out = Sieved([], [], {})
    judges: dict[str, _Judge] = {}
    for line, row in sorted(rows, key=_moment):
        if isinstance(row, Bar | DepthTick):
            judge = judges.setdefault(row.instrument, _Judge(row.instrument, sessions))
            _sort_out(line, row, judge, out)
        else:
            (out.aside if isinstance(row, Aside) else out.kept).append(row)
    out.aside.sort(key=lambda row: row.line)
    out.tallies = {key: judge.tally for key, judge in judges.items()} | _remarks(out.kept)
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


def _text(row: Bar | DepthTick) -> str:
    return msgspec.json.encode(row).decode()


def _remarks(kept: Iterable[Any]) -> dict[str, Tally]:
    """Count what is odd in end-of-day rows, by exchange; they are the exchange's own and stay as they are."""
    tallies: dict[str, Tally] = {}
    seen: set[tuple[str, str]] = set()
    for row in kept:
        if isinstance(row, EndOfDay):
            tally = tallies.setdefault(str(row.exchange), Tally())
            tally.duplicates += (row.key, row.day) in seen
            seen.add((row.key, row.day))
            tally.remarks[BAD_OHLC] += bool(row.open) and not _spans(row)
            tally.remarks[ODD_LOT] += bool(row.lot) and row.oi % row.lot > 0
    return tallies


def _spans(row: Bar | EndOfDay) -> bool:
    return row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high


class _Judge:
    """Looks at one instrument's rows in time order and says what is wrong with each, or "" ."""

    def __init__(self, instrument: str, sessions: Sessions) -> None:
        self._instrument = instrument
        self._sessions = sessions
        self._day = (0, 0)
        self._spans: tuple[tuple[int, int], ...] | None = None
        self._last: Bar | DepthTick | None = None
        self.tally = Tally()

    def bar(self, bar: Bar) -> str:
        """Judge a bar: some of it lies in continuous trading."""
        daily = minutes_of(bar) >= DAILY
        reason = self._stamp(bar.start) or ("" if daily or self._within(bar.start, bar.end) else OUT_OF_SESSION)
        return reason or self._prices(bar) or self._repeat(bar)

    def tick(self, tick: DepthTick) -> str:
        """Judge a tick: the print that carries the closing moment itself belongs to the session."""
        reason = self._stamp(tick.ts) or ("" if self._within(tick.ts - 1, tick.ts + 1) else OUT_OF_SESSION)
        if not reason and tick.price <= 0:
            reason = NO_PRICE
        if not reason:
            self.tally.duplicates += tick == self._last
            self._last = tick
        return reason

    def _prices(self, bar: Bar) -> str:
        if min(bar.open, bar.high, bar.low, bar.close) <= 0:
            return NO_PRICE
        return "" if _spans(bar) else BAD_OHLC

    def _repeat(self, bar: Bar) -> str:
        last, self._last = self._last, bar
        if not isinstance(last, Bar) or last.start != bar.start:
            return ""
        self._last = last
        self.tally.duplicates += bar == last
        return REPEAT if bar == last else OTHER_VALUES

    def _stamp(self, ts: int) -> str:
        begin, end = self._day
        if not begin <= ts < end:
            self._turn(ts)
        return BROKEN_STAMP if self._spans is None else ""

    def _within(self, start: int, end: int) -> bool:
        return any(start < closes and end > opens for opens, closes in self._spans or ())

    def _turn(self, ts: int) -> None:
        """Go to the day of `ts`; a day before `EARLIEST` has no hours at all."""
        day = ist_date(ts).isoformat()
        begin = at(day, "00:00")
        self._day = begin, begin + DAY
        self._spans = None
        if day >= EARLIEST:
            hours = self._sessions.of(self._instrument, day)
            self._spans = hours.spans
            self.tally.assumed.update([day] if hours.assumed else [])
