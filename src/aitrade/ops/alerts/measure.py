"""Measures what the rules look at: the engine as it was heard, the machine, the journals and the backups."""

import shutil
import time
from pathlib import Path

from aitrade.compliance.journal import segments
from aitrade.compliance.operations import Follower, journal_folder
from aitrade.compliance.tail import Tail
from aitrade.core.clock import MINUTE
from aitrade.core.errors import JournalBroken
from aitrade.ops.alerts.engine_state import EngineState
from aitrade.ops.alerts.observation import Observation
from aitrade.ops.machine_clock import machine_clock

RECORDS_A_LOOK = 5_000
AGAIN_S = 3_600.0
"""How often the journals are verified from their first record again."""
FRESH_S = 2.0
"""The engine tells its health once a second; what is older is unknown."""
JUMP_SHOWN_NS = MINUTE
NOT_GOOD = ("started", "failed", "refused")
_READINGS, _AT_ONCE_NS = 20, 1_000_000
_HOUR, _GB = 60 * MINUTE, 1e9


class Measure:
    """Makes observations of a data folder."""

    def __init__(self, home: Path, engine: EngineState) -> None:
        self._home = home
        self._engine = engine
        self._chains = Chains(home)
        self._clock = ClockJumps()
        self._backups = Backups(home)

    def observe(self, at: int) -> Observation:
        """Return everything at `at` (ns UTC, wall)."""
        engine, disk = self._engine, shutil.disk_usage(self._home)
        health, funds, market = engine.health, engine.funds, engine.trading(at)
        fresh = health is not None and engine.silent_s < FRESH_S
        told = health.clock_offset_ms if health and fresh else None
        offset = machine_clock().offset_ms if told is None else told
        return Observation(
            at=at,
            market=market,
            engine_silent_s=engine.silent_s,
            feed_age_s=health.feed_age_ms / 1000 if health and fresh else None,
            order_in_doubt_s={order: time.monotonic() - since for order, since in engine.doubtful.items()},
            rejections=engine.rejections(),
            loss_percent=-100 * funds.day_pnl / funds.loss_limit if funds and funds.loss_limit and fresh else None,
            disk_free_gb=disk.free / _GB,
            disk_used_percent=100 * disk.used / (disk.used + disk.free),
            memory_percent=health.ram if health and fresh else None,
            cpu_percent=health.cpu if health and fresh else None,
            clock_off_ms=max(abs(offset or 0.0), self._clock.jump_ms(*both_clocks())),
            backup_age_h=self._backups.age_h(at),
            broken_chain=self._chains.look(),
            engine_alert=engine.alerts(),
        )


def both_clocks() -> tuple[int, int]:
    """Return wall and counting time of the same moment, ns: read again where the process was held up in between."""
    for _ in range(_READINGS):
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if after - before < _AT_ONCE_NS:
            break
    return wall, (before + after) // 2


class ClockJumps:
    """Compares the wall clock with the one that only counts: a difference that grows at once is a jump, or a sleep."""

    def __init__(self) -> None:
        self._difference: int | None = None
        self._jump = 0
        self._jumped = 0

    def jump_ms(self, wall: int, monotonic: int) -> float:
        """Return the last jump, while it is a minute old at most (both clocks in ns)."""
        difference = wall - monotonic
        moved = abs(difference - self._difference) if self._difference is not None else 0
        self._difference = difference
        if moved >= abs(self._jump) or monotonic - self._jumped > JUMP_SHOWN_NS:
            self._jump, self._jumped = moved, monotonic
        return self._jump / 1e6


class Backups:
    """When the last good backup was, by the operations journal."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._follower = Follower(home)
        self._last = 0

    def age_h(self, at: int) -> float | None:
        """Return hours since the last good backup, or since there is something to back up; None where there is not."""
        for noted in self._follower.new():
            if noted.operation.what == "backup" and noted.operation.outcome not in NOT_GOOD:
                self._last = noted.at
        since = self._last or self._first_written()
        return (at - since) / _HOUR if since else None

    def _first_written(self) -> int:
        written = [path.stat().st_mtime_ns for path in self._home.glob("books/*/journal/*.aij")]
        return min(written, default=0)


class Chains:
    """Verifies the journals bit by bit: what was written since the last look, and all of it again each hour."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._tails: dict[Path, tuple[Tail, int]] = {}
        self._began = time.monotonic()

    def look(self) -> dict[str, str]:
        """Read on in every journal; return what does not verify, by book."""
        if time.monotonic() - self._began > AGAIN_S:
            self._tails, self._began = {}, time.monotonic()
        folders = [*self._home.glob("books/*/journal"), journal_folder(self._home)]
        found = {folder: self._read(folder) for folder in folders if segments(folder)}
        return {_named(folder): words for folder, words in found.items() if words}

    def _read(self, folder: Path) -> str:
        tail, seq = self._tails.get(folder, (Tail(folder), -1))
        try:
            for count, record in enumerate(tail.read(seq)):
                seq = record.seq
                if count >= RECORDS_A_LOOK:
                    break
        except JournalBroken as broken:
            return str(broken)
        self._tails[folder] = (tail, seq)
        return ""


def _named(folder: Path) -> str:
    return folder.parent.name
