"""The vault's one file, `vault/vault.json`: what it says in clear, what is sealed, and how it is replaced in one step.

Every secret is AES-256-GCM under the data key, bound to its name, purpose and times; the data key is wrapped once for
each way to open the vault; `proof` binds all the rest of the file, so that no secret can be taken out or put back, and
no way to open it exchanged for another's, whom the next rotation would let in.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aitrade.core.errors import Refused, VaultDamaged
from aitrade.core.files import FileLock, write_private

FORMAT = "aitrade-vault-2"
CIPHER = "AES-256-GCM"
KEY_BYTES = 32
NONCE_BYTES = 12


class Sealed(msgspec.Struct, frozen=True):
    """What AES-256-GCM made: a random nonce, and the ciphertext with its 16 bytes of tag."""

    nonce: bytes
    data: bytes


class Cost(msgspec.Struct, frozen=True):
    """Argon2id's cost; the default is the second recommended option of RFC 9106 §4. `memory` is in KiB."""

    iterations: int = 3
    lanes: int = 4
    memory: int = 65_536


class Wrap(msgspec.Struct, frozen=True, kw_only=True):
    """The data key, sealed for one way to open the vault.

    `key` names the wrapping key, `place` its file; a passphrase has `salt` and `cost`, the recovery key `recipient` and
    `ephemeral` (X25519 public keys).
    """

    method: str
    key: str = ""
    place: str = ""
    salt: bytes = b""
    cost: Cost = Cost()
    recipient: bytes = b""
    ephemeral: bytes = b""
    sealed: Sealed = Sealed(b"", b"")

    def bound(self) -> "Wrap":
        """Return what is authenticated with the sealed data key: all the rest."""
        return msgspec.structs.replace(self, sealed=Sealed(b"", b""))


class Entry(msgspec.Struct, frozen=True):
    """One secret; times are ns UTC."""

    name: str
    purpose: str
    added: int
    changed: int
    sealed: Sealed

    def bound(self) -> tuple[str, str, int, int]:
        """Return what is authenticated with the secret."""
        return self.name, self.purpose, self.added, self.changed


class VaultFile(msgspec.Struct, frozen=True):
    """The whole file; `retired` are wraps out of use whose keys are still to be forgotten."""

    format: str
    cipher: str
    id: str
    wraps: tuple[Wrap, ...]
    entries: tuple[Entry, ...]
    proof: Sealed
    retired: tuple[Wrap, ...] = ()

    def proven(self, data_key: bytes) -> "VaultFile":
        """Return the file with the proof that whoever has the data key wrote all of it."""
        return msgspec.structs.replace(self, proof=encrypt(data_key, b"", self._bound()))

    def proves(self, data_key: bytes) -> bool:
        """Return whether it was written with the data key and not changed since."""
        return decrypt(data_key, self.proof, self._bound()) is not None

    def _bound(self) -> "VaultFile":
        return msgspec.structs.replace(self, proof=Sealed(b"", b""))


def encrypt(key: bytes, data: bytes, *bound: object) -> Sealed:
    """Seal data under a 32-byte key; `bound` is authenticated and not stored."""
    nonce = os.urandom(NONCE_BYTES)
    return Sealed(nonce, AESGCM(key).encrypt(nonce, data, msgspec.json.encode((FORMAT, CIPHER, *bound))))


def decrypt(key: bytes, sealed: Sealed, *bound: object) -> bytes | None:
    """Return what was sealed, or None where the key, the data or what they are bound to differ in a single bit."""
    try:
        return AESGCM(key).decrypt(sealed.nonce, sealed.data, msgspec.json.encode((FORMAT, CIPHER, *bound)))
    except (InvalidTag, ValueError):
        return None


def path_of(home: Path) -> Path:
    """Return where a data folder's vault lies; a copy of this file alone is safe to keep anywhere."""
    return home / "vault" / "vault.json"


def read(home: Path) -> VaultFile:
    """Return the file; raise Refused where there is none, VaultDamaged where it is not a vault of this format."""
    path = path_of(home)
    try:
        file = msgspec.json.decode(path.read_bytes(), type=VaultFile)
    except FileNotFoundError:
        raise Refused(f"There is no vault under {home}; `aitrade vault add NAME` makes one.") from None
    except OSError as error:
        raise Refused(
            f"{path} cannot be read ({error.strerror}); run this as the account that it belongs to."
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise VaultDamaged(f"{path} is damaged ({error}); restore it from a backup.") from None
    if (file.format, file.cipher) != (FORMAT, CIPHER):
        raise VaultDamaged(
            f"{path} says {file.format}, {file.cipher}; this version reads {FORMAT}, {CIPHER}: move the file away and "
            "add its secrets again by `aitrade vault add`, or open it with the version that made it."
        )
    return file


def write(home: Path, file: VaultFile) -> None:
    """Replace the file in one step, on disk when this returns; raise Refused where the disk takes nothing."""
    with kept_whole(path_of(home)):
        write_private(path_of(home), msgspec.json.format(msgspec.json.encode(file)), durable=True)


def locked(home: Path) -> FileLock:
    """Hold the vault against other writers; raise Refused where its folder is not ours."""
    folder = path_of(home).parent
    with kept_whole(folder):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        return FileLock(folder / "lock", wait=True)


@contextmanager
def kept_whole(path: Path) -> Iterator[None]:
    """Say in a sentence that a file could not be replaced, which leaves it as it was."""
    try:
        yield
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}); it is as it was: make room or rights.") from None
