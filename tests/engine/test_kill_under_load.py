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
from aitrade.core.orders import OrderRequest, Product, Side
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
    engine = Engine(tmp_path)
    for _ in range(KILLS):
        engine.start()
        stop = threading.Event()
        worker = threading.Thread(target=engine.load, args=(stop, random.Random(randomness.random())))
        worker.start()
        time.sleep(randomness.uniform(0.2, 1.2))
        engine.kill()
        stop.set()
        worker.join()
        check(tmp_path / "books" / "simulated-1" / "journal", engine.acknowledged)
    engine.start()
    with EngineClient.of(tmp_path) as client:
        held = {row.instrument: row.quantity for row in client.positions() if row.quantity}
        assert engine.acknowledged <= {row.id for row in client.orders()}
        client.shutdown()
    engine.process.wait()
    positions, _orders = told(tmp_path / "books" / "simulated-1" / "journal")
    assert held == {key: units for key, units in positions.items() if units}
    assert len(engine.acknowledged) > KILLS


def check(folder, acknowledged):
    """The journal verifies, holds every acknowledged order once, and no fill twice."""
    verify(folder)
    _positions, orders = told(folder)
    assert len(orders) == len(set(orders))
    assert acknowledged <= set(orders)


def told(folder):
    """Positions and order ids as a naive reading of all records gives them."""
    positions, orders, fills = {}, [], set()
    for path in segments(folder):
        for frame in frames(path):
            if frame.record.kind is Kind.INTENT:
                orders.append(frame.record.order_id)
            if frame.record.kind is Kind.UPDATE and (fill := frame.record.decoded().fill) is not None:
                assert fill.id not in fills, "a fill was booked twice"
                fills.add(fill.id)
                positions[fill.instrument] = positions.get(fill.instrument, 0) + fill.side.sign * fill.quantity
    return positions, orders
