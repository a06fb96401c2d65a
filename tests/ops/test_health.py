"""Health, part by part: each part is broken, and is seen to be, with a reason."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from aitrade.compliance.journal import segments
from aitrade.compliance.operations import journal_folder, note
from aitrade.core.clock import SECOND
from aitrade.core.files import write_private
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops import health as health_module
from aitrade.ops.children import Child, Running
from aitrade.ops.health import State, health
from aitrade.ops.machine_clock import machine_clock, read
from aitrade.ops.supervisor import BEAT, Beat, address_of


def beat(home, *, pid=0, ago_s=0, watching_s=0):
    """A supervisor's sign of life."""
    now = time.time_ns()
    sign = Beat(pid or os.getpid(), now - ago_s * SECOND, {"page": 2}, now - watching_s * SECOND)
    write_private(home / BEAT, msgspec.json.encode(sign))


@contextmanager
def running(home):
    """A running engine process, with a supervisor's sign of life beside it."""
    settings = EngineSettings(home=str(home), day="2026-11-23", start="10:00")
    child = Child(
        "engine", "aitrade.engine.process", msgspec.json.encode(settings), lambda pid: bool(address_of(home, pid))
    )
    started = Running(child, home / "logs" / "engine.log")
    started.start()
    try:
        started.wait_ready(30)
        beat(home)
        yield started
    finally:
        started.stop(5)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """The data folder of an engine that every test leaves running, and its process."""
    home = tmp_path_factory.mktemp("standing")
    with running(home) as engine:
        yield home, engine


def dead_pid():
    """The id of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_where_nothing_was_started_everything_is_off_and_nothing_is_wrong(tmp_path):
    """A folder at rest is no alarm."""
    found = health(tmp_path)
    assert found.ok
    assert {
        name: found.of(name).state for name in ("engine", "page", "chart worker", "supervisor", "journal")
    } == dict.fromkeys(("engine", "page", "chart worker", "supervisor", "journal"), State.OFF)
    assert found.of("feed").state is State.UNKNOWN


def test_a_running_engine_is_well_and_a_killed_one_is_down(tmp_path):
    """With its feed, journal and database; killed, it is down with the reason, and what it alone knows is unknown."""
    with running(tmp_path) as engine:
        found = health(tmp_path, deep=True)
        well = ("engine", "feed", "projection", "journal", "disk", "supervisor")
        assert {name: found.of(name).state for name in well} == dict.fromkeys(well, State.OK)
        assert "ACTIVE" in found.of("engine").reason
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait(10)
        found = health(tmp_path)
    assert not found.ok
    assert found.of("engine").state is State.DOWN
    assert "has died" in found.of("engine").reason
    assert found.of("feed").state is State.UNKNOWN
    assert found.reasons[0].startswith("engine: ")


def test_an_engine_that_hangs_is_down(standing, monkeypatch):
    """It lives and does not answer."""
    home, engine = standing
    monkeypatch.setattr(health_module, "ANSWER_SECONDS", 0.2)
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        part = health(home).of("engine")
    finally:
        os.kill(engine.pid, signal.SIGCONT)
    assert part.state is State.DOWN
    assert "does not answer" in part.reason


def test_a_halt_is_a_reason(standing):
    """Trading that is not active is told with who said why."""
    home, _engine = standing
    with EngineClient.of(home) as client:
        client.set_trading("halt", "a drill")
        part = health(home).of("engine")
        client.set_trading("resume", "a drill")
    assert part.state is State.DEGRADED
    assert "HALTED" in part.reason
    assert "a drill" in part.reason


def test_a_stale_feed_and_a_database_that_fails_are_parts_of_their_own(standing):
    """The engine itself is well then."""
    with EngineClient.of(standing[0]) as client:
        says = client.health()
    stale = msgspec.structs.replace(says, reasons=["No price for 9 s of market time."], projection_trouble="disk full")
    parts = {part.name: part for part in health_module._of_engine(health_module._Engine(None, stale, "b"))}
    assert parts["feed"].state is State.DEGRADED
    assert "9 s" in parts["feed"].reason
    assert parts["projection"].state is State.DEGRADED
    assert "disk full" in parts["projection"].reason
    late = msgspec.structs.replace(says, projection_behind=1_000_000)
    assert health_module._projection(late).state is State.DEGRADED


@pytest.mark.parametrize("name", ["page", "chart worker"])
def test_a_page_that_does_not_answer_is_down(tmp_path, name):
    """Its process is gone, or it has not even said where it listens while a supervisor runs."""
    beat(tmp_path)
    assert health(tmp_path).of(name).state is State.DOWN
    file = {"page": "page.json", "chart worker": "charts.json"}[name]
    write_private(tmp_path / "run" / file, json.dumps({"port": 1, "pid": dead_pid()}))
    part = health(tmp_path).of(name)
    assert part.state is State.DOWN
    assert "has died" in part.reason


@pytest.mark.parametrize(
    ("name", "file"), [("watcher", "alerts.json"), ("scheduler", "maintenance.json"), ("copier", "backup.pid")]
)
def test_what_watches_beside_the_engine_is_seen_to_die(tmp_path, name, file):
    """Off without a supervisor, starting beside one, well while its process lives, down when it has died."""
    assert health(tmp_path).of(name).state is State.OFF
    beat(tmp_path)
    assert health(tmp_path).of(name).state is State.UNKNOWN
    for pid, state in ((os.getpid(), State.OK), (dead_pid(), State.DOWN)):
        text = str(pid) if file.endswith(".pid") else json.dumps({"pid": pid, "port": 0})
        write_private(tmp_path / "run" / file, text)
        assert health(tmp_path).of(name).state is state


@pytest.mark.parametrize("name", ["watcher", "scheduler", "copier"])
def test_what_watches_and_never_starts_is_down(tmp_path, name):
    """A minute after its supervisor has begun it starts no more: nobody watches, and health says so."""
    beat(tmp_path, watching_s=30)
    assert health(tmp_path).of(name).ok
    beat(tmp_path, watching_s=90)
    part = health(tmp_path).of(name)
    assert (part.state, "has not started" in part.reason) == (State.DOWN, True)


def test_a_process_that_ended_and_was_not_reaped_is_dead():
    """A child of a supervisor is one for a moment."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    limit = time.monotonic() + 20
    while health_module._alive(ended.pid):
        assert time.monotonic() < limit
        time.sleep(0.02)
    ended.wait()


