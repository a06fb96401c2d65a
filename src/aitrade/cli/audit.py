"""`aitrade audit`: prove the journal."""

from pathlib import Path

import click

from aitrade.cli.options import REFUSED, data_folder, kind
from aitrade.compliance.journal import frames, segments, verify
from aitrade.compliance.operations import BOOK, journal_folder
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.core.errors import Refused


def journal_folders(home: Path, book: str | None) -> list[Path]:
    """Return the journal folders of a book, or of all; raise Refused when there is none."""
    found = sorted((home / "books").glob(f"{book or '*'}/journal"))
    if book in (None, BOOK) and journal_folder(home).exists():
        found.append(journal_folder(home))
    if not found:
        raise Refused(f"No journal of {book or 'any book'} lies under {home}; start one with `aitrade up`.")
    return found


@click.group()
def audit() -> None:
    """Verify and read the journal."""


@audit.command("verify")
@click.option("--book", help="Only this book.")
@data_folder
@kind
def verify_books(book: str | None, home: Path | None) -> None:
    """Verify the hash chain of every record; exit status 2 names the first broken one."""
    for folder in journal_folders(load(home=home).home, book):
        verdict = verify(folder)
        name = folder.parent.name
        click.echo(f"{name}: {verdict.records} records in {verdict.segments} segments verify; head {verdict.head}")
        if verdict.torn_bytes:
            click.echo(
                f"{name}: the last record was cut short ({verdict.torn_bytes} bytes); the next start keeps it aside"
            )


@audit.command()
@click.argument("book")
@click.option("--order", "order_id", help="Only records of this order.")
@data_folder
@kind
def show(book: str, order_id: str | None, home: Path | None) -> None:
    """Print the records of BOOK, one a line: number, market time, the machine's time (IST), kind, who, what."""
    shown = 0
    for folder in journal_folders(load(home=home).home, book):
        for path in segments(folder):
            for frame in frames(path):
                record = frame.record
                if order_id in (None, record.order_id):
                    shown += 1
                    body = "" if record.kind == "snapshot" else record.decoded()
                    times = f"{ist(record.ts):%F %T.%f} {ist(record.wall):%F %T.%f}"
                    click.echo(f"{record.seq} {times} {record.kind} {record.actor} {body}")
    if not shown:
        click.echo(f"No record of {order_id or book}.", err=True)
        raise SystemExit(REFUSED)


@audit.command()
@click.option("--book", help="Only this book.")
@data_folder
@kind
def reconcile(book: str | None, home: Path | None) -> None:
    """Count each book by its journal, its recovered state and its projection; exit status 2 names what differs."""
    from aitrade.ops.ledger import books
    from aitrade.ops.reconciliation import reconcile as compared
    from aitrade.ops.supervisor import address_of

    configuration = load(home=home)
    names = [book] if book else books(configuration.home)
    if not names:
        raise Refused(f"There is no book under {configuration.home}; start one with `aitrade up`.")
    running = address_of(configuration.home, 0)
    outcomes = [compared(configuration.home, name, configuration.database) for name in names]
    for found in outcomes:
        click.echo(
            f"{found.book}: {found.days} days, {found.compared} figures compared, {len(found.differences)} differ"
        )
        for line in [*(one.sentence for one in found.differences), *filter(None, [found.missing])]:
            click.echo(f"  {line}", err=True)
        if not found.agreed and running is not None and running.book == found.book:
            click.echo("  This book is being traded on: its database follows within a second. Ask again.", err=True)
    if not all(found.agreed for found in outcomes):
        raise SystemExit(REFUSED)
