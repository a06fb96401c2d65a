"""When an instrument trades on a day, by the calendar, or by regular hours where the calendar calls the day closed."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from aitrade.core.clock import MINUTE, at
from aitrade.core.errors import Refused, UnknownDate
from aitrade.market.calendar import Calendar, PhaseName, Segment
from aitrade.market.rules import Rules


class Hours(NamedTuple):
    """Continuous trading of a day: (open, close) in ns UTC, close exclusive; `assumed` where nobody published it."""

    spans: tuple[tuple[int, int], ...]
    assumed: bool

    def bars(self, minutes: int) -> int:
        """Return how many bars of `minutes` the day has when every one of them traded."""
        return sum(-(-(close - start) // (minutes * MINUTE)) for start, close in self.spans)


_SEGMENTS = {
    "NFO": Segment.DERIVATIVES,
    "BFO": Segment.DERIVATIVES,
    "MCX": Segment.COMMODITY,
}


class Sessions:
    """Hours by (segment, day), asked of the calendar once each."""

    def __init__(self, calendar: Calendar | None = None, rules: Rules | None = None) -> None:
        self.calendar = calendar or Calendar.load()
        self._rules = rules or Rules.load()
        self._known: dict[tuple[Segment, str], Hours] = {}

    def of(self, key: str, day: str) -> Hours:
        """Return when `key` trades on ISO `day`."""
        segment = self.segment(key, day)
        if (segment, day) not in self._known:
            self._known[segment, day] = self._ask(segment, day)
        return self._known[segment, day]

    def segment(self, key: str, day: str) -> Segment:
        """Return the segment of `key`: a stock has derivatives where the rules know a lot of it."""
        exchange, symbol = key.split(":", 1)
        if exchange in _SEGMENTS:
            return _SEGMENTS[exchange]
        return Segment.CASH_FNO if self._rules.lot(date.fromisoformat(day), symbol) else Segment.CASH

    def trades(self, key: str, day: str) -> bool | None:
        """Return whether the calendar has a session on `day`; None where that is not published."""
        try:
            session = self.calendar.session(date.fromisoformat(day), self.segment(key, day))
        except UnknownDate:
            return None
        except Refused:
            return False
        return None if session.assumed else True

    def _ask(self, segment: Segment, day: str) -> Hours:
        try:
            session = self.calendar.session(date.fromisoformat(day), segment)
        except Refused:
            return regular(segment, day)
        spans = tuple((p.start, p.end) for p in session.phases if p.name is PhaseName.CONTINUOUS)
        return Hours(spans, session.assumed)


@cache
def _table() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(files("aitrade.market.importing").joinpath("hours.toml").read_text(encoding="utf-8"))


@cache
def regular(segment: Segment, day: str) -> Hours:
    """Return the regular hours of those years, whatever the calendar says of `day`."""
    table = _table()[segment.value]
    row = next((row for row in reversed(table) if row["from"].isoformat() <= day), table[0])
    return Hours(((at(day, row["open"]), at(day, row["close"])),), assumed=True)
