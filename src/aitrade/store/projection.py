"""Keeps the database in step with the journal, in a thread of its own, in batches.

The journal is read, never the live objects of the trading loop, so what a row says is what a record says. A batch and
the number of its last record are written in one transaction: each record counts exactly once, whatever is killed when.
A database that fails (disk full, server gone, file damaged) stops nothing: it is reported once, tried again with
growing pauses, and caught up. Trading never waits for it.
"""

import threading
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from aitrade.core.events import RawRecord

if TYPE_CHECKING:
    from sqlalchemy import Engine

FILE = "aitrade.db"
BATCH = 500
_POLL_SECONDS = 0.25
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0

Read = Callable[[int], Iterable[RawRecord]]
"""read(after) -> the records whose number is greater than `after`, in order, as far as they are written."""
Report = Callable[[str, str], None]
"""report(level, text): leave a line in the event log; called on the projection's thread."""


def sqlite_url(folder: Path) -> str:
    """Return the URL of the database in a book's folder."""
    return f"sqlite:///{(folder / FILE).as_posix()}"


class ProjectionStatus(msgspec.Struct, frozen=True):
    """Where the projection stands: the last record it holds, and what is wrong ("" when nothing is)."""

    seq: int
    trouble: str


class Projection:
    """Projects one book's journal into the database at `url`."""

    def __init__(self, url: str, book: str, read: Read, report: Report, *, pause: float = _FIRST_PAUSE) -> None:
        self._url = url
        self._book = book
        self._read = read
        self._report = report
        self._pause = pause
        self._wake = threading.Event()
        self._closing = False
        self._engine: Engine | None = None
        self._seq = 0
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="projection", daemon=True)

    @property
    def status(self) -> ProjectionStatus:
        """How far it is, and what holds it up."""
        return ProjectionStatus(self._seq, self._trouble)

    def start(self) -> None:
        """Begin to follow the journal."""
        self._thread.start()

    def close(self, timeout: float = 10.0) -> None:
        """Project what is written, if the database takes it, and stop; what is missing follows at the next start."""
        self._closing = True
        self._wake.set()
        if self._thread.ident is None:
            self._dispose()
        else:
            self._thread.join(timeout)

    def catch_up(self) -> int:
        """Project all that the journal holds, on the calling thread; return the last record's number."""
        while self._one_batch():
            pass
        return self._seq

    def rebuild(self) -> int:
        """Forget the book's rows and project its journal from the first record; return the last one's number."""
        from aitrade.store.batches import forget

        with self._opened().begin() as connection:
            forget(connection, self._book)
        self._seq = 0
        return self.catch_up()

    def _run(self) -> None:
        pause = self._pause
        while True:
            closing = self._closing
            try:
                self.catch_up()
                self._recovered()
                pause = self._pause
                self._wait(_POLL_SECONDS)
            except Exception as error:
                self._failed(error)
                self._wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            if closing:
                self._dispose()
                return

    def _one_batch(self) -> bool:
        from aitrade.store.batches import project

        engine = self._opened()
        records = list(islice(self._read(self._seq), BATCH))
        if not records:
            return False
        with engine.begin() as connection:
            self._seq = project(connection, self._book, records)
        return len(records) == BATCH

    def _opened(self) -> Any:
        if self._engine is None:
            from aitrade.store.batches import projected
            from aitrade.store.database import connect, upgrade

            engine = self._engine = connect(self._url, writing=True)
            upgrade(engine)
            with engine.connect() as connection:
                self._seq = projected(connection, self._book)
        return self._engine

    def _wait(self, seconds: float) -> None:
        if not self._closing:
            self._wake.wait(seconds)
            self._wake.clear()

    def _failed(self, error: Exception) -> None:
        self._dispose()
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        if not self._trouble:
            text = f"The database is not written ({cause}): mend it; trading goes on, and the journal has it all."
            self._report("warning", text)
        self._trouble = cause

    def _recovered(self) -> None:
        if self._trouble:
            self._trouble = ""
            self._report("info", f"The database is written again and has caught up to record {self._seq}.")

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
