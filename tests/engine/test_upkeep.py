"""Tests for what maintenance asks of an engine: the venue compared with the book, a profile, fewer frames."""

import threading
import time

import pytest

from aitrade.brokers.venue import VenueOrder
from aitrade.core.orders import OrderRequest, OrderType, Product, Side
from aitrade.engine import driver as driver_module
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.engine.upkeep import profile

OPERATOR = Who("maintenance", "system")
TRADER = Who("tester", "trader")
TCS = "NSE:TCS"


@pytest.fixture
def service(tmp_path):
    """A simulated book at ten with one order filled and one that rests."""
    running = Service(EngineSettings(home=str(tmp_path), day="2026-11-23", start="10:00"))
    running.step(60)
    running.engine.place(OrderRequest(instrument=TCS, side=Side.BUY, quantity=10, product=Product.MIS), TRADER)
    running.step(30)
    low = running.engine.quotes.last(TCS) * 97 // 100 // 100 * 100
    resting = OrderRequest(
        instrument=TCS, side=Side.BUY, quantity=5, product=Product.MIS, type=OrderType.LIMIT, price=low
    )
    running.engine.place(resting, TRADER)
    running.step(5)
    yield running
    running.abandon()


class Elsewhere:
    """A broker behind a connection, whose order book is what the test says."""

    name = "elsewhere"

    def __init__(self, orders):
        self.orders = orders
        self.connected = 1

    def order_book(self):
        """What the broker says."""
        return self.orders

    def reconnect(self):
        """Count the connections."""
        self.connected += 1
        return "Logged in again."


def test_the_paper_venue_agrees_with_the_book(service):
    """Nothing differs, nothing is changed, and the event log says that it was looked at."""
    before = (service.orders(), service.positions())
    found = service.reconcile(OPERATOR)
    assert (found.orders, found.differences) == (2, [])
    assert "has no connection to reset" in found.connection
    assert (service.orders(), service.positions()) == before
    assert "2 orders compared" in service.snapshot().events[-1].text


def test_every_difference_is_told_and_none_is_guessed_away(service):
    """An order that the venue lost, one that it filled, one that only it knows: three alerts, the same book."""
    filled, resting = service.engine.book.state.orders.values()
    there = VenueOrder(order_id=filled.id, broker_order_id="1", state="FILLED", filled=4, filled_value=1)
    strange = VenueOrder(order_id="STRANGER", broker_order_id="2", state="OPEN", filled=0, filled_value=0)
    service.engine.venue = Elsewhere([there, strange])
    before = service.orders()
    found = service.reconcile(OPERATOR)
    assert found.connection == "Logged in again."
    assert service.engine.venue.connected == 2
    assert any("STRANGER" in text for text in found.differences)
    assert any(f"{filled.id} has filled 10 here and 4" in text for text in found.differences)
    assert any(f"{resting.id} is OPEN here and unknown" in text for text in found.differences)
    assert service.orders() == before
    assert sum(event.level == "alert" for event in service.snapshot().events[-4:]) == 3


def test_an_order_that_ended_at_the_venue_only_is_told(service):
    """Working here, cancelled there."""
    filled, resting = service.engine.book.state.orders.values()
    same = VenueOrder(
        order_id=filled.id, broker_order_id="1", state="FILLED", filled=10, filled_value=filled.filled_value
    )
    gone = VenueOrder(order_id=resting.id, broker_order_id="2", state="CANCELLED", filled=0, filled_value=0)
    service.engine.venue = Elsewhere([same, gone])
    assert service.reconcile(OPERATOR).differences == [f"Order {resting.id} is OPEN here and CANCELLED at the venue."]


def test_a_profile_finds_the_thread_that_is_busy():
    """The busy function's name stands in most samples of its thread."""
    ended = threading.Event()

    def spins():
        while not ended.is_set():
            sum(range(100))

    thread = threading.Thread(target=spins, name="busy")
    thread.start()
    try:
        found = profile(0.2)()
    finally:
        ended.set()
        thread.join()
    busy = [stack for stack in found.stacks if stack.thread == "busy"]
    assert sum(stack.samples for stack in busy) == found.samples > 1
    assert all("spins" in stack.frames for stack in busy)


def test_a_stopped_feed_leaves_the_engine_alive(service):
    """No price is seen while it is stopped; orders are still answered, and prices come again afterwards."""
    assert service.stop_feed({"stopped": True}, OPERATOR) == {"stopped": True}
    before = service.engine.ticks
    service.step(30)
    assert service.engine.ticks == before
    assert service.health().feed_age_ms >= 29_000
    service.stop_feed({"stopped": False}, OPERATOR)
    service.step(30)
    assert service.engine.ticks > before


def test_shed_load_means_fewer_frames_and_ends_by_itself(service, monkeypatch):
    """Twenty frames a second become four for as long as was asked, then twenty again; 0 ends it at once."""
    moment = [time.monotonic_ns()]
    monkeypatch.setattr(driver_module.time, "monotonic_ns", lambda: moment[0])
    sent = []
    service._driver._publish = lambda: sent.append(moment[0])

    def frames(seconds):
        sent.clear()
        for _ in range(seconds * 100):
            moment[0] += 10_000_000
            service._driver._frame()
        return len(sent)

    assert frames(2) == 40
    assert service.shed({"seconds": 2}, OPERATOR) == {"seconds": 2}
    assert frames(2) == 8
    assert frames(2) == 40
    service.shed({"seconds": 600}, OPERATOR)
    service.shed({"seconds": 0}, OPERATOR)
    assert frames(1) == 20
