"""The journal: append-only, hash-chained segments that come before everything else.

A segment is a 64-byte header and frames. The header: magic, version, cipher (0 is none), segment number, key id, and
the hash that the segment before ended with. A frame: the payload's length twice (the second time inverted, so that a
damaged length is told from a torn write), the payload (msgpack of a `Record`), and SHA-256 over the hash before and
the payload. The first link is SHA-256 of the header. Byte order is big-endian.

A write that was cut short leaves an incomplete last frame: it is moved to a file beside the segment and reported, never
deleted. Any other damage is `JournalBroken`, by record.
"""

import hashlib
import os
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from aitrade.core.errors import AitradeError, JournalBroken
from aitrade.core.events import RawRecord, Record

MAGIC = b"AITJ"
VERSION = 1
HEADER = struct.Struct(">4sHHI16s32s4x")
LENGTHS = struct.Struct(">II")
HASH_SIZE = 32
SUFFIX = ".aij"
_INVERT = 0xFFFFFFFF
_PREALLOCATE = 4 << 20
_GROUP_SECONDS = 0.004
_SYNC = getattr(os, "fdatasync", os.fsync)


class JournalUnwritable(AitradeError):
    """A record could not be written (disk full or gone); nothing of it remains in the file."""


class Torn(NamedTuple):
    """A last record that was cut short: which file, where, and the file that keeps its bytes."""

    segment: Path
    offset: int
    kept: Path


class Verdict(NamedTuple):
    """What a verification found."""

    records: int
    segments: int
    head: str
    torn_bytes: int


class Frame(NamedTuple):
    """A record with the offset after it and the chain's hash at that point."""

    record: RawRecord
    end: int
    head: bytes


def segments(folder: Path) -> list[Path]:
    """Return the journal's segments, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def read_header(data: bytes, path: Path) -> tuple[int, bytes]:
    """Return the segment's number and the hash it continues from; raise JournalBroken for a foreign header."""
    if len(data) < HEADER.size:
        raise JournalBroken(f"{path.name} is shorter than a journal header; restore it from the backup.")
    magic, version, cipher, number, _key, before = HEADER.unpack(data[: HEADER.size])
    if magic != MAGIC or version != VERSION or cipher != 0:
        raise JournalBroken(f"{path.name} is not a journal segment of version {VERSION}; restore it from the backup.")
    return number, before


_decoder = msgspec.msgpack.Decoder(RawRecord)


def frames(path: Path, before: bytes | None = None) -> Iterator[Frame]:
    """Yield a segment's frames, each verified; stop at a torn tail.

    Raises JournalBroken naming the record for any damage that a cut-off write cannot explain, and when the segment does
    not continue from the hash `before`.
    """
    data = path.read_bytes()
    _number, continues = read_header(data, path)
    if before is not None and continues != before:
        raise JournalBroken(f"{path.name} does not continue from the segment before it; one is missing or exchanged.")
    head, offset, seq = hashlib.sha256(data[: HEADER.size]).digest(), HEADER.size, -1
    view = memoryview(data)
    while offset + LENGTHS.size <= len(data):
        length, inverted = LENGTHS.unpack_from(data, offset)
        if length == 0 and inverted == 0:
            return
        which = f"the record after number {seq}" if seq >= 0 else "the first record"
        where = f"{path.name}, {which} (byte {offset})"
        if length ^ inverted != _INVERT:
            raise JournalBroken(f"{where}: its length is damaged; restore the segment from the backup.")
        start, end = offset + LENGTHS.size, offset + LENGTHS.size + length
        if end + HASH_SIZE > len(data):
            return
        payload = view[start:end]
        head = hashlib.sha256(head + payload).digest()
        if head != data[end : end + HASH_SIZE]:
            if _nothing_after(data, end + HASH_SIZE):
                return
            raise JournalBroken(f"{where}: its hash does not verify; restore the segment from the backup.")
        record = _decoder.decode(payload)
        seq, offset = record.seq, end + HASH_SIZE
        yield Frame(record, offset, head)


