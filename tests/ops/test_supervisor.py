"""The supervisor with the real thing below it: what dies comes back with what it had, and a stop leaves nothing."""

import os
import signal
import time

import psutil
import pytest

from aitrade.cli.up import _watch as watch
from aitrade.core.errors import AitradeError
from aitrade.core.files import FileLock
from aitrade.core.orders import OrderRequest, OrderType, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops.backup.child import copier
from aitrade.ops.supervisor import BEAT, Supervisor, address_of
from aitrade.ops.visit import trading

if os.name == "nt":
    pytest.skip("Windows has no SIGKILL, SIGSTOP and SIGTERM to send", allow_module_level=True)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A running `aitrade up` without a strategy; the first test kills its engine, the second stops it."""
    with trading(
        tmp_path_factory.mktemp("running") / "home", "--start", "10:30", "--speed", "1", "--strategy", "none"
    ) as started:
        started.link  # noqa: B018 - waits until it serves
        yield started


def until(true, seconds=60):
    """Wait until something holds; return it."""
    limit = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < limit
        time.sleep(0.05)
    return found


def family(pid=None):
    """Every process below one, this one where none is named."""
    return psutil.Process(pid).children(recursive=True)


def alive(processes):
    """Those that still run."""
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def standing(home):
    """What the engine says of the book: orders, positions."""
    with EngineClient.of(home) as client:
        return {row.id: (row.instrument, row.filled, row.price) for row in client.orders()}, {
            row.instrument: row.quantity for row in client.positions()
        }


def trade(home):
    """Buy ten and have an order that waits; return what stands."""
    with EngineClient.of(home) as client:
        key = client.snapshot().watchlist[0]
        client.place(OrderRequest(instrument=key, side=Side.BUY, quantity=10, product=Product.MIS, actor="asha"))
        until(lambda: any(row.quantity == 10 for row in client.positions()))
        price = int(client.positions()[0].average) * 99 // 100 // 10 * 10
        client.place(
            OrderRequest(
                instrument=key, side=Side.BUY, quantity=3, product=Product.MIS, type=OrderType.LIMIT, price=price,
                actor="asha",
            )
        )  # fmt: skip
        until(lambda: len(client.orders()) == 2)
    return standing(home)


def test_a_killed_engine_is_started_again_and_carries_on_from_the_journal(running):
    """After kill -9 the supervisor says that it was started again, and orders and positions are those from before."""
    before, killed = trade(running.home), address_of(running.home, 0).pid
    os.kill(killed, signal.SIGKILL)
    until(lambda: (found := address_of(running.home, 0)) and found.pid != killed)
    assert standing(running.home) == before
    until(lambda: any("engine had ended and was started again" in line for line in running.said))


def test_a_stop_leaves_no_process_and_says_what_stays_open(running):
    """SIGTERM, as systemd sends it, beside a page that hangs: all end, exit status 0, the beat is gone."""
    below = family(running.process.pid)
    page = next(one for one in below if "aitrade.ui.server" in one.cmdline())
    page.suspend()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(60) == 0
    until(lambda: not alive(below), 10)  # a kernel ends by itself, a moment after the page that hung
    running._reader.join(10)
    said = "".join(running.said)
    assert "10 units stay open" in said
    assert "BUY" in said
    assert not (running.home / BEAT).exists()


def test_an_engine_that_may_not_come_back_ends_all_of_it(tmp_path):
    """While another process holds the data folder nothing is left half running, and the sentence says why."""
    supervisor = Supervisor(EngineSettings(home=str(tmp_path), start="10:30"), [copier(tmp_path)], print)
    others = family()
    supervisor.start()
    below = [one for one in family() if one not in others]
    os.kill(address_of(tmp_path, 0).pid, signal.SIGKILL)

    def held():
        try:
            return FileLock(tmp_path / "engine.lock")
        except AitradeError:
            return None

    with until(held, 20), pytest.raises(AitradeError, match="Another engine already trades"):
        watch(supervisor, lambda: None)
    assert alive(below) == []
