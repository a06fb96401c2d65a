"""`aitrade model`: what the registry has, and a person's activation."""

import getpass
from pathlib import Path

import click

from aitrade.cli.options import data_folder, kind
from aitrade.cli.trading import table
from aitrade.core.clock import ist
from aitrade.core.config import load


@click.group()
def model() -> None:
    """List models and candidates; make one active."""


@model.command("list")
@data_folder
@kind
def list_models(home: Path | None) -> None:
    """List every version with its metrics; version 0 is the package's own."""
    from aitrade.ops.models import KINDS
    from aitrade.store.models import Models

    models = Models(load(home=home).home)
    for name, words in KINDS.items():
        active = models.active(name)
        click.echo(f"{name}: {words}")
        rows = [("0", "" if active else "active", "-", "the package", "")]
        rows += [
            (
                str(one.version), "active" if one == active else "candidate", f"{ist(one.made):%Y-%m-%d %H:%M}",
                one.source, ", ".join(f"{key} {value:.4g}" for key, value in one.metrics.items()),
            )
            for one in models.all(name)
        ]  # fmt: skip
        table(rows, ("version", "state", "made", "from", "metrics"))


@model.command()
@click.argument("name")
@click.argument("version", type=int)
@click.option("--by", help="Your name; the default is the account's.")
@click.option("--reason", required=True, help="Why this version; it stands in the operations journal.")
@data_folder
@kind
def activate(name: str, version: int, by: str | None, reason: str, home: Path | None) -> None:
    """Make VERSION of model NAME the active one (0: the package's own). The last preflight pass ends with it."""
    from aitrade.ops.models import activate as make_active

    done = make_active(load(home=home).home, name, version, actor=by or getpass.getuser(), reason=reason)
    click.echo(f"{done.model}: version {done.version} is active, {done.before} was. Run `aitrade preflight` again.")
