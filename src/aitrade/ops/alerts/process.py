"""The watcher: a process that watches engine and machine, and sends. `python -m aitrade.ops.alerts.process`.

Settings come as JSON on standard input. It is a child of the supervisor; dead, it is started again, and nothing that
trades waits for it. When its supervisor is gone it goes on while the engine answers.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp
import msgspec

from aitrade.compliance.journal import JournalUnwritable
from aitrade.core import logs
from aitrade.core.errors import AitradeError, Conflict, JournalBroken
from aitrade.core.files import FileLock, write_private
from aitrade.ops.alerts import raise_alert, resolve
from aitrade.ops.alerts.alert import Severity
from aitrade.ops.alerts.channels import here, loaded_apprise, with_secrets
from aitrade.ops.alerts.child import Ready, WatcherSettings, ready_path
from aitrade.ops.alerts.delivery import Courier, lock_path, spread
from aitrade.ops.alerts.engine_state import EngineState, follow
from aitrade.ops.alerts.measure import Measure
from aitrade.ops.alerts.rules import Watch
from aitrade.ops.alerts.settings import AlertSettings
from aitrade.ops.incidents import Outages

_log = logs.get(__name__)
LOOK_S = 0.5
ALONE_S = 600.0
"""Without a supervisor and an engine for so long, there is nothing left to watch."""
HEARTBEAT = aiohttp.ClientTimeout(total=10)
FALLBACK_S = 3_600.0
SETTINGS_RULE, WATCHER_RULE = "alert-settings", "watcher"


class Watcher:
    """Looks twice a second; a look that fails is an alert itself."""

    def __init__(self, given: WatcherSettings) -> None:
        home = Path(given.home)
        self.engine = EngineState(home)
        self.settings, self._wrong = AlertSettings.in_force(home)
        self._home = home
        self._channels = given.channels
        self._measure = Measure(home, self.engine)
        self._watch = Watch(home)
        self._outages = Outages(home)
        self._courier = Courier(home)
        self._parent = os.getppid()
        self._unrecorded = 0.0

    @property
    def alone(self) -> bool:
        """Whether supervisor and engine are gone for good."""
        return os.getppid() != self._parent and self.engine.silent_s > ALONE_S

    def look(self) -> None:
        """Observe, raise and resolve, open incidents, send what is due."""
        now = time.time_ns()
        try:
            self._load()
            seen = self._measure.observe(now)
            self._watch.look(self.settings, seen)
            self._outages.look(self.settings, seen)
            self._courier.send_due(self.settings, now)
        except (JournalBroken, JournalUnwritable) as trouble:
            self._unrecordable(str(trouble))
        except Exception as error:
            self._failed(error)

    def close(self) -> None:
        """Wait for what is being sent."""
        self._courier.close()

    def _load(self) -> None:
        """Take alerts.toml as it is now; a file that does not fit is an alert, and the shipped rules hold."""
        settings, wrong = AlertSettings.in_force(self._home)
        self.settings = msgspec.structs.replace(settings, channel=self._channels or settings.channel)
        if wrong:
            raise_alert(self._home, SETTINGS_RULE, Severity.WARNING, f"The shipped alert rules are in force: {wrong}")
        elif self._wrong:
            resolve(self._home, SETTINGS_RULE)
        self._wrong = wrong

    def _failed(self, error: Exception) -> None:
        words = f"The watcher could not look ({type(error).__name__}: {error}); see logs/alerts.jsonl."
        _log.exception("could not look")
        with contextlib.suppress(AitradeError, OSError):
            raise_alert(self._home, WATCHER_RULE, Severity.WARNING, words)

    def _unrecordable(self, words: str) -> None:
        """Alerts cannot be recorded any more: say that, and nothing else, once an hour."""
        if self._unrecorded and time.monotonic() - self._unrecorded < FALLBACK_S:
            return
        self._unrecorded = time.monotonic()
        body = f"The operations journal cannot be read or written, so alerts are not kept: {words}"
        _log.error("alerts cannot be recorded", why=words)
        channels = [one for one in self.settings.channel if here(one)]
        spread(self._home, channels, "aitrade critical: operations journal", body, Severity.CRITICAL)


async def beat(watcher: Watcher, home: Path) -> None:
    """Ask the outside address while the engine is heard; it is off where no address is set."""
    async with aiohttp.ClientSession(timeout=HEARTBEAT) as session:
        while True:
            heartbeat = watcher.settings.heartbeat
            if heartbeat.url and watcher.engine.health and watcher.engine.silent_s < LOOK_S * 4:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, AitradeError):
                    async with session.get(with_secrets(home, heartbeat.url)):
                        pass
            await asyncio.sleep(heartbeat.every_s if heartbeat.url else LOOK_S)


async def watch(given: WatcherSettings) -> None:
    """Watch until the process is told to end."""
    home, watcher, ended = Path(given.home), Watcher(given), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await asyncio.to_thread(loaded_apprise)
    tasks = [asyncio.create_task(follow(home, watcher.engine)), asyncio.create_task(beat(watcher, home))]
    write_private(ready_path(home), msgspec.json.encode(Ready(os.getpid())))
    while not (ended.is_set() or watcher.alone):
        await asyncio.to_thread(watcher.look)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), LOOK_S)
    for task in tasks:
        task.cancel()
    await asyncio.to_thread(watcher.close)
    ready_path(home).unlink(missing_ok=True)


def hold(path: Path) -> FileLock:
    """Wait until no other watcher or sender holds the lock, and take it."""
    while True:
        try:
            return FileLock(path)
        except Conflict:
            time.sleep(LOOK_S)


def main() -> None:
    """Read settings from standard input and watch."""
    given = msgspec.json.decode(sys.stdin.buffer.readline(), type=WatcherSettings)
    home = Path(given.home)
    logs.configure("alerts", home / "logs")
    with hold(lock_path(home)):
        asyncio.run(watch(given))


if __name__ == "__main__":
    main()
