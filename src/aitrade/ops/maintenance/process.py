"""The scheduler's process: `python -m aitrade.ops.maintenance.process`, `{"home": …}` as JSON on standard input.

It looks every few seconds what is due, runs it in job children outside market hours, and ends with its supervisor.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from aitrade.core import logs
from aitrade.core.clock import Clock, LiveClock
from aitrade.core.errors import AitradeError, Conflict, UnknownDate
from aitrade.core.files import write_private
from aitrade.core.lifeline import tie
from aitrade.ops.alerts import Severity, raise_alert, resolve
from aitrade.ops.maintenance.child import in_child
from aitrade.ops.maintenance.monitors import Monitors
from aitrade.ops.maintenance.runner import Perform, Runner
from aitrade.ops.maintenance.schedule import Schedule, schedule_of
from aitrade.ops.maintenance.task import Outcome
from aitrade.ops.maintenance.timetable import load
from aitrade.ops.maintenance.vitals import Pulse

_log = logs.get(__name__)
LOOK_SECONDS = 2.0
WATCH_SECONDS = 15.0
EMERGENCY = "emergency-maintenance"
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
        self._clock = clock
        self._schedule = schedule
        self._runner = Runner(home, clock, schedule, perform=perform, actor="scheduler")

    def tick(self) -> list[Outcome]:
        """Run what is due now, in the table's order; while a person's maintenance runs, nothing.

        Those before it may have taken long: each is begun only where it is still over before the market opens.
        """
        try:
            due = self._schedule.due()
        except UnknownDate as unknown:
            raise_alert(self._home, CALENDAR, Severity.CRITICAL, f"Maintenance does not run by itself: {unknown}")
            return []
        if not due:
            return []
        resolve(self._home, CALENDAR)
        ran: list[Outcome] = []
        with suppress(Conflict):
            for row in due:
                ran += self._runner.run([row]) if self._schedule.quiet(self._clock.now(), row.seconds) else []
        return ran


class Watch:
    """Looks at the vitals and does what a monitor asks for; `look` is called every few seconds."""

    def __init__(self, home: Path, clock: Clock, schedule: Schedule, *, perform: Perform = in_child) -> None:
        self._home = home
        self._table = load(home)
        self._pulse = Pulse(home, clock)
        self._monitors = Monitors(self._table.monitor, clock, schedule.rows)
        self._runner = Runner(home, clock, schedule, perform=perform, actor="monitor")

    def look(self) -> list[Outcome]:
        """Take the vitals; act on what they ask for."""
        return [self.act(issue, why) for issue, why in self._monitors.tripped(self._pulse.take()).items()]

    def act(self, issue: str, why: str) -> Outcome:
        """Tell people, and run the emergency: a running task is stopped for it."""
        outcome = self._runner.emergency(self._table.row(issue), why=why)
        text = f"A monitor asked for {issue}: {why} It was {outcome.status}. {outcome.says}"
        raise_alert(self._home, EMERGENCY, Severity.WARNING, text, subject=issue)
        return outcome


def serve(settings: SchedulerSettings, ended: threading.Event) -> None:
    """Look and run until `ended`; a look that fails is logged, and the next one comes."""
    home, clock = Path(settings.home), LiveClock()
    with schedule_of(home, clock, load(home)) as schedule:
        scheduler = Scheduler(home, clock, schedule)
        schedule.plan()
        watch = Watch(home, clock, schedule)
        threading.Thread(target=_repeat, args=(watch.look, WATCH_SECONDS, ended), name="watch", daemon=True).start()
        write_private(home / "run" / "maintenance.json", msgspec.json.encode(Scheduled(os.getpid())))
        _repeat(scheduler.tick, LOOK_SECONDS, ended)


def _repeat(look: Callable[[], object], seconds: float, ended: threading.Event) -> None:
    while not ended.wait(seconds):
        try:
            look()
        except Exception as error:
            _log.exception("a look failed", error=str(error))


def main() -> None:
    """Read settings from standard input and serve."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _end(ended))
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=SchedulerSettings)
    tie()
    logs.configure("maintenance", Path(settings.home) / "logs")
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
