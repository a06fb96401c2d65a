"""The supervisor's small door: a file in `run/` asks it to restart one of its heavy services, and is gone when it has.

Only who can write the data folder can ask, only the services named here can be asked for, and the engine is not one.
"""

import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
import psutil

from aitrade.core.errors import Refused, Unreachable
from aitrade.core.files import write_private

RESTARTABLE = ("charts", "page")
"""What holds memory and no trading state, in the order in which it is restarted."""
ANSWER_SECONDS = 45.0
_POLL_SECONDS = 0.05


class _Serves(msgspec.Struct):
    pid: int


def ask_to_end(home: Path) -> None:
    """Ask the supervisor to end all of it gently, where no signal can be sent: from a service of Windows."""
    write_private(home / "run" / "end", "")


def end_asked(home: Path, *, forget: bool = False) -> bool:
    """Return whether the end is asked for; `forget` a request that an earlier supervisor left."""
    request = home / "run" / "end"
    if forget:
        request.unlink(missing_ok=True)
    return request.exists()


def _request(home: Path, service: str) -> Path:
    return home / "run" / f"restart-{service}"


def asked(home: Path, services: Iterable[str]) -> list[str]:
    """Return which of the supervisor's services are asked for, and may be."""
    return [one for one in services if one in RESTARTABLE and _request(home, one).exists()]


def answer(home: Path, service: str) -> None:
    """Say that it was restarted."""
    _request(home, service).unlink(missing_ok=True)


def restart(home: Path, service: str, reason: str, *, seconds: float = ANSWER_SECONDS) -> None:
    """Ask for a restart and wait until the new process serves.

    Raises Refused for what may not be restarted, Unreachable when the supervisor does not do it in time.
    """
    if service not in RESTARTABLE:
        raise Refused(f"{service} is not restarted on request; what can be is {', '.join(RESTARTABLE)}.")
    request, before = _request(home, service), process_of(home, service)
    write_private(request, reason)
    limit = time.monotonic() + seconds
    while request.exists() or process_of(home, service) in (before, 0):
        if time.monotonic() > limit:
            request.unlink(missing_ok=True)
            raise Unreachable(f"The supervisor did not restart {service} within {seconds:g} s; is `aitrade up` there?")
        time.sleep(_POLL_SECONDS)


def process_of(home: Path, service: str) -> int:
    """Return the process id that a service left when it began to serve, 0 without one."""
    try:
        return msgspec.json.decode((home / "run" / f"{service}.json").read_bytes(), type=_Serves).pid
    except (FileNotFoundError, msgspec.DecodeError):
        return 0


def resident(pid: int) -> int:
    """Return the memory of a process and its children, bytes; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_resident(one) for one in family)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
