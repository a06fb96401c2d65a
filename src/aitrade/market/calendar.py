"""The trading calendar: which days trade, in which phases, by segment, with the dates from which a rule holds.

A date before the first known year is judged by its weekday and stamped ASSUMED; one after the last is `UnknownDate`.
Facts: `facts/sessions.toml` and `facts/days.toml`; files of the same names in a data folder's `facts/` go over them.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import msgspec

from aitrade.core.clock import DAY, at, ist_date
from aitrade.core.errors import DataRefused, Refused, UnknownDate
from aitrade.core.instruments import Exchange, Instrument
from aitrade.core.words import Word
from aitrade.market.dated import Confidence, Row, Through, facts

_SATURDAY = 5
_WEEK = timedelta(7)


class Segment(Word):
    """What trades in the same sessions."""

    CASH = "CASH"
    CASH_FNO = "CASH_FNO"
    """Stocks that have derivatives: a closing auction from 2026-08-03."""
    DERIVATIVES = "DERIVATIVES"
    COMMODITY = "COMMODITY"


class PhaseName(Word):
    """What the market does at a moment."""

    PRE_OPEN = "PRE_OPEN"
    PRE_OPEN_LIMIT_ONLY = "PRE_OPEN_LIMIT_ONLY"
    PRE_OPEN_MATCH = "PRE_OPEN_MATCH"
    BUFFER = "BUFFER"
    CONTINUOUS = "CONTINUOUS"
    AUCTION_REFERENCE = "AUCTION_REFERENCE"
    AUCTION = "AUCTION"
    AUCTION_LIMIT_ONLY = "AUCTION_LIMIT_ONLY"
    AUCTION_MATCH = "AUCTION_MATCH"
    POST_CLOSE = "POST_CLOSE"
    CLOSED = "CLOSED"


class Phase(msgspec.Struct, frozen=True):
    """A phase and its bounds in ns UTC, the end exclusive."""

    name: PhaseName
    start: int
    end: int
    random_from: int = 0
    """From when order entry may end at a random moment before `end`; 0 where it does not."""


class Session(msgspec.Struct, frozen=True):
    """The phases of one segment on one day, in order; gaps between them are CLOSED."""

    day: date
    segment: Segment
    phases: tuple[Phase, ...]
    special: str = ""
    """What makes the day special, such as Muhurat."""
    assumed: bool = False
    """The day lies before what is known, or its hours were never verified; `note` says which."""
    note: str = ""
    close_vwap: tuple[int, int] | None = None
    """Start and end (ns UTC) of the trades whose average is the closing price; None where an auction makes it."""

    @property
    def open(self) -> int:
        """When continuous trading first starts, ns UTC."""
        return next(phase.start for phase in self.phases if phase.name is PhaseName.CONTINUOUS)

    @property
    def close(self) -> int:
        """When continuous trading last ends, ns UTC."""
        return max(phase.end for phase in self.phases if phase.name is PhaseName.CONTINUOUS)

    def phase(self, ts: int) -> Phase:
        """Return the phase at `ts` (ns UTC); CLOSED phases reach to their neighbours, or to the day's midnights."""
        begin = at(self.day, "00:00")
        for phase in self.phases:
            if ts < phase.start:
                return Phase(PhaseName.CLOSED, begin, phase.start)
            if ts < phase.end:
                return phase
            begin = phase.end
        return Phase(PhaseName.CLOSED, begin, at(self.day, "00:00") + DAY)


def segment_of(instrument: Instrument) -> Segment:
    """Return the segment that an instrument trades in."""
    if instrument.exchange is Exchange.MCX:
        return Segment.COMMODITY
    if instrument.is_derivative:
        return Segment.DERIVATIVES
    return Segment.CASH_FNO if instrument.has_derivatives else Segment.CASH


