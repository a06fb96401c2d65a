"""A child process that is started, watched and started again."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from aitrade.core import logs
from aitrade.core.clock import ist_date
from aitrade.core.errors import AitradeError
from aitrade.core.lifeline import TIED

REFUSED = 3
"""Exit status of a child that says on its last line why it does not start; starting it again would not help."""
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0)
STEADY_SECONDS = 60.0
"""A child that has run this long has its back-off forgotten."""


class Child(msgspec.Struct, frozen=True):
    """What to run: a module of ours, its settings as one line of JSON on standard input."""

    name: str
    module: str
    settings: bytes
    ready: Callable[[int], bool]
    """Given the child's process id, whether it serves."""
    needed: bool = True
    """Whether a start waits for it and fails without it; what is not needed is only started again."""
    tied: bool = False
    """Whether it ends when its supervisor is gone: standard input, which stays open for that, closes then."""


class Running:
    """One child and what became of it."""

    def __init__(self, child: Child, log: Path) -> None:
        self.child = child
        self.restarts = 0
        self._log = log
        self._started = 0.0
        self._not_before = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._words_from = 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id, 0 before it was started."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the process; its output goes to its log."""
        self._untie()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        logs.roll(self._log, ist_date(time.time_ns()))
        tied = [TIED] if self.child.tied else []
        with self._log.open("ab") as log:
            self._words_from = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", self.child.module, *tied], stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=os.name != "nt", env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        if self._process.stdin:
            self._process.stdin.write(self.child.settings + b"\n")
            (self._process.stdin.flush if self.child.tied else self._process.stdin.close)()
        self._started = time.monotonic()

    def wait_ready(self, seconds: float) -> None:
        """Wait until it serves; raise AitradeError with its last words when it ends or takes too long."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if not self.alive:
                raise AitradeError(self.last_words())
            if self.child.ready(self.pid):
                return
            time.sleep(0.02)
        raise AitradeError(f"{self.child.name} did not start within {seconds:g} s; its log is {self._log}.")

    def revive(self) -> bool:
        """Start it again when it has died and its back-off is over; return whether it was started."""
        if self.alive:
            return False
        if self.child.needed and self._process is not None and self._process.returncode == REFUSED:
            raise AitradeError(self.last_words())
        if not self._not_before:
            steady = time.monotonic() - self._started > STEADY_SECONDS
            self.restarts = 0 if steady else self.restarts
            self._not_before = time.monotonic() + BACKOFF_SECONDS[min(self.restarts, len(BACKOFF_SECONDS) - 1)]
        if time.monotonic() < self._not_before:
            return False
        self._not_before = 0.0
        self.restarts += 1
        self.start()
        return True

    def restart(self, seconds: float) -> None:
        """Stop it and start it anew, which counts as no failure of it."""
        self.stop(seconds)
        self._not_before = 0.0
        self.start()

    def ask_to_end(self) -> None:
        """Ask it to end, and do not wait."""
        if self._process is not None and self.alive:
            self._process.terminate()

    def stop(self, seconds: float) -> None:
        """Ask it to end, and end it when it does not."""
        self.ask_to_end()
        self.end_within(seconds)

    def end_within(self, seconds: float) -> None:
        """Wait for the end that was asked for, and end it when that does not come."""
        if self._process is not None and not self.wait(seconds):
            self._process.kill()
            self._process.wait()
        self._untie()

    def _untie(self) -> None:
        """Close the line to a process that has ended."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; return whether it ended."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_words(self) -> str:
        """Return the last line that it wrote since it was started; without one, how it ended."""
        return self._said() or f"{self.child.name} ended without a word{self._ended_by()}."

    def _said(self) -> str:
        if not self._log.exists():
            return ""
        with self._log.open("rb") as log:
            log.seek(self._words_from)
            lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _ended_by(self) -> str:
        """Say by what signal, negative in Python, or with what status it ended."""
        status = self._process.poll() if self._process else None
        if status is None:
            return ""
        return f", by signal {-status}" if status < 0 else f", with status {status}"
