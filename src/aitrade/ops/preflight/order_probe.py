"""Times probe orders on a scratch engine at the market's own speed, from the request to the venue's acknowledgement.

The engine is whole: risk, journal, book; prices of fifty symbols come twenty times a second on the same thread, as they
do when it trades. The venue is a process of its own behind a socket, and its leg is told apart.
"""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from aitrade.brokers.venue import Listener, VenueOrder
from aitrade.core.clock import ReplayClock, at
from aitrade.core.instruments import Instrument
from aitrade.core.orders import Fill, Order, Update, VenueUpdate
from aitrade.core.quotes import Tick
from aitrade.engine.driver import calm_the_collector
from aitrade.engine.settings import Who
from aitrade.ops.preflight.load import Load as Busy
from aitrade.ops.rig import DAY, PRICE, Rig, shares

ORDERS, WARM = 1_000, 50
TICK_NS, ORDER_NS = 50_000_000, 4_000_000
"""Between two rounds of prices (20 Hz), and between two orders."""
QUIET_SECONDS = 20.0
"""A venue that says nothing for so long is not there."""


class Sent(msgspec.Struct):
    """An order's moments, ns of the performance counter: asked for, its bytes written, answered, booked."""

    asked: int
    written: int = 0
    answered: int = 0
    booked: int = 0

    @property
    def total(self) -> int:
        """From the request to the booked acknowledgement, ns."""
        return self.booked - self.asked

    @property
    def leg(self) -> int:
        """The venue's part: from the bytes written to the answer, ns."""
        return self.answered - self.written


class FarVenue:
    """Sends orders over a socket, hears acknowledgements when `listen` is called, and fills what was acknowledged."""

    name = "far"

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._encode = msgspec.json.Encoder().encode
        self._listener: Listener = print
        self._open: dict[str, Order] = {}
        self._rest = b""
        self.sent: dict[str, Sent] = {}
        self.next = Sent(0)
        """The moments of the order that is placed next."""

    def connect(self, listener: Listener) -> None:
        """Take the listener."""
        self._listener = listener

    def place(self, order: Order, instrument: Instrument) -> None:  # noqa: ARG002 - a socket needs no instrument
        """Write the order's line."""
        self._open[order.id], self.sent[order.id] = order, self.next
        self._socket.sendall(self._encode({"id": order.id, "order": order.request}) + b"\n")
        self.next.written = time.perf_counter_ns()

    def listen(self, seconds: float, now: int) -> int:
        """Wait so long for acknowledgements, book them at `now` (ns UTC) and fill their orders; return how many."""
        if not select.select([self._socket], [], [], max(seconds, 0))[0]:
            return 0
        data = self._socket.recv(1 << 16)
        answered = time.perf_counter_ns()
        if not data:
            raise ConnectionError("The probes' venue hung up.")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._acknowledge(line.decode(), answered, now)
        return len(lines)

    def _acknowledge(self, order_id: str, answered: int, now: int) -> None:
        order, sent = self._open.pop(order_id), self.sent[order_id]
        sent.answered = answered
        self._listener(VenueUpdate(order_id=order_id, what=Update.ACCEPTED, ts=now, broker_order_id=order_id))
        sent.booked = time.perf_counter_ns()
        request = order.request
        fill = Fill(
            id=f"F{order_id}", order_id=order_id, instrument=request.instrument, side=request.side,
            quantity=request.quantity, price=PRICE, ts=now, product=request.product,
        )  # fmt: skip
        self._listener(VenueUpdate(order_id=order_id, what=Update.FILL, ts=now, fill=fill))

    def modify(self, order: Order, *, quantity: int, price: int, trigger: int) -> None:
        """Not probed here."""

    def cancel(self, order: Order) -> None:
        """Not probed here."""

    def order_book(self) -> Iterable[VenueOrder]:
        """Nothing rests."""
        return ()

    def on_tick(self, tick: Tick) -> None:
        """Prices do not matter to a socket."""

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class Load:
    """Orders at a steady pace beside prices at twenty rounds a second; market time runs as the wall's does."""

    def __init__(self, folder: Path, port: int, durability: str) -> None:
        self.venue = FarVenue(port)
        self._rig = Rig(folder, self.venue, ReplayClock(at(DAY, "11:00")), shares(), durability)
        self.ticks, self.seconds = 0, 0.0
        self._began = time.perf_counter_ns()
        self._opened = self._rig.clock.now()
        self._prices()

    def run(self, count: int) -> None:
        """Send so many orders and hear all their acknowledgements; raise TimeoutError when one stays away."""
        calm_the_collector()
        next_tick = next_order = heard_at = time.perf_counter_ns()
        sent = heard = 0
        while heard < count:
            now = self._now()
            if now >= next_tick:
                self._prices()
                next_tick += TICK_NS
            elif now >= next_order and sent < count:
                self._order(sent)
                sent, next_order = sent + 1, next_order + ORDER_NS
            else:
                due = min(next_tick, next_order if sent < count else next_tick)
                more = self.venue.listen((due - now) / 1e9, self._rig.clock.now())
                heard, heard_at = heard + more, now if more else heard_at
            self.seconds = (now - self._began) / 1e9
            if now - heard_at > QUIET_SECONDS * 1e9:
                raise TimeoutError(f"The venue acknowledged {heard} of {sent} orders and then none.")

    @property
    def made(self) -> Busy:
        """The load that the prices were so far: rounds a second, of so many symbols."""
        symbols = len(self._rig.instruments)
        return Busy(self.ticks / symbols / self.seconds, symbols)

    def close(self) -> None:
        """Let go of socket and journal."""
        self.venue.close()
        self._rig.journal.close()

    def _order(self, number: int) -> None:
        request = self._rig.request(number)
        self.venue.next = Sent(time.perf_counter_ns())
        self._rig.engine.place(request, Who("preflight", "trader"))

    def _prices(self) -> None:
        for key in self._rig.instruments:
            self._rig.tick(key, 100)
        self.ticks += len(self._rig.instruments)

    def _now(self) -> int:
        now = time.perf_counter_ns()
        self._rig.clock.advance(self._opened + now - self._began)
        return now


class Probed(msgspec.Struct, frozen=True):
    """What probe orders took, how many prices came meanwhile, and beside how much of a load that is."""

    sent: list[Sent]
    ticks: int
    load: Busy


@contextmanager
def far_venue(delay_ms: float) -> Iterator[int]:
    """Run the venue's process while the block does; yields its port."""
    command = [sys.executable, "-m", "aitrade.ops.preflight.far_venue", str(delay_ms)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ)  # noqa: S603 - our own module
    try:
        assert process.stdout is not None
        with process.stdout as said:
            yield int(said.readline())
    finally:
        process.kill()
        process.wait()


def probe(folder: Path, count: int, *, durability: str = "os", delay_ms: float = 0.0) -> Probed:
    """Send probe orders and return their moments, the first few left out; `delay_ms` makes the venue slow."""
    with far_venue(delay_ms) as port:
        load = Load(folder, port, durability)
        try:
            load.run(count + WARM)
        finally:
            load.close()
    return Probed(list(load.venue.sent.values())[WARM:], load.ticks, load.made)
