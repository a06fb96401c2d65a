"""Structured logs: one line of JSON an event, in `logs/<process>.jsonl` of the data folder, a gzipped file a past day.

`configure` once a process, then `log = logs.get(__name__)` and `log.info("batch done", rows=12)`. The calling thread
only puts the event into a queue: forming, redacting, writing and rotating are done on a thread of its own, so a slow
disk holds nobody up. `later` hands an event over without structlog at all: the trading thread uses nothing else.

A line: `ts` (ns UTC), `ist`, `process`, `level`, `logger`, `event`, what the caller gave, and for an exception `error`
with its type, text, place, fingerprint and trace.
"""

import atexit
import gzip
import logging
import shutil
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import date
from functools import partial
from io import FileIO
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import msgspec

from aitrade.core.clock import ist, ist_date
from aitrade.core.error_groups import Told, keep, told
from aitrade.core.files import FileLock
from aitrade.core.redaction import redacted

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

ERRORS_KEPT_SECONDS = 0.5
"""At most this often the groups of errors are written."""
MOST_WAITING = 100_000
_ERRORS = frozenset({"alert", "error", "critical"})
_encode = msgspec.json.Encoder(enc_hook=str).encode
Fields = MutableMapping[str, Any]


def get(name: str) -> "FilteringBoundLogger":
    """Return the logger of a module; it may be made before `configure`, and says nothing until then.

    The first call imports structlog, which takes a tenth of a second: the engine's start-up path uses `later`.
    """
    import structlog

    wrapper = structlog.make_filtering_bound_logger(logging.INFO)
    level = structlog.stdlib.add_log_level
    logger: FilteringBoundLogger = structlog.wrap_logger(
        None, processors=[level, _hand_over], wrapper_class=wrapper, module=name
    )
    return logger


def configure(process: str, folder: Path) -> "Writer":
    """Log to `folder`/`process`.jsonl from now on, this process's Python loggers and uncaught exceptions included.

    Child processes' standard error stays what it is: the last words of a process that cannot start are still there.
    """
    writer = Writer(process, folder)
    _exchange(writer)
    _take_python_loggers()
    _take_crashes()
    return writer


def later(level: str, event: str, logger: str, fields: Mapping[str, Any]) -> None:
    """Hand an event over: a queue's put and nothing else; without `configure` it is dropped."""
    if _writer is not None:
        _writer.take((time.time_ns(), level, event, logger, fields, None))


def errors_counted() -> int:
    """Return how many errors this process has logged."""
    return _writer.errors if _writer is not None else 0


def waiting() -> int:
    """Return how many events wait to be written."""
    return _writer.queue.qsize() if _writer is not None else 0


def lost() -> int:
    """Return how many events were not written: the disk took nothing, or was stuck."""
    return _writer.lost if _writer is not None else 0


def flush(seconds: float = 5.0) -> None:
    """Wait until everything that was logged so far is written."""
    if _writer is not None:
        _writer.flush(seconds)


def shut() -> None:
    """Write what waits and stop logging."""
    _exchange(None)


def roll(path: Path, today: date) -> Path | None:
    """Move a log whose last line is of another day than `today` (IST) aside, gzipped; return where it went."""
    if not path.exists() or not path.stat().st_size:
        return None
    day = ist_date(path.stat().st_mtime_ns)
    if day >= today:
        return None
    with FileLock(path.parent / ".roll.lock", wait=True):
        return _gzipped(path, day)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a log's events, gzipped or not; a line that is cut short is left out."""
    opened: Callable[[Path], Any] = gzip.open if path.suffix == ".gz" else partial(open, mode="rb")
    with opened(path) as file:
        for line in file:
            try:
                yield msgspec.json.decode(line)
            except msgspec.DecodeError:
                continue


Event = tuple[int, str, str, str, Mapping[str, Any], BaseException | None]


