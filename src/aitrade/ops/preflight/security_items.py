"""Checks of the checklist's section Security."""

import sys
from collections.abc import Callable
from pathlib import Path

from aitrade.compliance.journal import HEADER
from aitrade.core.drills import registered
from aitrade.ops import secret_scan
from aitrade.ops.preflight.audit_logging import AuditLogging
from aitrade.ops.preflight.awaited import of_drill
from aitrade.ops.preflight.check import Finding, Item, Measured, Section, Source, Status
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.plants import git, plant, planted_lines
from aitrade.ops.preflight.vault_probes import Leaks, accepted_flips, canary_in_clear, readable_by_others
from aitrade.store.vault import SEALING_KEY, Vault, can_open_unattended
from aitrade.store.vault_file import CIPHER, VaultFile, read


class Credentials:
    """The vault is AES-256-GCM, holds something, opens, refuses a flipped bit, and nothing of it is in clear."""

    id = "credentials"
    section = Section.SECURITY
    words = "Credentials encrypted with AES-256"
    seconds = 30.0

    def examine(self, ground: Ground) -> Finding:
        """Examine the installation's vault, and a canary in a scratch one."""
        file = read(ground.home)
        vault = Vault.open(ground.home)
        leaks = Leaks(ground.home, [secret for name in vault.names() for secret in _apart(name, vault.read(name))])
        accepted = accepted_flips(vault, file, ground.scratch / "flipped")
        wrong = [*leaks.found, *accepted, *readable_by_others(ground.home), *canary_in_clear(ground.scratch / "canary")]
        unattended, weakness = can_open_unattended(ground.home)
        measured: Measured = {
            "cipher": file.cipher,
            "credentials": len(file.entries),
            "bits_flipped": 2 * len(file.entries),
            "files_searched": leaks.files,
            "bytes_searched": leaks.bytes,
            "too_short_to_search": leaks.too_short,
            "opened_by": vault.opened_by,
            "opens_unattended": "yes" if unattended else "no",
            "weakness": weakness,
        }
        passed = bool(file.entries) and not wrong and file.cipher == CIPHER
        evidence = " ".join(wrong) or self._says(vault, file, leaks, weakness)
        return Finding(Status.of(passed), evidence, measured, Source.SYSTEM, len(file.entries))

    def _says(self, vault: Vault, file: VaultFile, leaks: "Leaks", weakness: str) -> str:
        if not file.entries:
            return "The vault is empty: nothing was examined."
        short = f" ({leaks.too_short} too short to search for)" if leaks.too_short else ""
        return (
            f"Each of {len(file.entries)} credentials is {file.cipher} and refused with a bit flipped; none of them, "
            f"nor a canary, is in clear in {leaks.files} files{short}. Opened by {vault.opened_by}: {weakness}."
        )


def _apart(name: str, secret: str) -> list[str]:
    """Return the keys that a secret consists of: backups have one for each rotation."""
    return secret.split(",") if name == SEALING_KEY else [secret]


class HardCodedSecrets:
    """detect-secrets finds what is planted in copies, and nothing in what is installed."""

    id = "secrets"
    section = Section.SECURITY
    words = "No hard-coded secrets or credentials"
    seconds = 180.0

    def __init__(
        self,
        where: Callable[[Path], secret_scan.Places] = secret_scan.places,
        plants: Callable[[], list[str]] | None = None,
    ) -> None:
        self._where = where
        self._plants = plants or planted_lines

    def examine(self, ground: Ground) -> Finding:
        """Plant, find, then look in earnest."""
        blind = self._not_found(ground.scratch / "planted")
        scan = secret_scan.scan(self._where(ground.home), ground.scratch / "scan")
        lines = [f"{_short(found.where, ground)}:{found.line} {found.kind}" for found in scan.found]
        passed = not blind and not lines
        evidence = (
            f"Of the secrets planted in copies none was found in: {', '.join(blind)}." if blind
            else f"Hard-coded secrets are suspected in {'; '.join(lines[:5])}." if lines
            else f"Planted secrets were found in a copy of each part, and none in {scan.files} files: "
            + ", ".join(f"{part} {count}" for part, count in scan.parts.items())
            + (f"; {scan.left_out} too large to search." if scan.left_out else ".")
        )  # fmt: skip
        measured: Measured = {**scan.parts, "suspected": len(lines), "left_out": scan.left_out}
        return Finding(Status.of(passed), evidence, measured, Source.SYSTEM, scan.files)

    def _not_found(self, scratch: Path) -> list[str]:
        """Return the parts of an installation in which a planted secret was not found."""
        parts = ["package", "notebooks", "configuration", *(["history"] if git(scratch, "--version") else [])]
        plant(scratch, parts, self._plants)
        checkouts = (scratch / "history",) if "history" in parts else ()
        where = secret_scan.Places(
            scratch / "package", (scratch / "notebooks",), (scratch / "configuration",), checkouts
        )
        found = secret_scan.scan(where, scratch / "scan").found
        return [part for part in parts if not any(part in Path(one.where).relative_to(scratch).parts for one in found)]


class AccessControls:
    """Who may do what, by the drill of the part that registers it; until then what is there is looked at."""

    id = "access-controls"
    section = Section.SECURITY
    words = "Access controls set"
    seconds = 60.0

    def examine(self, ground: Ground) -> Finding:
        """Run the registered drill, or say what there is."""
        drill = registered("aitrade.compliance", self.id)
        if drill is not None:
            return of_drill(drill(ground.scratch / self.id))
        private = [path for path in (ground.home / "run").glob("*") if path.is_file() and path.suffix != ".lock"]
        wide = [path.name for path in private if sys.platform != "win32" and path.stat().st_mode & 0o077]
        text = "not built: no users and roles are registered, one link opens everything; of the running system's "
        text += f"{len(private)} private files others can read {', '.join(wide) or 'none'}."
        measured: Measured = {"private_files": len(private), "readable_by_others": len(wide)}
        return Finding(Status.FAIL, text, measured, Source.SYSTEM, len(private))


class DataEncrypted:
    """Data on disk and on the wire, by the drill of the part that encrypts them; until then the clear is counted."""

    id = "data-encrypted"
    section = Section.SECURITY
    words = "Data encrypted at rest and in transit"
    seconds = 60.0

    def examine(self, ground: Ground) -> Finding:
        """Run the registered drill, or count the databases and journals in clear."""
        drill = registered("aitrade.store", self.id)
        if drill is not None:
            return of_drill(drill(ground.scratch / self.id))
        databases = [path for path in ground.home.glob("**/*.db") if _begins(path, b"SQLite format 3\0")]
        journals = [path for path in ground.home.glob("**/*.aij") if _journal_in_clear(path)]
        text = f"not built: {len(databases)} databases and {len(journals)} journal segments lie in clear, and the page "
        text += "is served without TLS (on 127.0.0.1 only)."
        count = {"databases_in_clear": len(databases), "segments_in_clear": len(journals)}
        return Finding(Status.FAIL, text, {**count}, Source.SYSTEM, len(databases) + len(journals))


def _begins(path: Path, with_: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(with_)) == with_


def _journal_in_clear(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.read(HEADER.size)
    return len(header) == HEADER.size and HEADER.unpack(header)[2] == 0


def _short(where: str, ground: Ground) -> str:
    """Return a suspicion's place without the folders that say nothing."""
    for root in (ground.scratch / "scan", ground.home):
        if root in Path(where).parents:
            return str(Path(where).relative_to(root))
    return where


ITEMS: tuple[Item, ...] = (Credentials(), HardCodedSecrets(), AuditLogging(), AccessControls(), DataEncrypted())
