"""What a supervisor that died left running on a data folder: found by what each process wrote into `run/`, and ended.

Helpers end with their supervisor by themselves; the engine trades on, and the watcher while it does. Who starts or
stops the folder afterwards ends the rest, the engine gracefully: its journal says so, and a start goes on from there.
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from aitrade.core.errors import Unreachable
from aitrade.core.files import held
from aitrade.core.orders import WORKING, OrderState
from aitrade.engine.client import EngineClient

PROCESSES = {
    "page": ("page.json", "aitrade.ui.server"),
    "charts": ("charts.json", "aitrade.ui.charts"),
    "maintenance": ("maintenance.json", "aitrade.ops.maintenance.process"),
    "backup": ("backup.pid", "aitrade.ops.backup.process"),
    "alerts": ("alerts.json", "aitrade.ops.alerts.process"),
    "engine": ("engine.json", "aitrade.engine.process"),
}
"""By child: where it leaves its process id, and the module that it runs."""
WATCHER = "alerts"
HELPER_SECONDS, ENGINE_SECONDS = 3.0, 5.0
"""How long helpers and engine may take to end before they are ended."""
APPEAR_SECONDS = 6.0
"""How long an engine that holds its lock may take to say where it is."""
CLOCK_SECONDS = 5.0
"""How far the system's clock may have been put between a process's start and its file."""
LOCK = "engine.lock"
SILENT = "The engine did not answer; what it had is in its journal."


class _Pid(msgspec.Struct):
    pid: int


def left_running(home: Path) -> dict[str, psutil.Process]:
    """Return what runs on a data folder, by child, the engine last; a number that another program has now is not it."""
    found = {name: _process(home / "run" / file, module) for name, (file, module) in PROCESSES.items()}
    return {name: process for name, process in found.items() if process is not None}


def end(home: Path, say: Callable[[str], None]) -> None:
    """End what is left, and say so; only with the supervisor's lock held, or nobody could tell whose they are."""
    left = left_running(home)
    helpers = [process for name, process in left.items() if name != "engine"]
    if left:
        say(f"aitrade ran here without its supervisor, which had died: {', '.join(left)}. It is ended in order.")
    _end(helpers, HELPER_SECONDS)
    limit = time.monotonic() + APPEAR_SECONDS
    while held(home / LOCK) and time.monotonic() < limit:
        engine = left_running(home).get("engine")
        if engine is not None:
            _end_engine(home, engine, say)
        time.sleep(0.05)


def shut_engine(home: Path) -> list[str]:
    """Ask the engine to stop; return what stays open, in sentences."""
    try:
        with EngineClient.of(home) as client:
            left = stays_open(client)
            client.shutdown()
    except Unreachable:
        return [SILENT]
    return left


def stays_open(client: EngineClient) -> list[str]:
    """Return the open positions, held shares and working orders, in sentences."""
    now = client.snapshot()
    positions = [(row.instrument, row.product, row.quantity) for row in now.positions if row.quantity]
    lines = [f"{key} {product}: {units} units stay open" for key, product, units in positions]
    lines += [f"{row.instrument}: {row.quantity} shares stay held" for row in now.holdings]
    working = [row for row in now.orders if OrderState(row.state) in WORKING]
    return lines + [f"order {row.id} {row.side} {row.instrument}: {row.state}" for row in working]


def _end_engine(home: Path, engine: psutil.Process, say: Callable[[str], None]) -> None:
    for line in shut_engine(home):
        say(line)
    if psutil.wait_procs([engine], timeout=ENGINE_SECONDS)[1]:
        _end([engine], HELPER_SECONDS)


def _end(processes: list[psutil.Process], seconds: float) -> None:
    """Ask them to end, wait, and end who has not: with its children, which would be nobody's."""
    for process in processes:
        _signal(process.terminate)
    for process in psutil.wait_procs(processes, timeout=seconds)[1]:
        for one in [*_children(process), process]:
            _signal(one.kill)
    psutil.wait_procs(processes, timeout=seconds)


def _signal(act: Callable[[], None]) -> None:
    try:
        act()
    except psutil.NoSuchProcess:
        return


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def _process(path: Path, module: str) -> psutil.Process | None:
    """Return the process that wrote `path`: it runs our module and began before the file was written."""
    try:
        named = msgspec.json.decode(path.read_bytes(), type=_Pid | int)
        process = psutil.Process(named if isinstance(named, int) else named.pid)
        ours = module in process.cmdline() and process.create_time() <= path.stat().st_mtime + CLOCK_SECONDS
        return process if ours and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, msgspec.MsgspecError, psutil.Error):
        return None
