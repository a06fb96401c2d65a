"""Runs tasks one after another, never two at a time on a data folder, each recorded; a failure stops no other."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aitrade.compliance import operations
from aitrade.core.clock import DAY, Clock
from aitrade.core.files import FileLock, write_private
from aitrade.ops.alerts import Severity, raise_alert, resolve
from aitrade.ops.maintenance import engine_state
from aitrade.ops.maintenance.child import in_child, stop_request, stop_wanted
from aitrade.ops.maintenance.job import Job
from aitrade.ops.maintenance.schedule import Schedule
from aitrade.ops.maintenance.task import Outcome, Status
from aitrade.ops.maintenance.timetable import Row

Perform = Callable[[Job, float], Outcome]
TAKEN = "Maintenance runs already on this data folder; wait for it (`aitrade maintain schedule` shows it)."
RULE = "maintenance-failed"
"""The alert of a task that failed, its subject the task; it is over when the task succeeds."""
_BAD = {Status.FAILED, Status.LATE}


class Runner:
    """Runs tasks of the table on one data folder; `actor` is who asked for it."""

    def __init__(
        self, home: Path, clock: Clock, schedule: Schedule, *, perform: Perform = in_child, actor: str = "",
        progress: bool = False,
    ) -> None:  # fmt: skip
        self.home = home
        self.clock = clock
        self._schedule = schedule
        self._perform = perform
        self._actor = actor
        self._progress = progress

    def run(self, rows: Iterable[Row], *, dry: bool = False, subject: str = "") -> list[Outcome]:
        """Run tasks in order; return how each went. Raises Conflict while others run."""
        with self.alone():
            return [self._one(row, dry=dry, subject=subject) for row in self._shown(list(rows))]

    def emergency(self, row: Row, *, dry: bool = False, why: str = "") -> Outcome:
        """Do what an emergency asks for: the task that runs is stopped, and takes itself back, before it begins."""
        request = stop_request(self.home)
        if dry:
            return self._one(row, dry=True, subject=why)
        write_private(request, row.name)
        try:
            with self.alone(wait=True):
                request.unlink(missing_ok=True)
                return self._one(row, dry=False, subject=why)
        finally:
            request.unlink(missing_ok=True)

    @contextmanager
    def alone(self, *, wait: bool = False) -> Iterator[None]:
        """Hold the lock of maintenance; raise Conflict when it is taken, or wait for it."""
        with FileLock(self.home / "run" / "maintenance.lock", wait=wait, taken=TAKEN):
            yield

    def _one(self, row: Row, *, dry: bool, subject: str) -> Outcome:
        why = "" if dry else self._hindrance(row)
        if why:
            outcome = Outcome(task=row.name, status=Status.SKIPPED, says=why, began=self.clock.now())
        else:
            job = Job(home=str(self.home), task=row.name, now=self.clock.now(), dry=dry, subject=subject)
            outcome = self._perform(job, row.seconds)
        if not dry:
            self._record(row, outcome)
        return outcome

    def _hindrance(self, row: Row) -> str:
        """Return why a task may not run now, or nothing."""
        if row.cadence != "emergency" and stop_wanted(self.home):
            return "An emergency waits for its turn; this comes again."
        if not row.with_positions and (held := engine_state.positions_open(self.home)):
            return f"{held} It does not run with positions open; it comes again."
        missing = [name for name in row.needs if not self._fresh(name)]
        if missing:
            first = f"`aitrade maintain daily --task {missing[0]}`"
            return f"It needs {', '.join(missing)} to have succeeded within a day before it; run {first}."
        return ""

    def _fresh(self, name: str) -> bool:
        since = self.clock.now() - DAY
        found = operations.noted(self.home, "task", name)
        return any(one.at >= since for one in found if one.operation.outcome == Status.DONE)

    def _record(self, row: Row, outcome: Outcome) -> None:
        operations.note(self.home, "task", row.name, outcome.status, outcome, at=outcome.began, actor=self._actor)
        self._schedule.ran(row, outcome)
        if outcome.status in _BAD:
            _alert(self.home, row, outcome)
        elif outcome.status is Status.DONE:
            resolve(self.home, RULE, row.name)

    def _shown(self, rows: list[Row]) -> Iterable[Row]:
        if not self._progress:
            return rows
        from tqdm import tqdm

        return tqdm(rows, desc="maintenance", unit="task")


def _alert(home: Path, row: Row, outcome: Outcome) -> None:
    where = f" at the step: {outcome.step}" if outcome.step else ""
    text = f"Maintenance task {row.name} {outcome.status}{where}. {outcome.says}"
    command = row.name if row.cadence == "emergency" else f"--task {row.name}"
    again = f"Correct it and run `aitrade maintain {row.cadence} {command}`."
    raise_alert(home, RULE, Severity.CRITICAL, f"{text} {again}", subject=row.name)
