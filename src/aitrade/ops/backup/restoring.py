"""Brings a data folder back: from a backup, the copies of the journals and, if asked, only up to a moment.

Everything is rebuilt and verified in a scratch folder first. Only then is what is there moved aside, into
`archive/before-restore-…`, and what was rebuilt put in its place: nothing is overwritten, nothing deleted.
"""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aitrade.compliance.journal import HASH_SIZE, HEADER, Frame, frames, segments
from aitrade.compliance.operations import BOOK
from aitrade.core.clock import ist
from aitrade.core.errors import AitradeError, Refused
from aitrade.core.files import FileLock
from aitrade.ops.backup import mirror
from aitrade.ops.backup.bundle import unpack
from aitrade.ops.backup.contents import in_daily, journals
from aitrade.ops.backup.exchange import Restored, decide, finish
from aitrade.ops.backup.heads import head_of
from aitrade.ops.backup.making import one_at_a_time, scratch_folder
from aitrade.ops.backup.opening import Opening, keys_of, opened, vault_ready
from aitrade.ops.backup.projections import held, integrity
from aitrade.ops.backup.shelf import Backup, BookHead, Shelf
from aitrade.ops.supervisor import LOCK
from aitrade.store.projection import FILE, sqlite_url


class Rebuilt(msgspec.Struct, frozen=True):
    """A data folder as rebuilt in scratch."""

    folder: Path
    books: tuple[BookHead, ...]
    from_copies: int
    passed_over: tuple[str, ...]
    """Copies that are of another journal, or damaged, in sentences."""


def restore(
    home: Path, id_: str = "", *, to: int = 0, folder: Path | None = None, passphrase: str = "", recovery: str = "",
    key_file: Path | None = None,
) -> Restored:  # fmt: skip
    """Bring a data folder back to its newest record, or to `to` (the machine's time, ns UTC); return what came back.

    `folder` is where the backups lie, else as the configuration says. A restore that was cut off in its moves is ended
    first, and is all that is done where neither backup nor moment is named. Without its own vault the copy beside the
    backups is opened by what is given. Raises Refused, VaultLocked, JournalBroken before anything is touched, Conflict
    while an engine runs.
    """
    runs = f"aitrade runs on {home}: end it by `aitrade stop`, then restore."
    taken = f"An engine trades on {home}: stop it, then restore."
    with (
        FileLock(home / LOCK, taken=runs),
        FileLock(home / "engine.lock", taken=taken),
        one_at_a_time(home, restoring=True),
    ):
        ended = finish(home)
        if ended and not (id_ or to):
            return ended
        shelf = Shelf(folder) if folder else Shelf.of(home)
        backup = chosen(shelf, id_, to)
        opening = Opening(passphrase, recovery, key_file)
        try:
            restored = _decided(home, shelf, backup, opening, to)
        except OSError as error:
            raise Refused(f"Nothing was restored ({error}): free space, or mend that, and try again.") from error
        return finish(home, resumed=False) or restored


def _decided(home: Path, shelf: Shelf, backup: Backup, opening: Opening, to: int) -> Restored:
    """Rebuild, verify, and lay all of it where it is moved from."""
    began, vaults = time.monotonic(), opened(home, shelf, opening)
    keys = keys_of(vaults)
    with scratch_folder(home, "restore") as scratch:
        rebuilt = rebuild_in(scratch / "home", shelf, backup, keys, to=to, copies=True)
        filled, unfilled = _filled_up(rebuilt.folder, shelf, backup, keys)
        vault_ready(rebuilt.folder, home, vaults, opening)
        restored = Restored(
            backup=backup.id, to=to, books=rebuilt.books, from_copies=rebuilt.from_copies,
            passed_over=rebuilt.passed_over, filled_from=filled, unfilled=unfilled, left_out=backup.left_out,
            gone=_begun_after(home, to) if to else (),
        )  # fmt: skip
        decide(home, rebuilt.folder, restored, began)
    return restored


