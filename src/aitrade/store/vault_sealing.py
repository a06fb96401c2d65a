"""Sealed data and files: AES-256-GCM in blocks, so that a file of any size is sealed in little memory.

Layout: one line of JSON (format, cipher, key id, salt, block size), then the blocks, each with its tag. The file's key
is derived from the sealing key, the salt and the context (HKDF-SHA256); a block's nonce is its number and whether it is
the last, after the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015), and the header is authenticated with
every block. So a flipped bit, a block that was left out, moved or added, a shortened file and a file sealed for another
context are all refused.
"""

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aitrade.core.errors import VaultDamaged
from aitrade.core.files import sync_folder
from aitrade.store.vault_file import CIPHER, KEY_BYTES

FORMAT = "aitrade-sealed-1"
BLOCK = 1 << 20
TAG_BYTES = 16
LONGEST_HEADER = 1024


class Header(msgspec.Struct, frozen=True):
    """The first line; `block` is in bytes of clear data."""

    format: str
    cipher: str
    key: str
    salt: bytes
    block: int


def key_name(key: bytes) -> str:
    """Return the id of a sealing key: it tells keys apart and says nothing of them."""
    return hashlib.sha256(b"aitrade sealing key" + key).hexdigest()[:16]


def seal(key: bytes, data: bytes, context: str) -> bytes:
    """Return data sealed for a context, such as `backup 2026-04-01`; the context is needed to unseal it."""
    result = io.BytesIO()
    seal_stream(key, io.BytesIO(data), result, context)
    return result.getvalue()


def unseal(keys: Sequence[bytes], sealed: bytes, context: str) -> bytes:
    """Return what was sealed; raise VaultDamaged."""
    result = io.BytesIO()
    unseal_stream(keys, io.BytesIO(sealed), result, context)
    return result.getvalue()


def seal_file(key: bytes, source: Path, target: Path, context: str) -> None:
    """Seal a file into another, which is on disk under its name only when it is whole."""
    with source.open("rb") as clear, Whole(target) as sealed:
        seal_stream(key, clear, sealed, context)


def unseal_file(keys: Sequence[bytes], source: Path, target: Path, context: str) -> None:
    """Unseal a file; raise VaultDamaged, and leave the target as it was, where it does not verify to its end."""
    with source.open("rb") as sealed, Whole(target) as clear:
        unseal_stream(keys, sealed, clear, context)


def seal_stream(key: bytes, clear: BinaryIO, sealed: BinaryIO, context: str) -> None:
    """Seal from one binary file to another."""
    header = Header(FORMAT, CIPHER, key_name(key), os.urandom(32), BLOCK)
    line = msgspec.json.encode(header) + b"\n"
    cipher = _cipher(key, header, context)
    sealed.write(line)
    blocks = _blocks(clear, BLOCK)
    sealed.writelines(cipher.encrypt(_nonce(number, last=last), block, line) for number, last, block in blocks)


def unseal_stream(keys: Sequence[bytes], sealed: BinaryIO, clear: BinaryIO, context: str) -> None:
    """Unseal from one binary file to another with the key that its header names; raise VaultDamaged.

    What was written to `clear` before it is raised is to be thrown away.
    """
    line = sealed.readline(LONGEST_HEADER)
    header = _header(line)
    cipher = _cipher(_named(keys, header.key), header, context)
    for number, last, block in _blocks(sealed, header.block + TAG_BYTES):
        try:
            clear.write(cipher.decrypt(_nonce(number, last=last), block, line))
        except InvalidTag:
            raise VaultDamaged(f"It is damaged or cut short at block {number}, or sealed for another use.") from None


def _header(line: bytes) -> Header:
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise VaultDamaged("It was not sealed by aitrade.") from None
    if (header.format, header.cipher) != (FORMAT, CIPHER) or not 0 < header.block <= BLOCK:
        raise VaultDamaged(f"It says {header.format}, {header.cipher}; this version reads {FORMAT}, {CIPHER}.")
    return header


def _named(keys: Sequence[bytes], name: str) -> bytes:
    found = next((key for key in keys if key_name(key) == name), None)
    if found is None:
        raise VaultDamaged(f"It was sealed with the key {name}, which this vault has not: it is of another vault.")
    return found


def _cipher(key: bytes, header: Header, context: str) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), KEY_BYTES, header.salt, b"aitrade seal " + context.encode()).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _blocks(file: BinaryIO, size: int) -> Iterator[tuple[int, bool, bytes]]:
    """Yield number, whether it is the last, and bytes; an empty file is one empty block."""
    number, block = 0, file.read(size)
    while True:
        following = file.read(size) if len(block) == size else b""
        yield number, not following, block
        if not following:
            return
        number, block = number + 1, following


class Whole:
    """A file that gets its name when it is written to the end, and is gone when it is not."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._temporary = target.with_name(target.name + ".part")

    def __enter__(self) -> BinaryIO:
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        return self._file

    def __exit__(self, error: object, *_rest: object) -> None:
        if error is None:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        if error is not None:
            self._temporary.unlink()
            return
        self._temporary.replace(self._target)
        sync_folder(self._target.parent)
