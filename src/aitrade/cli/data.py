"""`aitrade data`: import market data, list what is there, report on its quality."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from aitrade.core.errors import AitradeError, Refused
from aitrade.core.instruments import Kind
from aitrade.market.importing import FileResult, ImportReport, Outcome, import_path
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import DAILY, ImportedSet
from aitrade.market.symbols import kind_of

REFUSED = 2
"""Exit status of an import that left a file out, and of a command that was refused."""


def _default_home() -> Path:
    from platformdirs import user_data_dir

    return Path(os.environ.get("AITRADE_HOME") or user_data_dir("aitrade", appauthor=False))


_folder = click.option(
    "--data-folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=_default_home,
    help="Where imported data is kept; by default AITRADE_HOME, else the user's data folder.",
)


@click.group()
def data() -> None:
    """Real market data: import it, list it, judge its quality."""


@data.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@_folder
def import_(paths: tuple[Path, ...], data_folder: Path) -> None:
    """Import files, or every file below folders. One that is not understood is left out and listed at the end."""
    store = InputStore(data_folder / "market")
    try:
        reports = [import_path(path, store, _bar) for path in paths]
    except AitradeError as error:
        _fail(error)
    files = [one for report in reports for one in report.files]
    _summary(ImportReport(tuple(files)))
    if any(one.outcome is Outcome.REFUSED for one in files):
        raise SystemExit(REFUSED)


@data.command("list")
@_folder
def list_(data_folder: Path) -> None:
    """List what is imported."""
    try:
        sets = InputStore(data_folder / "market").sets()
    except AitradeError as error:
        _fail(error)
    if not sets:
        _fail(Refused("Nothing is imported yet; `aitrade data import PATH` takes files or folders of market data."))
    header = ("symbol", "kind", "first", "last", "rows", "tradable", "adjusted")
    click.echo(_table([header, *(_line(one) for one in sets)], right={4}))


def _bar(files: Iterable[Path]) -> Iterable[Path]:
    from tqdm import tqdm

    shown: Iterable[Path] = tqdm(files, desc="import", unit="file", dynamic_ncols=True)
    return shown


def _fail(error: AitradeError) -> None:
    click.echo(str(error), err=True)
    raise SystemExit(REFUSED)


def _summary(report: ImportReport) -> None:
    counts = Counter(one.outcome for one in report.files)
    rows, aside = (sum(getattr(one, what) for one in report.files) for what in ("rows", "aside"))
    click.echo(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome) + " (files)")
    click.echo(f"{rows:,} rows stored, {aside:,} set aside")
    _listing("Skipped", report.of(Outcome.SKIPPED))
    _listing("Refused, and why", report.refused)


def _listing(title: str, files: Sequence[FileResult]) -> None:
    if files:
        click.echo(f"{title}:")
        for one in files:
            click.echo(f"  {one.path}\n      {one.text}")


def kind_name(one: ImportedSet) -> str:
    """Return what a set holds, in words: "1-minute bars", "daily bars", "ticks"."""
    if one.table != "bars":
        return one.table
    return "daily bars" if one.minutes == DAILY else f"{one.minutes}-minute bars"


def _line(one: ImportedSet) -> tuple[str, ...]:
    tradable = f"no: {one.untradable}" if one.untradable else "no: an index" if _is_index(one) else "yes"
    basis = str(one.basis) if one.table == "bars" else "-"
    return one.subject, kind_name(one), one.first or "-", one.last or "-", f"{one.rows:,}", tradable, basis


def _is_index(one: ImportedSet) -> bool:
    return one.table in {"bars", "ticks"} and kind_of(one.subject) is Kind.INDEX


def _table(lines: Sequence[Sequence[str]], right: set[int] | frozenset[int] = frozenset()) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def padded(line: Sequence[str]) -> str:
        cells = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        return "  ".join(cells).rstrip()

    return "\n".join(padded(line) for line in lines)
