"""`aitrade incident`: outages and other troubles, their owner, cause, deadlines and end."""

import getpass
import time
from pathlib import Path

import click

from aitrade.cli.options import data_folder, kind
from aitrade.cli.trading import table
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.ops import incidents
from aitrade.ops.incidents import GLITCH, KINDS, Incident


@click.group()
def incident() -> None:
    """See, explain and close incidents."""


@incident.command("list")
@click.option("--all", "everything", is_flag=True, help="Closed ones, too.")
@data_folder
@kind
def list_incidents(*, everything: bool, home: Path | None) -> None:
    """Print the incidents that are open, the newest first."""
    folder = load(home=home).home
    found = incidents.book_of(folder).all() if everything else incidents.open_incidents(folder)
    if not found:
        click.echo("No incident is open.")
        return
    table([_row(one) for one in found], ("id", "began (IST)", "kind", "state", "owner", "next report", "what"))


def _row(one: Incident) -> tuple[str, ...]:
    owed = next((due for due in one.deadlines if not due.done), None)
    late = " LATE" if owed and owed.by < time.time_ns() else ""
    due = f"{owed.step} by {ist(owed.by):%d %b %H:%M}{late}" if owed and not one.closed else ""
    state = "closed" if one.closed else "over" if one.ended else "open"
    return str(one.id), f"{ist(one.began):%d %b %H:%M:%S}", one.kind, state, one.owner or "nobody", due, one.title


@incident.command()
@click.argument("number", type=int)
@data_folder
@kind
def show(number: int, home: Path | None) -> None:
    """Print everything about incident NUMBER."""
    one = incidents.book_of(load(home=home).home).find(number)
    click.echo(f"Incident {one.id}, {one.kind}: {one.title}")
    click.echo(
        f"began {_moment(one.began)}, opened {_moment(one.opened)} by {one.opened_by}, over {_moment(one.ended)}"
    )
    click.echo(f"owner: {one.owner or 'nobody yet'}\ncause: {one.cause or 'not known yet'}")
    for due in one.deadlines:
        made = f"made {_moment(due.done)} by {due.done_by}" if due.done else "owed"
        click.echo(f"{due.step} to {due.to} by {_moment(due.by)}: {made} ({due.source}; confidence {due.confidence})")
        if due.note:
            click.echo(f"    {due.note}")
    if one.closed:
        click.echo(f"closed {_moment(one.closed)} by {one.closed_by}: {one.closing}")


def _moment(ts: int) -> str:
    return f"{ist(ts):%d %b %Y %H:%M:%S} IST" if ts else "not yet"


@incident.command("open")
@click.argument("title")
@click.option("--kind", "sort", type=click.Choice(KINDS), default=GLITCH, show_default=True)
@data_folder
@kind
def open_one(title: str, sort: str, home: Path | None) -> None:
    """Open an incident that nobody else has: TITLE says what happened."""
    _said(incidents.open_incident(load(home=home).home, sort, title, actor=getpass.getuser()), "opened")


@incident.command()
@click.argument("number", type=int)
@click.argument("owner")
@data_folder
@kind
def assign(number: int, owner: str, home: Path | None) -> None:
    """Say that OWNER takes care of incident NUMBER."""
    _said(incidents.assign(load(home=home).home, number, owner, actor=getpass.getuser()), f"is {owner}'s")


@incident.command()
@click.argument("number", type=int)
@click.argument("words")
@data_folder
@kind
def cause(number: int, words: str, home: Path | None) -> None:
    """Say what caused incident NUMBER."""
    _said(incidents.explain(load(home=home).home, number, words, actor=getpass.getuser()), "has its cause")


@incident.command()
@click.argument("number", type=int)
@click.argument("step")
@data_folder
@kind
def reported(number: int, step: str, home: Path | None) -> None:
    """Say that report STEP of incident NUMBER was made, such as "first report"."""
    _said(incidents.report(load(home=home).home, number, step, actor=getpass.getuser()), f"has made its {step}")


@incident.command()
@click.argument("number", type=int)
@click.argument("words")
@data_folder
@kind
def close(number: int, words: str, home: Path | None) -> None:
    """Close incident NUMBER; WORDS say how it ended."""
    _said(incidents.close(load(home=home).home, number, words, actor=getpass.getuser()), "is closed")


def _said(one: Incident, what: str) -> None:
    click.echo(f"Incident {one.id} {what}: {one.title}")
