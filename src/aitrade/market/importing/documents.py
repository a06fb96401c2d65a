"""What is inside a file: plain, gzipped or zipped; text or bytes."""

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from aitrade.core.errors import DataRefused

LARGEST = 1 << 30
"""Bytes that one unpacked document may have; an archive that promises more is refused unread."""


class Document:
    """One readable thing: a file, what a gzip holds, or a member of a zip.

    `name` is what a person is told; `stem` and `folder` may supply a symbol or a date that the content lacks.
    """

    def __init__(self, path: Path, data: bytes, member: str = "") -> None:
        self.path = path
        self.data = data
        self.member = member
        self.name = f"{path.name}/{member}" if member else path.name

    @property
    def stem(self) -> str:
        """The file's (or member's) name without folders and endings: RELIANCE.csv.gz is RELIANCE."""
        return (self.member or self.path.name).rsplit("/", 1)[-1].split(".", 1)[0]

    @property
    def folder(self) -> str:
        """Name of the folder that the file lies in."""
        return self.path.parent.name

    def refuse(self, why: object, line: int = 0) -> DataRefused:
        """Return the refusal that names this document, the line where there is one, and `why`."""
        where = f", line {line}" if line else ""
        return DataRefused(f"{self.name}{where}: {why}")

    @cached_property
    def text(self) -> str:
        """The content as text, without a byte-order mark; DataRefused where it is not UTF-8."""
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.data[: error.start].count(b"\n") + 1
            raise self.refuse("this is neither UTF-8 text nor a format that we know.", line) from None
        if "\0" in text:
            raise self.refuse("this is binary, and not a format that we know.")
        return text

    @cached_property
    def is_text(self) -> bool:
        """True where `text` can be read."""
        try:
            return bool(self.text.strip())
        except DataRefused:
            return False

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The first line's cells in lower case, without padding and without the empty one after a trailing comma."""
        if not self.is_text:
            return ()
        first = next(self.records(), (0, [""]))[1]
        cells = tuple(cell.strip().lower() for cell in first)
        return cells[:-1] if cells and not cells[-1] else cells

    @cached_property
    def json(self) -> Any:  # parsed content of an outside file, of any shape
        """The content as parsed JSON, or None where it does not begin like JSON; DataRefused where it breaks off."""
        if self.data[:3].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}:
            return None
        try:
            return msgspec.json.decode(self.text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self.refuse(f"the JSON is damaged: {error}.") from None

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, cells) of every CSV line that is not blank; cells keep their padding."""
        reader = csv.reader(io.StringIO(self.text))
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except csv.Error as error:
            raise self.refuse(f"{error}.", reader.line_num) from None


def documents(path: Path) -> Iterator[Document]:
    """Yield what `path` holds; DataRefused for a damaged archive, an empty file or one too large to be market data."""
    data = path.read_bytes()
    if not data:
        raise DataRefused(f"{path.name}: the file is empty.")
    try:
        yield from _unpack(path, data)
    except DataRefused:
        raise
    except Exception as error:  # what a damaged archive makes its reader raise is not ours to list
        raise DataRefused(f"{path.name}: the archive is damaged ({error}); fetch the file again.") from None


def _unpack(path: Path, data: bytes) -> Iterator[Document]:
    if data[:2] == b"\x1f\x8b":
        yield Document(path, _gunzip(path, data))
    elif data[:4] == b"PK\x03\x04":
        yield from _members(path, zipfile.ZipFile(io.BytesIO(data)))
    else:
        yield Document(path, data)


def _gunzip(path: Path, data: bytes) -> bytes:
    unpacked = gzip.GzipFile(fileobj=io.BytesIO(data)).read(LARGEST + 1)
    if len(unpacked) > LARGEST:
        raise DataRefused(f"{path.name}: unpacked it is over {LARGEST >> 20} MiB, which no market data file is.")
    return unpacked


def _members(path: Path, archive: zipfile.ZipFile) -> Iterator[Document]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if not infos:
        raise DataRefused(f"{path.name}: the archive is empty.")
    if sum(info.file_size for info in infos) > LARGEST:
        raise DataRefused(f"{path.name}: unpacked it is over {LARGEST >> 20} MiB, which no market data file is.")
    for info in infos:
        yield Document(path, archive.read(info), info.filename)


_DAY = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


def day_in(name: str) -> str:
    """Return the first ISO day in `name` ("…_2026-08-18", "20190104_…"), or ""."""
    found = _DAY.search(name)
    return "-".join(found.groups()) if found else ""
