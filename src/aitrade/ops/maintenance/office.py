"""`MaintenanceManager`: every piece of upkeep under the specification's names."""

from pathlib import Path
from typing import Any

from aitrade.core.clock import Clock, LiveClock
from aitrade.ops.maintenance.child import in_child
from aitrade.ops.maintenance.runner import Perform, Runner
from aitrade.ops.maintenance.schedule import Planned, schedule_of
from aitrade.ops.maintenance.task import Outcome
from aitrade.ops.maintenance.timetable import Row, load


class MaintenanceManager:
    """Upkeep of one data folder. Each method runs tasks of the table, recorded, one at a time on a data folder.

    All raise Conflict while other maintenance runs; how a task went is in its `Outcome`.
    """

    def __init__(
        self, home: Path, *, clock: Clock | None = None, perform: Perform = in_child, actor: str = "",
        progress: bool = False,
    ) -> None:  # fmt: skip
        self._home = home
        self._clock = clock or LiveClock()
        self._table = load(home)
        self._how: dict[str, Any] = {"perform": perform, "actor": actor, "progress": progress}

    @property
    def maintenance_schedule(self) -> list[Planned]:
        """Every scheduled task with its last and next run, ns UTC."""
        with schedule_of(self._home, self._clock, self._table) as schedule:
            return [planned for _row, planned in schedule.plan()]

    def perform_daily_maintenance(self, *, dry_run: bool = False) -> list[Outcome]:
        """Run the daily tasks."""
        return self._cadence("daily", dry_run=dry_run)

    def perform_weekly_maintenance(self, *, dry_run: bool = False) -> list[Outcome]:
        """Run the weekly tasks."""
        return self._cadence("weekly", dry_run=dry_run)

    def perform_monthly_maintenance(self, *, dry_run: bool = False) -> list[Outcome]:
        """Run the monthly tasks."""
        return self._cadence("monthly", dry_run=dry_run)

    def optimize_database(self, *, dry_run: bool = False) -> Outcome:
        """Check, compact and analyse the databases."""
        return self.perform("optimize_database", dry_run=dry_run)

    def perform(self, task: str, *, dry_run: bool = False) -> Outcome:
        """Run one task by its name; raise Refused for one that there is not."""
        return self._run([self._table.row(task)], dry_run=dry_run)[0]

    def _cadence(self, cadence: str, *, dry_run: bool) -> list[Outcome]:
        return self._run(self._table.of(cadence), dry_run=dry_run)

    def _run(self, rows: list[Row], *, dry_run: bool) -> list[Outcome]:
        with schedule_of(self._home, self._clock, self._table) as schedule:
            return Runner(self._home, self._clock, schedule, **self._how).run(rows, dry=dry_run)
