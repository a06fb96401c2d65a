"""Copies the journals to the backups' device as they are written: what is lost with the data disk is a minute at most.

`<backups>/mirror/<book>/<segment>/` holds sealed parts, each the whole records between two bytes of the segment; when a
segment is closed its parts become one. A part is named for its bytes and for the chain's hash after it, so a copy goes
on where it stopped, and a journal that is another than the one that was copied (a reset book, a book that was taken
back) is seen: its copy is set aside under another name, and begins anew.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from aitrade.compliance.journal import HASH_SIZE, HEADER, SUFFIX, frames, segments, whole
from aitrade.core.errors import JournalBroken, VaultDamaged
from aitrade.core.files import FileLock, write_private
from aitrade.ops.backup.contents import journals
from aitrade.ops.backup.shelf import Shelf
from aitrade.store import vault_sealing as sealing
from aitrade.store.vault import Vault

FOLDER = "mirror"
PART = ".part.aib"
SECONDS = 30.0
"""Between two copies: with the time that a copy takes, within the minute."""
_AGAIN_SECONDS = 0.05


class Part(NamedTuple):
    """The bytes of a segment in one sealed file, and the first 16 hex digits of the chain's hash after them."""

    begin: int
    end: int
    head: str
    path: Path

    @classmethod
    def of(cls, path: Path) -> "Part":
        """Read a part's name."""
        begin, end, head = path.name.removesuffix(PART).split("-")
        return cls(int(begin), int(end), head, path)


class Copied(msgspec.Struct, frozen=True):
    """What a round copied: bytes, and the books whose copy was set aside."""

    size: int
    set_aside: tuple[str, ...]


class Mirror:
    """The copies of one data folder's journals."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.folder = Shelf.of(home).folder / FOLDER
        self._key = Vault.ensure(home).sealing_keys()[0]

    def copy(self) -> Copied:
        """Copy what was written since the last round.

        Raises OSError; JournalBroken for damaged records, when every other book is copied.
        """
        size, aside, broken = 0, [], []
        for book, folder in journals(self._home):
            if self._is_another(book, folder):
                self._set_aside(book)
                aside.append(book)
            try:
                size += sum(self._segment(book, path) for path in segments(folder))
            except JournalBroken as damaged:
                broken.append(str(damaged))
        if broken:
            raise JournalBroken(" ".join(broken))
        return Copied(size, tuple(aside))

    def _segment(self, book: str, path: Path) -> int:
        """Copy a segment's new records; return their bytes."""
        there = parts(self.folder / book / path.stem)
        closed = path != segments(path.parent)[-1]
        done = there[-1].end if there else 0
        data = self._added(book, path, done)
        if closed and len(there) + bool(data) > 1:
            self._join(book, path)
        return len(data)

    def _added(self, book: str, path: Path, done: int) -> bytes:
        if path.stat().st_size <= done:
            return b""
        data, head = _settled(path, done)
        if data:
            self._write(book, path, done, data, head.hex())
        return data

    def _join(self, book: str, path: Path) -> None:
        """Make one part of a closed segment's."""
        data, head = whole(path)
        self._write(book, path, 0, data, head.hex())
        for other in (self.folder / book / path.stem).glob(f"*{PART}"):
            if Part.of(other)[:2] != (0, len(data)):
                other.unlink()

    def _write(self, book: str, path: Path, begin: int, data: bytes, head: str) -> None:
        name = f"{begin:012d}-{begin + len(data):012d}-{head[:16]}{PART}"
        sealed = sealing.seal(self._key, data, context(book, path.stem))
        write_private(self.folder / book / path.stem / name, sealed, durable=True)

    def _is_another(self, book: str, folder: Path) -> bool:
        """Return whether a journal does not go on where its copy ends."""
        there = copied_segments(self.folder / book)
        found = {path.stem: path for path in segments(folder)}
        oldest = min(found)  # what is older was archived
        return any(
            name not in found or not _goes_on(found[name], parts(copied)[-1])
            for name, copied in there.items()
            if name >= oldest
        )

    def _set_aside(self, book: str) -> None:
        (self.folder / book).rename(self.folder / f"{book}.until-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns()}")


def copying(home: Path) -> FileLock:
    """Hold the copying; raise Conflict while another process copies these journals."""
    return FileLock(home / "run" / "mirror.lock", taken=f"The journals of {home} are being copied already.")


def context(book: str, segment: str) -> str:
    """Return what a part is sealed for."""
    return f"mirror {book} {segment}"


def parts(folder: Path) -> list[Part]:
    """Return a segment's parts in order, each going on where the one before ends; what a joined part covers is left."""
    found: list[Part] = []
    for part in sorted((Part.of(path) for path in folder.glob(f"*{PART}")), key=lambda part: (part.begin, -part.end)):
        if part.begin == (found[-1].end if found else 0):
            found.append(part)
    return found


