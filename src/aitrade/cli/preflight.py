"""`aitrade preflight`: the deployment checklist, executed; `sign` and `waive` put a person's name under it."""

import signal
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from aitrade.cli.options import data_folder, kind
from aitrade.core.clock import LiveClock, ist_date
from aitrade.core.config import load
from aitrade.core.errors import Refused

FAILED, ENDED = 1, 143
"""Exit status when an item failed, and when the run was ended from outside."""


@click.group(invoke_without_command=True)
@click.option("--section", default="", help="Only this section, such as Security; the pass for live needs all.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else on standard output.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the run as a page, too.")
@data_folder
@click.pass_context
@kind
def preflight(context: click.Context, *, section: str, as_json: bool, html: Path | None, home: Path | None) -> None:
    """Run every item of the deployment checklist and show its evidence; exit status 1 when one fails."""
    context.obj = home
    if context.invoked_subcommand is None:
        raise SystemExit(_run(home, section, html, as_json=as_json))


def _run(home: Path | None, section: str, html: Path | None, *, as_json: bool) -> int:
    from tqdm import tqdm

    from aitrade.ops.preflight import checklist, paper, record
    from aitrade.ops.preflight.run import run

    if html is not None and not html.absolute().parent.is_dir():
        raise Refused(f"There is no folder {html.absolute().parent} for the page: make it, or name another file.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))  # what was started for drills ends with this, too
    configuration, items = load(home=home), checklist.items(section)
    with tqdm(total=len(items), unit="item", leave=False) as bar:
        done = run(configuration, items, lambda item: _tell(bar, item.id))
    record.keep(configuration.home, done, section.title())
    if html is not None:
        html.write_text(paper.page(done, LiveClock().now()), encoding="utf-8")
    shown = [msgspec.json.encode({"items": done.items}).decode()] if as_json else paper.lines(done)
    for line in shown:
        click.echo(line)
    return FAILED if done.failed else 0


def _tell(bar: Any, item: str) -> None:
    bar.set_description(item)
    bar.update()


@preflight.command()
@click.option("--name", required=True, help="Who signs.")
@click.option("--role", required=True, help="As what, such as compliance officer.")
@click.option("--reason", required=True, help="Why this run may stand.")
@data_folder
@click.pass_obj
@kind
def sign(above: Path | None, name: str, role: str, reason: str, home: Path | None) -> None:
    """Sign the newest run over the whole checklist, if nothing has changed since."""
    from aitrade.ops.preflight import record
    from aitrade.ops.preflight.binding import binding

    configuration = load(home=home or above)
    run = record.last(configuration.home)
    if run is None:
        raise Refused("There is no run over the whole checklist to sign: run `aitrade preflight` first.")
    if changes := run.run.bound.changes(binding(configuration)):
        raise Refused(f"The last run is stale ({', '.join(changes)} changed since): run `aitrade preflight` again.")
    record.sign(configuration.home, run, name, role, reason)
    failed = f"; {len(run.run.failed)} items failed, so it lets nothing trade live" if run.run.failed else ""
    click.echo(f"Run {run.seq} is signed by {name}, {role}{failed}.")


@preflight.command()
@click.argument("item")
@click.option("--name", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why it may be missing.")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last day, such as 2026-12-31.")
@data_folder
@click.pass_obj
@kind
def waive(above: Path | None, item: str, name: str, reason: str, until: datetime, home: Path | None) -> None:
    """Let ITEM be proven on other than LIVE data, or not at all, until a day. A fail cannot be waived."""
    from aitrade.ops.preflight import record

    last_day: date = until.date()
    record.waive(load(home=home or above).home, item, name, reason, last_day, ist_date(LiveClock().now()))
    click.echo(f"{item} is waived by {name} until {last_day}.")
