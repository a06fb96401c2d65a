"""When each task comes next, on our clock and the market's calendar; last and next run are rows, never pickles.

The rows lie in `operations/maintenance.db`, in the store's table `tasks`: the schedule belongs to this data folder on
this machine, so neither to one book's database nor to a server that several machines share.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import msgspec

from aitrade.core.clock import MINUTE, SECOND, Clock, at, ist, ist_date
from aitrade.core.errors import UnknownDate
from aitrade.market.calendar import Calendar, Segment
from aitrade.ops.maintenance.task import Outcome, Status
from aitrade.ops.maintenance.timetable import Row, Timetable
from aitrade.store.database import connect, upgrade
from aitrade.store.tables import tasks

AGAIN = 60 * MINUTE
"""When a task that could not run, or was stopped, comes again."""


class Planned(msgspec.Struct, frozen=True):
    """A row: times in ns UTC, 0 for never (last) and not known (next)."""

    name: str
    last_run: int = 0
    next_run: int = 0
    status: str = ""
    detail: str = ""
    runs: int = 0


class Schedule:
    """The rows of one data folder; call `close` when done."""

    def __init__(self, home: Path, clock: Clock, table: Timetable) -> None:
        folder = home / "operations"
        folder.mkdir(parents=True, exist_ok=True)
        self._engine = connect(f"sqlite:///{(folder / 'maintenance.db').as_posix()}", writing=True)
        upgrade(self._engine)
        self._clock = clock
        self._table = table
        self._calendar = Calendar.load(home)

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def rows(self) -> dict[str, Planned]:
        """Return every row there is, by name; emergencies too."""
        with self._engine.begin() as connection:
            found = connection.execute(tasks.select()).mappings()
            return {row["name"]: Planned(**row) for row in found}

    def plan(self) -> list[tuple[Row, Planned]]:
        """Return every scheduled task with its row, in order; one without a next time is planned from now on."""
        known = self.rows()
        return [(row, self._planned(row, known.get(row.name))) for row in self._scheduled()]

    def due(self) -> list[Row]:
        """Return the tasks whose time has come and that are over before the market opens.

        Raises UnknownDate when the calendar does not reach this day.
        """
        now = self._clock.now()
        come = [row for row, planned in self.plan() if 0 < planned.next_run <= now]
        return [row for row in come if self.quiet(now, row.seconds)]

    def ran(self, row: Row, outcome: Outcome) -> Planned:
        """Keep how a task went and when it comes next: after now, so that what was missed is caught up once."""
        now, before = self._clock.now(), self.rows().get(row.name, Planned(row.name))
        following = self.next_time(row, now)
        if following and outcome.status in (Status.SKIPPED, Status.STOPPED):
            following = min(following, now + AGAIN)
        ran = outcome.status is not Status.SKIPPED
        return self.keep(
            Planned(
                row.name, outcome.began if ran else before.last_run, following, outcome.status, outcome.says,
                before.runs + ran,
            )
        )  # fmt: skip

    def keep(self, planned: Planned) -> Planned:
        """Write a row over the one of its name."""
        with self._engine.begin() as connection:
            connection.execute(tasks.delete().where(tasks.c.name == planned.name))
            connection.execute(tasks.insert().values(**msgspec.structs.asdict(planned)))
        return planned

    def next_time(self, row: Row, after: int) -> int:
        """Return when a task comes next after `after`, ns UTC; 0 for emergencies and beyond the calendar."""
        if row.cadence == "emergency":
            return 0
        try:
            return next(moment for moment in self._times(row, after) if self._right_day(row, ist_date(moment)))
        except UnknownDate:
            return 0

    def quiet(self, start: int, seconds: float) -> bool:
        """Return whether nothing trades from `start` for `seconds`, nor soon after; raise UnknownDate."""
        end = start + round(seconds * SECOND) + self._table.clear_minutes * MINUTE
        days = {ist_date(start), ist_date(end)}
        return all(end <= opens or start >= closes for opens, closes in self._hours(days))

    def _hours(self, days: set[date]) -> Iterator[tuple[int, int]]:
        for day in days:
            for segment in self._table.segments:
                if self._calendar.is_trading_day(day, segment):
                    phases = self._calendar.session(day, segment).phases
                    yield phases[0].start, max(phase.end for phase in phases)

    def _right_day(self, row: Row, day: date) -> bool:
        return row.days == "every" or self._calendar.is_trading_day(day, Segment.CASH)

    def _times(self, row: Row, after: int) -> Iterator[int]:
        from apscheduler.triggers.cron import CronTrigger

        trigger = CronTrigger(timezone="Asia/Kolkata", **self._table.when(row.cadence).at)
        moment = ist(after) + timedelta(microseconds=1)
        while (found := trigger.get_next_fire_time(None, moment)) is not None:
            yield at(found.date(), found.strftime("%H:%M:%S"))
            moment = found + timedelta(seconds=1)

    def _planned(self, row: Row, known: Planned | None) -> Planned:
        if known and known.next_run:
            return known
        following = self.next_time(row, self._clock.now())
        return self.keep(msgspec.structs.replace(known or Planned(row.name), next_run=following))

    def _scheduled(self) -> list[Row]:
        timed = {one.name for one in self._table.cadence}
        return [row for row in self._table.task if row.cadence in timed]


@contextmanager
def schedule_of(home: Path, clock: Clock, table: Timetable) -> Iterator[Schedule]:
    """Open the schedule for a while."""
    schedule = Schedule(home, clock, table)
    try:
        yield schedule
    finally:
        schedule.close()