def copied_segments(folder: Path) -> dict[str, Path]:
    """Return the segments of a book's copy by name, oldest first; those whose first part is missing are left out."""
    return {path.name: path for path in sorted(folder.glob("*")) if path.is_dir() and parts(path)}


def copied_books(folder: Path) -> list[str]:
    """Return the books that are copied and go on."""
    return sorted(path.name for path in folder.glob("*") if path.is_dir() and ".until-" not in path.name)


def newest_copy(folder: Path) -> int:
    """Return when the newest part was written, ns UTC, 0 without one."""
    return max((path.stat().st_mtime_ns for path in folder.rglob(f"*{PART}")), default=0)


def behind(home: Path, folder: Path, now: int) -> dict[str, float]:
    """Return by book how many seconds its oldest record that has no copy has been written; `now` is ns UTC."""
    waiting = {}
    for book, journal in journals(home):
        newest = segments(journal)[-1]
        there = parts(folder / book / newest.stem)
        done = there[-1].end if there else 0
        for frame in frames(newest) if newest.stat().st_size > max(done, HEADER.size) else ():
            if frame.end > done:
                waiting[book] = (now - frame.record.wall) / 10**9
                break
    return waiting


def unsealed(keys: Sequence[bytes], book: str, folder: Path) -> bytes:
    """Return the bytes of a copied segment; raise VaultDamaged where a part is damaged or of another vault."""
    found = parts(folder)
    data = b"".join(sealing.unseal(keys, part.path.read_bytes(), context(book, folder.name)) for part in found)
    if len(data) != found[-1].end:
        raise VaultDamaged(f"The copy of {book} {folder.name} has {len(data):,} bytes of {found[-1].end:,}.")
    return data


class Brought(NamedTuple):
    """What a copy added to a journal, in bytes, and what is wrong with the copy, "" for nothing."""

    added: int
    trouble: str = ""


def bring_up(keys: Sequence[bytes], mirror: Path, book: str, folder: Path) -> Brought:
    """Add to a restored journal what its copy holds beyond it, up to the first part that is damaged.

    A copy of another journal (it does not go on from the one in `folder`) adds nothing.
    """
    there = copied_segments(mirror / book)
    own = segments(folder)
    if any(path.stem in there and not _same_start(keys, book, path, there[path.stem]) for path in own):
        return Brought(0, f"The copy of {book} is of another journal (the book was reset since) and was not used.")
    added = 0
    for name, copied in there.items():
        path = folder / (name + SUFFIX)
        size = path.stat().st_size if path.exists() else 0
        if parts(copied)[-1].end > size and (path in own[-1:] or not own or path > own[-1]):
            data, bad = _sound(keys, book, copied)
            if len(data) > size:
                write_private(path, data)
                added += len(data) - size
            if bad is not None:
                return Brought(added, f"The copy of {book} is damaged ({bad}): what was written after is not in it.")
    return Brought(added)


def _sound(keys: Sequence[bytes], book: str, folder: Path) -> tuple[bytes, Path | None]:
    """Return the bytes of a copied segment up to its first damaged part, and which that is."""
    data = b""
    for part in parts(folder):
        try:
            data += sealing.unseal(keys, part.path.read_bytes(), context(book, folder.name))
        except VaultDamaged:
            return data, part.path
    return data, None


def follow(
    home: Path, stopped: Callable[[float], bool], failed: Callable[[Exception], None], done: Callable[[Copied], None],
    seconds: float = SECONDS,
) -> None:  # fmt: skip
    """Copy, and again after `seconds`, until `stopped`, which waits so long, says so; what fails is tried again."""
    while True:
        try:
            done(Mirror(home).copy())
        except Exception as error:
            failed(error)
        if stopped(seconds):
            return


def _settled(path: Path, offset: int) -> tuple[bytes, bytes]:
    """Read what is whole; a record that is being written may look damaged once, not twice."""
    try:
        return whole(path, offset)
    except JournalBroken:
        time.sleep(_AGAIN_SECONDS)
        return whole(path, offset)


def _goes_on(path: Path, last: Part) -> bool:
    with path.open("rb") as file:
        if last.end == HEADER.size:
            return hashlib.sha256(file.read(HEADER.size)).hexdigest().startswith(last.head)
        file.seek(last.end - HASH_SIZE)
        return file.read(HASH_SIZE).hex().startswith(last.head)


def _same_start(keys: Sequence[bytes], book: str, path: Path, copied: Path) -> bool:
    own, other = path.read_bytes(), _sound(keys, book, copied)[0]
    shorter = min(len(own), len(other))
    return own[:shorter] == other[:shorter]
