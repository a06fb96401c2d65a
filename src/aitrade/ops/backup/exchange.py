"""The last steps of a restore: what was rebuilt takes the place of what is there, by moves that can be gone on with.

Once the mark lies on disk (`core.unfinished`) the restore is decided: nothing trades on the data folder, nothing backs
it up, and the next `aitrade restore` moves the rest. Each piece is renamed aside, then the new one into its place, so
whenever that is cut off every piece is there, old and new, and which ones are still to be moved is what still lies in
`run/restored`. Nothing is overwritten, nothing deleted.
"""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from aitrade.compliance.operations import BOOK, note
from aitrade.core import unfinished
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.core.files import sync_folder
from aitrade.ops.backup import databases
from aitrade.ops.backup.contents import journals
from aitrade.ops.backup.heads import head_of
from aitrade.ops.backup.making import RESTORE
from aitrade.ops.backup.projections import projected, rebuild
from aitrade.ops.backup.shelf import BookHead, LeftOut

PLACE = Path("run") / "restored"
OURS = ("operations", "configuration", "models", "facts", "vault")
"""Folders that are put back whole; of all others (reports, market data …) only the files that are not there."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore brought back."""

    backup: str
    to: int
    """The moment it stops at, ns UTC; 0: everything that there was."""
    books: tuple[BookHead, ...]
    from_copies: int
    """Bytes of journal that came from the copies, beyond the backup."""
    passed_over: tuple[str, ...] = ()
    """Copies that are of another journal, or damaged, in sentences."""
    filled_from: str = ""
    """The full backup that gave the files which a daily one has not; empty where none was needed, or there is none."""
    unfilled: str = ""
    """Why newer full backups were passed over for that."""
    left_out: tuple[LeftOut, ...] = ()
    """What the backup says that it has not."""
    gone: tuple[str, ...] = ()
    """Books that had not begun by the moment: they are set aside."""
    set_aside: str = ""
    """Where what was there lies now, relative to the data folder; empty where nothing was."""
    trouble: str = ""
    """What the database server had against it, empty where nothing; the journals are back all the same."""
    seconds: float = 0.0
    """All of it, databases included."""
    resumed: bool = False
    """Whether it was cut off in its moves and ended by a later restore."""


def decide(home: Path, rebuilt: Path, restored: Restored, began: float) -> None:
    """Put a rebuilt data folder where it is moved from, on disk; from the mark on there is no way but to the end.

    `began` is of the monotonic clock.
    """
    place = home / PLACE
    shutil.rmtree(place, ignore_errors=True)
    rebuilt.rename(place)
    _on_disk(place)
    aside = f"archive/before-restore-{ist(time.time_ns()):%Y%m%d-%H%M%S}-{time.time_ns() % 10**9:09d}"
    says = (
        f"A restore of {restored.backup} to {home} was cut off in its last step: run `aitrade restore` to end it; "
        "nothing is lost."
    )
    restored = msgspec.structs.replace(restored, set_aside=aside, seconds=time.monotonic() - began)
    unfinished.begin(home, RESTORE, says, restored)


def finish(home: Path, *, resumed: bool = True) -> Restored | None:
    """Move what is still to be moved of a restore that is decided; None where none is. Raises Refused."""
    begun = unfinished.found(home, RESTORE)
    if begun is None:
        return None
    began, restored = time.monotonic(), begun.of(Restored)
    try:
        _moved(home, home / restored.set_aside, restored.gone)
    except OSError as error:
        raise Refused(f"Not all is moved yet ({error}): mend that, then run `aitrade restore` again.") from error
    trouble = _databases_back(home)
    restored = msgspec.structs.replace(
        restored, resumed=resumed, trouble=trouble, seconds=round(restored.seconds + time.monotonic() - began, 3),
        set_aside=restored.set_aside if (home / restored.set_aside).exists() else "",
    )  # fmt: skip
    note(home, RESTORE, restored.backup, "passed", restored)
    unfinished.end(home)
    shutil.rmtree(home / PLACE, ignore_errors=True)
    return restored


def _moved(home: Path, aside: Path, gone: Iterable[str]) -> None:
    rebuilt = home / PLACE
    for book in gone:
        if (home / "books" / book).exists() and not (aside / "books" / book).exists():
            _rename(home / "books" / book, aside / "books" / book)
    for found in _pieces(rebuilt):
        name = found.relative_to(rebuilt)
        if (home / name).exists() and _replaced(name):
            _rename(home / name, _free(aside / name))
        if not (home / name).exists():
            _rename(found, home / name)


def _rename(source: Path, target: Path) -> None:
    """Move, on disk when this returns."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def _free(path: Path) -> Path:
    """Return the path, or one beside it that is free: what came to be after a restore was cut off is kept, too."""
    names = (path, *(path.with_name(f"{path.name}.{number}") for number in range(2, 10_000)))
    return next(free for free in names if not free.exists())


def _pieces(rebuilt: Path) -> list[Path]:
    """Return what is put back in one step each: a book, a folder of ours, and every other file by itself."""
    whole = [*sorted(rebuilt.glob("books/*")), *(rebuilt / name for name in OURS if (rebuilt / name).exists())]
    left_out = (rebuilt / databases.FOLDER, *whole)
    files = sorted(path for path in rebuilt.rglob("*") if path.is_file())
    return [*whole, *(path for path in files if not any(path.is_relative_to(other) for other in left_out))]


def _replaced(name: Path) -> bool:
    return name.parts[0] in ("books", *OURS) or name.suffix == ".toml"


def _on_disk(folder: Path) -> None:
    for path in _below(folder):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("r+b") as file:
                os.fsync(file.fileno())
    sync_folder(folder.parent)


def _below(folder: Path) -> Iterator[Path]:
    yield from folder.rglob("*")
    yield folder


def _databases_back(home: Path) -> str:
    """Read the server's tables in, make anew what is ahead of its journal; return what went wrong, "" for nothing."""
    try:
        _read_back(home)
    except Exception as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return f"The database is not back ({cause}): mend it, then run `aitrade store rebuild`."
    return ""


def _read_back(home: Path) -> None:
    url = load(home=home).database
    if databases.on_server(url) and (home / PLACE / databases.FOLDER).is_dir():
        databases.read_in(url, home / PLACE)
    for book, journal in journals(home):
        if book != BOOK and url and projected(home, book) > head_of(book, journal).seq:
            rebuild(home, book)
