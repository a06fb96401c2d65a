"""The supervisor: starts the engine, the chart worker and the page, starts again what dies, stops all of it cleanly.

A page, a chart worker, a watcher or a supervisor that dies never stops trading: the engine goes on, and what died comes
back.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from aitrade.core import logs
from aitrade.core.errors import Refused, Unreachable
from aitrade.core.files import FileLock, held, write_private
from aitrade.engine.client import Address, EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops import doors, orphans
from aitrade.ops.children import Child, Running
from aitrade.ops.service.notify import ALIVE, READY, STOPPING, notify

START_SECONDS = 60.0
STOP_SECONDS = 8.5
"""How long a whole stop may take: who asked for it waits 10 s."""
WATCHERS_SECONDS, ENGINE_SECONDS = 2.5, 4.5
"""How long of that the watchers and the engine may take; the page has the rest, and is asked first."""
RESTART_SECONDS = 3.0
"""How long a child may take to end when it is restarted on request: the others are not watched meanwhile."""
WATCH_SECONDS = 0.25
BEAT_SECONDS = 5.0
LOCK = Path("run") / "supervisor.lock"
BEAT = Path("run") / "supervisor.json"
"""Says each few seconds that the supervisor lives; gone after a clean stop."""
_RUNS = (
    "aitrade runs on {home} already: `aitrade open` gives a link to its page, `aitrade stop` stops it, and another "
    "--data-folder runs beside it."
)
_log = logs.get(__name__)


class Beat(msgspec.Struct, frozen=True):
    """A supervisor's sign of life; `at` is ns UTC, `restarts` by child since it began, at `since` (0: not said)."""

    pid: int
    at: int
    restarts: dict[str, int]
    since: int = 0


class Supervisor:
    """Runs children in order; `say` takes a line for the person who watches."""

    def __init__(self, settings: EngineSettings, others: list[Child], say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        logs = settings.home_path / "logs"
        engine = Child("engine", "aitrade.engine.process", msgspec.json.encode(settings), self._engine_serves)
        self._children = [Running(child, logs / f"{child.name}.log") for child in (engine, *others)]
        self._stopping = False
        self._beaten, self._since = 0.0, time.time_ns()
        self._lock: FileLock | None = None

    def start(self) -> None:
        """Start every child and wait until it serves; raise AitradeError with its reason when one does not.

        What a supervisor that died has left is ended before; one that lives raises Conflict.
        """
        home = self._settings.home_path
        self._lock = FileLock(home / LOCK, taken=_RUNS.format(home=home))
        doors.end_asked(home, forget=True)
        orphans.end(home, self._say)
        needed = [running for running in self._children if running.child.needed]
        try:
            for running in needed:
                running.start()
            for running in needed:
                running.wait_ready(START_SECONDS)
                _log.info("child serves", child=running.child.name, pid=running.pid)
            for running in self._children:  # after the others: what nobody waits for must not make anybody wait
                if not running.child.needed:
                    running.start()
        except BaseException:  # Ctrl-C while it starts, too: nothing is left running that nobody watches
            for running in self._children:
                running.ask_to_end()
            _end(self._children, time.monotonic() + STOP_SECONDS)
            self._lock.release()
            raise
        notify(READY)

    def watch(self) -> None:
        """Keep every child alive until `stop` is called, or the end is asked for by the door."""
        while not (self._stopping or doors.end_asked(self._settings.home_path)):
            self._beat()
            time.sleep(WATCH_SECONDS)
            self._restart_what_is_asked_for()
            for running in self._children:
                last_words = "" if running.alive else running.last_words()
                if running.revive():
                    self._say(f"{running.child.name} had ended and was started again ({last_words})")
                    _log.error("child had ended and was started again", child=running.child.name, said=last_words)

    def _restart_what_is_asked_for(self) -> None:
        """Restart a heavy service because maintenance asked; who asked waits until it serves."""
        by_name = {running.child.name: running for running in self._children}
        for name in doors.asked(self._settings.home_path, by_name):
            by_name[name].restart(RESTART_SECONDS)
            doors.answer(self._settings.home_path, name)
            self._say(f"{name} was restarted on request of maintenance.")
            _log.info("child restarted on request", child=name, pid=by_name[name].pid)

    def stop(self) -> list[str]:
        """Stop page, charts and what watches first, then the engine; return what stays open, in sentences."""
        self._stopping, limit = True, time.monotonic() + STOP_SECONDS
        notify(STOPPING)
        _engine, *others = self._children
        for running in others:
            running.ask_to_end()
        _end([running for running in others if not running.child.needed], time.monotonic() + WATCHERS_SECONDS)
        left = self._shut_engine()
        self._children[0].ask_to_end()
        _end(self._children, limit)
        doors.end_asked(self._settings.home_path, forget=True)
        (self._settings.home_path / BEAT).unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release()
        _log.info("all stopped", left_open=left)
        return left

    def client(self) -> EngineClient:
        """Return a client of the engine."""
        return EngineClient.of(self._settings.home_path)

    def _beat(self) -> None:
        if time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beaten = time.monotonic()
            restarts = {running.child.name: running.restarts for running in self._children}
            beat = Beat(os.getpid(), time.time_ns(), restarts, self._since)
            write_private(self._settings.home_path / BEAT, msgspec.json.encode(beat))
            notify(ALIVE)

    def _shut_engine(self) -> list[str]:
        left = orphans.shut_engine(self._settings.home_path)
        self._children[0].wait(ENGINE_SECONDS)
        return left

    def _engine_serves(self, pid: int) -> bool:
        return address_of(self._settings.home_path, pid) is not None


def stop(home: Path) -> list[str]:
    """Stop what runs on a data folder, supervised or not; return what was said and what stays open.

    Raises Refused when nothing runs, Unreachable when its supervisor does not end it in time.
    """
    if held(home / LOCK):
        return _stop_supervised(home)
    with FileLock(home / LOCK):
        if not orphans.left_running(home) and not held(home / orphans.LOCK):
            raise Refused("Nothing runs on this data folder; `aitrade up` starts it.")
        said: list[str] = []
        orphans.end(home, said.append)
        return said


def _stop_supervised(home: Path) -> list[str]:
    try:
        with EngineClient.of(home) as client:
            left = orphans.stays_open(client)
    except Unreachable:
        left = [orphans.SILENT]
    doors.ask_to_end(home)
    limit = time.monotonic() + START_SECONDS + STOP_SECONDS
    while held(home / LOCK):
        if time.monotonic() > limit:
            raise Unreachable(f"aitrade on {home} does not end; press Ctrl-C where it was started.")
        time.sleep(0.05)
    return left


def _end(children: list[Running], limit: float) -> None:
    """Wait until a moment for children that were asked to end, and end who has not."""
    for running in reversed(children):
        running.end_within(max(limit - time.monotonic(), 0.0))


def address_of(home: Path, pid: int) -> Address | None:
    """Return where the engine with process id `pid` (0: any) listens, or None."""
    try:
        address = msgspec.json.decode((home / "run" / "engine.json").read_bytes(), type=Address)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return address if pid in (0, address.pid) else None
