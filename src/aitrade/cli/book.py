"""`aitrade book`: the worlds that were traded, each with its own journal."""

import shutil
import time
from pathlib import Path

import click

from aitrade.cli.options import data_folder, kind
from aitrade.cli.trading import table
from aitrade.compliance.operations import note
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.core.money import format_rupees
from aitrade.engine.recovery import recover
from aitrade.engine.settings import EngineSettings
from aitrade.ops.supervisor import address_of


def books(home: Path) -> list[str]:
    """Return the names of the books in a data folder."""
    return sorted(folder.parent.name for folder in (home / "books").glob("*/journal"))


@click.group()
def book() -> None:
    """List, begin and archive books."""


@book.command("list")
@data_folder
@kind
def list_books(home: Path | None) -> None:
    """List every book with its day, orders and realised P&L."""
    folder = load(home=home).home
    rows = [_row(folder, name) for name in books(folder)]
    table(rows, ("book", "market day", "until", "open positions", "realised", "charges"))


@book.command()
@click.argument("name")
@data_folder
@kind
def new(name: str, home: Path | None) -> None:
    """Begin an empty book NAME; `aitrade up --book NAME` trades on it."""
    folder = load(home=home).home / "books" / _checked(name)
    if folder.exists():
        raise Refused(f"There is a book {name} already; choose another name, or `aitrade book reset {name}`.")
    (folder / "journal").mkdir(parents=True)
    click.echo(f"Book {name} is ready: aitrade up --book {name}")


@book.command()
@click.argument("name")
@data_folder
@kind
def reset(name: str, home: Path | None) -> None:
    """Archive book NAME, journal and all, so that the next start begins it anew; nothing is deleted."""
    base = load(home=home).home
    folder = base / "books" / _checked(name)
    if not folder.exists():
        raise Refused(f"There is no book {name}; there are: {', '.join(books(base)) or 'none'}.")
    running = address_of(base, 0)
    if running is not None and running.book == name:
        raise Refused(f"Book {name} is being traded on; stop the engine first, by `aitrade stop`.")
    archived = base / "archive" / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    archived.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, archived)
    note(base, "book", name, "archived", reason=f"it lies in {archived.relative_to(base)}")
    click.echo(f"Book {name} is archived as {archived}")


def _checked(name: str) -> str:
    if not name.replace("-", "").replace("_", "").isalnum():
        raise Refused(f"{name!r} is not a book's name; use letters, digits, - and _.")
    return name


def _row(home: Path, name: str) -> tuple[str, ...]:
    state = recover(EngineSettings(home=str(home), book=name)).state
    open_positions = sum(1 for lot in state.positions.values() if lot.quantity) + len(state.holdings)
    until = f"{ist(state.ts):%H:%M:%S}" if state.ts else "-"
    realised, charges = state.realised + state.day.realised, sum(state.charges)
    return (
        name, state.day.day or "-", until, str(open_positions), format_rupees(realised, sign=True),
        format_rupees(charges),
    )  # fmt: skip
