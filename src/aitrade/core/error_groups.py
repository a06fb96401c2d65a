"""Errors grouped by fingerprint, with first and last time and count, in `logs/errors.json` of the data folder.

A fingerprint is the exception's type and the functions of ours that it came through, or, without an exception, the
logger and the event's text with its numbers left out: the same mistake is one group whatever it was about, and moving
a line of code makes no new group. Several processes write the file, one at a time.
"""

import hashlib
import re
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from aitrade.core.files import FileLock, write_private
from aitrade.core.redaction import clean

FILE = Path("logs") / "errors.json"
MOST_GROUPS = 1_000
"""More groups than this push out those that were seen longest ago."""
TRACE_LINES = 40
_NUMBERS = re.compile(r"\d[\d,.:]*|\b[0-9A-Z]{16,}\b")
_PACKAGE = "aitrade"


class Told(msgspec.Struct, frozen=True):
    """One error as it happened; `at` is ns UTC."""

    fingerprint: str
    process: str
    at: int
    type: str
    text: str
    where: str
    trace: str


class ErrorGroup(msgspec.Struct, kw_only=True):
    """One mistake, however often it was made. Times are ns UTC; `text`, `trace` and `process` are the newest's."""

    fingerprint: str
    type: str
    where: str
    text: str
    trace: str
    process: str
    first: int
    last: int
    count: int


def told(process: str, at: int, logger: str, event: str, error: BaseException | None) -> Told:
    """Return an error with its fingerprint, credentials left out of its texts."""
    if error is None:
        mark = _mark("", logger, _NUMBERS.sub("#", event))
        return Told(mark, process, at, "", clean(event), logger, "")
    frames = traceback.extract_tb(error.__traceback__)
    ways = [f"{_module(frame.filename)}.{frame.name}" for frame in frames]
    ours = [way for way in ways if way.startswith(_PACKAGE)] or ways[-1:]
    where = ours[-1] if ours else logger
    name = type(error).__qualname__
    trace = "".join(traceback.format_exception(error)).splitlines()[-TRACE_LINES:]
    return Told(_mark(name, *ours), process, at, name, clean(str(error)), where, clean("\n".join(trace)))


def keep(home: Path, errors: Iterable[Told]) -> None:
    """Add errors to the groups of a data folder; raise OSError when the disk takes nothing."""
    path = home / FILE
    with FileLock(path.with_suffix(".lock"), wait=True):
        groups = {group.fingerprint: group for group in read(home)}
        for error in errors:
            _add(groups, error)
        newest = sorted(groups.values(), key=lambda group: group.last, reverse=True)[:MOST_GROUPS]
        write_private(path, msgspec.json.encode(newest))


def read(home: Path) -> list[ErrorGroup]:
    """Return the groups of a data folder, the newest first; a file that cannot be read counts as empty."""
    try:
        return msgspec.json.decode((home / FILE).read_bytes(), type=list[ErrorGroup])
    except (OSError, msgspec.MsgspecError):
        return []


def _add(groups: dict[str, ErrorGroup], error: Told) -> None:
    group = groups.get(error.fingerprint)
    if group is None:
        groups[error.fingerprint] = ErrorGroup(
            fingerprint=error.fingerprint, type=error.type, where=error.where, text=error.text, trace=error.trace,
            process=error.process, first=error.at, last=error.at, count=1,
        )  # fmt: skip
        return
    group.count += 1
    group.first, group.last = min(group.first, error.at), max(group.last, error.at)
    group.text, group.trace, group.process = error.text, error.trace, error.process


def _mark(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _module(filename: str) -> str:
    """The dotted name of a source file, from our package on where it is ours."""
    parts = list(Path(filename).with_suffix("").parts)
    start = max(_places(parts), default=len(parts) - 1)
    return ".".join(parts[start:])


def _places(parts: list[str]) -> Iterator[int]:
    return (place for place, part in enumerate(parts) if part == _PACKAGE)
