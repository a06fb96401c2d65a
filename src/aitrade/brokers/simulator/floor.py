"""The trading floor: the calendar's phases, and over them the market-wide halts that a circuit breaker calls."""

from datetime import date
from pathlib import Path

import msgspec

from aitrade.brokers.simulator.phases import Sessions, Stretch
from aitrade.core.clock import MINUTE, at, ist_date
from aitrade.core.errors import Refused


class HaltRow(msgspec.Struct, frozen=True):
    """A move of `percent` before that time of day halts for so many minutes; -1 is the rest of the day."""

    percent: int
    before: str
    halt_minutes: int


class DatedBreaker(msgspec.Struct, frozen=True, rename={"start": "from"}):
    """The circuit breaker as it holds from `start` on."""

    start: date
    source: str
    confidence: str
    auction_minutes: int
    halts: tuple[HaltRow, ...]


class _File(msgspec.Struct, frozen=True):
    breaker: tuple[DatedBreaker, ...]


class Interval(msgspec.Struct, frozen=True):
    """A phase that no calendar knew of."""

    name: str
    start: int
    end: int


HALTED = "HALTED"


def halt_intervals(percent: int, ts: int, path: Path | None = None) -> tuple[Interval, ...]:
    """Return the halt, and the call auction after it, that an index move of `percent` at `ts` calls; () for none.

    Raises Refused when the table has no such level.
    """
    rows = msgspec.toml.decode((path or Path(__file__).with_name("circuit_breakers.toml")).read_bytes(), type=_File)
    day = ist_date(ts)
    dated = max((row for row in rows.breaker if row.start <= day), key=lambda row: row.start, default=rows.breaker[0])
    halt = next((row for row in dated.halts if row.percent == percent and ts < at(day, row.before)), None)
    if halt is None:
        levels = ", ".join(str(level) for level in sorted({row.percent for row in dated.halts}))
        raise Refused(f"There is no circuit breaker at {percent} %; the levels are {levels} %.")
    if halt.halt_minutes == 0:
        return ()
    if halt.halt_minutes < 0:
        return (Interval(HALTED, ts, at(day, "24:00")),)
    end = ts + halt.halt_minutes * MINUTE
    return (Interval(HALTED, ts, end), Interval("PRE_OPEN", end, end + dated.auction_minutes * MINUTE))


class Floor:
    """Tells the phase of a segment; remembers the present one, for it is asked at every message."""

    def __init__(self, calendar: Sessions) -> None:
        self._calendar = calendar
        self._halts: list[Interval] = []
        self._present: dict[str, Stretch] = {}

    def phase(self, segment: str, now: int) -> Stretch:
        """Return the phase of `segment` at `now`, ns UTC."""
        phase = self._present.get(segment)
        if phase is None or not phase.start <= now < phase.end:
            phase = self._present[segment] = self._look_up(segment, now)
        return phase

    def halt(self, intervals: tuple[Interval, ...]) -> None:
        """Lay `intervals` over the calendar of every segment but commodities."""
        self._halts.extend(intervals)
        self._present.clear()

    def _look_up(self, segment: str, now: int) -> Stretch:
        plain = self._calendar.phase_at(now, segment)
        halts = [] if segment == "COMMODITY" or plain.name == "CLOSED" else self._halts
        over = next((halt for halt in halts if halt.start <= now < halt.end), None)
        if over:
            return Interval(over.name, over.start, min(over.end, self._session_end(segment, now)))
        after = min((halt.start for halt in halts if halt.start > now), default=plain.end)
        return Interval(str(plain.name), plain.start, min(plain.end, after))

    def _session_end(self, segment: str, now: int) -> int:
        phase = self._calendar.phase_at(now, segment)
        while phase.name not in {"CLOSED", "POST_CLOSE"}:
            phase = self._calendar.phase_at(phase.end, segment)
        return phase.start
