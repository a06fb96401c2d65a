"""Every process of ours logs: the engine's own event log line by line, and what a refusal says stays the last word."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import msgspec
import pytest

from aitrade.core import logs
from aitrade.core.errors import AitradeError
from aitrade.core.files import FileLock
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops.children import Child, Running
from aitrade.ops.errors import errors
from aitrade.ops.maintenance.job import Job
from aitrade.ops.maintenance.task import Outcome
from aitrade.ops.supervisor import Supervisor, address_of


def engine(home, **more):
    """An engine process on a data folder, as the supervisor starts it."""
    settings = EngineSettings(home=str(home), day="2026-11-23", start="10:00", **more)
    body = json.dumps({name: getattr(settings, name) for name in settings.__struct_fields__}).encode()
    child = Child("engine", "aitrade.engine.process", body, lambda pid: address_of(home, pid) is not None)
    return Running(child, home / "logs" / "engine.log")


def test_the_engines_event_log_is_in_its_log_file(tmp_path):
    """What a trader reads on the System tab is a line of JSON too, with the market's time beside the machine's."""
    running = engine(tmp_path)
    running.start()
    try:
        running.wait_ready(30)
        with EngineClient.of(tmp_path, actor="asha") as client:
            client.set_trading("halt", "a drill")
            client.set_speed(speed=10)
            time.sleep(0.2)
            client.shutdown()
        assert running.wait(10)
    finally:
        running.stop(5)
    rows = list(logs.lines(tmp_path / "logs" / "engine.jsonl"))
    events = [row["event"] for row in rows]
    assert events[0] == "engine serves"
    assert events[-1] == "engine stops"
    said = next(row for row in rows if row["event"] == "asha set the market to 10 times real time.")
    assert said["process"] == "engine"
    assert said["market"] < said["ts"] or said["market"] > 0


def test_a_refusal_is_logged_and_stays_the_last_word(tmp_path):
    """The supervisor repeats the last line of the child's own output; the same reason is in its log."""
    running = engine(tmp_path)
    with FileLock(tmp_path / "engine.lock"):
        running.start()
        with pytest.raises(AitradeError, match="Another engine already trades") as refused:
            running.wait_ready(30)
    last = running.last_words()
    assert str(refused.value) == last
    assert not last.startswith("{")
    (row,) = [row for row in logs.lines(tmp_path / "logs" / "engine.jsonl") if "refuses" in row["event"]]
    assert row["reason"] == last


def test_a_killed_engine_is_said_to_be_killed(tmp_path):
    """Why it ended is its own end, not an old line that an engine which was refused left in the same log."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "engine.log").write_text("Another engine already trades on /some/where.\n")
    said = []
    supervisor = Supervisor(EngineSettings(home=str(tmp_path), day="2026-11-23", start="10:00"), [], said.append)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    try:
        os.kill(address_of(tmp_path, 0).pid, signal.SIGKILL)
        limit = time.monotonic() + 30
        while not said and time.monotonic() < limit:
            time.sleep(0.02)
    finally:
        supervisor.stop()
        watching.join()
    assert said == ["engine had ended and was started again (engine ended without a word, by signal 9.)"]


def test_a_job_that_fails_is_logged_and_counted(tmp_path):
    """What a maintenance task raises in its own process is an error like any other."""
    job = msgspec.json.encode(Job(home=str(tmp_path), task="nowhere", now=1_795_000_000_000_000_000))
    command = [sys.executable, "-m", "aitrade.ops.maintenance.job"]
    for _ in range(2):
        done = subprocess.run(command, input=job + b"\n", capture_output=True, check=True)
    assert msgspec.json.decode(done.stdout, type=Outcome).status == "failed"
    events = [row["event"] for row in logs.lines(tmp_path / "logs" / "jobs.jsonl")]
    assert events == ["task failed", "task ended"] * 2
    (group,) = errors(tmp_path)
    assert (group.count, group.process) == (2, "jobs")
