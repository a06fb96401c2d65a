"""The table of what runs when: `tasks.toml`, and a data folder's `facts/maintenance.toml` over it."""

import tomllib
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from aitrade.core.errors import DataRefused, Refused
from aitrade.market.calendar import Segment

_PACKAGED = Path(__file__).with_name("tasks.toml")
T = TypeVar("T")
Cadence = Literal["daily", "weekly", "monthly", "emergency"]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task: when, for how long at most (seconds), beside open positions or not, after what."""

    name: str
    cadence: Cadence
    words: str
    seconds: float
    with_positions: bool
    needs: list[str] = []
    days: Literal["every", "trading"] = "every"


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a cadence comes: fields of a cron trigger, IST."""

    name: Cadence
    at: dict[str, int | str]


class Monitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure of `Vitals` that asks for an emergency when it stays above its limit; times in seconds."""

    issue: str
    watches: str
    above: float
    for_s: float
    cool_down_s: float


class Timetable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it, tasks in the order in which they run."""

    segments: list[Segment]
    clear_minutes: int
    cadence: list[When]
    task: list[Row]
    monitor: list[Monitor]

    def of(self, cadence: str) -> list[Row]:
        """Return a cadence's tasks in order."""
        return [row for row in self.task if row.cadence == cadence]

    def row(self, name: str) -> Row:
        """Return a task's row; raise Refused for a name that there is not."""
        found = next((row for row in self.task if row.name == name), None)
        if found is None:
            raise Refused(
                f"There is no maintenance task {name}; there are: {', '.join(row.name for row in self.task)}."
            )
        return found

    def when(self, cadence: str) -> When:
        """Return when a cadence comes."""
        return next(one for one in self.cadence if one.name == cadence)


class _Over(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    segments: list[Segment] | None = None
    clear_minutes: int | None = None
    cadence: list[When] = []
    task: list[Row] = []
    monitor: list[Monitor] | None = None


def load(home: Path) -> Timetable:
    """Return the table in force on a data folder; raise DataRefused naming the file that is damaged."""
    table = _read(_PACKAGED, Timetable)
    own = home / "facts" / "maintenance.toml"
    return _laid_over(table, _read(own, _Over)) if own.exists() else table


def _laid_over(table: Timetable, own: _Over) -> Timetable:
    return Timetable(
        segments=table.segments if own.segments is None else own.segments,
        clear_minutes=table.clear_minutes if own.clear_minutes is None else own.clear_minutes,
        cadence=list({one.name: one for one in [*table.cadence, *own.cadence]}.values()),
        task=list({one.name: one for one in [*table.task, *own.task]}.values()),
        monitor=table.monitor if own.monitor is None else own.monitor,
    )


def _read(path: Path, of: type[T]) -> T:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), of)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataRefused(f"{path} is not understood: {error}. Correct it, or remove it to use the standard.") from None
