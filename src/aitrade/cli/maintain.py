"""`aitrade maintain`: upkeep by hand, and when it comes by itself."""

from pathlib import Path

import click

from aitrade.cli.options import data_folder, kind
from aitrade.cli.trading import table
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.ops import MaintenanceManager
from aitrade.ops.maintenance.task import Outcome, Status

FAILED = 1
"""Exit status when a task did not end well."""
_WELL = {Status.DONE, Status.PLANNED, Status.SKIPPED}


@click.group()
def maintain() -> None:
    """Keep the data folder well: daily, weekly, monthly tasks, emergencies, and their schedule."""


def _cadence_command(cadence: str) -> click.Command:
    @maintain.command(cadence, help=f"Run the {cadence} tasks now, one after another.")
    @click.option("--task", help="Only this task.")
    @click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
    @data_folder
    @kind
    def run(task: str | None, dry_run: bool, home: Path | None) -> None:
        manager = MaintenanceManager(load(home=home).home, progress=True)
        if task:
            _show([manager.perform(task, dry_run=dry_run)])
        else:
            _show(getattr(manager, f"perform_{cadence}_maintenance")(dry_run=dry_run))

    return run


daily, weekly, monthly = (_cadence_command(cadence) for cadence in ("daily", "weekly", "monthly"))


@maintain.command()
@click.argument("issue")
@click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")
@data_folder
@kind
def emergency(issue: str, dry_run: bool, home: Path | None) -> None:
    """Act on ISSUE now: memory_leak, api_failure or performance_degradation."""
    _show([MaintenanceManager(load(home=home).home).perform_emergency_maintenance(issue, dry_run=dry_run)])


@maintain.command()
@data_folder
@kind
def schedule(home: Path | None) -> None:
    """Show when each task ran and when it comes next, IST."""
    planned = MaintenanceManager(load(home=home).home).maintenance_schedule
    rows = [(one.name, _moment(one.last_run), one.status or "-", _moment(one.next_run)) for one in planned]
    table(rows, ("task", "last run", "how", "next run"))


def _moment(ts: int) -> str:
    return f"{ist(ts):%a %d %b %Y %H:%M}" if ts else "-"


def _show(outcomes: list[Outcome]) -> None:
    for one in outcomes:
        where = f" (at the step: {one.step})" if one.step else ""
        click.echo(f"{one.task}: {one.status} in {one.seconds:.1f} s{where}. {one.says}")
    if any(one.status not in _WELL for one in outcomes):
        raise SystemExit(FAILED)
