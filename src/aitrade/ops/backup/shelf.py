"""The folder where backups lie: each a sealed bundle with its description beside it, by kind.

How many stay is the owner's setting: `keep_daily_backups`, `keep_full_backups`, `keep_model_checkpoints`.
`<backups>/<kind>/<id>.aib` is the bundle, `<id>.json` says in clear what it is, `<backups>/vault/vault.json` is a copy
of the vault's file, which opens by the offline recovery key when nothing else is left.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.core.files import write_private

BUNDLE, BESIDE = ".aib", ".json"
_CHUNK = 1 << 22
IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
"""File systems that are gone with the next power cut."""


class BookHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where a journal stood in a backup: its last record, the chain's hash after it and the state that it leads to."""

    book: str
    seq: int
    head: str
    """Hex."""
    wall: int
    """The machine's time of the last record, ns UTC."""
    state: str = ""
    """SHA-256 of the engine's state at that record, hex; empty for the operations journal."""
    orders: int = 0
    """Orders of its newest day."""
    cash: int = 0
    """Money put in and realised, less charges, paise."""


class Mount(msgspec.Struct, frozen=True):
    """What a folder lies on: the number of its file system, and its device and type; empty where nobody knows them."""

    number: int
    device: str = ""
    type: str = ""

    def another_than(self, other: "Mount") -> bool:
        """Return whether it is another device: no second volume of the same one (btrfs), and no memory."""
        same = self.number == other.number or (self.device != "" and self.device == other.device)
        return not same and self.type not in IN_MEMORY


class LeftOut(msgspec.Struct, frozen=True):
    """A place whose files are in no backup: where it lies, how much was there, and why it is left out."""

    path: str
    files: int
    size: int
    """Bytes."""
    why: str

    def __str__(self) -> str:
        return f"{self.path} ({self.files:,} files, {self.size:,} bytes) is in no backup: {self.why}"


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup as it is described beside its bundle."""

    id: str
    kind: str
    at: int
    """When it was begun, ns UTC."""
    seconds: float
    """How long it took."""
    version: str
    """Of aitrade."""
    size: int
    """Bytes of the sealed bundle."""
    sha256: str
    """Of the sealed bundle, hex."""
    files: int
    clear_size: int
    """Bytes of the files in it."""
    books: tuple[BookHead, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def context(self) -> str:
        """What it is sealed for."""
        return f"backup {self.id}"


class Shelf:
    """Backups under one folder; `kept` says how many of a kind stay, all where it does not name the kind."""

    def __init__(self, folder: Path, kept: Mapping[str, int] | None = None) -> None:
        self.folder = folder
        self._kept = kept or {}

    @classmethod
    def of(cls, home: Path) -> "Shelf":
        """Return the shelf of a data folder, as its configuration says."""
        settings = load(home=home)
        return cls(settings.backups, settings.kept)

    def bundle(self, backup: Backup) -> Path:
        """Return where a backup's bundle lies."""
        return self.folder / backup.kind / (backup.id + BUNDLE)

    def add(self, backup: Backup) -> None:
        """Describe a bundle that lies in its place: from now on it counts."""
        write_private(self._beside(backup), msgspec.json.format(msgspec.json.encode(backup)), durable=True)

    def all(self, kind: str = "") -> list[Backup]:
        """Return the backups of a kind (empty: all), oldest first; a description that is damaged is passed over."""
        found = [_described(path) for path in self.folder.glob(f"{kind or '*'}/*{BESIDE}")]
        return sorted((backup for backup in found if backup is not None), key=lambda backup: backup.at)

    def find(self, id_: str = "") -> Backup:
        """Return a backup by its id, the newest of a whole data folder without one; raise Refused."""
        backups = [backup for backup in self.all() if backup.kind != "models"]
        chosen = [backup for backup in backups if id_ in ("", backup.id)]
        if not chosen:
            known = ", ".join(backup.id for backup in backups[-5:]) or "none"
            raise Refused(f"There is no backup {id_ or 'yet'} under {self.folder}; the newest there are: {known}.")
        return chosen[-1]

    def check(self, backup: Backup) -> None:
        """Raise Refused where the bundle is not there, cut short, or not the bytes that were written."""
        path = self.bundle(backup)
        if not path.is_file():
            raise Refused(f"{path} is not there; choose another backup of `aitrade backup list`.")
        size = path.stat().st_size
        if size != backup.size:
            raise Refused(f"{path} has {size:,} bytes of {backup.size:,}: it is cut short; choose another backup.")
        if sha256_of(path) != backup.sha256:
            raise Refused(f"{path} is damaged: its SHA-256 is not the one that was written; choose another backup.")

    def expired(self, kind: str) -> list[Backup]:
        """Return what is beyond the count that is kept, oldest first."""
        return self.all(kind)[: -self._kept[kind]] if kind in self._kept else []

    def sweep(self, kind: str) -> None:
        """Remove what a killed making has left: parts that never got their name, bundles without a description."""
        named = {backup.id for backup in self.all(kind)}
        for path in (self.folder / kind).glob(f"{kind}-*"):
            if path.name.endswith(".part") or (path.suffix == BUNDLE and path.stem not in named):
                path.unlink()

    def remove(self, backup: Backup) -> None:
        """Take a backup off the shelf, description first."""
        self._beside(backup).unlink(missing_ok=True)
        self.bundle(backup).unlink(missing_ok=True)

    def _beside(self, backup: Backup) -> Path:
        return self.folder / backup.kind / (backup.id + BESIDE)


def last(home: Path, kind: str = "") -> Backup | None:
    """Return the newest backup of a data folder, None where there is none; kinds are daily, full and models."""
    backups = listed(home, kind)
    return backups[-1] if backups else None


def listed(home: Path, kind: str = "") -> list[Backup]:
    """Return the backups of a data folder, oldest first."""
    return Shelf.of(home).all(kind)


def on_second_device(home: Path) -> bool:
    """Return whether backups go to another device than the data folder's, and to one that outlives a power cut."""
    ours, theirs = _mount(home), _mount(_nearest(Shelf.of(home).folder))
    return theirs.another_than(ours)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256, hex."""
    digest = hashlib.sha256()
    for chunk in chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def chunks(path: Path, size: int = -1) -> Iterator[bytes]:
    """Yield the first `size` bytes of a file (-1: all) in pieces."""
    left = path.stat().st_size if size < 0 else size
    with path.open("rb") as file:
        while left and (chunk := file.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk


def _described(path: Path) -> Backup | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Backup)
    except (msgspec.DecodeError, UnicodeDecodeError, FileNotFoundError):
        return None


def _mount(folder: Path) -> Mount:
    """Return what a folder lies on."""
    import psutil

    place, number = folder.resolve(), folder.stat().st_dev
    above = [one for one in psutil.disk_partitions(all=True) if place.is_relative_to(one.mountpoint)]
    deepest = max(above, key=lambda one: len(Path(one.mountpoint).parts), default=None)
    return Mount(number, deepest.device, deepest.fstype) if deepest else Mount(number)


def _nearest(path: Path) -> Path:
    """Return the folder itself, or the nearest above it that is there already."""
    return path if path.exists() or path == path.parent else _nearest(path.parent)
