"""Work on a data folder that has to end before anything else begins there: a restore's moves, an update.

It is one file, `run/unfinished.json`, which is on disk before the work begins and goes when it has ended. Who finds it
after a crash says what the person has to do; only the same kind of work goes on.
"""

import time
from pathlib import Path
from typing import TypeVar

import msgspec

from aitrade.core.errors import Conflict
from aitrade.core.files import sync_folder, write_private

FILE = Path("run") / "unfinished.json"
T = TypeVar("T")


class Unfinished(msgspec.Struct, frozen=True):
    """What was begun, ns UTC when, the sentence for who comes upon it, and its owner's struct as JSON."""

    what: str
    at: int
    says: str
    detail: str

    def of(self, type_: type[T]) -> T:
        """Return the owner's struct."""
        return msgspec.json.decode(self.detail, type=type_)


def begin(home: Path, what: str, says: str, detail: msgspec.Struct) -> None:
    """Begin; it is on disk when this returns."""
    begun = Unfinished(what, time.time_ns(), says, msgspec.json.encode(detail).decode())
    write_private(home / FILE, msgspec.json.encode(begun), durable=True)


def end(home: Path) -> None:
    """Forget it: the work is done."""
    (home / FILE).unlink(missing_ok=True)
    sync_folder((home / FILE).parent)


def found(home: Path, what: str = "") -> Unfinished | None:
    """Return what was begun and has not ended, only of one kind where that is named; None where nothing is."""
    try:
        begun = msgspec.json.decode((home / FILE).read_bytes(), type=Unfinished)
    except FileNotFoundError:
        return None
    return begun if what in ("", begun.what) else None


def refuse(home: Path, what: str = "") -> None:
    """Raise Conflict with its sentence where work (only of one kind, where that is named) has not ended."""
    begun = found(home, what)
    if begun is not None:
        raise Conflict(begun.says)
