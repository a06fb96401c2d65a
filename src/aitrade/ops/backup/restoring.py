"""Brings a data folder back: from a backup, the copies of the journals and, if asked, only up to a moment.

Everything is rebuilt and verified in a scratch folder first. Only then is what is there moved aside, into
`archive/before-restore-…`, and what was rebuilt put in its place: nothing is overwritten, nothing deleted.
"""

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from aitrade.compliance.journal import HASH_SIZE, HEADER, Frame, frames, segments
from aitrade.compliance.operations import BOOK, note
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.core.files import FileLock, write_private
from aitrade.ops.backup import databases, mirror
from aitrade.ops.backup.bundle import unpack
from aitrade.ops.backup.contents import VAULT, journals
from aitrade.ops.backup.heads import head_of
from aitrade.ops.backup.making import one_at_a_time, scratch_folder
from aitrade.ops.backup.projections import held, integrity, projected, rebuild
from aitrade.ops.backup.shelf import Backup, BookHead, Shelf
from aitrade.store.projection import FILE, sqlite_url
from aitrade.store.vault import Vault
from aitrade.store.vault_file import path_of
from aitrade.store.vault_keys import default_method

OURS = ("operations", "configuration", "models", "facts")
"""Folders that are put back whole; of all others (reports, market data …) only the files that are not there."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore brought back."""

    backup: str
    to: int
    """The moment it stops at, ns UTC; 0: everything that there was."""
    books: tuple[BookHead, ...]
    from_copies: int
    """Bytes of journal that came from the copies, beyond the backup."""
    set_aside: str
    """Where what was there lies now, relative to the data folder; empty where nothing was."""
    trouble: str
    """What the database server had against it, empty where nothing; the journals are back all the same."""
    seconds: float


class Rebuilt(msgspec.Struct, frozen=True):
    """A data folder as rebuilt in scratch."""

    folder: Path
    books: tuple[BookHead, ...]
    from_copies: int


def restore(
    home: Path, id_: str = "", *, to: int = 0, folder: Path | None = None, passphrase: str = "", recovery: str = "",
    key_file: Path | None = None,
) -> Restored:  # fmt: skip
    """Bring a data folder back to its newest record, or to `to` (the machine's time, ns UTC); return what came back.

    `folder` is where the backups lie, else as the configuration says. Without its own vault the copy beside the backups
    is opened by what is given. Raises Refused, VaultLocked, JournalBroken before anything is touched, Conflict while an
    engine runs.
    """
    began = time.monotonic()
    shelf = Shelf(folder) if folder else Shelf.of(home)
    backup = chosen(shelf, id_, to)
    keys = keys_for(home, shelf, passphrase, recovery, key_file)
    taken = f"An engine trades on {home}: stop it, then restore."
    with FileLock(home / "engine.lock", taken=taken), one_at_a_time(home), scratch_folder(home, "restore") as scratch:
        rebuilt = rebuild_in(scratch / "home", shelf, backup, keys, to=to, copies=True)
        aside = _exchange(home, rebuilt.folder)
    _vault_back(home, shelf, passphrase=passphrase, recovery=recovery, key_file=key_file)
    restored = Restored(
        backup=backup.id, to=to, books=rebuilt.books, from_copies=rebuilt.from_copies, set_aside=aside,
        trouble=_databases_back(home),
        seconds=round(time.monotonic() - began, 3),
    )  # fmt: skip
    note(home, "restore", backup.id, "passed", restored)
    return restored


def chosen(shelf: Shelf, id_: str, to: int) -> Backup:
    """Return the backup to start from: the named one, else the newest that was begun before `to`, else the oldest."""
    if id_ or not to:
        return shelf.find(id_)
    backups = [backup for backup in shelf.all() if backup.kind != "models"] or [shelf.find()]
    return next((backup for backup in reversed(backups) if backup.at <= to), backups[0])


def keys_for(home: Path, shelf: Shelf, passphrase: str, recovery: str, key_file: Path | None) -> Sequence[bytes]:
    """Return the keys that backups are opened with: of the data folder's vault, else of its copy on the shelf."""
    where = home if path_of(home).exists() else shelf.folder
    if not path_of(where).exists():
        raise Refused(f"No vault lies in {home} or {shelf.folder}: give the folder that the backups lie in by --from.")
    opened = Vault.open(where, passphrase=passphrase, recovery=recovery, key_file=key_file)
    return opened.sealing_keys()


def rebuild_in(
    folder: Path, shelf: Shelf, backup: Backup, keys: Sequence[bytes], *, to: int = 0, copies: bool = False
) -> Rebuilt:
    """Rebuild a data folder in an empty place, every file and every book verified; raise Refused, JournalBroken."""
    shelf.check(backup)
    unpack(keys, shelf.bundle(backup), folder, backup.context)
    books = heads_of(folder)
    different = differing(books, backup.books)
    if different:
        raise Refused(f"The books in {backup.id} are not what was backed up: {'; '.join(different)}.")
    added = _brought_up(keys, shelf, folder) if copies else 0
    if to:
        for _book, journal in journals(folder):
            _cut(journal, to)
    books = heads_of(folder) if added or to else books
    _drop_databases_ahead(folder, books)
    return Rebuilt(folder, books, added)


def heads_of(home: Path) -> tuple[BookHead, ...]:
    """Return where every journal of a data folder stands."""
    return tuple(head_of(book, journal) for book, journal in journals(home))


