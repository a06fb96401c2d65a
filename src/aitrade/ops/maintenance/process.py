"""The scheduler's process: `python -m aitrade.ops.maintenance.process`, `{"home": …}` as JSON on standard input.

It looks every few seconds what is due, runs it in job children outside market hours, and ends with its supervisor.
"""

import os
import signal
import sys
import threading
from pathlib import Path

import msgspec

from aitrade.core.clock import Clock, LiveClock
from aitrade.core.errors import AitradeError, Conflict, UnknownDate
from aitrade.core.files import write_private
from aitrade.ops.alerts import Severity, raise_alert, resolve
from aitrade.ops.maintenance.child import in_child
from aitrade.ops.maintenance.runner import Perform, Runner
from aitrade.ops.maintenance.schedule import Schedule, schedule_of
from aitrade.ops.maintenance.task import Outcome
from aitrade.ops.maintenance.timetable import load

LOOK_SECONDS = 5.0
CALENDAR = "calendar-ends"
"""The alert that no schedule runs because the calendar does not reach this day."""


class SchedulerSettings(msgspec.Struct, frozen=True):
    """What the process is told: the data folder."""

    home: str


class Scheduled(msgspec.Struct, frozen=True):
    """What the process leaves in `run/maintenance.json`."""

    pid: int
    port: int = 0


class Scheduler:
    """Runs what is due; `tick` is called every few seconds, or by a test that moves the clock."""

    def __init__(self, home: Path, clock: Clock, schedule: Schedule, *, perform: Perform = in_child) -> None:
        self._home = home
        self._schedule = schedule
        self._runner = Runner(home, clock, schedule, perform=perform, actor="scheduler")

    def tick(self) -> list[Outcome]:
        """Run what is due now, in the table's order; while a person's maintenance runs, nothing."""
        try:
            due = self._schedule.due()
        except UnknownDate as unknown:
            raise_alert(self._home, CALENDAR, Severity.CRITICAL, f"Maintenance does not run by itself: {unknown}")
            return []
        if not due:
            return []
        resolve(self._home, CALENDAR)
        try:
            return self._runner.run(due)
        except Conflict:
            return []


def serve(settings: SchedulerSettings, ended: threading.Event) -> None:
    """Look and run until `ended`; a look that fails is told on standard error, and the next one comes."""
    home, clock = Path(settings.home), LiveClock()
    with schedule_of(home, clock, load(home)) as schedule:
        scheduler = Scheduler(home, clock, schedule)
        schedule.plan()
        write_private(home / "run" / "maintenance.json", msgspec.json.encode(Scheduled(os.getpid())))
        while not ended.wait(LOOK_SECONDS):
            try:
                scheduler.tick()
            except (AitradeError, OSError) as error:
                sys.stderr.write(f"A look at the schedule failed: {error}\n")


def main() -> None:
    """Read settings from standard input and serve."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _end(ended))
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=SchedulerSettings)
    try:
        serve(settings, ended)
    except AitradeError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)


def _end(ended: threading.Event) -> None:
    """End a look that waits, and a job that runs: it takes itself back."""
    if ended.is_set():
        return
    ended.set()
    sys.exit(0)


if __name__ == "__main__":
    main()
