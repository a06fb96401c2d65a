"""`aitrade service`: render, install, start, stop and look at the service AITradingEngine."""

import sys
import time
from pathlib import Path
from typing import Any

import click

from aitrade.cli.options import data_folder, kind
from aitrade.cli.trading import table
from aitrade.compliance.operations import note
from aitrade.core.clock import LiveClock, ist_date
from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.ops.service import NAME, linux, windows
from aitrade.ops.service.plan import Plan, Step, apply, plan_for, run

SYSTEMS = ("linux", "windows")
HERE = "windows" if sys.platform == "win32" else "linux"

account = click.option(
    "--account", "kind_of_account", type=click.Choice(["administrator", "least"]),
    help="Whom it runs as: the administrator (root), or an account with the least rights. "
    "The default is the administrator on Windows and the least rights elsewhere.",
)  # fmt: skip
user = click.option("--user", default="", help="The account's name, where it is not the usual one.")


@click.group()
def service() -> None:
    """Run aitrade as the service AITradingEngine."""


@service.command()
@click.option("--for", "system", type=click.Choice(SYSTEMS), default=HERE, show_default=True)
@account
@user
@data_folder
@kind
def render(system: str, kind_of_account: str | None, user: str, home: Path | None) -> None:
    """Print what an installation would do, as a script to review; nothing is changed."""
    plan = _plan(home, system, kind_of_account, user)
    click.echo(_script(system, _steps(system, plan)), nl=False)


@service.command()
@click.option("--apply", "applied", is_flag=True, help="Do the steps; without it they are shown.")
@account
@user
@data_folder
@kind
def install(kind_of_account: str | None, user: str, home: Path | None, *, applied: bool) -> None:
    """Install the service; without --apply, show the steps and change nothing."""
    plan = _plan(home, HERE, kind_of_account, user)
    steps = _steps(HERE, plan)
    click.echo(f"{NAME} will run as {_account(plan)}.", err=True)
    _do(plan.home, "installed", steps, applied=applied)


@service.command()
@click.option("--apply", "applied", is_flag=True, help="Do the steps; without it they are shown.")
@data_folder
@kind
def uninstall(home: Path | None, *, applied: bool) -> None:
    """Take the service away; the data folder stays. Without --apply, show the steps and change nothing."""
    plan = _plan(home, HERE, None, "")
    steps = linux.uninstall() if HERE == "linux" else windows.uninstall(plan)
    _do(plan.home, "uninstalled", steps, applied=applied)


def _asked(verb: str, says: str) -> click.Command:
    @click.command(verb, help=says)
    @data_folder
    @kind
    def ask(home: Path | None) -> None:
        folder = load(home=home).home
        began = time.monotonic()
        command = ("systemctl", verb, f"{NAME}.service") if HERE == "linux" else ("sc.exe", verb, NAME)
        said = run(command)
        if said.returncode:
            raise Refused(f"{NAME} did not {verb}: {' '.join((said.stderr or said.stdout).split())}")
        note(folder, "service", NAME, f"{verb} asked for")
        click.echo(f"{NAME}: {verb} took {time.monotonic() - began:.1f} s")

    return ask


service.add_command(_asked("start", "Start the service and wait until it serves."))
service.add_command(_asked("stop", "Stop the service: orders and positions stay as they are, within 10 s."))


@service.command()
@kind
def status() -> None:
    """Show what the system says of the service; exit status 1 when it does not run."""
    shown = linux.shown() if HERE == "linux" else windows.shown()
    table(sorted(shown.items()), ("what", "is"))
    running = shown.get("ActiveState") == "active" or "RUNNING" in shown.get("STATE", "")
    raise SystemExit(0 if running else 1)


def _plan(home: Path | None, system: str, kind_of_account: str | None, user: str) -> Plan:
    usual = "administrator" if system == "windows" else "least"
    chosen: Any = kind_of_account or usual
    named = user or ("root" if chosen == "administrator" and system == "linux" else "")
    return plan_for(load(home=home), chosen, named, ist_date(LiveClock().now()))


def _steps(system: str, plan: Plan) -> list[Step]:
    return windows.install(plan) if system == "windows" else linux.install(plan, linux.version())


def _script(system: str, steps: list[Step]) -> str:
    return windows.script(steps) if system == "windows" else linux.script(steps)


def _account(plan: Plan) -> str:
    least = windows.LEAST if HERE == "windows" else linux.USER
    return plan.user or (least if plan.account == "least" else ".\\Administrator")


def _do(home: Path, what: str, steps: list[Step], *, applied: bool) -> None:
    if not applied:
        click.echo(_script(HERE, steps), nl=False)
        click.echo("Nothing was changed. Do this by the same command with --apply, as root or administrator.", err=True)
        return
    for line in apply(steps):
        click.echo(f"Passed over: {line}", err=True)
    note(home, "service", NAME, what)
    click.echo(f"{NAME} is {what}.")
    if what == "installed":
        click.echo(_unattended(home))


def _unattended(home: Path) -> str:
    """Try the vault as the service has to open it, and say what came of it."""
    from aitrade.store.vault import can_open_unattended
    from aitrade.store.vault_file import path_of

    if not path_of(home).exists():
        return "There is no vault yet; the first start makes one that opens without log-in."
    opens, how = can_open_unattended(home)
    return f"The vault opens without log-in; know that {how}." if opens else f"The vault does not open: {how}."
