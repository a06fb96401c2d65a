"""`aitrade store`: the databases that are made from the journals."""

from pathlib import Path

import click

from aitrade.cli.options import data_folder, kind
from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.core.files import FileLock


@click.group()
def store() -> None:
    """Look after the databases; the journals are the truth."""


@store.command()
@click.option("--book", help="Only this book.")
@data_folder
@kind
def rebuild(book: str | None, home: Path | None) -> None:
    """Make the database of every book anew from its journal; nothing in the journal changes."""
    from tqdm import tqdm

    from aitrade.compliance.operations import BOOK
    from aitrade.ops.backup.contents import journals
    from aitrade.ops.backup.projections import rebuild as make

    folder = load(home=home).home
    found = [name for name, _ in journals(folder) if name != BOOK and book in (None, name)]
    if not found:
        raise Refused(f"There is no journal of {book or 'any book'} under {folder}; `aitrade book list` names them.")
    with FileLock(
        folder / "engine.lock", taken=f"An engine trades on {folder}: stop it by `aitrade stop`, then rebuild."
    ):
        for name in tqdm(found, unit="book", disable=None):
            click.echo(f"{name}: {make(folder, name):,} records projected")
