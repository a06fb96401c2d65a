"""A month of upkeep in a scratch folder, on a virtual clock: what ran when, and whether each report is there and opens.

The tasks, the reports and the calendar are the real ones; who trades on which day is given. Nothing of the
installation is touched: settings of the environment do not count, and no keyring is written to.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import msgspec

from aitrade.core.clock import DAY, MINUTE, ReplayClock, at, ist
from aitrade.core.errors import Refused, UnknownDate
from aitrade.market.calendar import Calendar, Segment
from aitrade.ops.maintenance.job import Job, perform
from aitrade.ops.maintenance.process import Scheduler
from aitrade.ops.maintenance.runner import Perform
from aitrade.ops.maintenance.schedule import Schedule, schedule_of
from aitrade.ops.maintenance.task import Outcome, Status
from aitrade.ops.maintenance.timetable import load
from aitrade.ops.reports import manifests, press
from aitrade.ops.reports.opening import faults
from aitrade.ops.reports.schedule import due_on

Trade = Callable[[Path, date], bool]
"""Trades a market day on a data folder; returns whether it did."""
Say = Callable[[str], None]


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a month came to; `ran` in order, `seconds` of this machine's time."""

    month: str
    days: list[str]
    """Trading days, ISO."""
    traded: list[str]
    ran: list[Outcome]
    reports: int
    """Reports of the schedule that are there: by name, market day and newest version."""
    missing: list[str]
    faults: list[str]
    seconds: float

    @property
    def bad(self) -> list[str]:
        """Everything that is not as it should be, a sentence each; a task that waited and came later is well."""
        newest = {one.task: one for one in self.ran}.values()
        waits = [one for one in newest if one.status in (Status.SKIPPED, Status.STOPPED)]
        ill = [one for one in self.ran if one.status in (Status.FAILED, Status.LATE)] + waits
        failed = [f"{one.task} of {ist(one.began):%d %b} was {one.status}: {one.says}" for one in ill]
        return [*failed, *(f"{name} was not made." for name in self.missing), *self.faults]


def rehearse(
    home: Path, month: date, trade: Trade, *, how: Perform | None = None, say: Say = lambda _words: None
) -> Rehearsed:
    """Live through a month in an empty folder, to the evening after it, when the month's reports are made.

    Raises Refused for a folder that is not empty, or a month that the calendar does not reach.
    """
    first, following = month.replace(day=1), (month.replace(day=1) + timedelta(days=31)).replace(day=1)
    days = _trading_days(first, following)
    if home.exists() and any(home.iterdir()):
        raise Refused(f"{home} is not empty; a rehearsal begins with an empty folder.")
    home.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with _own_environment(), press.kept(home):
        walk = _Walk(home, ReplayClock(at(first, "00:00")), days, trade, how or _here, say)
        walk.until(at(following, "00:00") + DAY)
        there = {(one.report, one.day) for one in manifests(home)}
        due = {(name, day.isoformat()) for day in days for name in due_on(Calendar.load(home), day)}
        return Rehearsed(
            month=f"{first:%Y-%m}", days=[day.isoformat() for day in days], traded=walk.traded, ran=walk.ran,
            reports=len(due & there), missing=sorted(f"{name} of {day}" for name, day in due - there),
            faults=faults(home), seconds=round(time.monotonic() - began, 1),
        )  # fmt: skip


class _Walk:
    """The clock goes from one due task, or end of a session, to the next."""

    def __init__(self, home: Path, clock: ReplayClock, days: list[date], trade: Trade, how: Perform, say: Say) -> None:
        self.ran: list[Outcome] = []
        self.traded: list[str] = []
        self._home = home
        self._clock = clock
        self._calendar = Calendar.load(home)
        self._sessions = [(self._ends(day), day) for day in days]
        self._trade = trade
        self._how = how
        self._say = say

    def until(self, end: int) -> None:
        """Live until a moment, ns UTC."""
        with schedule_of(self._home, self._clock, load(self._home)) as schedule:
            schedule.plan()
            scheduler = Scheduler(self._home, self._clock, schedule, perform=self._how)
            while self._clock.now() < end:
                self._tell(scheduler.tick())
                self._clock.advance(self._next(schedule))
                self._session()

    def _tell(self, outcomes: list[Outcome]) -> None:
        self.ran += outcomes
        for one in outcomes:
            self._say(f"{ist(one.began):%a %d %b %H:%M}  {one.task}: {one.status}. {one.says}")

    def _next(self, schedule: Schedule) -> int:
        """Return the next moment at which anything may happen; what waits for the market to close is asked again."""
        now, waits = self._clock.now(), [planned.next_run for _row, planned in schedule.plan() if planned.next_run]
        soon = min(waits)
        return min([soon if soon > now else now + 5 * MINUTE, *(ends for ends, _day in self._sessions[:1])])

    def _session(self) -> None:
        """Trade a session that ends now."""
        while self._sessions and self._sessions[0][0] <= self._clock.now():
            _ends, day = self._sessions.pop(0)
            if self._trade(self._home, day):
                self.traded.append(day.isoformat())
                self._say(f"{day:%a %d %b}        traded")

    def _ends(self, day: date) -> int:
        return max(phase.end for phase in self._calendar.session(day, Segment.CASH_FNO).phases)


def _trading_days(first: date, following: date) -> list[date]:
    calendar = Calendar.load()
    days = [first + timedelta(days=number) for number in range((following - first).days)]
    try:
        calendar.next_trading_day(following, Segment.CASH_FNO)
        return [day for day in days if calendar.is_trading_day(day, Segment.CASH_FNO)]
    except UnknownDate as unknown:
        raise Refused(f"{first:%B %Y} cannot be rehearsed: {unknown}") from None


def _here(job: Job, _seconds: float) -> Outcome:
    """Do a job in this process: a child for each of a month's tasks would only start and end."""
    return perform(job)


@contextmanager
def _own_environment() -> Iterator[None]:
    """Let no setting of this installation count, and no keyring be written to, for a while."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AITRADE_")]:
        del os.environ[name]
    os.environ |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "AITRADE_PRINT_REPORTS": "false"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
