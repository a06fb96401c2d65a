"""The engine is killed at random moments under load: nothing acknowledged is lost, nothing counts twice."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import msgspec

from aitrade.compliance.journal import frames, segments, verify
from aitrade.core.errors import AitradeError, OrderRefused
from aitrade.core.events import Kind
from aitrade.core.orders import WORKING, OrderRequest, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings

KILLS = 10


class Engine:
    """An engine process on a folder; `acknowledged` is what it has promised so far."""

    def __init__(self, home):
        self.home = home
        self.acknowledged = set()
        self.process = None

    def start(self):
        """Start it and wait until it answers."""
        settings = EngineSettings(home=str(self.home), start="10:00", speed=60, seed=3)
        self.process = subprocess.Popen([sys.executable, "-m", "aitrade.engine.process"], stdin=subprocess.PIPE)
        self.process.stdin.write(msgspec.json.encode(settings) + b"\n")
        self.process.stdin.close()
        until = time.monotonic() + 60
        while self._pid() != self.process.pid:
            assert self.process.poll() is None, "the engine did not start"
            assert time.monotonic() < until, "the engine did not start in a minute"
            time.sleep(0.01)

    def _pid(self):
        try:
            return msgspec.json.decode((self.home / "run" / "engine.json").read_bytes())["pid"]
        except FileNotFoundError:
            return None

    def load(self, stop, randomness):
        """Send and cancel orders until the connection breaks; keep what was acknowledged."""
        try:
            with EngineClient.of(self.home) as client:
                client.set_trading("resume", "three crashes halt; this test goes on")
                keys = client.snapshot().watchlist[:6]
                while not stop.is_set():
                    self._order(client, randomness.choice(keys), randomness)
        except (AitradeError, OSError):
            return

    def _order(self, client, key, randomness):
        request = OrderRequest(
            instrument=key,
            side=randomness.choice(list(Side)),
            quantity=randomness.randint(1, 5),
            product=Product.MIS,
            reference=str(randomness.random()),
        )
        try:
            self.acknowledged.add(client.place(request).id)
            if randomness.random() < 0.2:
                client.cancel_all()
        except OrderRefused:
            time.sleep(0.02)

    def kill(self):
        """End it as a power cut would, as far as a process can tell."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(tmp_path):
    """After each kill the chain verifies, every acknowledged order is there, and the book is what the journal says."""
    randomness = random.Random(7)
    engine, under_load = Engine(tmp_path), 0
    for _ in range(KILLS):
        engine.start()
        stop = threading.Event()
        worker = threading.Thread(target=engine.load, args=(stop, random.Random(randomness.random())))
        worker.start()
        before = len(engine.acknowledged)
        time.sleep(randomness.uniform(0.3, 1.2))
        engine.kill()
        stop.set()
        worker.join()
        under_load += len(engine.acknowledged) > before
        check(tmp_path / "books" / "simulated-1" / "journal", engine.acknowledged)
    engine.start()
    with EngineClient.of(tmp_path) as client:
        shown = settled(client)
        client.shutdown()
    engine.process.wait()
    assert engine.acknowledged <= {row.id for row in shown.orders}
    positions, _orders, cash, charges = told(tmp_path / "books" / "simulated-1" / "journal")
    held = {row.instrument: row.quantity for row in shown.positions if row.quantity}
    assert held == {key: units for key, units in positions.items() if units}
    worth = sum(row.quantity * row.last for row in shown.positions)
    assert shown.funds.realised + shown.funds.unrealised == cash + worth
    assert shown.funds.charges == charges
    assert under_load >= KILLS - 2


def settled(client):
    """Cancel what works and return a snapshot in which every order has ended."""
    client.cancel_all()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        shown = client.snapshot()
        if not any(row.state in WORKING for row in shown.orders):
            return shown
        time.sleep(0.02)
    raise AssertionError("orders do not end")


def check(folder, acknowledged):
    """The journal verifies, holds every acknowledged order once, and no fill twice."""
    verify(folder)
    _positions, orders, _cash, _charges = told(folder)
    assert len(orders) == len(set(orders))
    assert acknowledged <= set(orders)


def told(folder):
    """Positions, order ids, cash that the fills moved and their charges, as a naive reading of all records has them."""
    positions, orders, fills, cash, charges = {}, [], set(), 0, 0
    for path in segments(folder):
        for frame in frames(path):
            if frame.record.kind is Kind.INTENT:
                orders.append(frame.record.order_id)
            if frame.record.kind is Kind.UPDATE and (fill := frame.record.decoded().fill) is not None:
                assert fill.id not in fills, "a fill was booked twice"
                fills.add(fill.id)
                units = fill.side.sign * fill.quantity
                positions[fill.instrument] = positions.get(fill.instrument, 0) + units
                cash, charges = cash - units * fill.price, charges + sum(fill.charges)
    return positions, orders, cash, charges
