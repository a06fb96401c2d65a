"""The ways to open a vault: each wraps the data key, and gets it back, or says why not.

A held key (keyring, key file, DPAPI, systemd), a passphrase through Argon2id, and the offline recovery key: X25519, of
which the vault knows the public half, so that a rotation needs no recovery key at hand.
"""

import base64
import hashlib
import os
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec.structs import astuple, replace

from aitrade.core.errors import Refused, VaultDamaged, VaultLocked
from aitrade.store.vault_file import KEY_BYTES, Cost, Wrap, decrypt, encrypt
from aitrade.store.vault_keys import Holder

SHORTEST = 12
"""Characters of the shortest passphrase that is taken."""
CHEAPEST, DEAREST = (3, 1, 65_536), (16, 16, 1_048_576)
"""Bounds of what a vault's file may ask of Argon2id: passes, lanes and KiB; a cheaper one would be a weakened one."""
CHECK_BYTES = 3
GROUP = 7


class Way(Protocol):
    """One way to open a vault."""

    method: str

    def wrap(self, vault: str, data_key: bytes) -> Wrap:
        """Seal the data key under a new wrapping key."""
        ...

    def unwrap(self, vault: str, wrap: Wrap) -> bytes:
        """Return the data key; raise VaultLocked."""
        ...

    def forget(self, wrap: Wrap) -> None:
        """Drop the wrapping key of a wrap that is out of use."""
        ...


class Held:
    """A wrapping key that a holder keeps."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self.method = holder.method

    def wrap(self, vault: str, data_key: bytes) -> Wrap:
        """Seal the data key under a new key, which the holder has on disk before this returns."""
        key, key_id = os.urandom(KEY_BYTES), os.urandom(8).hex()
        self.holder.put(key_id, key)
        return _sealed(key, vault, data_key, Wrap(method=self.method, key=key_id, place=self.holder.place))

    def unwrap(self, vault: str, wrap: Wrap) -> bytes:
        """Ask the holder."""
        key = self.holder.get(wrap.key)
        if key is None:
            where = f" at {self.holder.place}" if self.holder.place else ""
            raise VaultLocked(f"The vault's {self.method} key is not here{where}; {_OTHER_WAYS}")
        return _opened(key, vault, wrap, f"The {self.method} key does not open the vault; {_OTHER_WAYS}")

    def forget(self, wrap: Wrap) -> None:
        """Let the holder forget it."""
        self.holder.forget(wrap.key)


class Passphrase:
    """A wrapping key from a passphrase: Argon2id (RFC 9106), which takes the same time for a wrong one."""

    method = "passphrase"

    def __init__(self, text: str) -> None:
        self._text = text

    def wrap(self, vault: str, data_key: bytes) -> Wrap:
        """Seal the data key under a new salt; refuse a short passphrase."""
        if len(self._text) < SHORTEST:
            raise Refused(f"A passphrase needs {SHORTEST} characters or more; four random words are easy to keep.")
        wrap = Wrap(method=self.method, salt=os.urandom(16))
        return _sealed(self._key(wrap.salt, wrap.cost), vault, data_key, wrap)

    def unwrap(self, vault: str, wrap: Wrap) -> bytes:
        """Derive and try."""
        wrong = "That passphrase does not open the vault; nothing was changed, try again."
        return _opened(self._key(wrap.salt, wrap.cost), vault, wrap, wrong)

    def forget(self, wrap: Wrap) -> None:
        """Nothing is kept of a passphrase."""

    def _key(self, salt: bytes, cost: Cost) -> bytes:
        """Derive; a file that asks for more work than any vault of ours does is damaged, not obeyed."""
        if not all(low <= value <= high for low, value, high in zip(CHEAPEST, astuple(cost), DEAREST, strict=True)):
            raise VaultDamaged(f"The vault's file asks for {cost}, which no vault of ours does; restore it.")
        derive = Argon2id(
            salt=salt, length=KEY_BYTES, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory
        )
        return derive.derive(self._text.encode())


class Recovery:
    """The offline recovery key: the vault wraps for its public half, a person keeps the private one on paper."""

    method = "recovery"

    def __init__(self, public: bytes, private: X25519PrivateKey | None = None) -> None:
        self._public = public
        self._private = private

    @classmethod
    def new(cls) -> tuple["Recovery", str]:
        """Return a new way, and the text that a person keeps; it is nowhere else."""
        private = X25519PrivateKey.generate()
        return cls(private.public_key().public_bytes_raw()), _spelled(private.private_bytes_raw())

    @classmethod
    def given(cls, text: str) -> "Recovery":
        """Return the way for a recovery key as typed; raise VaultLocked for one that was mistyped."""
        private = X25519PrivateKey.from_private_bytes(_unspelled(text))
        return cls(private.public_key().public_bytes_raw(), private)

    def wrap(self, vault: str, data_key: bytes) -> Wrap:
        """Seal the data key for the recovery key, from a key pair that is thrown away."""
        once = X25519PrivateKey.generate()
        ephemeral = once.public_key().public_bytes_raw()
        key = self._agreed(once, X25519PublicKey.from_public_bytes(self._public), ephemeral)
        return _sealed(key, vault, data_key, Wrap(method=self.method, recipient=self._public, ephemeral=ephemeral))

    def unwrap(self, vault: str, wrap: Wrap) -> bytes:
        """Agree on the key with the private half."""
        wrong = "That recovery key is of another vault, or was replaced by a newer one."
        if self._private is None or wrap.recipient != self._public or len(wrap.ephemeral) != KEY_BYTES:
            raise VaultLocked(wrong)
        key = self._agreed(self._private, X25519PublicKey.from_public_bytes(wrap.ephemeral), wrap.ephemeral)
        return _opened(key, vault, wrap, wrong)

    def forget(self, wrap: Wrap) -> None:
        """Nothing is kept of a recovery key."""

    def _agreed(self, private: X25519PrivateKey, public: X25519PublicKey, ephemeral: bytes) -> bytes:
        derive = HKDF(hashes.SHA256(), KEY_BYTES, ephemeral + self._public, b"aitrade vault recovery")
        return derive.derive(private.exchange(public))


_OTHER_WAYS = "open it with the passphrase or the recovery key, or restore the key."


def _sealed(key: bytes, vault: str, data_key: bytes, wrap: Wrap) -> Wrap:
    return replace(wrap, sealed=encrypt(key, data_key, vault, wrap))


def _opened(key: bytes, vault: str, wrap: Wrap, wrong: str) -> bytes:
    data_key = decrypt(key, wrap.sealed, vault, wrap.bound())
    if data_key is None:
        raise VaultLocked(wrong)
    return data_key


def _spelled(key: bytes) -> str:
    """Return a key as groups of letters and digits, with a check against mistyping."""
    text = base64.b32encode(key + _check(key)).decode().rstrip("=")
    return "-".join(text[at : at + GROUP] for at in range(0, len(text), GROUP))


def _unspelled(text: str) -> bytes:
    letters = "".join(text.upper().split()).replace("-", "")
    try:
        raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except ValueError:
        raw = b""
    key, check = raw[:KEY_BYTES], raw[KEY_BYTES:]
    if len(key) != KEY_BYTES or check != _check(key):
        raise VaultLocked("That is not a recovery key: a letter is wrong or missing; compare it with the paper.")
    return key


def _check(key: bytes) -> bytes:
    return hashlib.sha256(b"aitrade recovery" + key).digest()[:CHECK_BYTES]