def differing(own: Sequence[BookHead], books: Sequence[BookHead]) -> list[str]:
    """Return, as sentences, where journals do not stand where they should: record, chain, state, cash."""
    found = {head.book: head for head in own}
    said = []
    for wanted in books:
        there = found.get(wanted.book)
        fields = [name for name in BookHead.__struct_fields__ if getattr(there, name, None) != getattr(wanted, name)]
        if fields:
            said.append(f"book {wanted.book} differs in {', '.join(fields) if there else 'being gone'}")
    return said


def unsound(home: Path, books: Sequence[BookHead]) -> list[str]:
    """Return, as sentences, which databases are damaged or ahead of their journal."""
    said, last = [], {head.book: head.seq for head in books}
    for path in sorted(home.glob(f"books/*/{FILE}")):
        verdict, book = integrity(path), path.parent.name
        if verdict != "ok":
            said.append(f"the database of {book} is damaged ({verdict})")
        elif held(sqlite_url(path.parent), book) > last.get(book, 0):
            said.append(f"the database of {book} is ahead of its journal")
    return said


def _brought_up(keys: Sequence[bytes], shelf: Shelf, folder: Path) -> int:
    """Add what the copies hold: to the books of the backup, and the books that were begun since."""
    copies, added = shelf.folder / mirror.FOLDER, 0
    for book in mirror.copied_books(copies):
        journal = folder / BOOK / "journal" if book == BOOK else folder / "books" / book / "journal"
        added += mirror.bring_up(keys, copies, book, journal)
    return added


def _cut(journal: Path, to: int) -> None:
    """End a journal with its last record that was written at `to` or before; it keeps one segment at least."""
    for path in reversed(segments(journal)):
        kept = _last_by(path, to)
        if kept is not None:
            os.truncate(path, kept.end)
            return
        path.unlink()
    shutil.rmtree(journal.parent)


def _last_by(path: Path, to: int) -> Frame | None:
    kept = None
    if path.stat().st_size > HEADER.size + HASH_SIZE:
        for frame in frames(path):
            if frame.record.wall > to:
                break
            kept = frame
    return kept


def _drop_databases_ahead(folder: Path, books: Sequence[BookHead]) -> None:
    """Leave out a database that knows more than its journal: it is made anew when the engine starts."""
    last = {head.book: head.seq for head in books}
    for path in folder.glob(f"books/*/{FILE}"):
        book = path.parent.name
        if integrity(path) == "ok" and held(sqlite_url(path.parent), book) > last.get(book, 0):
            path.unlink()


def _exchange(home: Path, rebuilt: Path) -> str:
    """Put what was rebuilt in its place and what was there aside; return where."""
    aside = home / "archive" / f"before-restore-{ist(time.time_ns()):%Y%m%d-%H%M%S}-{time.time_ns() % 10**9:09d}"
    for found in _pieces(rebuilt):
        name = found.relative_to(rebuilt)
        if (home / name).exists() and _replaced(name):
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).rename(aside / name)
        if not (home / name).exists():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            found.rename(home / name)
    if (rebuilt / databases.FOLDER).is_dir():
        (home / "run").mkdir(exist_ok=True)
        shutil.rmtree(home / "run" / databases.FOLDER, ignore_errors=True)
        (rebuilt / databases.FOLDER).rename(home / "run" / databases.FOLDER)
    return aside.relative_to(home).as_posix() if aside.exists() else ""


def _pieces(rebuilt: Path) -> list[Path]:
    """Return what is put back in one step each: a book, a folder of ours, and every other file by itself."""
    whole = [*rebuilt.glob("books/*"), *(rebuilt / name for name in OURS if (rebuilt / name).exists())]
    left_out = (rebuilt / databases.FOLDER, rebuilt / Path(VAULT).parent, *whole)
    files = [path for path in rebuilt.rglob("*") if path.is_file()]
    return [*whole, *(path for path in files if not any(path.is_relative_to(other) for other in left_out))]


def _replaced(name: Path) -> bool:
    return name.parts[0] in ("books", *OURS) or name.suffix == ".toml"


def _vault_back(home: Path, shelf: Shelf, *, passphrase: str, recovery: str, key_file: Path | None) -> None:
    """Put the vault back where there is none; one that opened by the recovery key opens by this machine from now on."""
    if path_of(home).exists():
        return
    write_private(path_of(home), path_of(shelf.folder).read_bytes(), durable=True)
    path_of(home).parent.chmod(0o700)
    with suppress(Refused):
        Vault.open(home)
        return
    Vault.open(home, passphrase=passphrase, recovery=recovery, key_file=key_file).protect((default_method(),))


def _databases_back(home: Path) -> str:
    """Read the server's tables in, make anew what is ahead of its journal; return what went wrong, "" for nothing."""
    try:
        _read_back(home)
    except Exception as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return f"The database is not back ({cause}): mend it, then run `aitrade store rebuild`."
    return ""


def _read_back(home: Path) -> None:
    tables, url = home / "run" / databases.FOLDER, load(home=home).database
    if databases.on_server(url) and tables.is_dir():
        databases.read_in(url, home / "run")
    shutil.rmtree(tables, ignore_errors=True)
    for book, journal in journals(home):
        if book != BOOK and url and projected(home, book) > head_of(book, journal).seq:
            rebuild(home, book)
