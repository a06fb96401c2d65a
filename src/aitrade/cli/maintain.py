"""`aitrade maintain`: upkeep by hand, and when it comes by itself."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from aitrade.cli.options import data_folder, kind
from aitrade.cli.trading import table
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.core.errors import Refused
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


@maintain.command()
@click.option("--month", required=True, help="The month, such as 2025-03.")
@click.option("--into", type=click.Path(path_type=Path), help="An empty folder that is kept; a scratch one without it.")
@click.option("--every", default=3, show_default=True, type=click.IntRange(1), help="Trade each so many-th day only.")
@kind
def rehearse(month: str, into: Path | None, every: int) -> None:
    """Live through a month of tasks and reports on a virtual clock, and open every report of it."""
    from aitrade.ops.maintenance.desk import Desk
    from aitrade.ops.maintenance.rehearsal import rehearse as live_through

    with TemporaryDirectory(prefix="aitrade-rehearsal-") as scratch:
        done = live_through(into or Path(scratch) / "home", _month(month), Desk(every), say=click.echo)
    for words in done.bad:
        click.echo(words, err=True)
    click.echo(
        f"{done.month}: {len(done.days)} trading days, {len(done.traded)} of them traded; {len(done.ran)} tasks ran. "
        f"{done.reports} reports are there, {len(done.missing)} are missing, {len(done.faults)} do not open. "
        f"It took {done.seconds:.0f} s."
    )
    if into:
        click.echo(f"They lie in {into / 'reports'}")
    if done.bad:
        raise SystemExit(FAILED)


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Refused(f"{text!r} is not a month; write it like 2025-03.") from None


def _moment(ts: int) -> str:
    return f"{ist(ts):%a %d %b %Y %H:%M}" if ts else "-"


def _show(outcomes: list[Outcome]) -> None:
    for one in outcomes:
        where = f" (at the step: {one.step})" if one.step else ""
        click.echo(f"{one.task}: {one.status} in {one.seconds:.1f} s{where}. {one.says}")
    if any(one.status not in _WELL for one in outcomes):
        raise SystemExit(FAILED)
