"""Only a clock tells the time: nanoseconds UTC inside, IST at the edges."""

import time
from datetime import date, datetime, timedelta, timezone
from typing import Protocol

IST = timezone(timedelta(hours=5, minutes=30), "IST")
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
_IST_OFFSET = 5 * 3600 * SECOND + 30 * MINUTE


class Clock(Protocol):
    """What tells the time to everything that trades."""

    def now(self) -> int:
        """Return the market's time, ns UTC, never less than before."""
        ...


class LiveClock:
    """The machine's time, made monotone."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        """Return wall time in ns UTC; a clock that is set back stands still until it is passed."""
        self._last = max(self._last, time.time_ns())
        return self._last


class ReplayClock:
    """A clock that its driver moves; it only goes forward."""

    def __init__(self, start: int) -> None:
        self._now = start

    def now(self) -> int:
        """Return the replayed market's time, ns UTC."""
        return self._now

    def advance(self, ts: int) -> None:
        """Move to `ts`; a time before now leaves the clock as it is."""
        self._now = max(self._now, ts)


def at(day: date | str, clock_time: str) -> int:
    """Return ns UTC of `clock_time` ("09:15" or "14:15:00") IST on `day`."""
    day = day if isinstance(day, date) else date.fromisoformat(day)
    hours, minutes, *rest = (int(part) for part in clock_time.split(":"))
    seconds = rest[0] if rest else 0
    midnight = (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY - _IST_OFFSET
    return midnight + (hours * 3600 + minutes * 60 + seconds) * SECOND


def ist_date(ts: int) -> date:
    """Return the IST calendar date of `ts`."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + (ts + _IST_OFFSET) // DAY)


def ist(ts: int) -> datetime:
    """Return `ts` as an aware datetime in IST, cut to the microsecond."""
    return datetime.fromtimestamp(ts // SECOND, IST).replace(microsecond=ts % SECOND // 1000)


def ist_time(ts: int) -> str:
    """Return the IST time of day of `ts` as HH:MM:SS."""
    return ist(ts).strftime("%H:%M:%S")