def chosen(shelf: Shelf, id_: str, to: int) -> Backup:
    """Return the backup to start from: the named one, else the newest that was begun before `to`, else the oldest."""
    if id_ or not to:
        return shelf.find(id_)
    backups = [backup for backup in shelf.all() if backup.kind != "models"] or [shelf.find()]
    return next((backup for backup in reversed(backups) if backup.at <= to), backups[0])


def rebuild_in(
    folder: Path, shelf: Shelf, backup: Backup, keys: Sequence[bytes], *, to: int = 0, copies: bool = False
) -> Rebuilt:
    """Rebuild a data folder in an empty place, every file and every book verified; raise Refused, JournalBroken."""
    shelf.check(backup)
    manifest = unpack(keys, shelf.bundle(backup), folder, backup.context)
    told = [(one.id, one.kind, one.at, one.books, one.left_out) for one in (manifest, backup)]
    if told[0] != told[1]:
        raise Refused(f"What lies beside {backup.id} describes another backup than the sealed one; choose another.")
    books = heads_of(folder)
    different = differing(books, backup.books)
    if different:
        raise Refused(f"The books in {backup.id} are not what was backed up: {'; '.join(different)}.")
    added, passed_over = _brought_up(keys, shelf, folder) if copies else (0, ())
    if to:
        _cut_all(folder, to)
    books = heads_of(folder) if added or to else books
    _drop_databases_ahead(folder, books)
    return Rebuilt(folder, books, added, passed_over)


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


def _brought_up(keys: Sequence[bytes], shelf: Shelf, folder: Path) -> tuple[int, tuple[str, ...]]:
    """Add what the copies hold: to the books of the backup, and the books that were begun since.

    Return the bytes that were added, and what is wrong with copies.
    """
    copies, added, troubles = shelf.folder / mirror.FOLDER, 0, []
    for book in mirror.copied_books(copies):
        journal = folder / BOOK / "journal" if book == BOOK else folder / "books" / book / "journal"
        brought = mirror.bring_up(keys, copies, book, journal)
        added += brought.added
        troubles += [brought.trouble] if brought.trouble else []
    return added, tuple(troubles)


def _filled_up(folder: Path, shelf: Shelf, backup: Backup, keys: Sequence[bytes]) -> tuple[str, str]:
    """Add what a daily backup has not (reports, market data, the archive) from the newest full one that opens.

    Return that one's id, "" without one, and why newer ones were passed over.
    """
    reasons = []
    for full in [one for one in reversed(shelf.all("full")) if one.at <= backup.at and backup.kind == "daily"]:
        beside = folder.with_name(full.id)
        try:
            shelf.check(full)
            unpack(keys, shelf.bundle(full), beside, full.context)
        except AitradeError as error:
            reasons.append(str(error))
            shutil.rmtree(beside, ignore_errors=True)
            continue
        _laid_beside(beside, folder)
        return full.id, " ".join(reasons)
    return "", " ".join(reasons)


def _laid_beside(full: Path, folder: Path) -> None:
    for path in [path for path in full.rglob("*") if path.is_file()]:
        name = path.relative_to(full)
        if not in_daily(name.as_posix()):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(folder / name)


def _cut_all(folder: Path, to: int) -> None:
    """End every journal by a moment; raise Refused where no book had begun by then."""
    first = min((_first(journal) for book, journal in journals(folder) if book != BOOK), default=0)
    if first > to:
        raise Refused(
            f"No book had begun by {ist(to):%d %b %Y %H:%M:%S}: the first record is of {ist(first):%d %b %Y %H:%M:%S} "
            "(IST); name a later moment."
        )
    for _book, journal in journals(folder):
        _cut(journal, to)


def _first(journal: Path) -> int:
    """Return when the first record of a journal was written, ns UTC; the end of time where it has none."""
    paths = [path for path in segments(journal) if path.stat().st_size > HEADER.size]
    return next(frames(paths[0])).record.wall if paths else 2**63


def _begun_after(home: Path, to: int) -> tuple[str, ...]:
    """Return the books of the data folder that had not begun by a moment."""
    return tuple(book for book, journal in journals(home) if book != BOOK and _first(journal) > to)


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
