"""Removes what is past its term, and nothing else: archived first (compressed, sealed, read back and compared).

There is no other way to remove a file of a class that has a term; `aitrade.compliance.retention` says which they are.
"""

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

import aitrade
from aitrade.compliance.operations import note
from aitrade.compliance.retention import Retention
from aitrade.core.clock import ist, ist_date
from aitrade.core.errors import Refused
from aitrade.ops.backup.bundle import Manifest, Source, pack, unpack
from aitrade.ops.backup.making import one_at_a_time, scratch_folder
from aitrade.ops.backup.shelf import BUNDLE, Shelf, sha256_of
from aitrade.store.vault import Vault

WHAT, FOLDER = "archive", "archive"


class Archived(msgspec.Struct, frozen=True):
    """What was archived and then removed: the bundle on the backups' folder, and each file with its SHA-256, hex."""

    id: str
    size: int
    sha256: str
    files: dict[str, str]

    @property
    def context(self) -> str:
        """What it is sealed for."""
        return context(self.id)


def context(id_: str) -> str:
    """Return what an archive is sealed for."""
    return f"archive {id_}"


def expire(home: Path, *, now: int = 0, classes: Sequence[str] = ()) -> Archived | None:
    """Archive and remove all that is past its term (of some classes: only those), None where nothing is.

    `now` is ns UTC, the machine's where it is 0. Raises Refused, OSError; whatever fails, nothing was removed.
    """
    now = now or time.time_ns()
    past = [kept for kept in Retention(home, ist_date(now)).past() if not classes or kept.data_class in classes]
    return remove(home, [home / kept.name for kept in past], now=now) if past else None


def remove(home: Path, paths: Sequence[Path], *, now: int = 0, shelf: Shelf | None = None) -> Archived:
    """Archive files and then remove them; raise Refused, with nothing removed, where one of them has to stay.

    They are archived where the backups lie, or on another `shelf`.
    """
    now = now or time.time_ns()
    _require_past(home, paths, ist_date(now))
    with one_at_a_time(home), scratch_folder(home, "archive") as scratch:
        archived = _archived(home, paths, now, shelf or Shelf.of(home), scratch)
    note(home, WHAT, archived.id, "passed", archived, at=now)
    for path in paths:
        path.unlink()
    return archived


def where(shelf: Shelf, id_: str) -> Path:
    """Return where an archive's bundle lies."""
    return shelf.folder / FOLDER / (id_ + BUNDLE)


def _free(shelf: Shelf, name: str) -> str:
    """Return a name that no archive has: one is never written over."""
    names = (name, *(f"{name}-{number}" for number in range(2, 100_000)))
    return next(free for free in names if not where(shelf, free).exists())


def _require_past(home: Path, paths: Sequence[Path], today: date) -> None:
    """Ask for each file; a journal's segments as they would go, one after the other."""
    retention = Retention(home, today)
    going = {kept.name for kept in retention.past()}
    for path in paths:
        if path.relative_to(home).as_posix() not in going:
            retention.require_past(path)
            if not retention.class_of(path):
                raise Refused(f"{path} has no term: it is not archived, and not removed here.")


def _archived(home: Path, paths: Sequence[Path], now: int, shelf: Shelf, scratch: Path) -> Archived:
    """Seal the files into a bundle and read all of it back."""
    vault, id_ = Vault.ensure(home), _free(shelf, f"past-{ist(now):%Y%m%d-%H%M%S}")
    sources = [Source(path.relative_to(home).as_posix(), path, path.stat().st_size) for path in paths]
    manifest = Manifest(id=id_, kind=FOLDER, at=now, version=aitrade.__version__, books=())
    bundle = where(shelf, id_)
    packed = pack(vault.sealing_keys()[0], manifest, sources, bundle, context(id_))
    read = unpack(vault.sealing_keys(), bundle, scratch / "read", context(id_))
    hashes = {entry.name: entry.sha256 for entry in read.entries}
    if read != packed or hashes != {source.name: sha256_of(source.path) for source in sources}:
        raise Refused(f"{bundle} does not read back as it was written; nothing was removed.")
    return Archived(id_, bundle.stat().st_size, sha256_of(bundle), hashes)
