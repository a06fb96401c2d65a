"""When an instrument trades on a day, by the calendar, or by regular hours where the calendar does not say."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, Protocol

from aitrade.core.clock import at
from aitrade.core.errors import Refused


class Span(NamedTuple):
    """Continuous trading of a day, ns UTC, end exclusive; `assumed` where the calendar does not know the day."""

    open: int
    close: int
    assumed: bool


class Sessions(Protocol):
    """What hours are asked of: `market.calendar.Calendar`."""

    def session(self, day: date, segment: Any) -> Any:
        """Return the session of `day`; raise Refused on a holiday, UnknownDate beyond what is published."""
        ...


@cache
def _table() -> dict[str, list[dict[str, Any]]]:
    text = files("aitrade.market.importing").joinpath("hours.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def segment_name(key: str) -> str:
    """Return cash, derivatives or commodity for an instrument's key."""
    return {"NFO": "derivatives", "BFO": "derivatives", "MCX": "commodity"}.get(key.split(":", 1)[0], "cash")


class Hours:
    """Hours by (instrument, day), asked of the calendar once each."""

    def __init__(self, calendar: Sessions | None = None) -> None:
        self._calendar = calendar
        self._known: dict[tuple[str, str], Span] = {}

    def of(self, key: str, day: str) -> Span:
        """Return when `key` trades on ISO `day`."""
        segment = segment_name(key)
        if (segment, day) not in self._known:
            self._known[segment, day] = self._ask(segment, day)
        return self._known[segment, day]

    def _ask(self, segment: str, day: str) -> Span:
        if self._calendar is None:
            return regular(segment, day)
        from aitrade.market.calendar import Segment

        try:
            session = self._calendar.session(date.fromisoformat(day), Segment[segment.upper()])
        except Refused:
            return regular(segment, day)
        return Span(session.open, session.close, session.assumed)


@cache
def regular(segment: str, day: str) -> Span:
    """Return the regular hours of those years, whatever the calendar says of `day`."""
    table = _table()[segment]
    row = next((row for row in reversed(table) if row["from"].isoformat() <= day), table[0])
    return Span(at(day, row["open"]), at(day, row["close"]), assumed=True)
