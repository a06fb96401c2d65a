"""Makes a backup while the data folder trades: what it is of stands still, then it is sealed, described and rotated."""

import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

import aitrade
from aitrade.compliance.operations import note
from aitrade.core import unfinished
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.core.errors import AitradeError, Refused
from aitrade.core.files import FileLock
from aitrade.ops import configuration_history
from aitrade.ops.backup import databases
from aitrade.ops.backup.bundle import Manifest, Source, pack
from aitrade.ops.backup.contents import journals, left_out, names, still
from aitrade.ops.backup.heads import head_of
from aitrade.ops.backup.opening import keep_copy
from aitrade.ops.backup.shelf import Backup, BookHead, Shelf, sha256_of
from aitrade.store.vault import Vault

KINDS = ("daily", "full")
WHAT, RESTORE = "backup", "restore"


class Failure(msgspec.Struct, frozen=True):
    """Why there is no backup."""

    why: str


def run(home: Path, kind: str = "daily", *, at: int = 0) -> Backup:
    """Back a data folder up, while it trades or not; return the backup. `at` is ns UTC, now where it is 0.

    It is recorded in the operations journal, and so is a failure. What is beyond the policy's count is rotated out only
    when the new one lies in its place. Raises Refused, also where the disk takes nothing; Conflict beside another one.
    """
    if kind not in KINDS:
        raise Refused(f"There is no backup of kind {kind!r}; there are: {', '.join(KINDS)}.")
    with one_at_a_time(home):
        try:
            backup = _made(home, kind, at or time.time_ns())
        except (AitradeError, OSError, sqlite3.Error) as error:
            note(home, WHAT, kind, "failed", Failure(str(error)), at=at)
            raise unmade(error) from error
        note(home, WHAT, kind, "passed", backup, at=at)
    return backup


def _made(home: Path, kind: str, at: int) -> Backup:
    began = time.monotonic()
    configuration_history.keep(home, at=at)
    shelf, vault = Shelf.of(home), Vault.ensure(home)
    shelf.sweep(kind)
    with scratch_folder(home, "backup") as scratch:
        sources = [*_server(home, scratch), *still(home, names(home, kind, shelf.folder), scratch)]
        manifest = Manifest(
            id=name_of(kind, at, shelf), kind=kind, at=at, version=aitrade.__version__, books=heads(home, sources),
            left_out=left_out(home),
        )  # fmt: skip
        backup = store(shelf, vault, manifest, sources, began)
    keep_copy(home, shelf)
    for old in shelf.expired(kind):
        shelf.remove(old)
    return backup


def store(shelf: Shelf, vault: Vault, manifest: Manifest, sources: list[Source], began: float) -> Backup:
    """Seal files into a bundle on a shelf and describe it; `began` is of the monotonic clock."""
    backup = Backup(
        id=manifest.id, kind=manifest.kind, at=manifest.at, seconds=0, version=manifest.version, size=0, sha256="",
        files=len(sources), clear_size=sum(source.size for source in sources), books=manifest.books,
        left_out=manifest.left_out,
    )  # fmt: skip
    bundle = shelf.bundle(backup)
    pack(vault.sealing_keys()[0], manifest, sources, bundle, backup.context)
    backup = msgspec.structs.replace(
        backup, size=bundle.stat().st_size, sha256=sha256_of(bundle), seconds=round(time.monotonic() - began, 3)
    )
    shelf.add(backup)
    return backup


def unmade(error: Exception) -> Exception:
    """Return what a failure is raised as: the disk's own words become a refusal that says what to do."""
    if isinstance(error, (OSError, sqlite3.Error)):
        return Refused(f"Nothing was backed up ({error}): mend that, or free space, and run it again.")
    return error


def name_of(kind: str, at: int, shelf: Shelf) -> str:
    """Return a name that no backup on the shelf has: kind and time (IST), and a number where that is taken."""
    taken = {backup.id for backup in shelf.all(kind)}
    name = f"{kind}-{ist(at):%Y%m%d-%H%M%S}"
    return next(found for found in (name, *(f"{name}-{n}" for n in range(2, 10_000))) if found not in taken)


def heads(home: Path, sources: list[Source]) -> tuple[BookHead, ...]:
    """Return where each journal stands in what is about to be sealed."""
    sizes: dict[Path, dict[Path, int]] = {}
    for source in sources:
        sizes.setdefault(source.path.parent, {})[source.path] = source.size
    found = [(book, folder) for book, folder in journals(home) if folder in sizes]
    return tuple(head_of(book, folder, _segments(sizes[folder])) for book, folder in found)


def _segments(sizes: Mapping[Path, int]) -> dict[Path, int]:
    return {path: size for path, size in sizes.items() if path.suffix == ".aij"}


def _server(home: Path, scratch: Path) -> Iterator[Source]:
    url = load(home=home).database
    if databases.on_server(url):
        yield from databases.write_out(url, scratch)


def one_at_a_time(home: Path, *, restoring: bool = False) -> FileLock:
    """Hold the making of backups; raise Conflict while another process does, or a restore has not ended."""
    if not restoring:
        unfinished.refuse(home, RESTORE)
    return FileLock(home / "run" / "backup.lock", taken="A backup is being made already; wait until it is done.")


@contextmanager
def scratch_folder(home: Path, name: str) -> Iterator[Path]:
    """Give an empty, owner-only folder on the data folder's own device, gone afterwards."""
    folder = home / "run" / f"{name}.scratch"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
