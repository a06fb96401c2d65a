"""How everything is, part by part, each with its reason: what the page, maintenance, alerts and preflight read.

`health(home)` only looks: it asks the running engine, page and chart worker over loopback and reads files of the data
folder. A part that does not answer is down; one that nobody started is off; what nobody can know is unknown.
"""

import http.client
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

import msgspec
import psutil

from aitrade.compliance.journal import segments, verify
from aitrade.compliance.operations import journal_folder, noted
from aitrade.core.clock import SECOND
from aitrade.core.errors import AitradeError
from aitrade.engine.client import EngineClient
from aitrade.engine.messages import Health
from aitrade.ops.machine_clock import machine_clock
from aitrade.ops.supervisor import BEAT, BEAT_SECONDS, START_SECONDS, Beat, address_of

ANSWER_SECONDS = 2.0
"""How long a part may take to answer."""
MISSED_BEATS = 4
LEAST_FREE_BYTES, MOST_USED_PERCENT = 2 << 30, 95.0
"""Of the disk under the data folder."""
CLOCK_OFF_MS = 500.0
"""From here on no BTST and no new live exposure (house rule on clocks)."""
MOST_BEHIND = 5_000
"""Records that the database may lag behind the journal."""
_OF_FEED = ("No price", "The feed")
"""What the engine's reasons about its feed begin with."""
BACKUP_HOURS = 26
"""A daily backup with two hours to spare."""


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    OFF = "off"
    """Nobody started it."""
    UNKNOWN = "unknown"
    """Nobody can know here."""


class Component(msgspec.Struct, frozen=True):
    """A part, and in one sentence why it is as it is."""

    name: str
    state: State
    reason: str

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it as far as anybody knows."""
        return self.state not in (State.DEGRADED, State.DOWN)


class SystemHealth(msgspec.Struct, frozen=True):
    """All parts at one moment, `at` ns UTC; `ok` while none is degraded or down."""

    at: int
    ok: bool
    components: list[Component]

    def of(self, name: str) -> Component:
        """Return a part; raise KeyError for one that there is not."""
        found = {component.name: component for component in self.components}
        return found[name]

    @property
    def reasons(self) -> list[str]:
        """What is wrong, a sentence each."""
        return [f"{one.name}: {one.reason}" for one in self.components if not one.ok]


def health(home: Path, *, deep: bool = False, at: int = 0) -> SystemHealth:
    """Look at everything on a data folder; `deep` verifies the journals' chains too, which takes longer with them.

    `at` (ns UTC, now where it is 0) is when the last backup's age is counted to: a schedule has its own clock.
    """
    engine = _engine(home)
    parts = [engine.component, *_processes(home), *_of_engine(engine), _disk(home), _clock(engine)]
    parts += [_journal(home, engine, deep=deep), _backup(home, at or time.time_ns())]
    return SystemHealth(time.time_ns(), all(part.ok for part in parts), parts)


class _Engine(msgspec.Struct):
    component: Component
    says: Health | None
    book: str


def _engine(home: Path) -> _Engine:
    """Ask the engine; nothing else may be asked of one that does not answer."""
    address = address_of(home, 0)
    if address is None:
        return _Engine(Component("engine", State.OFF, "no engine was started on this data folder"), None, "")
    try:
        with EngineClient.of(home, seconds=ANSWER_SECONDS) as client:
            says = client.health()
    except (AitradeError, OSError) as error:
        left = not _alive(address.pid) and _beat(home) is None
        state, reason = (State.OFF, "it was stopped") if left else (State.DOWN, _silent(address.pid, error))
        return _Engine(Component("engine", state, reason), None, address.book)
    feed = [reason for reason in says.reasons if reason.startswith(_OF_FEED)]
    others = [reason for reason in says.reasons if reason not in feed]
    state, reason = (State.DEGRADED, " ".join(others)) if others else (State.OK, f"{says.state}, book {address.book}")
    return _Engine(Component("engine", state, reason), says, address.book)


def _processes(home: Path) -> Iterator[Component]:
    beat = _beat(home)
    yield _supervisor(beat)
    yield _server("page", home / "run" / "page.json", "/login", beat)
    yield _server("chart worker", home / "run" / "charts.json", "/status", beat, home / "run" / "token")
    for name, file, does in _WATCHERS:
        yield _watcher(name, home / "run" / file, does, beat)


def _supervisor(beat: Beat | None) -> Component:
    if beat is None:
        return Component("supervisor", State.OFF, "none runs; nothing would be started again")
    silent = (time.time_ns() - beat.at) / SECOND
    if not _alive(beat.pid):
        return Component(
            "supervisor",
            State.DOWN,
            f"process {beat.pid} has died; trading goes on without it, `aitrade up` takes over",
        )
    if silent > BEAT_SECONDS * MISSED_BEATS:
        return Component("supervisor", State.DEGRADED, f"no sign of life for {silent:.0f} s")
    again = [f"{name} {count} times" for name, count in beat.restarts.items() if count]
    return Component("supervisor", State.OK, f"watches; started again: {', '.join(again) or 'nothing'}")


class _Pid(msgspec.Struct):
    pid: int


_WATCHERS = (
    ("watcher", "alerts.json", "watch the alert rules"),
    ("scheduler", "maintenance.json", "run maintenance when it is due"),
    ("copier", "backup.pid", "copy the journals each minute"),
)
"""What the supervisor runs beside engine and page: a name, the file with its process id, what it is for."""


def _watcher(name: str, path: Path, does: str, beat: Beat | None) -> Component:
    """It serves nobody, so that its process has to do: whether what it does arrives, that part's own drill shows."""
    pid = _pid(path)
    if not pid and beat is None:
        return Component(name, State.OFF, f"none runs to {does}")
    if not pid and beat is not None:
        late = beat.since and time.time_ns() - beat.since > START_SECONDS * SECOND
        words = f"it has not started: nothing is there to {does}" if late else "it starts"
        return Component(name, State.DOWN if late else State.UNKNOWN, words)
    if _alive(pid):
        return Component(name, State.OK, f"runs to {does}")
    words = f"process {pid} has died: nothing is there to {does}"
    return Component(name, State.OFF if beat is None else State.DOWN, words)


