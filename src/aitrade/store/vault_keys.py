"""Where a vault's wrapping keys are held: the keyring, an owner-only key file, DPAPI, a systemd credential.

A holder keeps more than one key, each under its own id, so that the old one still opens everything until a rotation's
last step. Each says how strong it is, and whether it can be asked by a service that nobody has logged in for.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from aitrade.core.errors import Refused
from aitrade.core.files import write_private
from aitrade.store.vault_file import kept_whole

SERVICE = "aitrade"
CREDENTIAL = "aitrade-vault-key"
RECOMMENDED = 1
"""The least priority of a keyring backend that its makers recommend (keyring, "priority")."""


class Holder(Protocol):
    """Keeps wrapping keys by id; `weakness` is one sentence for preflight, empty where there is none to name."""

    method: str
    unattended: bool
    weakness: str
    place: str

    def get(self, key_id: str) -> bytes | None:
        """Return the key, or None where it is not held here."""
        ...

    def put(self, key_id: str, key: bytes) -> None:
        """Keep a key beside those that are held; it is on disk when this returns. Raises Refused."""
        ...

    def forget(self, key_id: str) -> None:
        """Keep a key no longer."""
        ...


class KeyringHolder:
    """The operating system's keyring of the person who is logged in."""

    method = "keyring"
    unattended = False
    weakness = "the keyring is there only while this user is logged in"
    place = ""

    def get(self, key_id: str) -> bytes | None:
        """Ask the keyring; None where it has no such key or cannot be reached."""
        import keyring
        from keyring.errors import KeyringError

        try:
            text = keyring.get_password(SERVICE, key_id)
        except (KeyringError, RuntimeError, OSError):
            return None
        return key_of(text) if text else None

    def put(self, key_id: str, key: bytes) -> None:
        """Store a key; refuse where the keyring does not take it."""
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(SERVICE, key_id, key.hex())
        except (KeyringError, RuntimeError, OSError) as error:
            raise Refused(f"The keyring took no key ({error}); use `aitrade vault protect key-file`.") from None

    def forget(self, key_id: str) -> None:
        """Delete a key that may be gone already."""
        import keyring
        from keyring.errors import KeyringError

        with contextlib.suppress(KeyringError, RuntimeError, OSError):
            keyring.delete_password(SERVICE, key_id)

    @staticmethod
    def usable() -> bool:
        """Return whether a keyring that keeps secrets answers here; one that keeps them in clear has a low priority."""
        import keyring
        from keyring.backends import chainer

        found = keyring.get_keyring()
        backends = found.backends if isinstance(found, chainer.ChainerBackend) else [found]
        return any(backend.priority >= RECOMMENDED for backend in backends)


class KeyFile:
    """A file that only its owner can read: a key a line, as id and hexadecimal digits."""

    method = "key-file"
    unattended = True
    weakness = "whoever can read the service account's files, or this disk, can open the vault"

    def __init__(self, path: Path, place: str = "") -> None:
        self.path = path
        self.place = place

    def get(self, key_id: str) -> bytes | None:
        """Return a key; refuse a file that others can read."""
        text = self._held().get(key_id)
        return self.opened(key_of(text)) if text else None

    def put(self, key_id: str, key: bytes) -> None:
        """Add a key, replacing the file in one step."""
        self._keep({**self._held(), key_id: self.closed(key).hex()})

    def forget(self, key_id: str) -> None:
        """Leave a key out, replacing the file in one step."""
        self._keep({held: text for held, text in self._held().items() if held != key_id})

    def closed(self, key: bytes) -> bytes:
        """Return a key as it stands in the file."""
        return key

    def opened(self, stored: bytes) -> bytes | None:
        """Return the key that stands in the file."""
        return stored

    def _held(self) -> dict[str, str]:
        try:
            if not self.path.exists():
                return {}
            check_private(self.path)
            return dict(line.split() for line in self.path.read_text("ascii").splitlines() if line)
        except OSError as error:
            raise Refused(f"{self.path} cannot be read ({error.strerror}).") from None
        except ValueError:
            raise Refused(f"{self.path} is not a key file; give the one that the vault was made with.") from None

    def _keep(self, held: dict[str, str]) -> None:
        with kept_whole(self.path):
            write_private(self.path, "".join(f"{key_id} {text}\n" for key_id, text in held.items()), durable=True)
        if sys.platform == "win32":
            _only_owner(self.path)


