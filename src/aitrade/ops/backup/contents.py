"""What goes into a backup of each kind, and the copies that can be read while an engine writes.

A daily backup has all that trading needs and none could make again: databases, journals, configuration, vault and
models. A full one has the whole data folder besides: market data, reports, metrics, logs and the archive.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from fnmatch import fnmatch
from pathlib import Path

from aitrade.compliance.journal import SUFFIX, segments, whole
from aitrade.compliance.operations import BOOK
from aitrade.core.config import load
from aitrade.ops.backup.bundle import Source
from aitrade.ops.backup.shelf import LeftOut

DAILY = ("*.toml", "facts/*", "books/*", "operations/*", "configuration/*", "models/*")
FULL = ("*",)
OUTSIDE = "market data imported to a folder of their own; import them again, or copy that folder yourself"
LINKED = "a link to another place, which is not followed"
LEFT_OUT = ("run/*", "backups/*", "vault/*", "*.lock", "*/lock", "*.new", "*.part", "*-wal", "*-shm")
"""What is of this process and machine only. Of the vault only its sealed file is taken, never a key that opens it."""
VAULT = "vault/vault.json"
SQLITE = b"SQLite format 3\0"


def names(home: Path, kind: str, shelf: Path) -> Iterator[str]:
    """Yield the files of a kind of backup, relative to the data folder, sorted; the shelf itself is none of them."""
    taken = DAILY if kind == "daily" else FULL
    for path in sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink()):
        name = path.relative_to(home).as_posix()
        ours = _matches(name, taken) and not _matches(name, LEFT_OUT) and not path.is_relative_to(shelf)
        if ours or name == VAULT:
            yield name


def left_out(home: Path) -> tuple[LeftOut, ...]:
    """Return what belongs to a data folder and is in no backup of it: market data elsewhere, and what links lead to."""
    market = load(home=home).market_folder
    outside = [] if market.resolve().is_relative_to(home.resolve()) or market.is_symlink() else [(market, OUTSIDE)]
    links = [(path, LINKED) for path in sorted(home.rglob("*")) if path.is_symlink()]
    return tuple(_measured(path, why) for path, why in (*outside, *links) if path.exists())


def in_daily(name: str) -> bool:
    """Return whether a file is of those that a daily backup has."""
    return _matches(name, DAILY) or name == VAULT


def still(home: Path, wanted: Iterable[str], scratch: Path) -> Iterator[Source]:
    """Yield each file as it can be copied now: databases first, so that the journals are never behind them."""
    for name in sorted(wanted, key=lambda name: (not name.endswith(".db"), name)):
        path = home / name
        if name.endswith(".db") and is_sqlite(path):
            yield snapshot(name, path, scratch)
        elif name.endswith(SUFFIX):
            yield Source(name, path, whole_frames(path))
        elif path.is_file():
            yield Source(name, path, path.stat().st_size)


def snapshot(name: str, path: Path, scratch: Path) -> Source:
    """Copy a SQLite database as it is at one moment; in one step, so that its writer is neither stopped nor seen."""
    target = scratch / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode=OFF")
        copy.execute("PRAGMA synchronous=OFF")
        live.backup(copy, pages=-1)
    return Source(name, target, target.stat().st_size)


def is_sqlite(path: Path) -> bool:
    """Return whether a file is a SQLite database."""
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def whole_frames(path: Path) -> int:
    """Return how many bytes of a journal segment are whole, verified records; all of one that is closed."""
    if path != segments(path.parent)[-1]:
        return path.stat().st_size
    return len(whole(path)[0])


def journals(home: Path) -> list[tuple[str, Path]]:
    """Return each journal of a data folder by its book's name, the operations journal last."""
    found = [(path.parent.name, path) for path in sorted(home.glob("books/*/journal")) if segments(path)]
    operations = home / BOOK / "journal"
    return found + ([(BOOK, operations)] if segments(operations) else [])


def _measured(path: Path, why: str) -> LeftOut:
    files = [found for found in ([path] if path.is_file() else path.resolve().rglob("*")) if found.is_file()]
    return LeftOut(str(path), len(files), sum(found.stat().st_size for found in files), why)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
