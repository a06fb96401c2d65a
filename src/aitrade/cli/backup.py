"""`aitrade backup`: make, list and prove backups, copy the journals, and see the configuration's history."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from aitrade.cli.options import REFUSED, data_folder, kind
from aitrade.cli.trading import table
from aitrade.core.clock import ist, ist_date
from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.core.money import format_rupees
from aitrade.ops.backup.shelf import BookHead, LeftOut, Shelf, on_second_device

SAME_DEVICE = (
    "These backups lie on the data folder's own device, or in memory, and are lost with it: set backup_folder in "
    "aitrade.toml to a folder on another device."
)


@click.group()
def backup() -> None:
    """Back up the data folder, sealed and checked, and prove that it comes back."""


@backup.command()
@click.option("--full", is_flag=True, help="The whole data folder, as once a month.")
@data_folder
@kind
def run(*, full: bool, home: Path | None) -> None:
    """Back up now; trading goes on."""
    from aitrade.ops.backup import run as make
    from aitrade.ops.backup.process import lower_priority

    folder = load(home=home).home
    lower_priority()
    made = make(folder, "full" if full else "daily")
    click.echo(f"{made.id}: {made.files} files, {made.clear_size:,} bytes, {made.size:,} sealed, {made.seconds} s")
    absent(made.left_out)
    _same_device(folder)


@backup.command("list")
@data_folder
@kind
def list_backups(home: Path | None) -> None:
    """List the backups, oldest first."""
    shelf = Shelf.of(load(home=home).home)
    rows = [
        (made.id, f"{ist(made.at):%d %b %Y %H:%M:%S}", str(made.files), f"{made.size:,}", f"{made.seconds} s")
        for made in shelf.all()
    ]
    table(rows, ("backup", "begun (IST)", "files", "bytes", "took"))
    click.echo(f"\nThey lie in {shelf.folder}")


@backup.command()
@click.argument("backup_id", required=False, default="")
@data_folder
@kind
def verify(backup_id: str, home: Path | None) -> None:
    """Restore a backup (the newest) into a scratch place and compare; exit status 2 names the differences."""
    from aitrade.ops.backup.verifying import verify as prove

    with _taken():
        verified = prove(load(home=home).home, backup_id)
    books(verified.books)
    absent(verified.left_out)
    for difference in verified.differences:
        click.echo(difference, err=True)
    if verified.differences:
        raise SystemExit(REFUSED)
    click.echo(f"\n{verified.backup}: {verified.files} files and every book as backed up, {verified.seconds} s")


@backup.command()
@click.option("--once", is_flag=True, help="One round, then end; without it a round each half minute.")
@data_folder
@kind
def mirror(*, once: bool, home: Path | None) -> None:
    """Copy the journals, closed and open segments, to where the backups lie; `aitrade up` does it by itself."""
    from aitrade.ops.backup.mirror import Mirror, copying, follow

    folder = load(home=home).home
    if not (folder / "books").exists():
        raise Refused(f"Nothing was traded under {folder} yet; there is no journal to copy.")
    with copying(folder):
        if once:
            with _taken():
                copied = Mirror(folder).copy()
            click.echo(f"{copied.size:,} bytes copied")
            return
        follow(
            folder, threading.Event().wait, lambda error: click.echo(f"Not copied: {error}", err=True),
            lambda copied: click.echo(f"{copied.size:,} bytes copied"),
        )  # fmt: skip


@backup.command()
@data_folder
@kind
def configuration(home: Path | None) -> None:
    """Keep the configuration as it is now, and list its changes, newest first."""
    from aitrade.ops.configuration_history import changes, folder, keep

    at = load(home=home).home
    keep(at)
    rows = [
        (change.id[:12], f"{ist(change.at):%d %b %Y %H:%M:%S}", change.who, " ".join(change.files))
        for change in changes(at)
    ]
    table(rows, ("change", "when (IST)", "who", "files"))
    click.echo(f"\ngit -C {folder(at)} log -p shows what changed")


@backup.command()
@data_folder
@kind
def models(home: Path | None) -> None:
    """Make a checkpoint of the models: the registry, what the package brings, the strategies."""
    from aitrade.ops.checkpoints import run as checkpoint

    made = checkpoint(load(home=home).home)
    click.echo(f"{made.id}: {made.files} files, {made.size:,} bytes sealed")


@backup.command()
@click.option("--dry-run", is_flag=True, help="Only list what is past its term.")
@data_folder
@kind
def archive(*, dry_run: bool, home: Path | None) -> None:
    """Archive what is past its term, sealed and read back, and only then remove it."""
    from aitrade.compliance.retention import Retention
    from aitrade.ops.archive import expire

    folder = load(home=home).home
    past = list(Retention(folder, ist_date(time.time_ns())).past())
    table([(row.name, row.data_class, f"{row.until:%d %b %Y}") for row in past], ("file", "class", "kept until"))
    with _taken():
        archived = None if dry_run else expire(folder)
    if archived is not None:
        click.echo(f"\n{archived.id}: {len(archived.files)} files archived and removed, {archived.size:,} bytes sealed")


def books(heads: tuple[BookHead, ...]) -> None:
    """Print where each book stands."""
    rows = [
        (head.book, str(head.seq), f"{ist(head.wall):%d %b %Y %H:%M:%S}" if head.wall else "-",
         format_rupees(head.cash) if head.state else "-", head.head[:16])
        for head in heads
    ]  # fmt: skip
    table(rows, ("book", "last record", "written (IST)", "cash", "chain"))


def absent(places: tuple[LeftOut, ...]) -> None:
    """Print what a backup has not."""
    for place in places:
        click.echo(str(place), err=True)


@contextmanager
def _taken() -> Iterator[None]:
    """Make a sentence of what a disk says."""
    try:
        yield
    except OSError as error:
        raise Refused(f"The disk did not take it ({error}): free space, or mend that, and try again.") from error


def _same_device(home: Path) -> None:
    if not on_second_device(home):
        click.echo(SAME_DEVICE, err=True)
