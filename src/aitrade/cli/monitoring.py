"""`aitrade health`, `errors`, `prometheus`: how everything is, what went wrong, and what else may watch."""

import json
import shutil
from datetime import datetime
from pathlib import Path

import click
import msgspec

from aitrade.cli.options import data_folder, kind
from aitrade.cli.trading import table
from aitrade.core.clock import ist
from aitrade.core.config import load

NOT_WELL = 1
"""Exit status while a part is degraded or down."""


@click.command()
@click.option("--deep", is_flag=True, help="Verify the journals' chains too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@data_folder
@kind
def health(home: Path | None, *, deep: bool, as_json: bool) -> None:
    """Say how each part is and why; exit status 1 while one is not well."""
    from aitrade.ops.health import health as look

    found = look(load(home=home).home, deep=deep)
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        table([(part.name, part.state, part.reason) for part in found.components], ("part", "state", "reason"))
    if not found.ok:
        raise SystemExit(NOT_WELL)


@click.command()
@click.option("--since", help="Only what was seen on or after this day, such as 2026-11-24.")
@click.option("--trace", help="Show the trace of the error with this fingerprint.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@data_folder
@kind
def errors(home: Path | None, since: str | None, trace: str | None, *, as_json: bool) -> None:
    """List errors of all processes, grouped: how often, first and last (IST), where, and what was said."""
    from aitrade.core.clock import at
    from aitrade.ops.errors import errors as groups

    found = groups(load(home=home).home, since=at(_day(since), "00:00") if since else 0)
    if trace:
        click.echo("\n".join(group.trace or group.text for group in found if group.fingerprint == trace))
    elif as_json:
        click.echo(json.dumps(msgspec.to_builtins(found)))
    elif not found:
        click.echo("No error was logged.")
    else:
        rows = [
            (
                one.fingerprint, str(one.count), _time(one.first), _time(one.last), one.process, one.where,
                f"{one.type}: {one.text}".removeprefix(": ")[:100],
            )
            for one in found
        ]  # fmt: skip
        table(rows, ("fingerprint", "count", "first", "last", "process", "where", "says"))


def _time(ts: int) -> str:
    return ist(ts).strftime("%Y-%m-%d %H:%M:%S")


def _day(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise click.BadParameter(f"{text!r} is no day; write it like 2026-11-24.") from None


@click.command()
@data_folder
@kind
def prometheus(home: Path | None) -> None:
    """Write Prometheus's configuration and rules and a Grafana dashboard into metrics/ of the data folder."""
    target = load(home=home).home / "metrics"
    target.mkdir(parents=True, exist_ok=True)
    for file in [*sorted((shipped() / "prometheus").iterdir()), shipped() / "grafana" / "aitrade.json"]:
        shutil.copy(file, target / file.name)
        click.echo(f"written: {target / file.name}")
    click.echo(
        "Start Prometheus, as the user that aitrade runs as, by\n\n"
        f"    prometheus --config.file={target / 'prometheus.yml'} --storage.tsdb.path={target / 'tsdb'} "
        "--web.listen-address=127.0.0.1:9090\n\nand import aitrade.json in Grafana (Dashboards, New, Import)."
    )


def shipped() -> Path:
    """Return the folder of files for other tools: inside the package, or beside the sources in a checkout."""
    packaged = Path(__file__).parents[1] / "deploy"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "deploy"
