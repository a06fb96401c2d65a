"""The vault: every secret that aitrade keeps, in one file that is AES-256-GCM throughout.

Whoever needs a secret opens the vault, reads it and lets go of it. A secret is never in a log, a journal, an exception
or a command line.
"""

import os
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from aitrade.core.errors import Refused, VaultDamaged, VaultLocked
from aitrade.store import vault_sealing as sealing
from aitrade.store.vault_file import (
    CIPHER,
    FORMAT,
    KEY_BYTES,
    Entry,
    Sealed,
    VaultFile,
    Wrap,
    decrypt,
    encrypt,
    locked,
    path_of,
    read,
    write,
)
from aitrade.store.vault_keys import default_method, holder_of
from aitrade.store.vault_ways import Held, Passphrase, Recovery, Way

SEALING_KEY = "backup"
"""The secret that backups and archives are sealed with; the newest of its keys stands first."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
LONGEST_SECRET = 65_536
METHODS = ("keyring", "key-file", "dpapi", "systemd", "passphrase")


class Vault:
    """An open vault. It reads its file anew each time, so that what other processes changed is seen."""

    def __init__(self, home: Path, data_key: bytes, opened_by: str, given: Sequence[Way] = ()) -> None:
        self.home = home
        self.opened_by = opened_by
        self._data_key = data_key
        self._given = tuple(given)

    @classmethod
    def open(cls, home: Path, *, passphrase: str = "", key_file: Path | None = None, recovery: str = "") -> Self:
        """Open with what is given, else with whatever key answers without asking; raise Refused or VaultLocked."""
        given = _ways(passphrase, key_file, recovery)
        data_key, method = _unlock(home, read(home), given)
        vault = cls(home, data_key, method, given)
        vault.entries()
        return vault

    @classmethod
    def create(cls, home: Path, *, method: str = "", passphrase: str = "", key_file: Path | None = None) -> Self:
        """Make an empty vault, protected by `method` (see METHODS), by the machine's best where it is empty."""
        given = _ways(passphrase, key_file, "")
        way = given[0] if given else _held(method or default_method(), "", home)
        with locked(home):
            if path_of(home).exists():
                raise Refused(f"There is a vault under {home} already; it was left as it is.")
            data_key, name = os.urandom(KEY_BYTES), os.urandom(8).hex()
            wraps = (way.wrap(name, data_key),)
            write(home, VaultFile(FORMAT, CIPHER, name, wraps, (), Sealed(b"", b"")).proven(data_key))
        return cls(home, data_key, way.method, given)

    @classmethod
    def ensure(cls, home: Path) -> Self:
        """Open the vault without asking, or make it, and have the key in it that backups are sealed with."""
        if not path_of(home).exists():
            with suppress(Refused):  # another process was first
                cls.create(home)
        vault = cls.open(home)
        vault.sealing_keys()
        return vault

    def at(self, home: Path) -> Self:
        """Return a copy of this vault that lies in another folder, opened with the same keys."""
        return type(self)(home, self._data_key, self.opened_by, self._given)

    def entries(self) -> tuple[Entry, ...]:
        """Return what the vault holds, by name; the secrets stay sealed. Raises VaultDamaged."""
        return tuple(sorted(self._file().entries, key=lambda entry: entry.name))

    def names(self) -> list[str]:
        """Return the secrets' names, sorted."""
        return [entry.name for entry in self.entries()]

    def methods(self) -> list[str]:
        """Return the ways in which the vault can be opened."""
        return [wrap.method for wrap in self._file().wraps]

    def read(self, name: str) -> str:
        """Return a secret; raise Refused where there is none of that name, VaultDamaged where it does not verify."""
        file = self._file()
        return self._secret(file, _named(file, name)).decode()

    def add(self, name: str, purpose: str, secret: str) -> None:
        """Keep a new secret under a name; raise Refused where the name is taken or does not serve."""
        if not NAME.fullmatch(name):
            raise Refused(f"{name!r} is no name for a secret; use up to 64 small letters, digits, dots, - and _.")
        with locked(self.home):
            file = self._file()
            if any(entry.name == name for entry in file.entries):
                raise Refused(f"The vault has {name} already; `aitrade vault rotate {name}` gives it a new value.")
            now = time.time_ns()
            self._keep(file, (*file.entries, self._entry(file, name, purpose, now, now, secret)))

    def replace(self, name: str, secret: str) -> None:
        """Give a secret a new value; its name and purpose stay. Raises Refused."""
        with locked(self.home):
            file = self._file()
            old = _named(file, name)
            new = self._entry(file, name, old.purpose, old.added, time.time_ns(), secret)
            self._keep(file, tuple(new if entry is old else entry for entry in file.entries))

    def remove(self, name: str) -> None:
        """Remove a secret for good; raise Refused for the key without which no backup can be read."""
        if name == SEALING_KEY:
            raise Refused(f"Every backup is sealed with {name}; `aitrade vault rotate {name}` starts a new key.")
        with locked(self.home):
            file = self._file()
            gone = _named(file, name)
            self._keep(file, tuple(entry for entry in file.entries if entry is not gone))

    def rotate(self) -> None:
        """Replace the data key and every wrapping key; whenever it is killed, the old or the new keys open everything.

        New wrapping keys are held beside the old ones, then the file is replaced, then the old ones are forgotten.
        """
        with locked(self.home):
            file = self._forgotten(self._file())
            data_key = os.urandom(KEY_BYTES)
            ways = [self._way(wrap) for wrap in file.wraps]
            wraps = tuple(way.wrap(file.id, data_key) for way in ways)
            entries = tuple(self._resealed(file, entry, data_key) for entry in file.entries)
            retired = tuple(wrap.bound() for wrap in file.wraps)
            file = replace(file, wraps=wraps, entries=entries, retired=retired)
            write(self.home, file.proven(data_key))
            self._data_key = data_key
            self._forgotten(file)

    def protect(self, methods: Iterable[str], *, passphrase: str = "", key_file: Path | None = None) -> None:
        """Open from now on in these ways and, where there is one, by the recovery key; raise Refused."""
        with locked(self.home):
            file = self._forgotten(self._file())
            given = {way.method: way for way in _ways(passphrase, key_file, "")}
            ways = [given.get(method) or _held(method, "", self.home) for method in methods]
            kept = tuple(wrap for wrap in file.wraps if wrap.method == Recovery.method)
            wraps = tuple(way.wrap(file.id, self._data_key) for way in ways)
            retired = tuple(wrap.bound() for wrap in file.wraps if wrap.method != Recovery.method)
            file = replace(file, wraps=wraps + kept, retired=retired)
            self._write(file)
            self._given = tuple(given.values())
            self._forgotten(file)

    def new_recovery_key(self) -> str:
        """Return a new offline key that opens the vault with nothing else; an older one no longer does."""
        way, text = Recovery.new()
        with locked(self.home):
            file = self._file()
            kept = tuple(wrap for wrap in file.wraps if wrap.method != Recovery.method)
            self._write(replace(file, wraps=(*kept, way.wrap(file.id, self._data_key))))
        return text

    def sealing_keys(self) -> list[bytes]:
        """Return the keys that sealed backups are opened with, the newest, which seals, first; made on first use."""
        if SEALING_KEY not in self.names():
            with suppress(Refused):  # another process was first
                self.add(SEALING_KEY, "seals backups and archives", os.urandom(KEY_BYTES).hex())
        return [bytes.fromhex(key) for key in self.read(SEALING_KEY).split(",")]

    def new_sealing_key(self) -> None:
        """Seal with a new key from now on; what was sealed before can still be opened."""
        keys = [os.urandom(KEY_BYTES), *self.sealing_keys()]
        self.replace(SEALING_KEY, ",".join(key.hex() for key in keys))

    def seal(self, data: bytes, context: str) -> bytes:
        """Return data sealed for a context, which is needed to unseal it."""
        return sealing.seal(self.sealing_keys()[0], data, context)

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Return what was sealed; raise VaultDamaged where a bit, the context or the vault is another."""
        return sealing.unseal(self.sealing_keys(), sealed, context)

    def seal_file(self, source: Path, target: Path, context: str) -> None:
        """Seal a file into another, which has its name only when it is whole and on disk."""
        sealing.seal_file(self.sealing_keys()[0], source, target, context)

    def unseal_file(self, source: Path, target: Path, context: str) -> None:
        """Unseal a file; raise VaultDamaged, the target as it was, where it does not verify to its end."""
        sealing.unseal_file(self.sealing_keys(), source, target, context)

    def _file(self) -> VaultFile:
        file = read(self.home)
        if not file.proves(self._data_key):
            self._data_key, self.opened_by = _unlock(self.home, file, self._given)
            if not file.proves(self._data_key):
                raise VaultDamaged(f"{path_of(self.home)} is damaged: its list does not verify; restore it.")
        return file

    def _entry(self, file: VaultFile, name: str, purpose: str, added: int, changed: int, secret: str) -> Entry:
        try:
            data, _ = secret.encode(), purpose.encode()
        except UnicodeEncodeError:
            raise Refused(f"{name} or its purpose is no text; pipe bytes in as text, by `base64 -w0`.") from None
        if not 0 < len(data) <= LONGEST_SECRET:
            raise Refused(f"A secret has 1 to {LONGEST_SECRET} bytes; this one has {len(data)}.")
        bound = (name, purpose, added, changed)
        return Entry(*bound, encrypt(self._data_key, data, file.id, bound))

    def _resealed(self, file: VaultFile, entry: Entry, data_key: bytes) -> Entry:
        return replace(entry, sealed=encrypt(data_key, self._secret(file, entry), file.id, entry.bound()))

    def _secret(self, file: VaultFile, entry: Entry) -> bytes:
        secret = decrypt(self._data_key, entry.sealed, file.id, entry.bound())
        if secret is None:
            raise VaultDamaged(f"The secret {entry.name} in {path_of(self.home)} is damaged; restore the vault.")
        return secret

    def _keep(self, file: VaultFile, entries: tuple[Entry, ...]) -> None:
        self._write(replace(file, entries=entries))

    def _write(self, file: VaultFile) -> None:
        write(self.home, file.proven(self._data_key))

    def _way(self, wrap: Wrap) -> Way:
        given = next((way for way in self._given if way.method == wrap.method != Recovery.method), None)
        return given or _way_of(wrap, self.home)

    def _forgotten(self, file: VaultFile) -> VaultFile:
        """Forget the keys of retired wraps, those that a killed rotation left too."""
        if not file.retired:
            return file
        for wrap in file.retired:
            if wrap.method not in (Passphrase.method, Recovery.method):
                _way_of(wrap, self.home).forget(wrap)
        file = replace(file, retired=())
        self._write(file)
        return file


def can_open_unattended(home: Path) -> tuple[bool, str]:
    """Return whether a service opens the vault after a boot without log-in, and the weakness of how, or why not.

    It is tried, not looked up: what cannot be asked from here, such as another account's DPAPI, counts as no.
    """
    file = read(home)
    reasons = []
    for wrap in file.wraps:
        holder = holder_of(wrap.method, wrap.place, home)
        if holder is None or not holder.unattended:
            reasons.append(f"{wrap.method} needs a person")
            continue
        try:
            Held(holder).unwrap(file.id, wrap)
        except Refused as error:
            reasons.append(str(error))
        else:
            return True, holder.weakness
    return False, "; ".join(reasons)


def _ways(passphrase: str, key_file: Path | None, recovery: str) -> tuple[Way, ...]:
    """Return the ways that a person gave."""
    held = [_held("key-file", str(key_file.resolve()), key_file)] if key_file else []
    return (
        *held,
        *([Passphrase(passphrase)] if passphrase else []),
        *([Recovery.given(recovery)] if recovery else []),
    )


def _held(method: str, place: str, home: Path) -> Way:
    holder = holder_of(method, place, home)
    if holder is None:
        raise Refused(f"{method!r} does not protect a vault by itself; choose of: {', '.join(METHODS)}.")
    return Held(holder)


def _way_of(wrap: Wrap, home: Path) -> Way:
    if wrap.method == Recovery.method:
        return Recovery(wrap.recipient)
    if wrap.method == Passphrase.method:
        raise Refused("This vault also has a passphrase: give it with --passphrase, so that it opens the vault after.")
    return _held(wrap.method, wrap.place, home)


def _unlock(home: Path, file: VaultFile, given: Sequence[Way]) -> tuple[bytes, str]:
    """Return the data key and which way gave it; raise VaultLocked with each way's reason."""
    reasons = []
    for wrap in file.wraps:
        for way in [way for way in given if way.method == wrap.method] if given else _unasked(wrap, home):
            try:
                return way.unwrap(file.id, wrap), way.method
            except Refused as error:
                reasons.append(str(error))
    ways = ", ".join(wrap.method for wrap in file.wraps)
    raise VaultLocked(" ".join(reasons) or f"The vault under {home} opens by {ways}; give one of these.")


def _unasked(wrap: Wrap, home: Path) -> list[Way]:
    holder = holder_of(wrap.method, wrap.place, home)
    return [Held(holder)] if holder else []


def _named(file: VaultFile, name: str) -> Entry:
    found = next((entry for entry in file.entries if entry.name == name), None)
    if found is None:
        names = ", ".join(entry.name for entry in file.entries)
        raise Refused(f"The vault has no {name}; it has: {names or 'nothing yet'}.")
    return found
