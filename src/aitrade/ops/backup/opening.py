"""Which vault opens a backup: the data folder's own, or a copy of the one that it had when the backup was made.

`<backups>/vault/vault.json` is the copy of the newest; where the data folder got another vault (it was lost, and
something ran before the restore), the copy of the one before stays as `<backups>/vaults/<id>/vault/vault.json`.
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from aitrade.core.errors import AitradeError, Refused, VaultDamaged
from aitrade.core.files import write_private
from aitrade.ops.backup.shelf import Shelf
from aitrade.store.vault import Vault
from aitrade.store.vault_file import path_of, read
from aitrade.store.vault_keys import default_method

OTHERS = "vaults"


class Opening(NamedTuple):
    """What a person gave to open a vault with; nothing: whatever key answers without asking."""

    passphrase: str = ""
    recovery: str = ""
    key_file: Path | None = None

    def open(self, where: Path) -> Vault:
        """Open the vault that lies in a folder; raise VaultLocked, VaultDamaged."""
        return Vault.open(where, passphrase=self.passphrase, recovery=self.recovery, key_file=self.key_file)


def opened(home: Path, shelf: Shelf, opening: Opening = Opening()) -> list[Vault]:  # noqa: B008 - it never changes
    """Return the vaults that open, the data folder's first; raise the first one's reason where none does."""
    places = [home, shelf.folder, *sorted((shelf.folder / OTHERS).glob("*"))]
    vaults: list[Vault] = []
    reasons: list[AitradeError] = []
    for where in [place for place in places if path_of(place).exists()]:
        try:
            vaults.append(opening.open(where))
        except (Refused, VaultDamaged) as error:
            reasons.append(error)
    if not vaults and not reasons:
        raise Refused(f"No vault lies in {home} or {shelf.folder}: give the folder that the backups lie in by --from.")
    if not vaults:
        raise reasons[0]
    return vaults


def keys_of(vaults: Sequence[Vault]) -> list[bytes]:
    """Return every key that backups are opened with."""
    return list(dict.fromkeys(key for vault in vaults for key in vault.sealing_keys()))


def keys_for(home: Path, shelf: Shelf) -> list[bytes]:
    """Return the keys that open backups without asking; raise VaultLocked."""
    return keys_of(opened(home, shelf))


def keep_copy(home: Path, shelf: Shelf) -> None:
    """Copy the vault's sealed file beside the backups; the copy of another vault, which opens older ones, is kept."""
    beside = path_of(shelf.folder)
    other = _id_of(shelf.folder)
    if other not in ("", _id_of(home)):
        write_private(path_of(shelf.folder / OTHERS / other), beside.read_bytes(), durable=True)
    write_private(beside, path_of(home).read_bytes(), durable=True)


def vault_ready(folder: Path, home: Path, vaults: Sequence[Vault], opening: Opening) -> None:
    """Have in a rebuilt data folder the vault that it needs: none where the data folder has it already.

    A copy that a person opened, by the recovery key, opens by this machine from now on.
    """
    wanted = _id_of(folder)
    shutil.rmtree(path_of(folder).parent, ignore_errors=True)
    source = next((vault for vault in vaults if _id_of(vault.home) == wanted), None)
    if source is None or _id_of(home) == wanted:
        return
    write_private(path_of(folder), path_of(source.home).read_bytes(), durable=True)
    path_of(folder).parent.chmod(0o700)
    with suppress(Refused):
        Vault.open(folder)
        return
    opening.open(folder).protect((default_method(),))


def _id_of(home: Path) -> str:
    """Return which vault lies in a folder, "" for none or one that cannot be read."""
    try:
        return read(home).id
    except (Refused, VaultDamaged):
        return ""
