"""When a report is due: after every trading day, or after the last one of its week or month."""

from datetime import date, timedelta
from pathlib import Path

import msgspec

from aitrade.core.errors import UnknownDate
from aitrade.market.calendar import Calendar, Segment
from aitrade.ops.reports.catalogue import CATALOGUE, Cadence, week_begins
from aitrade.ops.reports.production import manifests


class Due(msgspec.Struct, frozen=True):
    """One report: the market day that it is due for next, and the one that it was last made for."""

    name: str
    cadence: str
    next: str
    last: str


def schedule(home: Path, today: date) -> list[Due]:
    """Return when each report is due next, from `today` on."""
    calendar = Calendar.load(home)
    last = {one.report: one.day for one in sorted(manifests(home), key=lambda one: one.day)}
    return [
        Due(one.name, one.cadence, next_due(calendar, one.cadence, today), last.get(one.name, "–"))
        for one in CATALOGUE.values()
    ]


def next_due(calendar: Calendar, cadence: Cadence, today: date) -> str:
    """Return the next market day, ISO, that a report of a cadence is due for; says so where the calendar ends."""
    if cadence is Cadence.ASKED:
        return "when asked for"
    day = today - timedelta(days=1)
    try:
        while True:
            day = calendar.next_trading_day(day, Segment.CASH_FNO)
            if is_due(calendar, cadence, day):
                return day.isoformat()
    except UnknownDate:
        return f"not known after {calendar.known_until(Segment.CASH_FNO)}"


def due_on(calendar: Calendar, day: date) -> list[str]:
    """Return the names of the reports that are due for a trading day; raise UnknownDate beyond the calendar."""
    return [one.name for one in CATALOGUE.values() if is_due(calendar, one.cadence, day)]


def is_due(calendar: Calendar, cadence: Cadence, day: date) -> bool:
    """Return whether reports of a cadence are due for a trading day; raise UnknownDate beyond the calendar."""
    if cadence is Cadence.DAILY:
        return True
    following = calendar.next_trading_day(day, Segment.CASH_FNO)
    if cadence is Cadence.WEEKLY:
        return week_begins(following) != week_begins(day)
    return cadence is Cadence.MONTHLY and (following.year, following.month) != (day.year, day.month)
