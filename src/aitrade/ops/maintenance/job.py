"""A task as a process of its own: `python -m aitrade.ops.maintenance.job`, a `Job` as JSON on standard input.

The outcome is the one line on standard output; progress and whatever else is printed go to standard error. Told to
end (SIGTERM), it takes back what it has half done.
"""

import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from aitrade.core import logs
from aitrade.core.config import load
from aitrade.core.errors import AitradeError, Conflict
from aitrade.core.files import FileLock
from aitrade.ops.maintenance.register import task_named
from aitrade.ops.maintenance.task import Ground, Outcome, Status, Task

NICER = 10
ENDS = {"SIGTERM", "SIGBREAK"}
"""Signals that tell it to end, on Linux and on Windows."""
_log = logs.get(__name__)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: a task on a data folder, `now` in ns UTC of the schedule's clock."""

    home: str
    task: str
    now: int
    dry: bool = False
    subject: str = ""


class Told(BaseException):
    """The process was told to end; no `except Exception` holds it up."""


def perform(job: Job, tell: Callable[[str], None] | None = None) -> Outcome:
    """Do a job here and now; return how it went, never raise for what a task raises."""
    began, ground = time.monotonic(), Ground(load(home=Path(job.home)), job.now, subject=job.subject, tell=tell)
    outcome = _planned if job.dry else _done
    try:
        found = outcome(task_named(job.task), ground)
    except (Exception, Told) as error:
        found = _failed(job.task, ground, error)
    return msgspec.structs.replace(found, began=job.now, seconds=round(time.monotonic() - began, 3))


def _planned(task: Task, ground: Ground) -> Outcome:
    return Outcome(task=task.name, status=Status.PLANNED, says=" ".join(task.plan(ground)) or "Nothing is to be done.")


def _done(task: Task, ground: Ground) -> Outcome:
    shutil.rmtree(ground.scratch, ignore_errors=True)
    done = task.run(ground)
    ground.keep()
    shutil.rmtree(ground.scratch, ignore_errors=True)
    return Outcome(task=task.name, status=Status.DONE, says=done.says, measured=done.measured)


def _failed(name: str, ground: Ground, error: BaseException) -> Outcome:
    _deafen()
    step, left = ground.at_step, ""
    try:
        ground.take_back()
        shutil.rmtree(ground.scratch, ignore_errors=True)
    except Exception as worse:
        left = f" Taking it back failed too: {worse}."
    status = Status.STOPPED if isinstance(error, Told) else Status.FAILED
    _log.error("task failed", task=name, step=step, status=str(status), exc_info=error)
    words = str(error) if isinstance(error, AitradeError | Told) else f"{type(error).__name__}: {error}"
    return Outcome(task=name, status=status, says=words + left, step=step, error=_place(error))


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _told(*_signal: object) -> None:
    raise Told("It was told to end.")


def _deafen() -> None:
    """Heed no further signal: what is being taken back is not to be cut off. Only the main thread has signals."""
    for name in ENDS & set(dir(signal)) if threading.current_thread() is threading.main_thread() else ():
        if signal.getsignal(getattr(signal, name)) is _told:
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _tell(task: str, words: str) -> None:
    sys.stderr.write(f"  {task}: {words}\n")
    sys.stderr.flush()


def _alone(job: Job) -> Outcome:
    """Do the job under a lock of this process: one whose scheduler was killed still counts as running."""
    try:
        with FileLock(Path(job.home) / "run" / "maintenance.job.lock", taken="Another job still runs; it comes again."):
            return perform(job, lambda words: _tell(job.task, words))
    except Conflict as taken:
        return Outcome(task=job.task, status=Status.SKIPPED, says=str(taken), began=job.now)


def main() -> None:
    """Read a job from standard input, do it, write its outcome to standard output."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    logs.configure("jobs", Path(job.home) / "logs")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ENDS & set(dir(signal)):
        signal.signal(getattr(signal, name), _told)
    with suppress(OSError, AttributeError):
        os.nice(NICER)
    outcome = _alone(job)
    _log.info("task ended", task=job.task, dry=job.dry, status=str(outcome.status), seconds=outcome.seconds)
    answer.write(msgspec.json.encode(outcome) + b"\n")
    answer.close()


if __name__ == "__main__":
    main()
