"""A bundle: files and their manifest as tar, compressed by Zstandard and sealed by AES-256-GCM, in one pass.

The manifest comes last and has each file's SHA-256, so that each file is read once. Nothing of a bundle is trusted
until all of it has verified: seal, every file, and that there is nothing else in it.
"""

import hashlib
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from aitrade.core.errors import Refused
from aitrade.ops.backup.shelf import BookHead, LeftOut, chunks
from aitrade.store import vault_sealing as sealing

MANIFEST = "manifest.json"
_BLOCK = 1 << 22


class Source(msgspec.Struct, frozen=True):
    """A file to take in: its name in the bundle (relative, with /), where it lies, and how many bytes of it."""

    name: str
    path: Path
    size: int


class Entry(msgspec.Struct, frozen=True):
    """A file in a bundle; `modified` is ns UTC."""

    name: str
    size: int
    sha256: str
    modified: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle holds."""

    id: str
    kind: str
    at: int
    version: str
    books: tuple[BookHead, ...]
    entries: tuple[Entry, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def clear_size(self) -> int:
        """Bytes of its files."""
        return sum(entry.size for entry in self.entries)


def pack(key: bytes, manifest: Manifest, sources: Iterable[Source], target: Path, context: str) -> Manifest:
    """Seal files into `target`, which has its name only when it is whole; return the manifest with its entries."""
    packer = _Packer(manifest)
    pulled = cast("BinaryIO", _Pulled(_compressed(packer.tar(sources))))
    with sealing.Whole(target) as sealed:
        sealing.seal_stream(key, pulled, sealed, context)
    return packer.manifest


def unpack(keys: Sequence[bytes], bundle: Path, folder: Path, context: str) -> Manifest:
    """Unseal a bundle into an empty folder and verify every file; raise Refused (VaultDamaged) for any difference."""
    import pyarrow as pa

    folder.mkdir(parents=True)
    clear = folder.with_suffix(".tar.zst")
    try:
        sealing.unseal_file(keys, bundle, clear, context)
        with pa.CompressedInputStream(pa.OSFile(str(clear)), "zstd") as stream:
            return _extracted(stream, folder)
    except (tarfile.TarError, OSError, msgspec.DecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's, not the decompressor's
            raise Refused(f"{bundle} was not unpacked ({error}): free space, or mend that, and try again.") from error
        raise Refused(f"{bundle} does not unpack ({error}); choose another backup.") from None
    finally:
        clear.unlink(missing_ok=True)


def _extracted(stream: Any, folder: Path) -> Manifest:
    """Write each file and hash it on the way; the manifest, which comes last, has to say the same."""
    found: dict[str, tuple[int, str]] = {}
    manifest: Manifest | None = None
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            content = cast("BinaryIO", tar.extractfile(member))
            if member.name == MANIFEST:
                manifest = msgspec.json.decode(content.read(), type=Manifest)
            else:
                found[member.name] = _written(content, _inside(folder, member.name), member.mtime)
    if manifest is None:
        raise Refused("The backup has no manifest: it is cut short; choose another backup.")
    said = {entry.name: (entry.size, entry.sha256) for entry in manifest.entries}
    differing = sorted(name for name in said.keys() | found.keys() if said.get(name) != found.get(name))
    if differing:
        raise Refused(f"{len(differing)} files of the backup differ from its manifest, {differing[0]} first.")
    return manifest


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Refused(f"The backup names a file outside of itself ({name}); it was not made by aitrade.")
    return path


def _written(content: BinaryIO, path: Path, modified: float) -> tuple[int, str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while block := content.read(_BLOCK):
            digest.update(block)
            size += file.write(block)
    os.utime(path, (modified, modified))
    return size, digest.hexdigest()


class _Packer:
    """Yields a tar's bytes, and knows its manifest when they are all out."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def tar(self, sources: Iterable[Source]) -> Iterator[bytes]:
        """Yield the files, then the manifest."""
        entries: list[Entry] = []
        for source in sources:
            digest = hashlib.sha256()
            modified = source.path.stat().st_mtime_ns
            yield _header(source.name, source.size, modified)
            for chunk in _exactly(source):
                digest.update(chunk)
                yield chunk
            yield _padding(source.size)
            entries.append(Entry(source.name, source.size, digest.hexdigest(), modified))
        self.manifest = msgspec.structs.replace(self.manifest, entries=tuple(entries))
        body = msgspec.json.encode(self.manifest)
        yield _header(MANIFEST, len(body), self.manifest.at) + body + _padding(len(body))
        yield bytes(2 * tarfile.BLOCKSIZE)


def _exactly(source: Source) -> Iterator[bytes]:
    left = source.size
    for chunk in chunks(source.path, source.size):
        left -= len(chunk)
        yield chunk
    if left:
        raise Refused(f"{source.path} became {left:,} bytes shorter while it was backed up; run the backup again.")


def _header(name: str, size: int, modified: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, modified // 10**9, 0o600
    return info.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Compress in blocks, each a Zstandard frame of its own; frames one after the other are a Zstandard stream."""
    import pyarrow as pa

    codec, waiting = pa.Codec("zstd", compression_level=1), bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= _BLOCK:
            yield codec.compress(bytes(waiting), asbytes=True)
            waiting.clear()
    yield codec.compress(bytes(waiting), asbytes=True)


class _Pulled:
    """Reads from an iterator of bytes as from a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting = bytearray()

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end only."""
        while len(self._waiting) < size and (piece := next(self._pieces, b"")):
            self._waiting += piece
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        return data
