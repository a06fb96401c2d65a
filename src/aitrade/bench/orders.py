"""`aitrade bench orders`: what stands between a request and the bytes on a broker's socket."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from aitrade.bench import Figures, Say
from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.brokers.venue import Listener, VenueOrder
from aitrade.core.clock import ReplayClock, at
from aitrade.core.instruments import Instrument
from aitrade.core.orders import Order, Update, VenueUpdate
from aitrade.core.quotes import Tick
from aitrade.engine.driver import calm_the_collector
from aitrade.market.calendar import Calendar
from aitrade.market.rules import Rules
from aitrade.ops.percentiles import percentile
from aitrade.ops.rig import DAY, SHARES, Rig, scratch, shares

ORDERS = 20_000
WARM = 2_000
DISK_ORDERS = 3_000
_SINK = """
import socket, time
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen(1)
print(server.getsockname()[1], flush=True)
peer, _ = server.accept()
while peer.recv(1 << 20): time.sleep(0.001)
"""
# It reads every millisecond: on a network, too, nobody's waking up is part of handing bytes over.


class SocketVenue:
    """Writes each order as an HTTP request to a loopback socket, and acknowledges at once so that nothing piles up."""

    name = "socket"

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._encode = msgspec.json.Encoder().encode
        self._listener: Listener = print
        self.waiting: list[Order] = []
        self.sent = 0
        """When the newest order's bytes were written, ns of the performance counter."""

    def connect(self, listener: Listener) -> None:
        """Take the listener."""
        self._listener = listener

    def place(self, order: Order, instrument: Instrument) -> None:  # noqa: ARG002 - a socket needs no instrument
        """Write the order's bytes."""
        body = self._encode(order.request)
        self._socket.send(b"POST /orders HTTP/1.1\r\nHost: venue\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        self.sent = time.perf_counter_ns()
        self.waiting.append(order)

    def settle(self) -> None:
        """Reject what waits: outside of what is timed."""
        for order in self.waiting:
            self._listener(VenueUpdate(order_id=order.id, what=Update.REJECTED, ts=order.created, reason="bench"))
        self.waiting.clear()

    def modify(self, order: Order, *, quantity: int, price: int, trigger: int) -> None:
        """Not timed here."""

    def cancel(self, order: Order) -> None:
        """Not timed here."""

    def order_book(self) -> Iterable[VenueOrder]:
        """Nothing rests."""
        return ()

    def on_tick(self, tick: Tick) -> None:
        """Prices do not matter to a socket."""


def orders(say: Say) -> Figures:
    """Measure the order path with both durabilities, and sustained throughput with fills."""
    sink = subprocess.Popen([sys.executable, "-c", _SINK], stdout=subprocess.PIPE)
    try:
        port = int(sink.stdout.readline())  # type: ignore[union-attr]
        say("order path, journal=os …")
        timed = _path(port, "os", ORDERS)
    finally:
        sink.kill()
    say("order path, journal=disk, beside a bare write and sync of the same bytes …")
    disk, bare = _disk()
    say("sustained orders with fills on the paper venue; the order-rate limit is set aside …")
    return {
        "os_p50_us": percentile(timed, 0.5) / 1000,
        "os_p99_us": percentile(timed, 0.99) / 1000,
        "disk_over_bare_us": (percentile(disk, 0.5) - percentile(bare, 0.5)) / 1000,
        "disk_p50_us": percentile(disk, 0.5) / 1000,
        "bare_fsync_p50_us": percentile(bare, 0.5) / 1000,
        "per_s": _sustained(),
    }


def _rig(folder: Path, port: int, durability: str) -> tuple[Rig, SocketVenue]:
    venue = SocketVenue(port)
    rig = Rig(folder, venue, ReplayClock(at(DAY, "11:00")), shares(), durability)
    for key in rig.instruments:
        rig.tick(key, 100)
    return rig, venue


def _path(port: int, durability: str, count: int) -> list[int]:
    with scratch() as folder:
        rig, venue = _rig(folder, port, durability)
        calm_the_collector()
        samples = [_one(rig, venue, n) for n in range(count + WARM)]
        rig.journal.close()
    return samples[WARM:]


def _one(rig: Rig, venue: SocketVenue, n: int) -> int:
    request = rig.request(n)
    rig.clock.advance(rig.clock.now() + 1_000_000)
    began = time.perf_counter_ns()
    rig.engine.submit(request)
    took = venue.sent - began
    venue.settle()
    return took


def _disk() -> tuple[list[int], list[int]]:
    """Time the order path with fsync before send, and a bare write + sync of a record's bytes, one after the other."""
    sink = subprocess.Popen([sys.executable, "-c", _SINK], stdout=subprocess.PIPE)
    sync = getattr(os, "fdatasync", os.fsync)
    disk, bare = [], []
    try:
        port = int(sink.stdout.readline())  # type: ignore[union-attr]
        with scratch() as folder:
            rig, venue = _rig(folder, port, "disk")
            size = _record_size(rig, venue)
            descriptor = os.open(folder / "bare", os.O_RDWR | os.O_CREAT)
            os.posix_fallocate(descriptor, 0, size * (DISK_ORDERS + 1))
            for n in range(DISK_ORDERS):
                disk.append(_one(rig, venue, n))
                began = time.perf_counter_ns()
                os.pwrite(descriptor, b"x" * size, n * size)
                sync(descriptor)
                bare.append(time.perf_counter_ns() - began)
            os.close(descriptor)
            rig.journal.close()
    finally:
        sink.kill()
    return disk, bare


def _record_size(rig: Rig, venue: SocketVenue) -> int:
    """Return the bytes that one order's record takes."""
    before = rig.journal.size
    rig.engine.submit(rig.request(0))
    size = rig.journal.size - before
    venue.settle()
    return size


def _sustained() -> float:
    """Return orders a second with risk, journal, matching and fills: a round of fifty orders, then fifty prints."""
    instruments = shares()
    clock = ReplayClock(at(DAY, "11:00"))
    with scratch() as folder:
        exchange = PaperExchange(Calendar.load(), Rules.load(), instruments, seed=1)
        rig = Rig(folder, exchange, clock, instruments, "os")
        for key in instruments:
            rig.tick(key, 100)
        calm_the_collector()
        began = time.perf_counter()
        for n in range(ORDERS):
            rig.engine.submit(rig.request(n))
            if n % SHARES == SHARES - 1:
                clock.advance(clock.now() + 100_000_000)
                exchange.advance(clock.now())
                for key in instruments:
                    rig.tick(key, 100)
        took = time.perf_counter() - began
        filled = sum(1 for order in rig.engine.book.state.orders.values() if order.filled)
        rig.journal.close()
    if filled < ORDERS * 0.99:
        raise RuntimeError(f"Only {filled} of {ORDERS} orders filled; the figure would mean nothing.")
    return ORDERS / took
