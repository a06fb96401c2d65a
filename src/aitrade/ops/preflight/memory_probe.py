"""Memory of a running aitrade and of its machine, sampled while a session is played: peak, and growth."""

import threading
import time
from pathlib import Path
from statistics import linear_regression
from typing import TYPE_CHECKING, Self

import msgspec
import psutil

from aitrade.core.clock import ist_time
from aitrade.engine.client import EngineClient
from aitrade.engine.pace import FASTEST
from aitrade.market.calendar import PhaseName

if TYPE_CHECKING:
    from playwright.sync_api import Page

EVERY_SECONDS = 0.2
MEBIBYTE = 1 << 20
CGROUP = Path("/sys/fs/cgroup")
AFTER = PhaseName.POST_CLOSE
"""The phase in which no price comes any more."""
STRIDE_SECONDS = 0.5
PATIENCE_MS, SETTLE_MS = 90_000, 1_000
FEWEST = 3
_NO_LIMIT = 1 << 60


class Played(msgspec.Struct, frozen=True):
    """A session that was played: its world, from when to when (ns UTC), and the seconds that it took."""

    mode: str
    data: str
    """Where its prices come from: SIMULATED, or the imported sets."""
    day: str
    first: int
    last: int
    took: float

    @property
    def pace(self) -> int:
        """Market seconds a second."""
        return round((self.last - self.first) / 1e9 / self.took)

    def __str__(self) -> str:
        """Return it in words."""
        hours = f"{ist_time(self.first)[:5]} to {ist_time(self.last)[:5]}"
        return f"the {self.mode} session of {self.day} ({self.data}), {hours}, in {self.took:.0f} s"


class Sample(msgspec.Struct, frozen=True):
    """Bytes in use: by a process and its children (shared pages counted for each), and by the machine or container."""

    at: float
    """Seconds since the first sample."""
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

    def _look(self) -> None:
        began = time.monotonic()
        while True:
            self.samples.append(Sample(time.monotonic() - began, family(self._pid), used()))
            if self._over.is_set():
                return
            self._over.wait(EVERY_SECONDS)


def peak(samples: list[Sample]) -> Sample:
    """Return the most of each, and the last moment."""
    ours, machine = max(one.ours for one in samples), max(one.machine for one in samples)
    return Sample(samples[-1].at, ours, machine)


def slope(samples: list[Sample]) -> float:
    """Return by how many bytes a second our own grew over the second half: the line of least squares through it.

    The first half is a session's warming up; fewer than three samples in the second make no line, and 0.
    """
    late = [one for one in samples if one.at >= samples[-1].at / 2]
    if len(late) < FEWEST:
        return 0.0
    return linear_regression([one.at for one in late], [float(one.ours) for one in late]).slope


def play(client: EngineClient, page: "Page", seconds: float) -> Played:
    """Play the rest of the engine's session to its end in so many seconds, evenly, beside the page that shows it.

    It is played in strides, each as fast as it goes: an engine that races takes commands in between.
    """
    seen, began = client.snapshot(), time.monotonic()
    first, last = seen.time.now, max(int(end) for name, _start, end in seen.world.phases if name != AFTER)
    strides = max(round(seconds / STRIDE_SECONDS), 1)
    for number in range(1, strides):
        client.jump(ist_time(first + (last - first) * number // strides))
        page.wait_for_timeout(max(began + number * seconds / strides - time.monotonic(), 0) * 1000)
    client.set_speed(speed=FASTEST)
    page.wait_for_function("aitrade.state.time.done", timeout=PATIENCE_MS)
    page.wait_for_timeout(SETTLE_MS)
    return Played(seen.world.mode, seen.world.source, seen.world.session, first, last, time.monotonic() - began)


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