class _Span(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: PhaseName
    start: str
    end: str
    random_from: str = ""


class _Hours(Row, frozen=True, kw_only=True):
    phases: list[_Span]
    segments: tuple[Segment, ...] = ()
    close_vwap: tuple[str, str] | None = None


class _Evening(Row, frozen=True, kw_only=True):
    daylight_saving: str
    standard: str


class _Sessions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sessions: list[_Hours]
    futures_pre_open: list[_Hours]
    us_evening: list[_Evening]


class _Known(Row, frozen=True, kw_only=True):
    segments: list[Segment]
    until: date


class _Some(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: str
    confidence: Confidence
    note: str = ""


class _Special(_Some, frozen=True, kw_only=True):
    day: date
    what: str
    segments: list[Segment]
    phases: list[_Span] = []


class _Part(_Some, frozen=True, kw_only=True):
    what: str
    segments: list[Segment]
    days: list[date]
    window: tuple[str, str]


class _NoSettlement(_Some, frozen=True, kw_only=True):
    days: list[date]


class _Cycle(Row, frozen=True, kw_only=True):
    days: int


class _Days(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    known: list[_Known]
    holidays: dict[date, str]
    commodity_holidays: dict[date, str]
    part: list[_Part]
    special: list[_Special]
    settlement_cycle: list[_Cycle]
    no_settlement: list[_NoSettlement]


class Calendar:
    """Days, sessions and phases. What was asked for is kept: a phase costs a look-up."""

    def __init__(self, sessions: _Sessions, days: _Days) -> None:
        self._hours = {one: Through(row for row in sessions.sessions if one in row.segments) for one in Segment}
        self._futures_pre_open = Through(sessions.futures_pre_open)
        self._evening = Through(sessions.us_evening)
        self._known = {one: Through(row for row in days.known if one in row.segments) for one in Segment}
        self._holidays = {day: name for day, name in days.holidays.items() if name}
        self._commodity_holidays = {day: name for day, name in days.commodity_holidays.items() if name}
        self._special = {(one, row.day): row for row in days.special for one in row.segments}
        self._part = {(one, day): row for row in days.part for one in row.segments for day in row.days}
        self._cycle = Through(days.settlement_cycle)
        self._no_settlement = {day for row in days.no_settlement for day in row.days}
        self._kept: dict[tuple[date, Segment], Session | None] = {}
        self._phase: dict[Segment, Phase] = {}

    @classmethod
    def load(cls, folder: Path | None = None) -> "Calendar":
        """Return the calendar of the package, with the facts of `folder` over it; raise DataRefused when damaged."""
        calendar = cls(facts("sessions.toml", folder, _Sessions), facts("days.toml", folder, _Days))
        calendar.check()
        return calendar

    def known_until(self, segment: Segment) -> date:
        """Return the last day whose holidays are published."""
        return max(row.until for row in self._known[segment].rows)

    def is_trading_day(self, day: date, segment: Segment) -> bool:
        """Return whether the segment trades on `day`; raise UnknownDate beyond what is published."""
        return self._session(day, segment) is not None

    def session(self, day: date, segment: Segment) -> Session:
        """Return the session; raise UnknownDate beyond what is published, Refused for a day that does not trade."""
        session = self._session(day, segment)
        if session is None:
            why = self._holiday(day, segment) or f"{day:%A}"
            following = self.next_trading_day(day, segment)
            raise Refused(f"{day} is no trading day ({why}); the next is {following}.")
        return session

    def phase_at(self, ts: int, segment: Segment) -> Phase:
        """Return the phase at `ts` (ns UTC): CLOSED on days without trading, and beyond what is published."""
        kept = self._phase.get(segment)
        if kept is not None and kept.start <= ts < kept.end:
            return kept
        phase = self._phase[segment] = self._find_phase(ts, segment)
        return phase

    def next_trading_day(self, day: date, segment: Segment) -> date:
        """Return the first trading day after `day`."""
        return self._step(day, segment, timedelta(1))

    def previous_trading_day(self, day: date, segment: Segment) -> date:
        """Return the last trading day before `day`."""
        return self._step(day, segment, timedelta(-1))

    def settlement_day(self, day: date) -> date:
        """Return when trades of `day` settle: T+1 (T+2 before 2023-01-27), counting days on which banks settle."""
        for _ in range(self._cycle.at(day).days):
            day += timedelta(1)
            while not self.settles(day):
                day += timedelta(1)
        return day

    def settles(self, day: date) -> bool:
        """Return whether shares and money change hands on `day`: not at weekends, on holidays or bank closings."""
        if day > self._known[Segment.CASH].at(day).until:
            raise self._unknown(day, Segment.CASH)
        return day.weekday() < _SATURDAY and day not in self._holidays and day not in self._no_settlement

    def futures_pre_open(self, day: date) -> tuple[Phase, ...]:
        """Return the call auction that opens the current month's futures; none before 2025-12-08."""
        row = self._futures_pre_open.at(day)
        ordinary = self.is_trading_day(day, Segment.DERIVATIVES) and (Segment.DERIVATIVES, day) not in self._special
        return self._phases(day, row.phases) if ordinary and day >= row.start else ()

    def check(self) -> None:
        """Raise DataRefused for phases that overlap, run backwards or never trade."""
        for rows in self._hours.values():
            for row in rows.rows:
                _check(f"the session from {row.start}", self._phases(row.start, row.phases))
        for special in self._special.values():
            if special.phases:
                _check(f"{special.what} on {special.day}", self._phases(special.day, special.phases))

    def _step(self, day: date, segment: Segment, by_: timedelta) -> date:
        day += by_
        while not self.is_trading_day(day, segment):
            day += by_
        return day

    def _find_phase(self, ts: int, segment: Segment) -> Phase:
        day = ist_date(ts)
        midnight = at(day, "00:00")
        closed = Phase(PhaseName.CLOSED, midnight, midnight + DAY)
        try:
            session = self._session(day, segment)
        except UnknownDate:
            return closed
        return session.phase(ts) if session else closed

    def _session(self, day: date, segment: Segment) -> Session | None:
        key = (day, segment)
        if key not in self._kept:
            self._kept[key] = self._made(day, segment)
        return self._kept[key]

    def _made(self, day: date, segment: Segment) -> Session | None:
        if day > self._known[segment].at(day).until:
            raise self._unknown(day, segment)
        special = self._special.get((segment, day))
        if special is None and (day.weekday() >= _SATURDAY or self._holiday(day, segment)):
            return None
        hours, part = self._hours[segment].at(day), self._part.get((segment, day))
        own = special.phases if special else []
        phases = self._phases(day, own or hours.phases)
        if part:
            phases = _cut(phases, at(day, part.window[0]), at(day, part.window[1]))
        doubts = self._doubts(day, segment, special)
        return Session(
            day=day,
            segment=segment,
            phases=phases,
            special=special.what if special else part.what if part else "",
            assumed=bool(doubts),
            note=" ".join([*doubts, hours.note]).strip(),
            close_vwap=None if own or part else _window(day, hours.close_vwap),
        )

    def _doubts(self, day: date, segment: Segment, special: _Special | None) -> list[str]:
        """Return why the session of `day` is ASSUMED, a sentence each."""
        doubts = []
        if special and special.confidence == "M":
            doubts.append(special.note or f"The hours of {special.what} on {day} are not verified ({special.source}).")
        if day < (known := self._known[segment].at(day)).start:
            doubts.append(f"The {segment} holidays before {known.start} are not known: weekdays count as trading days.")
        elif known.confidence == "M":
            doubts.append(f"The {segment} holidays of {day.year} are not verified ({known.source}).")
        if self._hours[segment].assumed(day):
            doubts.append(f"The {segment} hours of {day} are not known: those of later are used.")
        return doubts

    def _holiday(self, day: date, segment: Segment) -> str:
        holidays = self._commodity_holidays if segment is Segment.COMMODITY else self._holidays
        return holidays.get(day, "")

    def _unknown(self, day: date, segment: Segment) -> UnknownDate:
        known = self.known_until(segment)
        return UnknownDate(
            f"{day} is beyond the calendar: {segment} holidays are published until {known}. "
            "Update aitrade, or give the year's holidays in facts/days.toml of the data folder."
        )

    def _phases(self, day: date, spans: Iterable[_Span]) -> tuple[Phase, ...]:
        return tuple(
            Phase(
                one.name,
                at(day, one.start),
                self._end(day, one.end),
                at(day, one.random_from) if one.random_from else 0,
            )
            for one in spans
        )

    def _end(self, day: date, end: str) -> int:
        if end != "US":
            return at(day, end)
        row = self._evening.at(day)
        return at(day, row.daylight_saving if us_daylight_saving(day) else row.standard)


def _cut(phases: Iterable[Phase], start: int, end: int) -> tuple[Phase, ...]:
    return tuple(
        Phase(one.name, max(one.start, start), min(one.end, end), one.random_from)
        for one in phases
        if one.start < end and one.end > start
    )


def _window(day: date, bounds: tuple[str, str] | None) -> tuple[int, int] | None:
    return (at(day, bounds[0]), at(day, bounds[1])) if bounds else None


def _check(what: str, phases: tuple[Phase, ...]) -> None:
    bounds = [bound for phase in phases for bound in (phase.start, phase.end)]
    trades = any(phase.name is PhaseName.CONTINUOUS for phase in phases)
    if not trades or bounds != sorted(bounds) or any(phase.start == phase.end for phase in phases):
        raise DataRefused(f"The phases of {what} do not follow each other, or never trade. Correct them in facts/.")


def us_daylight_saving(day: date) -> bool:
    """Return whether US daylight saving time is on: second Sunday of March to first of November (since 2007)."""
    return _sunday_from(date(day.year, 3, 8)) <= day < _sunday_from(date(day.year, 11, 1))


def _sunday_from(day: date) -> date:
    return day + timedelta((6 - day.weekday()) % _WEEK.days)
