"""The trading calendar: which days trade, in which phases, by segment, with the dates from which a rule holds.

A date before the first published year is judged by its weekday and stamped ASSUMED; one after the last is
`UnknownDate`.
Facts: `facts/sessions.toml`, `facts/days.toml`; a file of the same name in the data folder's `facts/` replaces one.
"""

import tomllib
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from aitrade.core.clock import DAY, at, ist_date
from aitrade.core.errors import Refused, UnknownDate
from aitrade.core.instruments import Exchange, Instrument

_PACKAGED = Path(__file__).with_name("facts")
_SUNDAY_IN_MARCH, _SUNDAY_IN_NOVEMBER = 2, 1
"""US daylight saving runs from the second Sunday of March to the first of November (Energy Policy Act of 2005)."""


class Segment(StrEnum):
    """What trades in the same sessions."""

    CASH = "CASH"
    CASH_FNO = "CASH_FNO"
    """Stocks that have derivatives: a closing auction from 2026-08-03."""
    DERIVATIVES = "DERIVATIVES"
    COMMODITY = "COMMODITY"


class PhaseName(StrEnum):
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


class Session(msgspec.Struct, frozen=True):
    """The phases of one segment on one day, in order; gaps between them are CLOSED."""

    day: date
    segment: Segment
    phases: tuple[Phase, ...]
    special: str = ""
    """What makes the day special, such as Muhurat."""
    assumed: bool = False
    note: str = ""

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


class _Row(msgspec.Struct, frozen=True, rename={"start": "from"}):
    segments: list[Segment]
    phases: list[tuple[PhaseName, str, str]]
    source: str
    confidence: str
    start: date = date.min
    us_daylight_saving: bool = True


class _Sessions(msgspec.Struct, frozen=True):
    sessions: list[_Row]


class _Known(msgspec.Struct, frozen=True):
    equity: list[int]
    commodity: list[int]
    source: str
    confidence: str


class _NoSettlement(msgspec.Struct, frozen=True):
    days: list[date]
    source: str
    confidence: str


class _Special(msgspec.Struct, frozen=True):
    day: date
    what: str
    phases: list[tuple[PhaseName, str, str]]


class _Commodity(msgspec.Struct, frozen=True):
    closed: list[date]
    morning_only: list[date]
    evening_only: list[date]
    evening_starts: str
    source: str
    confidence: str


class _Days(msgspec.Struct, frozen=True):
    known: _Known
    holidays: dict[date, str]
    no_settlement: _NoSettlement
    special: list[_Special]
    commodity: _Commodity


def read_facts(name: str, folder: Path | None) -> dict[str, Any]:
    """Return a facts file of the package, or the one that replaces it in `folder`/facts; raise Refused when damaged."""
    own = folder / "facts" / name if folder else None
    path = own if own is not None and own.is_file() else _PACKAGED / name
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{path} is not read: {error}. Correct that line, or remove the file.") from None


def facts(name: str, folder: Path | None, shape: type[Any]) -> Any:
    """Return a facts file as `shape`; raise Refused naming what does not fit."""
    try:
        return msgspec.convert(read_facts(name, folder), shape)
    except msgspec.ValidationError as error:
        raise Refused(f"facts/{name} does not fit: {error}. Correct it, or remove the file.") from None


class Calendar:
    """Days, sessions and phases. Sessions are kept once they were asked for: a phase costs a look-up."""

    def __init__(self, sessions: _Sessions, days: _Days) -> None:
        self._rows = sorted(sessions.sessions, key=lambda row: row.start)
        self._days = days
        self._special = {special.day: special for special in days.special}
        self._kept: dict[tuple[date, Segment], Session | None] = {}
        self._phase: dict[Segment, Phase] = {}

    @classmethod
    def load(cls, folder: Path | None = None) -> "Calendar":
        """Return the calendar of the package, with the facts that `folder` replaces."""
        return cls(facts("sessions.toml", folder, _Sessions), facts("days.toml", folder, _Days))

    def known_until(self, segment: Segment) -> date:
        """Return the last day whose holidays are published."""
        known = self._days.known
        years = known.commodity if segment is Segment.COMMODITY else known.equity
        return date(max(years), 12, 31)

    def is_trading_day(self, day: date, segment: Segment) -> bool:
        """Return whether the segment trades on `day`; raise UnknownDate beyond what is published."""
        return self._session(day, segment) is not None

    def session(self, day: date, segment: Segment) -> Session:
        """Return the session; raise UnknownDate beyond what is published, Refused for a day that does not trade."""
        session = self._session(day, segment)
        if session is None:
            why = self._days.holidays.get(day) or f"{day:%A}"
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
        """Return when trades of `day` settle: T+1, the next trading day on which banks and depositories work."""
        following = self.next_trading_day(day, Segment.CASH)
        while following in self._days.no_settlement.days:
            following = self.next_trading_day(following, Segment.CASH)
        return following

    def _step(self, day: date, segment: Segment, by: timedelta) -> date:
        day += by
        while not self.is_trading_day(day, segment):
            day += by
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
        if day > self.known_until(segment):
            text = f"Holidays after {self.known_until(segment)} are not published in this version; update aitrade."
            raise UnknownDate(f"{day} is beyond the calendar: {text}")
        if segment is Segment.COMMODITY:
            return self._commodity(day)
        special = self._special.get(day)
        if special is not None:
            return Session(day, segment, _phases(day, special.phases), special.what, self._is_assumed(day, segment))
        if day in self._days.holidays or day.weekday() >= _SATURDAY:
            return None
        row = self._row(day, segment)
        note = f"Single source: {row.source}" if row.confidence == "B" else ""
        return Session(day, segment, _phases(day, row.phases), "", self._is_assumed(day, segment), note)

    def _commodity(self, day: date) -> Session | None:
        facts_ = self._days.commodity
        if day.weekday() >= _SATURDAY or day in facts_.closed:
            return None
        row = self._row(day, Segment.COMMODITY)
        (name, start, end), *_rest = row.phases
        special = ""
        if day in facts_.morning_only:
            end, special = facts_.evening_starts, "morning session only"
        if day in facts_.evening_only:
            start, special = facts_.evening_starts, "evening session only"
        return Session(
            day,
            Segment.COMMODITY,
            _phases(day, [(name, start, end)]),
            special,
            self._is_assumed(day, Segment.COMMODITY),
        )

    def _row(self, day: date, segment: Segment) -> _Row:
        saving = us_daylight_saving(day)
        rows = [
            row
            for row in self._rows
            if segment in row.segments
            and row.start <= day
            and (segment is not Segment.COMMODITY or row.us_daylight_saving == saving)
        ]
        return rows[-1]

    def _is_assumed(self, day: date, segment: Segment) -> bool:
        known = self._days.known
        return day.year < min(known.commodity if segment is Segment.COMMODITY else known.equity)


_SATURDAY = 5


def _phases(day: date, rows: list[tuple[PhaseName, str, str]]) -> tuple[Phase, ...]:
    return tuple(Phase(name, at(day, start), at(day, end)) for name, start, end in rows)


def us_daylight_saving(day: date) -> bool:
    """Return whether US daylight saving time is on: the MCX evening then ends earlier."""
    return _sunday(day.year, 3, _SUNDAY_IN_MARCH) <= day < _sunday(day.year, 11, _SUNDAY_IN_NOVEMBER)


def _sunday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((6 - first.weekday()) % 7 + 7 * (number - 1))
