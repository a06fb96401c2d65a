"""`aitrade update`: see whether there is a newer version, and take it with a way back."""

from pathlib import Path

import click

from aitrade.cli.options import data_folder, kind
from aitrade.core.clock import LiveClock
from aitrade.core.config import load
from aitrade.core.errors import Refused


@click.command()
@click.option(
    "--check", is_flag=True, help="Say what is installed, what is offered, and whether it may be applied now."
)
@click.option(
    "--apply", "wanted", is_flag=True, help="Back up, install, migrate, preflight; back when an item is lost."
)
@click.option("--from", "given", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The newer wheel.")
@data_folder
@kind
def update(*, check: bool, wanted: bool, given: Path | None, home: Path | None) -> None:
    """Update aitrade, outside market hours, with its databases backed up first."""
    from aitrade.ops import update as updates
    from aitrade.ops.update.applying import verdicts_of

    if check == wanted:
        raise Refused("Say either --check, to look, or --apply, to update.")
    folder, clock = load(home=home).home, LiveClock()
    kept = folder / "updates" / "version"
    if wanted and (taken := updates.take_back(folder, updates.installed(given, kept, taking_back=True))):
        click.echo(f"{taken.before} and its databases are back, for the update to {taken.after} was cut off.")
        return
    installation = updates.installed(given, kept)
    if check:
        before, after = updates.checked(folder, clock, installation)
        click.echo(f"{before} is the newest." if before == after else f"{before} is installed, {after} is offered.")
        return
    done = updates.apply(folder, clock, installation, lambda: verdicts_of(folder), click.echo)
    click.echo(f"{done.after} is in place of {done.before}; the backup from before is {done.backup}.")
