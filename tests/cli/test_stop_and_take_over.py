"""Tests for what a killed `aitrade up` leaves: its helpers end, its engine trades on, and the next start takes over."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import msgspec
import psutil

from aitrade.core.files import FileLock
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.ops.orphans import left_running
from aitrade.ops.visit import trading

HELPERS = ("page", "charts", "maintenance", "backup")


def aitrade(home, *arguments):
    """Run a command line on the folder; return its exit status and all it printed."""
    command = [sys.executable, "-m", "aitrade", *arguments, "--data-folder", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def until(found, seconds=30):
    """Wait until `found` returns something true; return what it returned last."""
    limit = time.monotonic() + seconds
    while not (result := found()) and time.monotonic() < limit:
        time.sleep(0.05)
    return result


@contextmanager
def killed(home):
    """Kill `aitrade up` once all that it starts is there; end what is left of it afterwards."""
    with trading(home, "--start", "10:30", "--strategy", "none") as up:
        assert up.link
        assert until(lambda: len(left_running(home)) == len(HELPERS) + 2)
        before = left_running(home)
        up.process.kill()
        up.process.wait()
        try:
            yield before, up.link.partition("/login")[0]
        finally:
            for process in before.values():
                with suppress(psutil.NoSuchProcess):
                    process.kill()


def bought(home, quantity):
    """Buy and hold; return the order's id once it has filled."""
    with EngineClient.of(home) as engine:
        request = OrderRequest(instrument="NSE:TCS", side=Side.BUY, quantity=quantity, product=Product.CNC)
        placed = engine.place(request)
        assert until(lambda: any(row.id == placed.id and row.filled == quantity for row in engine.orders()))
    return placed.id


def test_a_killed_supervisor_is_taken_over(tmp_path):
    """Helpers end by themselves, the engine takes orders, and `aitrade up` goes on with the same book and page."""
    with killed(tmp_path) as (before, address):
        psutil.wait_procs([before[name] for name in HELPERS], timeout=20)
        assert [name for name in HELPERS if before[name].is_running()] == []
        order = bought(tmp_path, 3)
        with trading(tmp_path, "--port", address.rpartition(":")[2]) as again:
            assert again.link.startswith(f"{address}/")
            assert "without its supervisor" in " ".join(again.said)
            assert not before["engine"].is_running()
            with EngineClient.of(tmp_path) as engine:
                assert order in [row.id for row in engine.orders()]
                assert [(row.instrument, row.quantity) for row in engine.positions()] == [("NSE:TCS", 3)]
            status, said = aitrade(tmp_path, "up", "--no-browser")
            assert (status, "aitrade stop" in said) == (2, True)
            status, said = aitrade(tmp_path, "stop")
            assert (status, "NSE:TCS CNC: 3 units stay open" in said) == (0, True)
            assert again.process.wait(10) == 0
    assert left_running(tmp_path) == {}
    assert aitrade(tmp_path, "stop") == (2, "Nothing runs on this data folder; `aitrade up` starts it.\n")


SUPERVISOR = """
import sys
from pathlib import Path
from aitrade.engine.settings import EngineSettings
from aitrade.ops.alerts.child import watcher
from aitrade.ops.backup.child import copier
from aitrade.ops.supervisor import Supervisor
home = Path(sys.argv[1])
supervisor = Supervisor(EngineSettings(home=str(home), start="10:30"), [watcher(home), copier(home)], print)
supervisor.start()
supervisor.watch()
"""
"""`aitrade up` without its page."""


def test_stop_ends_what_a_killed_supervisor_left(tmp_path):
    """No supervisor is needed: the engine stops gracefully and says what stays open, and every helper ends."""
    with subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(tmp_path)]) as up:
        until(lambda: len(left_running(tmp_path)) == 3)
        before = left_running(tmp_path)
        up.kill()
    assert list(before) == ["backup", "alerts", "engine"]
    bought(tmp_path, 2)
    psutil.wait_procs([before["backup"]], timeout=20)
    assert list(left_running(tmp_path)) == ["alerts", "engine"]
    status, said = aitrade(tmp_path, "stop")
    assert (status, "NSE:TCS CNC: 2 units stay open" in said) == (0, True)
    assert not any(process.is_running() for process in before.values())
    FileLock(tmp_path / "engine.lock").release()


def test_a_process_that_only_has_an_old_number_is_nobodys_orphan(tmp_path):
    """A stale address whose process id another program got since then is left alone."""
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "engine.json"
    path.write_bytes(msgspec.json.encode({"port": 1, "pid": os.getpid(), "book": "b"}))
    assert left_running(tmp_path) == {}
    with subprocess.Popen([sys.executable, "-c", "input()", "aitrade.engine.process"], stdin=subprocess.PIPE) as other:
        path.write_bytes(msgspec.json.encode({"port": 1, "pid": other.pid, "book": "b"}))
        assert list(left_running(tmp_path)) == ["engine"]
        os.utime(path, (time.time() - 3600, time.time() - 3600))
        assert left_running(tmp_path) == {}
        other.stdin.close()
