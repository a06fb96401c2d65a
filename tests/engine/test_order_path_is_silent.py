"""Nothing logs while an order is under way: neither structlog nor Python's logging nor our own queue is touched."""

import sys

import pytest

from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.core import logs
from aitrade.core.clock import SECOND, ReplayClock, at
from aitrade.core.orders import OrderState
from aitrade.market.calendar import Calendar
from aitrade.market.rules import Rules
from aitrade.ops.rig import DAY, Rig, shares

LOGGING = ("structlog", "logging", "aitrade.core.logs", "aitrade.core.redaction", "prometheus_client")


@pytest.fixture
def rig(tmp_path):
    """A whole engine on the paper exchange, its process's log on."""
    logs.configure("engine", tmp_path / "logs")
    clock, instruments = ReplayClock(at(DAY, "11:00")), shares()
    exchange = PaperExchange(Calendar.load(), Rules.load(), instruments, seed=1)
    rig = Rig(tmp_path, exchange, clock, instruments, "os")
    rig.exchange = exchange
    for key in instruments:
        rig.tick(key, 100)
    yield rig
    rig.journal.close()
    logs.shut()


def modules_called(call):
    """The modules of every Python function that `call` enters, on this thread."""
    seen = set()
    sys.setprofile(
        lambda frame, event, _arg: seen.add(frame.f_globals.get("__name__", "")) if event == "call" else None
    )
    try:
        call()
    finally:
        sys.setprofile(None)
    return seen


def test_an_order_is_sent_filled_and_refused_without_a_word(rig):
    """From the request over risk, journal and venue to the fill's booking."""
    orders = []

    def trade():
        orders.extend(rig.engine.submit(rig.request(0)))
        rig.clock.advance(rig.clock.now() + SECOND)
        rig.exchange.advance(rig.clock.now())
        rig.tick(orders[0].request.instrument, 100)
        rig.engine.submit(rig.request(0).__class__(instrument="NSE:NOWHERE", side="BUY", quantity=1))

    called = modules_called(trade)
    assert orders[0].state is OrderState.FILLED
    assert rig.engine.refused == 1
    assert "aitrade.engine.loop" in called
    assert [name for name in called if name.startswith(LOGGING)] == []
    assert logs.waiting() == 0


def test_the_probe_would_notice_a_log_line(rig):
    """It sees a line that is handed over by structlog, and one that is only put into the queue."""
    assert "structlog" in {name.split(".")[0] for name in modules_called(lambda: logs.get("x").info("y"))}
    assert "aitrade.core.logs" in modules_called(lambda: rig.engine and logs.later("info", "y", "x", {}))