def test_a_supervisor_that_died_or_is_silent_is_seen(tmp_path):
    """By its sign of life; the one that lives says what it had to start again."""
    beat(tmp_path)
    assert health(tmp_path).of("supervisor").reason == "watches; started again: page 2 times"
    beat(tmp_path, ago_s=60)
    assert health(tmp_path).of("supervisor").state is State.DEGRADED
    beat(tmp_path, pid=dead_pid())
    assert health(tmp_path).of("supervisor").state is State.DOWN


def test_a_broken_chain_is_seen_by_a_deep_look(tmp_path):
    """One flipped byte of the operations journal."""
    for n in range(3):
        note(tmp_path, "drill", f"drill-{n}", "done")
    assert health(tmp_path, deep=True).of("journal").state is State.OK
    (path,) = segments(journal_folder(tmp_path))
    data = bytearray(path.read_bytes())
    data[120] ^= 1
    path.write_bytes(data)
    part = health(tmp_path, deep=True).of("journal")
    assert part.state is State.DOWN
    assert path.name in part.reason


def test_a_full_disk_is_seen(tmp_path, monkeypatch):
    """Less than two GiB, or more than 95 % used."""
    usage = SimpleNamespace(free=1 << 30, percent=50.0)
    monkeypatch.setattr(psutil, "disk_usage", lambda _path: usage)
    assert health(tmp_path).of("disk").state is State.DEGRADED
    usage.free = 100 << 30
    assert health(tmp_path).of("disk").state is State.OK
    usage.percent = 96.0
    assert health(tmp_path).of("disk").state is State.DEGRADED


def test_a_missed_backup_is_seen(tmp_path):
    """None yet is unknown; one of yesterday's is late; a failed one counts for nothing."""
    assert health(tmp_path).of("backup").state is State.UNKNOWN
    note(tmp_path, "backup", "daily", "done", at=time.time_ns() - 30 * 3600 * SECOND)
    note(tmp_path, "backup", "daily", "failed")
    assert health(tmp_path).of("backup").state is State.DEGRADED
    note(tmp_path, "backup", "daily", "done")
    assert health(tmp_path).of("backup").state is State.OK


def timex(*, offset, status):
    """A `struct timex` as the kernel fills it."""
    data = bytearray(512)
    struct.pack_into("@q", data, 8, offset)
    struct.pack_into("@i", data, 40, status)
    return bytes(data)


def test_the_clock_is_what_the_kernel_says_of_it(tmp_path, monkeypatch):
    """In step (micro- or nanoseconds), out of step, or unknown; this machine's answer is one of them."""
    assert read(timex(offset=1_500, status=0)).offset_ms == 1.5
    assert read(timex(offset=1_500_000, status=0x2000)).offset_ms == 1.5
    lost = read(timex(offset=0, status=0x40))
    assert (lost.synchronised, lost.offset_ms) == (False, None)
    assert machine_clock().synchronised in (True, False, None)
    for offset, state in ((700_000, State.DEGRADED), (-700_000, State.DEGRADED), (3, State.OK)):
        monkeypatch.setattr(health_module, "machine_clock", lambda offset=offset: read(timex(offset=offset, status=0)))
        assert health(tmp_path).of("clock").state is state
    monkeypatch.setattr(health_module, "machine_clock", lambda: lost)
    assert health(tmp_path).of("clock").state is State.UNKNOWN
