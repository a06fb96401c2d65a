"""What the close is made of: volume-weighted average prices of the day's dated windows.

Where a closing auction ends the day, its window (`market/facts/exchange.toml`) makes the auction's reference, and the
auction's print is the close. Elsewhere, and before there was an auction, the average over the session's `close_vwap`
(`market/facts/sessions.toml`) is the close itself.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

from aitrade.brokers.simulator.facts import Facts
from aitrade.core.clock import at, ist_date
from aitrade.core.errors import Refused
from aitrade.core.instruments import Instrument
from aitrade.core.money import half_up
from aitrade.core.quotes import Tick
from aitrade.market.calendar import Calendar, PhaseName, Segment, Session, segment_of


class Window(msgspec.Struct, frozen=True):
    """From when to when prints count, and from when an auction's print is the close (0: there is none), ns UTC."""

    start: int = 0
    end: int = 0
    match: int = 0


class Average:
    """Units and value (paise) of an instrument's prints in its window."""

    __slots__ = ("end", "start", "units", "value")

    def __init__(self, window: Window) -> None:
        self.start, self.end = window.start, window.end
        self.units = self.value = 0


NOTHING = Window()
_SEGMENTS = (Segment.CASH, Segment.CASH_FNO)
"""What has an auction at the close, or a session after it."""


class Closing:
    """The averages of one day at a time."""

    def __init__(self, calendar: Calendar, facts: Facts, instruments: Mapping[str, Instrument]) -> None:
        self._calendar = calendar
        self._facts = facts
        self._instruments = instruments
        self._averages: dict[str, Average] = {}
        self._windows: dict[Segment, Window] = {}
        self._until = self._midnight = 0
        self.since = 0
        """Prints from then on have to be noted; none before it does anything, ns UTC."""

    def note(self, tick: Tick) -> None:
        """Take a print in, if it lies in its instrument's window."""
        if tick.ts >= self._midnight:
            self._begin(ist_date(tick.ts))
        if not self.since <= tick.ts < self._until or not tick.quantity:
            return
        average = self._averages.get(tick.instrument) or self._open(tick.instrument)
        if average.start <= tick.ts < average.end:
            average.units += tick.quantity
            average.value += tick.quantity * tick.price

    def began(self, now: int) -> int:
        """Return when the day's first window began, ns UTC; 0 before that."""
        if now >= self._midnight:
            self._begin(ist_date(now))
        return self.since if self.since <= now < self._midnight else 0

    def average(self, instrument: Instrument, now: int) -> int:
        """Return the window's average in paise, on the tick grid; 0 where nothing printed in it. `now` in ns UTC."""
        if now >= self._midnight:
            self._begin(ist_date(now))
        found = self._averages.get(instrument.key)
        if found is None or not found.units:
            return 0
        return half_up(found.value, found.units * instrument.tick) * instrument.tick

    def match(self, segment: Segment, now: int) -> int:
        """Return from when an auction's print is the segment's close, ns UTC; 0 on days without an auction."""
        if now >= self._midnight:
            self._begin(ist_date(now))
        return self._windows.get(segment, NOTHING).match

    def _begin(self, day: date) -> None:
        self._averages.clear()
        self._windows = {segment: self._window(day, segment) for segment in _SEGMENTS}
        self._midnight = at(day, "24:00")
        counted = [window for window in self._windows.values() if window.end]
        self.since = min((window.start for window in counted), default=self._midnight)
        self._until = max((window.end for window in counted), default=self._midnight)

    def _open(self, key: str) -> Average:
        instrument = self._instruments.get(key)
        window = self._windows.get(segment_of(instrument), NOTHING) if instrument else NOTHING
        average = self._averages[key] = Average(window)
        return average

    def _window(self, day: date, segment: Segment) -> Window:
        try:
            session = self._calendar.session(day, segment)
        except Refused:
            return NOTHING
        match, row = _match(session), self._facts.on(day).closing_auction
        if match and row:
            start, end = (at(day, bound) for bound in row.reference_vwap)
            return Window(start, end, match)
        return Window(*session.close_vwap) if session.close_vwap else NOTHING


def _match(session: Session) -> int:
    """Return when a closing auction's match begins; 0 in a session without one."""
    return next((phase.start for phase in session.phases if phase.name is PhaseName.AUCTION_MATCH), 0)