def whole(path: Path, offset: int = 0) -> tuple[bytes, bytes]:
    """Return a segment's whole, verified records from byte `offset` on, and the chain's hash after them.

    From 0 the header comes with them; any other offset is the end of a record. Stops at a torn or unfinished tail.
    Raises JournalBroken for other damage.
    """
    with path.open("rb") as file:
        file.seek(max(offset - HASH_SIZE, 0))
        data = file.read()
    if offset:
        head, start = data[:HASH_SIZE], HASH_SIZE
    else:
        read_header(data, path)
        head, start = hashlib.sha256(data[: HEADER.size]).digest(), HEADER.size
    end, view = start, memoryview(data)
    while end + LENGTHS.size <= len(data):
        length, inverted = LENGTHS.unpack_from(data, end)
        after = end + LENGTHS.size + length + HASH_SIZE
        if after > len(data) or (length == 0 and inverted == 0):
            break
        link = hashlib.sha256(head + view[end + LENGTHS.size : after - HASH_SIZE]).digest()
        if length ^ inverted != _INVERT or link != data[after - HASH_SIZE : after]:
            if _nothing_after(data, after):
                break
            raise JournalBroken(f"{path.name}, byte {offset + end - start}: a record is damaged; restore the segment.")
        head, end = link, after
    return data[start if offset else 0 : end], head


def _nothing_after(data: bytes, offset: int) -> bool:
    return not any(data[offset:])


def verify(folder: Path) -> Verdict:
    """Verify every segment and their order; raise JournalBroken naming the first broken record."""
    count, torn, before, sequence = 0, 0, None, None
    paths = segments(folder)
    for path in paths:
        end, head = HEADER.size, hashlib.sha256(path.read_bytes()[: HEADER.size]).digest()
        for frame in frames(path, before):
            if sequence is not None and frame.record.seq != sequence + 1:
                raise JournalBroken(f"{path.name}: record {frame.record.seq} follows {sequence}; one is missing.")
            sequence, count, end, head = frame.record.seq, count + 1, frame.end, frame.head
        tail = path.read_bytes()[end:].rstrip(b"\0")
        if tail and path is not paths[-1]:
            raise JournalBroken(f"{path.name}: {len(tail)} bytes after record {sequence} are damaged; restore it.")
        torn, before = len(tail), head
    return Verdict(count, len(paths), before.hex() if before else "", torn)