class Writer:
    """Forms and writes events on a thread of its own; a disk that takes nothing loses lines, never the process."""

    def __init__(self, process: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.process = process
        self.path = folder / f"{process}.jsonl"
        self.errors = self.lost = 0
        self.queue: SimpleQueue[Event | threading.Event | None] = SimpleQueue()
        self._folder = folder
        self._day = date.min
        self._file: FileIO | None = None
        self._told: list[Told] = []
        self._saved = 0.0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def take(self, event: Event) -> None:
        """Take an event to write; while a stuck disk has let this many wait, it is lost and counted."""
        if self.queue.qsize() < MOST_WAITING:
            self.queue.put(event)
        else:
            self.lost += 1

    def flush(self, seconds: float) -> None:
        """Wait until what is in the queue is written, the groups of errors too."""
        written = threading.Event()
        self.queue.put(written)
        written.wait(seconds)

    def close(self) -> None:
        """Write what waits and end the thread."""
        self.queue.put(None)
        self._thread.join(5.0)

    def _run(self) -> None:
        while (item := self.queue.get()) is not None:
            if isinstance(item, threading.Event):
                self._save_errors()
                item.set()
                continue
            try:
                self._write(item)
            except (OSError, ValueError, TypeError):
                self.lost += 1
            if self.queue.empty() or time.monotonic() - self._saved > ERRORS_KEPT_SECONDS:
                self._save_errors()
        self._save_errors()
        if self._file is not None:
            self._file.close()

    def _write(self, event: Event) -> None:
        at, level, text, logger, fields, error = event
        row = self._row(at, level, text, logger) | {name: redacted(name, value) for name, value in fields.items()}
        if level in _ERRORS:
            self.errors += 1
            about = told(self.process, at, logger, text, error)
            self._told.append(about)
            row["fingerprint"] = about.fingerprint
            if error is not None:
                row["error"] = {"type": about.type, "text": about.text, "where": about.where, "trace": about.trace}
        self._open(ist_date(at)).write(_encode(row) + b"\n")

    def _row(self, at: int, level: str, text: str, logger: str) -> dict[str, Any]:
        return {
            "ts": at,
            "ist": ist(at).isoformat(timespec="microseconds"),
            "process": self.process,
            "level": level,
            "logger": logger,
            "event": redacted("event", text),
        }

    def _open(self, day: date) -> FileIO:
        """The file of `day`: one that holds another day's lines is rolled first.

        A line is one write, so that several processes of one name (jobs, kernels) add whole lines.
        """
        if self._file is None or day > self._day:
            if self._file is not None:
                self._file.close()
            self._day = day
            roll(self.path, day)
            self._file = self.path.open("ab", buffering=0)
        return self._file

    def _save_errors(self) -> None:
        if not self._told:
            return
        try:
            keep(self._folder.parent, self._told)
        except OSError:
            return
        self._told, self._saved = [], time.monotonic()


_writer: Writer | None = None


def _exchange(writer: Writer | None) -> None:
    global _writer
    before, _writer = _writer, writer
    if before is not None:
        before.close()


def _hand_over(_logger: object, _method: str, fields: Fields) -> str:
    """The last processor of structlog: into the queue, and nothing is printed."""
    import structlog

    if _writer is not None:
        error = _exception(fields.pop("exc_info", None))
        level, event, logger = fields.pop("level"), str(fields.pop("event")), fields.pop("module")
        _writer.take((time.time_ns(), level, event, logger, fields, error))
    raise structlog.DropEvent


def _exception(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        of: BaseException | None = given[1]
        return of
    return sys.exc_info()[1] if given else None


class PythonHandler(logging.Handler):
    """Hands over the warnings and errors that a library logs; for loggers that do not pass them to the root."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record of Python's logging."""
        if _writer is None:
            return
        error = _exception(record.exc_info)
        event: Event = (time.time_ns(), record.levelname.lower(), record.getMessage(), record.name, {}, error)
        _writer.take(event)


def _take_python_loggers() -> None:
    """Libraries' warnings and errors into the same file."""
    root = logging.getLogger()
    if not any(isinstance(handler, PythonHandler) for handler in root.handlers):
        root.addHandler(PythonHandler())


def _take_crashes() -> None:
    """An uncaught exception is logged before it goes where it went before: to standard error."""
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed
    atexit.unregister(shut)
    atexit.register(shut)


def _crashed(of: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
    if not issubclass(of, KeyboardInterrupt):
        _log_crash("the process ends by an error", error)
    sys.__excepthook__(of, error, trace)


def _thread_crashed(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        name = args.thread.name if args.thread else "?"
        _log_crash(f"thread {name} ends by an error", args.exc_value)
    threading.__excepthook__(args)


def _log_crash(event: str, error: BaseException) -> None:
    if _writer is not None:
        _writer.take((time.time_ns(), "critical", event, __name__, {}, error))
        _writer.flush(5.0)


def _gzipped(path: Path, day: date) -> Path | None:
    """Under the lock: another process of the same name may have been first."""
    if not path.exists():
        return None
    aside = path.with_name(f"{path.name}.{day.isoformat()}")
    target = aside.with_name(f"{aside.name}.gz")
    path.rename(aside)
    with aside.open("rb") as plain, gzip.open(target, "ab") as packed:
        shutil.copyfileobj(plain, packed)
    aside.unlink()
    return target
