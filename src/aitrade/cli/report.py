"""`aitrade report`: make a report of a market day, list what there is, and say when which is due."""

from datetime import date
from pathlib import Path

import click

from aitrade.cli.options import REFUSED, data_folder, kind
from aitrade.cli.trading import table
from aitrade.core.config import load
from aitrade.core.errors import Refused


class NamedReport(click.Group):
    """A group whose subcommands are `list`, `schedule`, `verify` and every report of the catalogue."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands, then the reports."""
        from aitrade.ops.reports.catalogue import CATALOGUE

        return [*super().list_commands(ctx), *CATALOGUE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or the one that makes the report of that name."""
        from aitrade.ops.reports.catalogue import CATALOGUE

        known = super().get_command(ctx, cmd_name)
        return known or (_maker(cmd_name) if cmd_name in CATALOGUE else None)


@click.group(cls=NamedReport)
def report() -> None:
    """Make a report: `aitrade report NAME --date 2025-03-28 [-p key=value]`."""


@report.command("list")
@click.option("--date", "day", default="", help="Only reports of this market day.")
@data_folder
@kind
def list_reports(day: str, home: Path | None) -> None:
    """List the catalogue with its parameters, and the reports that were made."""
    from aitrade.ops.reports import CATALOGUE, manifests

    catalogue = [
        (one.name, one.cadence, one.answers, ", ".join(f"{part.name}={part.default}" for part in one.parameters))
        for one in CATALOGUE.values()
    ]
    table(catalogue, ("report", "due", "answers", "parameters"))
    newest = {(one.day, one.report, one.book, one.version): one for one in manifests(load(home=home).home, day=day)}
    made = [
        (one.day, one.report, one.book, str(one.version), one.content_hash[:12], next(iter(one.files), ""))
        for one in newest.values()
    ]
    click.echo("")
    table(made, ("market day", "report", "book", "version", "content", "file in reports/"))


@report.command()
@click.option("--date", "day", default="", help="The schedule as of this day; today without it.")
@data_folder
@kind
def schedule(day: str, home: Path | None) -> None:
    """Say on which market day each report is due next, and when it was last made."""
    from aitrade.ops.reports.schedule import schedule as rows

    found = rows(load(home=home).home, _day(day))
    table([(one.name, one.cadence, one.next, one.last) for one in found], ("report", "due", "next", "last made for"))


@report.command()
@data_folder
@kind
def verify(home: Path | None) -> None:
    """Open every report file and compare it with its manifest; exit status 2 names those that are not as made."""
    from aitrade.ops.reports import manifests
    from aitrade.ops.reports.opening import faults

    folder = load(home=home).home
    found = faults(folder)
    for words in found:
        click.echo(words, err=True)
    if found:
        raise SystemExit(REFUSED)
    click.echo(f"All files of {len(manifests(folder))} manifests open, and are as they were made")


def _maker(name: str) -> click.Command:
    @click.command(name, help=_about(name))
    @click.option("--date", "day", required=True, help="The market day, such as 2025-03-28.")
    @click.option("-p", "parameters", multiple=True, metavar="KEY=VALUE", help="A parameter; `book` is always one.")
    @click.option("--pdf/--no-pdf", default=True, help="Print it too, where a browser is there.")
    @data_folder
    @kind
    def make(*, day: str, parameters: tuple[str, ...], pdf: bool, home: Path | None) -> None:
        from aitrade.ops.reports import produce

        made = produce(load(home=home).home, name, day, dict(map(_pair, parameters)), pdf=pdf)
        click.echo(f"{made.html}\n{made.path}")
        click.echo(made.pdf or f"no PDF: {made.no_pdf}")
        click.echo(f"version {made.version}, book {made.book}, content hash {made.content_hash}")

    return make


def _about(name: str) -> str:
    from aitrade.ops.reports.catalogue import CATALOGUE

    one = CATALOGUE[name]
    parameters = "".join(f" {part.name}: {part.words} (default {part.default!r})." for part in one.parameters)
    return f"{one.answers}{parameters}"


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Refused(f"{text!r} is not a parameter; write it like -p book=simulated-1.")
    return key.strip(), value


def _day(text: str) -> date:
    from aitrade.core.clock import LiveClock, ist_date
    from aitrade.ops.reports.catalogue import a_day

    return a_day(text) if text else ist_date(LiveClock().now())