class Journal:
    """Appends records to the newest segment of a folder.

    `durability` is "os" (each record is handed to the operating system before the caller goes on and reaches the disk
    within 5 ms) or "disk" (fsynced before the caller goes on).
    """

    def __init__(self, folder: Path, *, first: str = "first", durability: str = "os") -> None:
        """Open the newest segment for appending, or begin one named `first`; `torn` tells of a cut-off record."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.durability = durability
        self.torn: Torn | None = None
        self.seq = 0
        self._head = b""
        self._encode = msgspec.msgpack.Encoder().encode
        self._dirty = threading.Event()
        self._unsynced = False
        """What the event says; asking the event itself costs a call for each record."""
        self._closing = False
        existing = segments(folder)
        if existing:
            self._reopen(existing[-1])
        else:
            self._begin(1, first, bytes(HASH_SIZE))
        self._syncer = threading.Thread(target=self._sync_groups, name="journal-sync", daemon=True)
        if durability == "os":
            self._syncer.start()

    @property
    def head(self) -> str:
        """The chain's hash after the last record, in hex."""
        return self._head.hex()

    @property
    def size(self) -> int:
        """Bytes of this segment so far."""
        return self._offset

    def append(self, record: Record) -> int:
        """Write `record` with the next sequence number, which is returned.

        Raises JournalUnwritable when the disk takes nothing; the journal is then as it was before.
        """
        record.seq = self.seq + 1
        payload = self._encode(record)
        head = hashlib.sha256(self._head + payload).digest()
        length = len(payload)
        self._write(LENGTHS.pack(length, length ^ _INVERT) + payload + head)
        self._head = head
        self.seq = record.seq
        if self.durability == "disk":
            self._flush()
        elif not self._unsynced:
            self._unsynced = True
            self._dirty.set()
        return record.seq

    def rotate(self, name: str) -> None:
        """Close this segment and begin the next, named for `name` (a market day)."""
        self._flush()
        number, head = self._number + 1, self._head
        self._finish()
        self._begin(number, name, head)

    def close(self) -> None:
        """Flush and close; a closed journal takes no more records, and closing it again does nothing."""
        if self._closing:
            return
        self._closing = True
        self._dirty.set()
        if self._syncer.is_alive():
            self._syncer.join()
        self._flush()
        self._finish()

    def _begin(self, number: int, name: str, before: bytes) -> None:
        header = HEADER.pack(MAGIC, VERSION, 0, number, bytes(16), before)
        path = self.folder / f"{number:06d}-{name}{SUFFIX}"
        self._open(path, number, HEADER.size if path.exists() else 0)
        self._offset = 0
        self._write(header)
        self._flush()
        self._head = hashlib.sha256(header).digest()

    def _reopen(self, path: Path) -> None:
        data = path.read_bytes()
        if len(data) < HEADER.size:
            self._restart_segment(path, data)
            return
        number, _before = read_header(data, path)
        end, head = HEADER.size, hashlib.sha256(data[: HEADER.size]).digest()
        for frame in frames(path):
            end, head, self.seq = frame.end, frame.head, frame.record.seq
        tail = data[end:].rstrip(b"\0")
        if tail:
            self.torn = self._set_aside(path, end, tail)
        self._open(path, number, end)
        self._head = head
        if self.seq == 0:
            self.seq = self._last_sequence_before(path)

    def _restart_segment(self, path: Path, data: bytes) -> None:
        """The machine stopped while a segment was being begun: keep what is there and begin it again."""
        earlier = [other for other in segments(self.folder) if other != path]
        self.torn = self._set_aside(path, 0, data)
        path.unlink()
        if earlier:
            self._reopen(earlier[-1])
        else:
            self._begin(1, "first", bytes(HASH_SIZE))

    def _last_sequence_before(self, path: Path) -> int:
        earlier = [other for other in segments(self.folder) if other < path]
        last = 0
        for frame in frames(earlier[-1]) if earlier else ():
            last = frame.record.seq
        return last

    def _set_aside(self, path: Path, offset: int, tail: bytes) -> Torn:
        kept = path.with_suffix(f".torn-{time.time_ns()}")
        kept.write_bytes(tail)
        return Torn(path, offset, kept)

    def _open(self, path: Path, number: int, offset: int) -> None:
        self.path, self._number, self._offset, self._allocated = path, number, offset, offset
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        os.ftruncate(self._fd, offset)
        os.lseek(self._fd, offset, os.SEEK_SET)

    def _finish(self) -> None:
        os.ftruncate(self._fd, self._offset)
        os.close(self._fd)
        self._fd = -1

    def _write(self, data: bytes) -> None:
        if self.durability == "disk" and self._offset + len(data) > self._allocated:
            self._preallocate(len(data))
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            raise JournalUnwritable(self._cannot_write(error.strerror)) from error
        if written != len(data):
            os.ftruncate(self._fd, self._offset)
            os.lseek(self._fd, self._offset, os.SEEK_SET)
            raise JournalUnwritable(self._cannot_write("the disk is full"))
        self._offset += written

    def _cannot_write(self, why: str | None) -> str:
        return f"The journal cannot be written ({why}): free space under {self.folder}, then resume trading."

    def _preallocate(self, need: int) -> None:
        """Grow the file ahead of the data, so that a sync has no file size to write."""
        size = self._offset + max(need, _PREALLOCATE)
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self._fd, self._offset, size - self._offset)
            except OSError as error:
                raise JournalUnwritable(self._cannot_write(error.strerror)) from error
        self._allocated = size

    def _flush(self) -> None:
        _SYNC(self._fd)

    def _sync_groups(self) -> None:
        while not self._closing:
            self._dirty.wait()
            time.sleep(_GROUP_SECONDS)
            self._dirty.clear()
            self._unsynced = False
            self._sync_quietly()

    def _sync_quietly(self) -> None:
        """A segment may be exchanged under the syncing thread; the one that closed was flushed by `rotate`."""
        try:
            _SYNC(self._fd)
        except (OSError, ValueError):
            return
