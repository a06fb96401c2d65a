"""Checkpoints of the models, weekly: what could decide about an order, sealed and hashed as a backup of kind models.

The registry's versions with which are active, what the package brings in their place, and the strategies' sources.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

import aitrade
from aitrade.compliance.operations import note
from aitrade.core.config import load
from aitrade.core.errors import AitradeError
from aitrade.intelligence.btst import Weights
from aitrade.market.simulated.universe import packaged_calibration
from aitrade.ops.backup.bundle import Manifest, Source, unpack
from aitrade.ops.backup.making import Failure, name_of, one_at_a_time, scratch_folder, store, unmade
from aitrade.ops.backup.opening import keys_for
from aitrade.ops.backup.shelf import Backup, Shelf, last, sha256_of
from aitrade.store.vault import Vault

KIND, WHAT = "models", "checkpoint"
PACKAGE = "package"
"""Where in a checkpoint lies what the package brings."""


def run(home: Path, *, at: int = 0) -> Backup:
    """Make a checkpoint and return it; it is recorded, and so is a failure. `at` is ns UTC, now where it is 0.

    Raises DataRefused for a damaged registry, Conflict while a backup is made, Refused.
    """
    began, at = time.monotonic(), at or time.time_ns()
    shelf = Shelf.of(home)
    with one_at_a_time(home), scratch_folder(home, KIND) as scratch:
        try:
            shelf.sweep(KIND)
            sources = list(contents(home, scratch))
            manifest = Manifest(
                id=name_of(KIND, at, shelf), kind=KIND, at=at, version=aitrade.__version__, books=()
            )  # fmt: skip
            made = store(shelf, Vault.ensure(home), manifest, sources, began)
        except (AitradeError, OSError) as error:
            note(home, WHAT, KIND, "failed", Failure(str(error)), at=at)
            raise unmade(error) from error
    for old in shelf.expired(KIND):
        shelf.remove(old)
    note(home, WHAT, KIND, "passed", made, at=at)
    return made


def contents(home: Path, scratch: Path) -> Iterator[Source]:
    """Yield the registry's files, what the package brings, and the strategies' sources and parameters."""
    for path in sorted((home / KIND).rglob("*")):
        if path.is_file() and path.name != ".lock":
            yield Source(path.relative_to(home).as_posix(), path, path.stat().st_size)
    brought = {
        "calibration.toml": packaged_calibration(),
        "btst-weights.json": msgspec.json.format(msgspec.json.encode(Weights())),
    }
    for name, data in brought.items():
        (scratch / name).write_bytes(data)
        yield Source(f"{PACKAGE}/{name}", scratch / name, len(data))
    for path in sorted((Path(aitrade.__file__).parent / "strategies").glob("*.py")):
        yield Source(f"{PACKAGE}/strategies/{path.name}", path, path.stat().st_size)


def differing(home: Path, scratch: Path) -> tuple[Backup | None, int, list[str]]:
    """Unseal the newest checkpoint into scratch and compare it with what there is now.

    Return it (None: there is none), how many files it has, and the files that are not in it as they are.
    """
    newest = last(home, KIND)
    if newest is None:
        return None, 0, []
    shelf = Shelf(load(home=home).backups)
    shelf.check(newest)
    manifest = unpack(keys_for(home, shelf), shelf.bundle(newest), scratch / "kept", newest.context)
    kept = {entry.name: entry.sha256 for entry in manifest.entries}
    (scratch / "now").mkdir()
    now = {source.name: sha256_of(source.path) for source in contents(home, scratch / "now")}
    return newest, len(kept), sorted(name for name, digest in now.items() if kept.get(name) != digest)
