"""The press: the child process that makes reports, one for each call, or kept over several.

It imports once what every report needs, a second and a half of work; each report is then made in a copy of its own.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from aitrade.ops.reports.job import Job, Made

COMMAND = [sys.executable, "-m", "aitrade.ops.reports.job"]
LONGEST_SECONDS = 600
"""How long the reports of one call may take."""
_KEPT: dict[Path, "Press"] = {}


class Press:
    """A child on one data folder; call `close`, or `kill` when its work is not wanted any more."""

    def __init__(self, home: Path) -> None:
        self._runtime = tempfile.TemporaryDirectory(prefix="aitrade-")
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._limit: float = LONGEST_SECONDS
        self._late = False
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(home, self._runtime.name),
            stderr=None if sys.stderr.isatty() else self._said,
        )  # fmt: skip

    @property
    def works(self) -> bool:
        """Whether the child is there."""
        return self._child.poll() is None

    def make(self, jobs: list[Job]) -> list[Made]:
        """Make reports; what the child did not answer is a failed report with its last words."""
        self._limit = LONGEST_SECONDS
        limit = threading.Timer(self._limit, self._end)
        limit.start()
        try:
            made = list(self._answers(jobs))
        finally:
            limit.cancel()
        died = [Made(notebook="", error=self._words())] if len(made) < len(jobs) else []
        return made + died * (len(jobs) - len(made))

    def close(self) -> None:
        """Let the child end: it has nothing left to do."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._child.wait()
        self._child.stdout.close()
        self._said.close()
        self._runtime.cleanup()

    def kill(self) -> None:
        """End the child; the report that it is at ends with it."""
        self._child.kill()
        self.close()

    def _answers(self, jobs: list[Job]) -> Iterator[Made]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(msgspec.json.encode(jobs) + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            return
        for _job in jobs:
            line = self._child.stdout.readline()
            if not line.endswith(b"}\n"):
                return
            yield msgspec.json.decode(line, type=Made)

    def _end(self) -> None:
        self._late = True
        self._child.kill()

    def _words(self) -> str:
        status = self._child.wait()
        if self._late:
            return f"reports took longer than {self._limit:g} s"
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"its process ended with status {status}"


def make(home: Path, jobs: list[Job]) -> list[Made]:
    """Make reports on the press that is kept for a data folder, else on one of this call's own."""
    kept = _KEPT.get(home)
    if kept is not None and kept.works:
        return kept.make(jobs)
    with _press(home) as press:
        return press.make(jobs)


@contextmanager
def kept(home: Path) -> Iterator[None]:
    """Keep one press over all reports that this process makes inside."""
    if home in _KEPT:
        yield
        return
    with _press(home) as press:
        _KEPT[home] = press
        try:
            yield
        finally:
            del _KEPT[home]


@contextmanager
def _press(home: Path) -> Iterator[Press]:
    press = Press(home)
    try:
        yield press
    except BaseException:
        press.kill()
        raise
    press.close()


def _environment(home: Path, runtime: str) -> dict[str, str]:
    """Return the child's environment: Jupyter's and IPython's files lie in the data folder, sets come in one order."""
    jupyter = home / "run" / "jupyter"
    (jupyter / "ipython").mkdir(parents=True, exist_ok=True)
    own = {
        "AITRADE_HOME": str(home),
        "JUPYTER_DATA_DIR": str(jupyter),
        "JUPYTER_CONFIG_DIR": str(jupyter / "config"),
        "JUPYTER_RUNTIME_DIR": runtime,
        "JUPYTER_PLATFORM_DIRS": "1",
        "IPYTHONDIR": str(jupyter / "ipython"),
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "ignore",
    }
    return {**os.environ, **own}
