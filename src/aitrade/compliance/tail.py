"""Follows a journal as it grows: what a projection or an auditor reads while the engine writes.

Each frame is verified as it is read. A frame that is not whole yet is read the next time; when a segment ends and the
next one exists, reading goes on there.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from aitrade.compliance.journal import HASH_SIZE, HEADER, LENGTHS, read_header, segments
from aitrade.core.errors import JournalBroken
from aitrade.core.events import RawRecord

_decode = msgspec.msgpack.Decoder(RawRecord).decode
_INVERT = 0xFFFFFFFF
_CHUNK = 1 << 18


class Tail:
    """Reads the journal in a folder, from any record on, and goes on where it stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._offset = 0
        self._head = b""
        self._seq = 0
        self._doubt = 0

    def read(self, after: int) -> Iterator[RawRecord]:
        """Yield the records numbered above `after` that are written; raise JournalBroken for one that is damaged."""
        if after < self._seq:
            self._path, self._seq = None, 0
        for record in self._records():
            if record.seq > after:
                yield record

    def _records(self) -> Iterator[RawRecord]:
        while self._path is not None or self._enter(segments(self._folder)[:1]):
            yield from self._of_segment()
            later = [path for path in segments(self._folder) if self._path is not None and path > self._path]
            if not later:
                return
            yield from self._of_segment()  # what was written before the next segment began
            if not self._enter(later[:1]):
                return

    def _enter(self, paths: list[Path]) -> bool:
        if not paths or paths[0].stat().st_size < HEADER.size:
            return False
        with paths[0].open("rb") as file:
            header = file.read(HEADER.size)
        _number, before = read_header(header, paths[0])
        if self._path is not None and before != self._head:
            raise JournalBroken(f"{paths[0].name} does not continue {self._path.name}: run aitrade audit verify.")
        self._path, self._offset, self._head = paths[0], HEADER.size, hashlib.sha256(header).digest()
        return True

    def _of_segment(self) -> Iterator[RawRecord]:
        """Yield the whole frames from here on, a chunk of the file at a time."""
        size = _CHUNK
        while self._path is not None:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(size)
            begun = self._offset
            yield from self._of_chunk(data)
            if len(data) < size:
                return
            size = _CHUNK if self._offset > begun else 2 * size

    def _of_chunk(self, data: bytes) -> Iterator[RawRecord]:
        at = 0
        while at + LENGTHS.size <= len(data):
            length, inverted = LENGTHS.unpack_from(data, at)
            if not length and not inverted:
                return
            if length ^ inverted != _INVERT:
                raise JournalBroken(f"The record after number {self._seq} is damaged: run aitrade audit verify.")
            start, end = at + LENGTHS.size, at + LENGTHS.size + length
            payload, link = data[start:end], data[end : end + HASH_SIZE]
            if len(link) < HASH_SIZE:
                return
            head = hashlib.sha256(self._head + payload).digest()
            if head != link:
                self._doubted()
                return
            record = _decode(payload)
            at = end + HASH_SIZE
            self._offset, self._head, self._seq = self._offset + LENGTHS.size + length + HASH_SIZE, head, record.seq
            yield record

    def _doubted(self) -> None:
        """A record that does not verify may still be being written; one that does not the next time is damaged."""
        if self._doubt == self._offset:
            raise JournalBroken(f"The record after number {self._seq} does not verify: run aitrade audit verify.")
        self._doubt = self._offset
