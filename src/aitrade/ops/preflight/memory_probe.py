"""Memory of a running aitrade and of its machine, sampled while a session is played: peak, and growth."""

import threading
import time
from pathlib import Path
from typing import Self

import msgspec
import psutil

EVERY_SECONDS = 0.2
MEBIBYTE = 1 << 20
CGROUP = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60


class Sample(msgspec.Struct, frozen=True):
    """Bytes in use: by a process and its children (shared pages counted for each), and by the machine or container."""

    ours: int
    machine: int


def limit(cgroup: Path = CGROUP) -> int:
    """Return the bytes that may be used: the machine's memory, or the container's limit where that is less."""
    found = [_number(cgroup / name) for name in ("memory.max", "memory/memory.limit_in_bytes")]
    return min([psutil.virtual_memory().total, *(number for number in found if 0 < number < _NO_LIMIT)])


def used(cgroup: Path = CGROUP) -> int:
    """Return the bytes in use of `limit`: what cannot be given back at once."""
    memory = psutil.virtual_memory()
    whole = memory.total - memory.available
    if limit(cgroup) == memory.total:
        return whole
    own = max(_number(cgroup / name) for name in ("memory.current", "memory/memory.usage_in_bytes"))
    return own - max(_inactive(cgroup / name) for name in ("memory.stat", "memory/memory.stat"))


def family(pid: int) -> int:
    """Return the bytes of a process and all its children."""
    try:
        root = psutil.Process(pid)
        members = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_resident(member) for member in members)


class Watch:
    """Samples on a thread of its own while the block runs."""

    def __init__(self, pid: int) -> None:
        self.samples: list[Sample] = []
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Take a last sample."""
        self._over.set()
        self._thread.join()

    @property
    def peak(self) -> Sample:
        """The most of each."""
        return Sample(max(one.ours for one in self.samples), max(one.machine for one in self.samples))

    @property
    def growth(self) -> int:
        """By how much our own grew from the first sample to the last, bytes."""
        return self.samples[-1].ours - self.samples[0].ours

    def _look(self) -> None:
        while True:
            self.samples.append(Sample(family(self._pid), used()))
            if self._over.is_set():
                return
            self._over.wait(EVERY_SECONDS)


def settle(seconds: float = 1.0) -> None:
    """Let what was just done come to rest."""
    time.sleep(seconds)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _inactive(path: Path) -> int:
    try:
        rows = dict(line.split() for line in path.read_text().splitlines())
    except OSError:
        return 0
    return int(rows.get("inactive_file", rows.get("total_inactive_file", 0)))
