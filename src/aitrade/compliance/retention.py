"""How long data are kept: every file of a data folder by its class, the class's term, and the day until which it stays.

Terms are dated market rules (`[[retention]]` in `facts/rules.toml`); a data folder's own rules may make a term longer,
never shorter. A term runs from the last day on which something was written into the file.
"""

import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from fnmatch import fnmatch
from pathlib import Path

import msgspec

from aitrade.compliance.journal import HEADER, SUFFIX, frames, segments
from aitrade.core.clock import ist_date
from aitrade.core.errors import Refused
from aitrade.market.rules import Rules

FILE = "retention.toml"
_DATED_LOG = re.compile(r"\.(\d{4}-\d{2}-\d{2})(\.gz)?$")


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"data_class": "class"}):
    """Which files are of a class; the pattern is of the path below the data folder, * stands for any part of it."""

    data_class: str
    pattern: str
    together: bool = False
    """The files of the folder are of one piece, and as old as the newest of them."""


class _Patterns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    files: tuple[Pattern, ...]


class Kept(msgspec.Struct, frozen=True):
    """A file and its term: `since` is the last day it was written on, `until` the last day on which it has to stay."""

    name: str
    data_class: str
    days: int
    since: date
    until: date


class Retention:
    """The terms in force for a data folder on a day."""

    def __init__(self, home: Path, today: date) -> None:
        """Read the terms; raise DataRefused where the facts are damaged."""
        self.home = home
        self.today = today
        self.patterns = packaged_patterns()
        law, own = Rules.load().retention(today), Rules.load(home).retention(today)
        self.days = {name: max(days, law.get(name, 0)) for name, days in own.items()}

    def class_of(self, path: Path) -> str:
        """Return the class of a file of the data folder, "" where no term applies to it."""
        row = self._row(path)
        return row.data_class if row else ""

    def kept(self, path: Path) -> Kept | None:
        """Return a file's term, None where none applies."""
        row = self._row(path)
        if row is None:
            return None
        name = path.relative_to(self.home)
        piece = (self.home / name.parts[0]).rglob("*") if row.together else [path]
        since = max(last_written(one) for one in piece if one.is_file())
        days = self.days[row.data_class]
        return Kept(name.as_posix(), row.data_class, days, since, since + timedelta(days=days))

    def require_past(self, path: Path) -> None:
        """Raise Refused for a file that has to stay, with the day until which it does."""
        kept = self.kept(path)
        if kept is not None and kept.until >= self.today:
            raise Refused(
                f"{kept.name} ({kept.data_class}) is kept for {kept.days} days, until {kept.until:%d %b %Y}: "
                "nothing was removed."
            )
        if path.suffix == SUFFIX and path != segments(path.parent)[0]:
            raise Refused(f"{path.name} is not its journal's oldest segment; older ones go first, so that it verifies.")
        if path.suffix == SUFFIX and len(segments(path.parent)) == 1:
            raise Refused(f"{path.name} is its journal's only segment, and what is written next goes on from it.")

    def past(self) -> Iterator[Kept]:
        """Yield the files whose term is over, by name; of a journal only what can go from its beginning."""
        for path in sorted(self.home.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.suffix != SUFFIX:
                kept = self.kept(path)
                if kept is not None and kept.until < self.today:
                    yield kept
        for folder in sorted({path.parent for path in self.home.rglob(f"*{SUFFIX}")}):
            yield from self._past_segments(folder)

    def _row(self, path: Path) -> Pattern | None:
        name = path.relative_to(self.home).as_posix()
        return next((row for row in self.patterns if fnmatch(name, row.pattern)), None)

    def _past_segments(self, folder: Path) -> Iterator[Kept]:
        for path in segments(folder)[:-1]:
            kept = self.kept(path)
            if kept is None or kept.until >= self.today:
                return
            yield kept


def packaged_patterns() -> tuple[Pattern, ...]:
    """Return which files are of which class, first match first."""
    text = Path(__file__).with_name(FILE).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Patterns).files


def last_written(path: Path) -> date:
    """Return the IST day on which a file was last written: by its records, the day in its name, or the file system."""
    day = ist_date(path.stat().st_mtime_ns)
    dated = _DATED_LOG.search(path.name)
    if dated:
        return date.fromisoformat(dated[1])
    if path.suffix == SUFFIX and path.stat().st_size > HEADER.size:
        return max([day, *(ist_date(frame.record.wall) for frame in frames(path))])
    return day
