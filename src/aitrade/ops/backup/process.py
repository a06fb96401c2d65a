"""The process that copies the journals: `python -m aitrade.ops.backup.process` with its settings on standard input.

It is a child of the supervisor, of low priority, and never in the way of what trades. It also keeps the configuration's
history, and makes the backup without which copies bring nothing back: the first one of a new data folder, and one where
a journal is another than the one that was copied (a restore to a moment, a reset book). What goes wrong is logged, once
until it is well again, and tried again at the next round.
"""

import os
import signal
import sys
import threading
from pathlib import Path

import msgspec
import psutil

from aitrade.core import logs
from aitrade.core.errors import AitradeError, Conflict
from aitrade.core.files import write_private
from aitrade.core.lifeline import tie
from aitrade.ops import configuration_history
from aitrade.ops.alerts import raise_alert, resolve
from aitrade.ops.alerts.alert import Severity
from aitrade.ops.backup import listed, mirror, run

NAME, RULE = "backup", "journals-not-copied"
FIRST_AFTER = 2
"""Rounds until the first backup is made where there is none: copies alone have neither configuration nor vault."""
ALERT_AFTER = 2
"""Rounds that failed one after the other: a minute without a copy."""
REFUSED = 3
_log = logs.get(__name__)


class Settings(msgspec.Struct, frozen=True):
    """Whose journals, and how long between two copies."""

    home: str
    seconds: float = mirror.SECONDS


class Rounds:
    """Rounds of copying until told to stop."""

    def __init__(self, home: Path, seconds: float) -> None:
        self._home = home
        self._seconds = seconds
        self._stop = threading.Event()
        self._trouble = ""
        self._failures = 0
        self._rounds = 0

    def stop(self) -> None:
        """End after the present round."""
        self._stop.set()

    def run(self) -> None:
        """Copy, and wait, and copy."""
        mirror.follow(self._home, self._wait, self._failed, self._done, self._seconds)

    def _done(self, copied: mirror.Copied) -> None:
        if self._trouble:
            _log.info("journals are copied again")
            resolve(self._home, RULE)
            self._trouble, self._failures = "", 0
        for book in copied.set_aside:
            _log.warning("copy set aside", book=book, why="the journal is another than the one that was copied")
        configuration_history.keep(self._home)
        self._rounds += 1
        first = self._rounds == FIRST_AFTER and all(backup.kind == "models" for backup in listed(self._home))
        if first or copied.set_aside:
            self._back_up()

    def _back_up(self) -> None:
        try:
            _log.info("backup made", backup=run(self._home).id)
        except AitradeError as error:
            _log.error("backup not made", why=str(error))

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if str(error) != self._trouble:
            _log.error("journals are not copied", why=str(error))
        if self._failures == ALERT_AFTER:
            raise_alert(self._home, RULE, Severity.WARNING, f"The journals are not copied to the backups: {error}")
        self._trouble = str(error)

    def _wait(self, seconds: float) -> bool:
        return self._stop.wait(seconds)


def lower_priority() -> None:
    """Let everything else go first."""
    process = psutil.Process()
    process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else 15)


def ready(home: Path, pid: int) -> bool:
    """Return whether the process with id `pid` copies."""
    path = home / "run" / "backup.pid"
    return path.is_file() and path.read_text("ascii") == str(pid)


def main() -> None:
    """Read settings and copy until asked to end."""
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=Settings)
    tie()
    home = Path(settings.home)
    logs.configure(NAME, home / "logs")
    lower_priority()
    try:
        lock = mirror.copying(home)
    except Conflict as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(REFUSED)
    rounds = Rounds(home, settings.seconds)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: rounds.stop())
    write_private(home / "run" / "backup.pid", str(os.getpid()))
    with lock:
        rounds.run()


if __name__ == "__main__":
    main()
