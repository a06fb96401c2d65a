"""Operations at a glance: what the System tab shows beside the engine's own words, in one struct.

Each part is read on its own: one that cannot be read leaves a sentence in `troubles`, and the others stand.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from aitrade.compliance.operations import Follower
from aitrade.core.clock import MINUTE
from aitrade.core.config import load
from aitrade.core.errors import AitradeError
from aitrade.ops.alerts.alert import Alert
from aitrade.ops.alerts.book import standing
from aitrade.ops.alerts.proof import Proven, proofs
from aitrade.ops.alerts.settings import AlertSettings
from aitrade.ops.health import SystemHealth, health
from aitrade.ops.incidents import Incident, open_incidents

T = TypeVar("T")
_UNREADABLE = (AitradeError, OSError, sqlite3.Error, msgspec.MsgspecError)
_TOLD_BY = {"preflight": "preflight", "signature": "preflight", "alert": "channels"}
"""Kind of operation to the part of the glance that it tells of."""


class Verdict(msgspec.Struct, frozen=True):
    """An item of the last preflight run."""

    id: str
    section: str
    item: str
    status: str
    evidence: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The last preflight run over the whole checklist; times in ns UTC."""

    at: int
    by: str
    seconds: float
    passed: int
    failed: int
    not_provable: int
    items: list[Verdict]
    signed_by: list[str]
    changed: list[str]
    """What it was bound to and is different now; with any, the run is stale."""


class Upkeep(msgspec.Struct, frozen=True, kw_only=True):
    """A maintenance task: when it ran, how, and when it comes; ns UTC, 0 for never and not known."""

    name: str
    words: str
    cadence: str
    last_run: int
    next_run: int
    status: str
    says: str


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """The newest backup; ns UTC, bytes, seconds."""

    id: str
    kind: str
    at: int
    size: int
    seconds: float
    second_device: bool


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at `at` (ns UTC); a part is None where there is nothing yet, or it cannot be read."""

    at: int
    health: SystemHealth | None
    alerts: list[Alert]
    incidents: list[Incident]
    preflight: Checked | None
    maintenance: list[Upkeep]
    """The next first; those that were never planned last."""
    backup: Saved | None
    channels: list[Proven]
    troubles: list[str]


class Glances:
    """Looks at one data folder again and again: what the operations journal tells is read again when it has grown."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._follower = Follower(home)
        self._lock = threading.Lock()
        self._kept: dict[str, Any] = {}
        self._minute = 0

    def look(self) -> Overview:
        """Return everything; it takes as long as parts that hang need to answer (2 s each)."""
        with self._lock:
            return self._look()

    def _look(self) -> Overview:
        home, troubles = self._home, []
        self._forget_what_changed(troubles)

        def part(name: str, read: Callable[[Path], T], without: T) -> T:
            try:
                return read(home)
            except _UNREADABLE as error:
                troubles.append(f"{name} cannot be read: {error}")
                return without

        return Overview(
            at=time.time_ns(),
            health=part("Health", health, None),
            alerts=part("Alerts", standing, []),
            incidents=part("Incidents", open_incidents, []),
            preflight=part("The last preflight", self._once("preflight", last_preflight), None),
            maintenance=part("Maintenance", upkeep, []),
            backup=part("Backups", last_backup, None),
            channels=part("Alert channels", self._once("channels", _channels), []),
            troubles=troubles,
        )

    def _forget_what_changed(self, troubles: list[str]) -> None:
        """Once a minute all is read again: proofs end, and what a run is bound to changes without a record."""
        minute = time.time_ns() // MINUTE
        try:
            grown = {one.operation.what for one in self._follower.new()}
        except _UNREADABLE as error:
            troubles.append(f"The operations journal cannot be read: {error}")
            grown = set(_TOLD_BY)
        for what in grown if minute == self._minute else _TOLD_BY:
            self._kept.pop(_TOLD_BY.get(what, ""), None)
        self._minute = minute

    def _once(self, name: str, read: Callable[[Path], T]) -> Callable[[Path], T]:
        def kept(home: Path) -> T:
            if name not in self._kept:
                self._kept[name] = read(home)
            found: T = self._kept[name]
            return found

        return kept


@cache
def _glances(home: Path) -> Glances:
    return Glances(home)


def overview(home: Path) -> Overview:
    """Look at everything on a data folder; it takes as long as parts that hang need to answer (2 s each)."""
    return _glances(home).look()


def last_preflight(home: Path) -> Checked | None:
    """Return the newest run over the whole checklist, None without one."""
    from aitrade.ops.preflight.binding import binding
    from aitrade.ops.preflight.record import last, signatures

    kept = last(home)
    if kept is None:
        return None
    items = [Verdict(one.id, one.section, one.item, one.status, one.evidence) for one in kept.run.items]
    counts = {status: sum(one.status == status for one in items) for status in ("pass", "fail", "not_provable_here")}
    return Checked(
        at=kept.at, by=kept.actor, seconds=kept.run.seconds, items=items,
        passed=counts["pass"], failed=counts["fail"], not_provable=counts["not_provable_here"],
        signed_by=[f"{one.name} ({one.role})" for one in signatures(home, kept)],
        changed=kept.run.bound.changes(binding(load(home=home))),
    )  # fmt: skip


def upkeep(home: Path) -> list[Upkeep]:
    """Return the scheduled maintenance tasks, the next first; without a schedule yet, each without times."""
    from aitrade.ops.maintenance.timetable import load as timetable

    rows = _planned(home / "operations" / "maintenance.db")
    found = []
    for task in timetable(home).task:
        if task.cadence != "emergency" or task.name in rows:
            last_run, next_run, status, says = rows.get(task.name, (0, 0, "", ""))
            found.append(
                Upkeep(
                    name=task.name, words=task.words, cadence=task.cadence, last_run=last_run, next_run=next_run,
                    status=status, says=says,
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: (not one.next_run, one.next_run))


def _planned(path: Path) -> dict[str, tuple[int, int, str, str]]:
    """Read the scheduler's rows as they lie there: the store's own packages are too heavy for a glance."""
    if not path.is_file():
        return {}
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=1)) as database:
        rows = database.execute("SELECT name, last_run, next_run, status, detail FROM tasks").fetchall()
    return {name: (last_run, next_run, status, says) for name, last_run, next_run, status, says in rows}


def last_backup(home: Path) -> Saved | None:
    """Return the newest backup of the whole data folder, None without one; one of models alone does not count."""
    from aitrade.ops.backup.shelf import listed, on_second_device

    backups = [one for one in listed(home) if one.kind != "models"]
    if not backups:
        return None
    backup = backups[-1]
    return Saved(
        id=backup.id, kind=backup.kind, at=backup.at, size=backup.size, seconds=backup.seconds,
        second_device=on_second_device(home),
    )  # fmt: skip


def _channels(home: Path) -> list[Proven]:
    return proofs(home, AlertSettings.in_force(home)[0], time.time_ns())
