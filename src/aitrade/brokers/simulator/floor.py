"""The trading floor: the calendar's phases, and over them the market-wide halts that a circuit breaker calls."""

from aitrade.brokers.simulator.facts import Interval
from aitrade.brokers.simulator.phases import Stretch
from aitrade.market.calendar import Calendar, Segment


class Floor:
    """Tells the phase of a segment; remembers the present one, for it is asked at every message."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._halts: list[Interval] = []
        self._present: dict[Segment, Stretch] = {}

    def phase(self, segment: Segment, now: int) -> Stretch:
        """Return the phase of `segment` at `now`, ns UTC."""
        phase = self._present.get(segment)
        if phase is None or not phase.start <= now < phase.end:
            phase = self._present[segment] = self._look_up(segment, now)
        return phase

    def halt(self, intervals: tuple[Interval, ...]) -> None:
        """Lay `intervals` over the calendar of every segment but commodities."""
        self._halts.extend(intervals)
        self._present.clear()

    def _look_up(self, segment: Segment, now: int) -> Stretch:
        plain = self._calendar.phase_at(now, segment)
        halts = [] if segment is Segment.COMMODITY or plain.name == "CLOSED" else self._halts
        over = next((halt for halt in halts if halt.start <= now < halt.end), None)
        if over:
            return Interval(over.name, over.start, min(over.end, self._session_end(segment, now)))
        after = min((halt.start for halt in halts if halt.start > now), default=plain.end)
        return Interval(str(plain.name), plain.start, min(plain.end, after))

    def _session_end(self, segment: Segment, now: int) -> int:
        phase = self._calendar.phase_at(now, segment)
        while phase.name not in {"CLOSED", "POST_CLOSE"}:
            phase = self._calendar.phase_at(phase.end, segment)
        return phase.start
