"""Looks at the vault from outside: what lies about in clear, what a flipped bit does, who can read its files."""

import base64
import gzip
import secrets
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from aitrade.core.errors import VaultDamaged, VaultLocked
from aitrade.store.vault import Vault
from aitrade.store.vault_file import Entry, VaultFile, path_of, write

SHORTEST_SEARCHED = 8
"""Characters of the shortest secret that is searched for: shorter ones stand in many files by chance."""
MOST_SEARCHED = 1 << 30
"""Bytes of files that are searched for secrets in clear, the newest first."""
NOT_SEARCHED = ("market", "vault/key", "vault/key.dpapi")
"""Imported market data, and the keys that are held apart."""


class Leaks:
    """Where secrets lie in clear below a data folder, however spelled (`_forms`), in gzipped files too."""

    def __init__(self, home: Path, secrets_: list[str]) -> None:
        long = [secret for secret in secrets_ if len(secret) >= SHORTEST_SEARCHED]
        forms = [form for secret in long for form in _forms(secret)]
        self.too_short = len(secrets_) - len(long)
        self.files = self.bytes = 0
        self.found: list[str] = []
        for path in _newest(home):
            self._search(path, home, forms)

    def _search(self, path: Path, home: Path, forms: list[bytes]) -> None:
        try:
            text = _plain(path)
        except FileNotFoundError:
            return
        self.files += 1
        self.bytes += len(text)
        if any(form in text for form in forms):
            self.found.append(f"A credential stands in clear in {path.relative_to(home)}.")


def accepted_flips(vault: Vault, file: VaultFile, scratch: Path) -> list[str]:
    """Flip a bit of each entry's nonce and ciphertext in a copy; return, in sentences, what was read all the same.

    The whole copy is read before, for a copy that never opens would refuse every bit; raises where it does not open.
    """
    copied = vault.at(scratch)
    write(scratch, file)
    accepted = [
        f"The credential {entry.name} does not come back from a whole copy."
        for entry in file.entries
        if copied.read(entry.name) != vault.read(entry.name)
    ]
    for at, entry in enumerate(file.entries):
        for changed in _flipped(entry):
            write(scratch, replace(file, entries=(*file.entries[:at], changed, *file.entries[at + 1 :])))
            try:
                copied.read(entry.name)
            except (VaultDamaged, VaultLocked):
                continue
            accepted.append(f"The credential {entry.name} was read after a bit of it was flipped.")
    return accepted


def canary_in_clear(scratch: Path) -> list[str]:
    """Keep a canary in a scratch vault; return in sentences where it can be read, or that it did not come back."""
    canary = secrets.token_hex(16)
    vault = Vault.create(scratch, method="key-file")
    vault.add("canary", "preflight", canary)
    vault.rotate()
    if Vault.open(scratch).read("canary") != canary:
        return ["The canary did not come back out of the vault."]
    return [f"The canary: {line}" for line in Leaks(scratch, [canary]).found]


def readable_by_others(home: Path) -> list[str]:
    """Return in sentences which of the vault's files others than their owner can read; Windows has access lists."""
    if sys.platform == "win32":
        return []
    paths = [path_of(home).parent, *path_of(home).parent.iterdir()]
    wide = [path for path in paths if path.name != "lock" and stat.S_IMODE(path.stat().st_mode) & 0o077]
    return [f"{path.relative_to(home)} can be read by others (mode {path.stat().st_mode & 0o777:o})." for path in wide]


def _plain(path: Path) -> bytes:
    """Return what stands in a file; one that is just being gzipped as it is."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        with suppress(OSError, EOFError, zlib.error):
            return gzip.decompress(data)
    return data


def _forms(secret: str) -> tuple[bytes, ...]:
    """Return a secret as it is, in base64, hexadecimal digits, an address and JSON; written as digits, as bytes too."""
    raw = secret.encode()
    spelled = (quote(secret).encode(), quote(secret, safe="").encode(), msgspec.json.encode(secret)[1:-1])
    forms = (raw, base64.b64encode(raw).rstrip(b"="), raw.hex().encode(), *spelled)
    return (*forms, bytes.fromhex(secret)) if _is_hex(secret) else forms


def _is_hex(text: str) -> bool:
    return len(text) % 2 == 0 and all(letter in "0123456789abcdef" for letter in text)


def _newest(home: Path) -> Iterator[Path]:
    """Yield the files below a data folder, newest first, until their sizes add up to what is searched at most."""
    kept = [home / name for name in NOT_SEARCHED]
    files = [
        (path.stat(), path)
        for path in home.rglob("*")
        if path.is_file() and not any(path == one or one in path.parents for one in kept)
    ]
    left = MOST_SEARCHED
    for status, path in sorted(files, key=lambda pair: -pair[0].st_mtime_ns):
        left -= status.st_size
        if left >= 0:
            yield path


def _flipped(entry: Entry) -> tuple[Entry, Entry]:
    sealed = entry.sealed
    return tuple(  # type: ignore[return-value]
        replace(entry, sealed=replace(sealed, **{part: _one_bit(getattr(sealed, part))})) for part in ("nonce", "data")
    )


def _one_bit(data: bytes) -> bytes:
    at = secrets.randbelow(8 * len(data))
    changed = bytearray(data)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)
