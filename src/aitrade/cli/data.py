"""`aitrade data`: import market data, list what is there, report on its quality."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click

from aitrade.cli.options import REFUSED, data_folder, kind
from aitrade.cli.trading import key_of
from aitrade.core.config import default_home
from aitrade.core.errors import Refused
from aitrade.core.instruments import Kind
from aitrade.market.importing import FileResult, ImportReport, Outcome, import_path
from aitrade.market.importing.hours import Sessions
from aitrade.market.importing.quality import Quality, judge, keep, kept
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import DAILY, ImportedSet
from aitrade.market.symbols import kind_of

_LISTED = 8
"""Days or files that a line names before it only counts."""


def _store(home: Path | None) -> InputStore:
    return InputStore((home or default_home()) / "market")


@click.group()
def data() -> None:
    """Real market data: import it, list it, judge its quality."""


@data.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@data_folder
@kind
def import_(paths: tuple[Path, ...], home: Path | None) -> None:
    """Import files, or every file below folders, and report on their quality.

    A file that is not understood is left out and listed at the end; the others stay, and the exit status is 2.
    """
    store, sessions = _store(home), Sessions()
    before = {source.sha256 for source in store.sources}
    results = [one for path in paths for one in import_path(path, store, _bar, sessions).files]
    fresh = {one.subject for source in store.sources if source.sha256 not in before for one in source.sets}
    if fresh:
        report = judge(store, sessions)
        keep(store, report)
        _show([one for one in report if one.subject in fresh])
    _summary(ImportReport(tuple(results)))
    if any(one.outcome is Outcome.REFUSED for one in results):
        raise SystemExit(REFUSED)


@data.command("list")
@data_folder
@kind
def list_(home: Path | None) -> None:
    """List what is imported."""
    sets = _store(home).sets()
    if not sets:
        raise Refused("Nothing is imported yet; `aitrade data import PATH` takes files or folders of market data.")
    header = ("symbol", "kind", "first", "last", "rows", "tradable", "prices")
    click.echo(_table([header, *(_line(one) for one in sets)], right={4}))


@data.command("report")
@click.argument("symbol", required=False)
@data_folder
@kind
def report_(symbol: str | None, home: Path | None) -> None:
    """Show the quality report of the last import; with a SYMBOL (RELIANCE, MCX:GOLD), all that is known of it."""
    store = _store(home)
    known = kept(store)
    if symbol and symbol not in {one.subject for one in known}:
        symbol = key_of(symbol)
    found = [one for one in known if symbol in (None, one.subject)]
    if not found:
        wanted = f"of {symbol}" if symbol else "yet"
        raise Refused(f"There is no quality report {wanted}; `aitrade data list` names what is imported.")
    _show(found)
    if symbol:
        for one in found:
            _details(one)
        _provenance(store, symbol)


def _bar(files: Iterable[Path]) -> Iterable[Path]:
    from tqdm import tqdm

    shown: Iterable[Path] = tqdm(files, desc="import", unit="file", dynamic_ncols=True)
    return shown


_COLUMNS: tuple[tuple[str, Callable[[Quality], object]], ...] = (
    ("symbol", lambda q: q.subject),
    ("kind", lambda q: kind_name(q.table, q.minutes)),
    ("days", lambda q: q.days),
    ("rows", lambda q: f"{q.rows:,}"),
    ("short", lambda q: len(q.short)),
    ("gaps", lambda q: q.gaps),
    ("missing", lambda q: len(q.missing)),
    ("repeats", lambda q: q.duplicates),
    ("bad", lambda q: q.bad),
    ("outside", lambda q: q.outside),
    ("assumed", lambda q: q.assumed),
    ("zone", lambda q: q.zone),
    ("prices", lambda q: q.prices.split(":", 1)[0]),
)


def _show(report: Sequence[Quality]) -> None:
    header = tuple(name for name, _ in _COLUMNS)
    lines = [tuple(str(value(one)) for _, value in _COLUMNS) for one in report]
    click.echo(_table([header, *lines], right=set(range(2, 11))))
    click.echo(
        "short: days with fewer bars than their session has; gaps: bars they lack; missing: trading days without a\n"
        "row; bad: high or low does not span open and close; outside: rows out of session, set aside; assumed: days\n"
        "whose hours nobody published. `aitrade data report SYMBOL` names the days and what shows adjusted or raw."
    )


def _details(one: Quality) -> None:
    click.echo(f"\n{one.subject}, {kind_name(one.table, one.minutes)}, {one.first} to {one.last}")
    click.echo(f"  prices: {one.prices}")
    if one.table == "bars":
        click.echo(f"  whole days: {one.days - len(one.short)} of {one.days}")
    if one.untradable:
        click.echo(f"  not tradable: {one.untradable}")
    if one.missing:
        click.echo(f"  trading days without a row: {_some(one.missing)}")
    if one.short:
        click.echo(f"  short days: {_some([f'{day} ({n} of {of})' for day, (n, of) in one.short.items()])}")
    for reason, count in one.aside.items():
        click.echo(f"  set aside: {count:,} x {reason}")
    for what, count in one.remarks.items():
        click.echo(f"  kept: {count:,} x {what}")


def _provenance(store: InputStore, symbol: str) -> None:
    files = [source for source in store.sources if any(one.subject == symbol for one in source.sets)]
    click.echo(f"\nfrom {len(files)} files, by SHA-256:")
    for source in files[:_LISTED]:
        click.echo(f"  {source.sha256[:16]}  {source.file}  ({', '.join(source.formats)})")
    if len(files) > _LISTED:
        click.echo(f"  and {len(files) - _LISTED} more")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"


def _summary(report: ImportReport) -> None:
    counts = Counter(one.outcome for one in report.files)
    rows, aside = sum(one.rows for one in report.files), sum(one.aside for one in report.files)
    click.echo("files: " + ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome]))
    click.echo(f"rows: {rows:,} stored, {aside:,} set aside")
    for note, files in _by_note(report.of(Outcome.IMPORTED)).items():
        click.echo(f"note: {note} ({_count(files)})")
    for why, files in _by_note(report.of(Outcome.SKIPPED)).items():
        click.echo(f"skipped: {why} ({_count(files)})")
    for one in report.refused:
        click.echo(f"refused: {one.path}\n  {one.text}", err=True)


def _by_note(files: Iterable[FileResult]) -> dict[str, list[FileResult]]:
    found: dict[str, list[FileResult]] = {}
    for one in files:
        for note in one.notes:
            found.setdefault(note, []).append(one)
    return found


def _count(files: Sequence[FileResult]) -> str:
    return files[0].path.name if len(files) == 1 else f"{len(files)} files"


def kind_name(table: str, minutes: int) -> str:
    """Return what a set holds, in words: "1-minute bars", "daily bars", "ticks"."""
    if table != "bars":
        return _TABLES.get(table, table)
    return "daily bars" if minutes == DAILY else f"{minutes}-minute bars"


_TABLES = {
    "eod": "end of day",
    "chain": "option chain",
    "listings": "contract master",
    "lots": "lot sizes",
    "actions": "corporate actions",
    "span": "SPAN scan ranges",
    "volatility": "daily volatility",
    "preopen": "pre-open",
}
_PRICED = frozenset({"bars", "ticks"})


def _line(one: ImportedSet) -> tuple[str, ...]:
    tradable, basis = (_tradable(one), str(one.basis)) if one.table in _PRICED else ("", "")
    name = kind_name(one.table, one.minutes)
    return one.subject, name, one.first or "-", one.last or "-", f"{one.rows:,}", tradable, basis


def _tradable(one: ImportedSet) -> str:
    if one.why_untradable:
        return f"no: {one.why_untradable}"
    return "no: an index" if kind_of(one.subject) is Kind.INDEX else "yes"


def _table(lines: Sequence[Sequence[str]], right: set[int]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def padded(line: Sequence[str]) -> str:
        cells = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        return "  ".join(cells).rstrip()

    return "\n".join(padded(line) for line in lines)