class DpapiFile(KeyFile):
    """A key file of which every key is encrypted by Windows for this account (CryptProtectData)."""

    method = "dpapi"
    weakness = "whoever runs a program as the service account can open the vault"

    def closed(self, key: bytes) -> bytes:
        """Encrypt for this account."""
        from aitrade.store.vault_dpapi import protect

        return protect(key)

    def opened(self, stored: bytes) -> bytes | None:
        """Decrypt; None on another account or machine."""
        from aitrade.store.vault_dpapi import unprotect

        return unprotect(stored)


class SystemdCredential:
    """A credential that systemd decrypts for the unit alone (systemd-creds(1)); root encrypts it to the machine."""

    method = "systemd"
    unattended = True
    weakness = "root on this machine can open the vault"

    def __init__(self, store: Path = Path("/etc/credstore.encrypted")) -> None:
        self._store = store
        self.place = str(store)

    def get(self, key_id: str) -> bytes | None:
        """Read it inside the unit, or let systemd-creds decrypt it for root."""
        name = _credential(key_id)
        given = os.environ.get("CREDENTIALS_DIRECTORY")
        if given and (Path(given) / name).exists():
            return key_of((Path(given) / name).read_text("ascii", errors="replace"))
        if not (self._store / name).exists():
            return None
        done = _systemd_creds("decrypt", f"--name={name}", str(self._store / name), "-")
        return key_of(done.stdout.decode("ascii", errors="replace")) if done.returncode == 0 else None

    def put(self, key_id: str, key: bytes) -> None:
        """Encrypt a key to this machine; only root can, so refuse with systemd's own words elsewhere."""
        name = _credential(key_id)
        self._store.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = _systemd_creds("encrypt", f"--name={name}", "-", str(self._store / name), given=key.hex().encode())
        if done.returncode:
            raise Refused(f"systemd-creds took no key: {done.stderr.decode(errors='replace').strip()}")

    def forget(self, key_id: str) -> None:
        """Delete the credential."""
        (self._store / _credential(key_id)).unlink(missing_ok=True)


def holder_of(method: str, place: str, home: Path) -> Holder | None:
    """Return who holds the keys of a wrap, None for ways that a person gives.

    An empty place is the vault's own folder, which may then be moved.
    """
    match method:
        case "keyring":
            return KeyringHolder()
        case "key-file":
            return KeyFile(Path(place or home / "vault" / "key"), place)
        case "dpapi":
            return DpapiFile(Path(place or home / "vault" / "key.dpapi"), place)
        case "systemd":
            return SystemdCredential(Path(place)) if place else SystemdCredential()
        case _:
            return None


def default_method() -> str:
    """Return how a new vault is protected where nobody said: the keyring, else DPAPI, else an owner-only key file."""
    if sys.platform == "win32":
        return "dpapi"
    return "keyring" if KeyringHolder.usable() else "key-file"


def key_of(text: str) -> bytes:
    """Return a key from its hexadecimal digits; raise Refused for anything else."""
    try:
        return bytes.fromhex(text.strip())
    except ValueError:
        raise Refused("What is kept as the vault's key is none; restore it, or open the vault another way.") from None


def check_private(path: Path) -> None:
    """Raise Refused when others than the owner can read a file (POSIX; Windows has access lists instead)."""
    mode = path.stat().st_mode & 0o777
    if sys.platform != "win32" and mode & 0o077:
        raise Refused(f"{path} can be read by others (mode {mode:o}); run `chmod 600 {path}` and rotate the vault.")


def _credential(key_id: str) -> str:
    return f"{CREDENTIAL}-{key_id}"


def _systemd_creds(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["systemd-creds", *arguments], input=given, capture_output=True, check=False)  # noqa: S603, S607 - systemd's own tool, the key goes by standard input
    except FileNotFoundError:
        raise Refused("There is no systemd-creds on this machine; use `aitrade vault protect key-file`.") from None


def _only_owner(path: Path) -> None:
    user = os.environ.get("USERNAME", "")
    subprocess.run(["icacls", str(path), "/inheritance:r", "/grant:r", f"{user}:F"], check=True, capture_output=True)  # noqa: S603, S607 - Windows' own tool for its access lists