def _pid(path: Path) -> int:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Pid | int)
    except (OSError, msgspec.MsgspecError):
        return 0
    return found if isinstance(found, int) else found.pid


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent to notice does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _silent(pid: int, error: Exception) -> str:
    return f"process {pid} {'does not answer' if _alive(pid) else 'has died'}: {error or type(error).__name__}"


def _beat(home: Path) -> Beat | None:
    try:
        return msgspec.json.decode((home / BEAT).read_bytes(), type=Beat)
    except (OSError, msgspec.MsgspecError):
        return None


class _Address(msgspec.Struct):
    port: int
    pid: int


def _server(name: str, address: Path, path: str, beat: Beat | None, token: Path | None = None) -> Component:
    """Ask a server of ours for `path`; without an address it is off, or down while a supervisor should keep it up."""
    try:
        found = msgspec.json.decode(address.read_bytes(), type=_Address)
    except (OSError, msgspec.MsgspecError):
        state = State.OFF if beat is None else State.DOWN
        return Component(name, state, "it has not said where it listens")
    if beat is None and not _alive(found.pid):
        return Component(name, State.OFF, "it was stopped")
    return _answers(name, found, path, token.read_text() if token and token.exists() else "")


def _answers(name: str, address: _Address, path: str, token: str) -> Component:
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=ANSWER_SECONDS)
    try:
        began = time.monotonic()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return Component(name, State.DOWN, _silent(address.pid, error))
    finally:
        connection.close()
    if status != http.client.OK:
        return Component(name, State.DEGRADED, f"it answers {status}")
    return Component(name, State.OK, f"answered in {(time.monotonic() - began) * 1000:.0f} ms")


def _of_engine(engine: _Engine) -> Iterator[Component]:
    """What only a running engine can tell."""
    says = engine.says
    if says is None:
        for name in ("feed", "projection"):
            yield Component(name, State.UNKNOWN, "the engine does not answer")
        return
    stale = [reason for reason in says.reasons if reason.startswith(_OF_FEED)]
    fresh = f"the newest price is {says.feed_age_ms / 1000:.1f} s of market time old"
    yield Component("feed", State.DEGRADED if stale else State.OK, " ".join(stale) or fresh)
    yield _projection(says)


def _projection(says: Health) -> Component:
    if says.projection_trouble:
        return Component("projection", State.DEGRADED, f"the database is not written: {says.projection_trouble}")
    behind = f"{says.projection_behind} records behind the journal"
    return Component("projection", State.DEGRADED if says.projection_behind > MOST_BEHIND else State.OK, behind)


def _disk(home: Path) -> Component:
    try:
        usage = psutil.disk_usage(str(home))
    except OSError as error:
        return Component("disk", State.DOWN, f"the data folder cannot be read: {error}")
    full = usage.free < LEAST_FREE_BYTES or usage.percent > MOST_USED_PERCENT
    reason = f"{usage.free / (1 << 30):.1f} GiB free, {usage.percent:.0f} % used"
    return Component("disk", State.DEGRADED if full else State.OK, reason)


def _clock(engine: _Engine) -> Component:
    """The engine's offset against a broker where it has one; else what the operating system knows."""
    offset = engine.says.clock_offset_ms if engine.says else None
    says = f"{offset:+.0f} ms against the broker" if offset is not None else ""
    if offset is None:
        clock = machine_clock()
        offset, says = clock.offset_ms, clock.says
    if offset is None:
        return Component("clock", State.UNKNOWN, says)
    return Component("clock", State.DEGRADED if abs(offset) > CLOCK_OFF_MS else State.OK, says)


def _journal(home: Path, engine: _Engine, *, deep: bool) -> Component:
    folders = {"operations": journal_folder(home)}
    if engine.book:
        folders[engine.book] = home / "books" / engine.book / "journal"
    there = {name: folder for name, folder in folders.items() if segments(folder)}
    if not there:
        return Component("journal", State.OFF, "nothing was journaled yet")
    if not deep:
        count = engine.says.journal_records if engine.says else 0
        return Component("journal", State.OK, f"{count} records, {engine.says.journal if engine.says else 'not open'}")
    return _verified(there)


def _verified(folders: dict[str, Path]) -> Component:
    words = []
    for name, folder in folders.items():
        broken = _broken(lambda folder=folder: verify(folder).records)  # type: ignore[misc]
        if isinstance(broken, str):
            return Component("journal", State.DOWN, f"{name}: {broken}")
        words.append(f"{name} {broken} records")
    return Component("journal", State.OK, f"chains verified: {', '.join(words)}")


def _broken(check: Callable[[], int]) -> int | str:
    try:
        return check()
    except (AitradeError, OSError) as error:
        return str(error)


def _backup(home: Path, now: int) -> Component:
    newest = 0
    try:
        for one in noted(home, "backup"):
            newest = max(newest, one.at) if one.operation.outcome in ("done", "passed") else newest
    except (AitradeError, OSError) as error:
        return Component("backup", State.UNKNOWN, str(error))
    if not newest:
        return Component("backup", State.UNKNOWN, "none was made yet: run `aitrade backup run`")
    hours = (now - newest) / SECOND / 3600
    return Component("backup", State.DEGRADED if hours > BACKUP_HOURS else State.OK, f"{hours:.1f} hours old")
