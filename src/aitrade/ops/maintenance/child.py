"""Runs a job as a child process and holds it to its time limit; can be asked by a file to stop."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil

from aitrade.ops.maintenance.job import Job
from aitrade.ops.maintenance.task import Outcome, Status

COMMAND = [sys.executable, "-m", "aitrade.ops.maintenance.job"]
_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""Windows tells a group of its own to end by a break."""
POLL_SECONDS = 0.05
WAITS_SECONDS = 300.0
"""How long an emergency waits at most: the running job ends within its grace."""
GRACE_SECONDS = 10.0
"""How long a task may take to take itself back."""


def stop_request(home: Path) -> Path:
    """Return the file whose being there asks the running job to end."""
    return home / "run" / "maintenance.stop"


def stop_wanted(home: Path) -> bool:
    """Return whether an emergency waits for the running job; a request that nobody stands behind is removed."""
    request = stop_request(home)
    try:
        age = time.time() - request.stat().st_mtime
    except FileNotFoundError:
        return False
    if age > WAITS_SECONDS:
        request.unlink(missing_ok=True)
    return age <= WAITS_SECONDS


def in_child(job: Job, seconds: float) -> Outcome:
    """Do a job in a process of its own, for at most `seconds`; return how it went."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=os.name != "nt",
        creationflags=_NEW_GROUP, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    began = time.monotonic()
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        process.stdin.close()
        ended = _wait(process, began + seconds, Path(job.home))
        answer = _answer(process, job)
    finally:
        if process.poll() is None:
            _tell_to_end(process)
    spent = round(time.monotonic() - began, 3)
    if ended is None:
        return msgspec.structs.replace(answer, seconds=spent)
    says = f"It took longer than {seconds:g} s." if ended is Status.LATE else "It was stopped for an emergency."
    return msgspec.structs.replace(answer, status=ended, says=says, seconds=spent)


def _wait(process: "subprocess.Popen[bytes]", limit: float, home: Path) -> Status | None:
    """Wait for the end; return why it was ended early, or None."""
    while process.poll() is None:
        reason = Status.LATE if time.monotonic() > limit else Status.STOPPED if stop_wanted(home) else None
        if reason is not None:
            _tell_to_end(process)
            return reason
        time.sleep(POLL_SECONDS)
    return None


def _tell_to_end(process: "subprocess.Popen[bytes]") -> None:
    """Let it take itself back, and end it with all that it started when it does not.

    It is told each second: an exception that a signal raises inside a destructor is lost.
    """
    for _again in range(round(GRACE_SECONDS)):
        process.send_signal(signal.SIGTERM if os.name != "nt" else signal.CTRL_BREAK_EVENT)
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            continue
        return
    _end_family(process)


def _answer(process: "subprocess.Popen[bytes]", job: Job) -> Outcome:
    assert process.stdout is not None
    with process.stdout as stream:
        lines = stream.read().strip().splitlines()
    try:
        return msgspec.json.decode(lines[-1], type=Outcome)
    except (IndexError, msgspec.DecodeError):
        says = f"Its process ended without an answer (exit status {process.returncode})."
        return Outcome(task=job.task, status=Status.FAILED, says=says, began=job.now)


def _end_family(process: "subprocess.Popen[bytes]") -> None:
    """Leave nothing of a job running: a report's kernel goes with it."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.kill()
    for child in family:
        child.kill() if child.is_running() else None
    process.wait()
