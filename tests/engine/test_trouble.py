"""What goes wrong around an engine: each trouble is one clear sentence that says what to do, and loses nothing."""

import os
import socket
import subprocess
import sys
import time

import msgspec
import pytest

from aitrade.compliance import journal as journal_module
from aitrade.compliance.journal import HEADER, segments, verify
from aitrade.core.errors import Conflict, JournalBroken, OrderRefused
from aitrade.core.files import FileLock
from aitrade.core.orders import OrderRequest, OrderState, Product, Side
from aitrade.core.strategy import Kernel
from aitrade.engine import service as service_module
from aitrade.engine.process import REFUSED
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.engine.watchdog import StrategyStuck, Watchdog

TRADER = Who("tester", "trader")
DAY = "2026-11-23"


def raises(_state, _open, _high, _low, close, _volume, _minute):
    """A step with a mistake in it."""
    return close // 0


def never_returns(_state, _open, _high, _low, _close, _volume, _minute):
    """A step with an endless loop in it."""
    while True:
        pass


def settings(home, **more):
    """Settings of a simulated book at ten."""
    return EngineSettings(home=str(home), **{"day": DAY, "start": "10:00", **more})


def order(side=Side.BUY):
    """Ten shares of TCS."""
    return OrderRequest(instrument="NSE:TCS", side=side, quantity=10, product=Product.MIS)


def answers_nonsense(_state, _open, _high, _low, _close, _volume, _minute):
    """A step whose answer is no target."""
    return "buy"


@pytest.mark.parametrize(
    ("step", "says"),
    [(raises, "ZeroDivisionError"), (never_returns, "did not return"), (answers_nonsense, "TypeError")],
)
def test_a_strategy_that_fails_is_stopped_and_trading_goes_on(tmp_path, monkeypatch, step, says):
    """The alert names it and what to do; its positions stay, others trade."""
    broken = Kernel(name="broken", step=step, parameters={}, state_size=1)
    monkeypatch.setattr(service_module, "KERNELS", {"broken": broken})
    service = Service(settings(tmp_path, strategies=("broken",), strategy_seconds=0.2))
    service.step(180)
    change = service.engine.book.state.strategies["broken"]
    assert change.state == "failed"
    assert says in change.reason
    assert "close them by hand or start it again" in change.reason
    service.engine.place(order(), TRADER)
    service.step(60)
    assert service.engine.book.position("NSE:TCS", "MIS") == 10
    service.close()


def test_the_watchdog_leaves_the_quick_alone():
    """A call within its time is not disturbed, one beyond it is ended, and the next one is fine again."""
    watchdog = Watchdog(0.1)
    done = []
    watchdog.run(lambda: done.append(1))
    with pytest.raises(StrategyStuck):
        watchdog.run(lambda: never_returns(*[None] * 7))
    watchdog.run(lambda: done.append(2))
    watchdog.close()
    assert done == [1, 2]


def test_a_full_disk_refuses_the_order_and_loses_nothing(tmp_path, monkeypatch):
    """The order is refused with what to do; when there is room again, trading goes on and the chain verifies."""
    service = Service(settings(tmp_path))
    service.step(60)
    real = os.write
    monkeypatch.setattr(journal_module.os, "write", lambda fd, data: real(fd, data[:10]))
    with pytest.raises(Exception, match="free space"):
        service.engine.place(order(), TRADER)
    monkeypatch.undo()
    assert service.engine.book.state.orders == {}
    placed = service.engine.place(order(), TRADER)[0]
    service.step(60)
    assert placed.state is OrderState.FILLED
    service.close()
    assert verify(service.settings.book_path / "journal").torn_bytes == 0


def start(configuration):
    """Start an engine process and return it with its exit status and last words, or None while it runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aitrade.engine.process"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write(msgspec.json.encode(configuration) + b"\n")
    process.stdin.close()
    return process


def refused(configuration):
    """Return the last words of an engine that does not start."""
    process = start(configuration)
    words = process.stderr.read().decode().strip().splitlines()
    assert process.wait() == REFUSED
    process.stderr.close()
    return words[-1]


def test_a_second_engine_on_the_folder_is_refused(tmp_path):
    """It names the folder and the ways out; the first one is not disturbed."""
    lock = FileLock(tmp_path / "engine.lock")
    with pytest.raises(Conflict, match="Another process holds"):
        FileLock(tmp_path / "engine.lock")
    words = refused(settings(tmp_path))
    assert "Another engine already trades" in words
    assert "choose another --data-folder" in words
    lock.release()
    FileLock(tmp_path / "engine.lock").release()


def test_a_taken_port_is_said(tmp_path):
    """The engine does not start on a port that something else holds, and says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = refused(settings(tmp_path, port=taken.getsockname()[1]))
    assert "address already in use" in words.lower()


def test_a_torn_journal_is_kept_aside_and_reported(tmp_path):
    """A record that was cut short is moved beside the segment; the event log says where."""
    service = Service(settings(tmp_path))
    service.step(30)
    service.abandon()
    newest = segments(service.settings.book_path / "journal")[-1]
    newest.write_bytes(newest.read_bytes()[:-7])
    again = Service(settings(tmp_path))
    lines = [event.line.text for event in again.engine.book.events]
    assert any("cut short" in line and ".torn-" in line for line in lines)
    again.close()


def test_a_broken_journal_does_not_start(tmp_path):
    """Damage in the middle is named by its record; nothing is written over it."""
    service = Service(settings(tmp_path))
    service.step(30)
    service.abandon()
    newest = segments(service.settings.book_path / "journal")[-1]
    data = bytearray(newest.read_bytes())
    data[HEADER.size + 20] ^= 1
    newest.write_bytes(data)
    with pytest.raises(JournalBroken, match="restore the segment from the backup"):
        Service(settings(tmp_path))
    assert newest.read_bytes() == bytes(data)


def test_an_order_before_the_open_waits_for_the_market(tmp_path):
    """Before nine and after the close there is no session for it: the refusal says when there is."""
    service = Service(settings(tmp_path, start="08:00"))
    with pytest.raises(OrderRefused, match=r"(?i)closed|opens|09:00"):
        service.engine.place(order(), TRADER)
    service.close()


def test_stopping_takes_moments(tmp_path):
    """SIGTERM ends a running engine cleanly, with its last record written."""
    process = start(settings(tmp_path, speed=60))
    until = time.monotonic() + 60
    while not (tmp_path / "run" / "engine.json").exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.terminate()
    assert process.wait(timeout=20) == 0
    process.stderr.close()
    folder = tmp_path / "books" / "simulated-1" / "journal"
    assert verify(folder).torn_bytes == 0
    assert Service(settings(tmp_path)).engine.book.state.crashes == []
