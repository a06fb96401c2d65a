"""A simulated morning from nine on: orders gather, the pre-open auction matches them at the opening price."""

import pytest

from aitrade.core.clock import at, ist_time
from aitrade.core.orders import OrderRequest, OrderState, OrderType, Product, Side
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who

TRADER = Who("tester", "trader")
DAY = "2026-11-23"
TCS = "NSE:TCS"


@pytest.fixture
def begin(tmp_path):
    """Start services on folders of their own, or again on the folder of one that was let go."""
    started = []

    def start(again=None, **more):
        home = again.settings.home if again else str(tmp_path / str(len(started)))
        service = Service(EngineSettings(home=home, **{"day": DAY, "start": "09:01", **more}))
        started.append(service)
        return service

    yield start
    for service in started:
        service.abandon()


def buy(service, quantity=10, **more):
    """A purchase for delivery, at market unless `more` says otherwise."""
    request = OrderRequest(instrument=TCS, side=Side.BUY, quantity=quantity, product=Product.CNC, **more)
    return service.engine.place(request, TRADER)[0]


def until(service, time_of_day):
    """Trade up to a time of day."""
    service._driver.run_until(at(DAY, time_of_day))
    service._clock.advance(at(DAY, time_of_day))


def grid(service, price):
    """A price on the grid of TCS."""
    tick = service.engine.instruments[TCS].tick
    return price // tick * tick


def test_what_gathers_before_the_open_fills_at_the_opening_price(begin):
    """In the match, minutes before continuous trading, which then begins at that price; nothing filled before."""
    service = begin()
    before = service.engine.quotes.last(TCS)
    dear = buy(service, type=OrderType.LIMIT, price=grid(service, before * 105 // 100))
    market = buy(service)
    cheap = buy(service, type=OrderType.LIMIT, price=grid(service, before * 95 // 100))
    until(service, "09:09:59")
    assert service.engine.book.state.fills == []
    assert service.engine.quotes.tick(TCS) is None
    until(service, "09:10:05")
    opening = service.engine.quotes.tick(TCS)
    fills = service.engine.book.state.fills
    assert [(fill.order_id, fill.price) for fill in fills] == [(market.id, opening.price), (dear.id, opening.price)]
    assert ist_time(fills[0].ts) == "09:10:00"
    assert cheap.state is OrderState.OPEN
    until(service, "09:15:01")
    (minute,) = service.feed.history(TCS, 1, 1, at(DAY, "09:16"))
    assert minute.open == opening.price
    row = service.snapshot().quotes[service.snapshot().watchlist.index(TCS) + len(service.feed.indices)]
    assert row[10] == opening.price
    assert row[7] > opening.quantity


def test_the_auction_fills_no_more_than_its_share(begin):
    """A quarter of what it printed; the rest of a market order stands at the opening price, and trades on."""
    service = begin(cash=10**15)
    opening = next(tick for tick in service.feed.opening().ticks if tick.instrument == TCS)
    order = buy(service, quantity=opening.quantity // 4 + 1_000)
    until(service, "09:12")
    assert order.filled == opening.quantity // 4
    assert order.state is OrderState.PARTIALLY_FILLED
    assert order.price == opening.price
    assert "they stay open as a limit order at its price" in order.reason


def test_a_quiet_morning_is_no_trouble_and_makes_no_bars(begin):
    """Between match and open nothing is missing, and strategies see the session's bars alone."""
    early, late = begin(strategies=("moving-average",)), begin(start="09:14", strategies=("moving-average",))
    until(early, "09:13")
    assert early.health().reasons == []
    for service in (early, late):
        until(service, "09:45")
    states = [
        {key: list(state) for key, state in service.engine.runner.running["moving-average"].states.items()}
        for service in (early, late)
    ]
    assert states[0] == states[1]
    assert early.engine.quotes.row(TCS) == late.engine.quotes.row(TCS)


@pytest.mark.parametrize("killed_at", ["09:05", "09:10:00", "09:10:30", "09:13"])
def test_a_restart_in_the_morning_changes_nothing(begin, killed_at):
    """Before, in and after the match: the same fill, the same prices."""
    service = begin()
    buy(service)
    until(service, killed_at)
    service.abandon()
    again = begin(again=service)
    until(again, "09:16")
    whole = begin()
    buy(whole)
    until(whole, "09:16")
    told = [
        [(fill.price, fill.quantity, fill.ts) for fill in one.engine.book.state.fills] + one.engine.quotes.row(TCS)
        for one in (again, whole)
    ]
    assert told[0] == told[1]
    assert len(again.engine.book.state.fills) == 1
