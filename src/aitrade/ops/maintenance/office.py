"""`MaintenanceManager`: every piece of upkeep under the specification's names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aitrade.core.clock import Clock, LiveClock
from aitrade.core.errors import Refused
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

    def backup_database(self, *, dry_run: bool = False) -> Outcome:
        """Back up databases, journals, configuration and models."""
        return self.perform("backup_database", dry_run=dry_run)

    def cleanup_old_logs(self, *, dry_run: bool = False) -> Outcome:
        """Archive and remove logs past their term; needs a backup of the last day."""
        return self.perform("cleanup_old_logs", dry_run=dry_run)

    def produce_daily_reports(self, *, dry_run: bool = False) -> Outcome:
        """Make the daily reports of the newest market days."""
        return self.perform("produce_daily_reports", dry_run=dry_run)

    def update_ai_models(self, *, dry_run: bool = False) -> Outcome:
        """Fit the models to what data there are; candidates only, a person activates."""
        return self.perform("update_ai_models", dry_run=dry_run)

    def optimize_database(self, *, dry_run: bool = False) -> Outcome:
        """Check, compact and analyse the databases."""
        return self.perform("optimize_database", dry_run=dry_run)

    def validate_system_health(self, *, dry_run: bool = False) -> Outcome:
        """Look at every part; fails with what is wrong."""
        return self.perform("validate_system_health", dry_run=dry_run)

    def analyze_performance(self, *, dry_run: bool = False) -> Outcome:
        """Make the week's analysis."""
        return self.perform("analyze_performance", dry_run=dry_run)

    def optimize_caches(self, *, dry_run: bool = False) -> Outcome:
        """Check imported data, remove half-written files, empty the chart worker's memory."""
        return self.perform("optimize_caches", dry_run=dry_run)

    def checkpoint_models(self, *, dry_run: bool = False) -> Outcome:
        """Seal the models into a checkpoint."""
        return self.perform("checkpoint_models", dry_run=dry_run)

    def scan_security(self, *, dry_run: bool = False) -> Outcome:
        """Look for hard-coded secrets, open files, open sockets."""
        return self.perform("scan_security", dry_run=dry_run)

    def perform_full_backup(self, *, dry_run: bool = False) -> Outcome:
        """Back the whole data folder up."""
        return self.perform("perform_full_backup", dry_run=dry_run)

    def produce_compliance_report(self, *, dry_run: bool = False) -> Outcome:
        """Make the monthly compliance pack and the other monthly reports."""
        return self.perform("produce_compliance_report", dry_run=dry_run)

    def audit_system(self, *, dry_run: bool = False) -> Outcome:
        """Verify every journal and make the system audit."""
        return self.perform("audit_system", dry_run=dry_run)

    def perform_emergency_maintenance(self, issue_type: str, *, dry_run: bool = False) -> Outcome:
        """Do what an emergency asks for; raise Refused for one that there is not."""
        known = [row.name for row in self._table.of("emergency")]
        if issue_type not in known:
            raise Refused(f"There is no emergency {issue_type!r}; there are {', '.join(known)}.")
        with self._runner() as runner:
            return runner.emergency(self._table.row(issue_type), dry=dry_run)

    def restart_memory_intensive_services(self, *, dry_run: bool = False) -> Outcome:
        """Restart the chart worker and the page; the engine is not touched."""
        return self.perform_emergency_maintenance("memory_leak", dry_run=dry_run)

    def reset_api_connections(self, *, dry_run: bool = False) -> Outcome:
        """Connect to the venue or broker anew and compare its orders with the book's."""
        return self.perform_emergency_maintenance("api_failure", dry_run=dry_run)

    def optimize_system_performance(self, *, dry_run: bool = False) -> Outcome:
        """Profile the engine, shed load in its order, ease the databases."""
        return self.perform_emergency_maintenance("performance_degradation", dry_run=dry_run)

    def perform(self, task: str, *, dry_run: bool = False) -> Outcome:
        """Run one task by its name; raise Refused for one that there is not."""
        return self._run([self._table.row(task)], dry_run=dry_run)[0]

    def _cadence(self, cadence: str, *, dry_run: bool) -> list[Outcome]:
        return self._run(self._table.of(cadence), dry_run=dry_run)

    def _run(self, rows: list[Row], *, dry_run: bool) -> list[Outcome]:
        with self._runner() as runner:
            return runner.run(rows, dry=dry_run)

    @contextmanager
    def _runner(self) -> Iterator[Runner]:
        with schedule_of(self._home, self._clock, self._table) as schedule:
            yield Runner(self._home, self._clock, schedule, **self._how)
