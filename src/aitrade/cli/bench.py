"""`aitrade bench`: print the figures that the product promises."""

import json

import click

from aitrade.bench import BENCHES, TARGETS, reached, run
from aitrade.cli.options import kind
from aitrade.cli.trading import table
from aitrade.ops.machine import machine

_WORDS = {True: "reached", False: "NOT reached", None: ""}


@click.command()
@click.argument("name", type=click.Choice(sorted(BENCHES)))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else on standard output.")
@kind
def bench(name: str, *, as_json: bool) -> None:
    """Run bench NAME and print its figures with what they must reach."""
    figures = run(name, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps({"bench": name, "machine": machine(), "figures": figures}))
        return
    rows = [
        (key, f"{figure:,.3f}".rstrip("0").rstrip("."), _target(key), _WORDS[reached(key, figure)])
        for key, figure in figures.items()
    ]
    table(rows, ("figure", "measured", "must be", ""))
    click.echo("  ".join(f"{key} {value}" for key, value in machine().items()))


def _target(key: str) -> str:
    return "{} {:,}".format(*TARGETS[key]) if key in TARGETS else ""
