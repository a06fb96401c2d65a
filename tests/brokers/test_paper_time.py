"""Time at the paper exchange: latency, races between messages and prints, restarts, the same again."""

import pytest
from paper_market import CALENDAR, DAY, RULES, SHARE, Market, new_order

from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.brokers.simulator.latency import MILLISECOND, Latency
from aitrade.core.clock import SECOND, at
from aitrade.core.orders import OrderRequest, OrderState, OrderType, Side, Update
from aitrade.core.quotes import Tick

SLOW = Latency(low=30 * MILLISECOND, high=30 * MILLISECOND)
NOON = at(DAY, "12:00")


class Bench:
    """An exchange with 30 ms of latency and one resting order to race with."""

    def __init__(self):
        self.heard = []
        self.exchange = PaperExchange(CALENDAR, RULES, {SHARE.key: SHARE}, latency=SLOW)
        self.exchange.connect(self.heard.append)
        self.order = new_order(request(), NOON, 1)
        self.exchange.place(self.order, SHARE)

    def print(self, milliseconds, quantity=400, price=10_000):
        """Print, so many milliseconds after noon."""
        self.exchange.on_tick(Tick(SHARE.key, NOON + milliseconds * MILLISECOND, price, quantity))

    def touch(self, milliseconds):
        """Return the order, touched so many milliseconds after noon."""
        self.order.updated = NOON + milliseconds * MILLISECOND
        return self.order

    @property
    def said(self):
        """Each update with its milliseconds after noon."""
        return [(update.what.value, (update.ts - NOON) / MILLISECOND) for update in self.heard]


def request(**changes):
    """Return a limit order for ten."""
    terms = {"side": Side.BUY, "quantity": 10, "type": OrderType.LIMIT, "price": 10_000}
    return OrderRequest(instrument=SHARE.key, **{**terms, **changes})


def test_a_print_before_the_arrival_never_fills():
    """The order arrives 30 ms after it was sent; only what prints then or later is for it."""
    bench = Bench()
    bench.print(29)
    bench.print(30)
    assert bench.said == [("ACCEPTED", 30), ("FILL", 30)]


def test_a_tick_that_comes_late_never_fills():
    """A tick older than the arrival does nothing, even when it is delivered after it."""
    bench = Bench()
    bench.exchange.advance(NOON + 40 * MILLISECOND)
    bench.print(20)
    assert bench.said == [("ACCEPTED", 30)]


def test_a_late_tick_triggers_nothing_either():
    """Neither a stop nor a market order looks at what printed before they came."""
    exchange = PaperExchange(CALENDAR, RULES, {SHARE.key: SHARE}, latency=SLOW)
    heard = []
    exchange.connect(heard.append)
    exchange.place(new_order(request(type=OrderType.SL_M, price=0, trigger=10_050), NOON, 1), SHARE)
    exchange.place(new_order(request(type=OrderType.MARKET, price=0), NOON, 2), SHARE)
    exchange.advance(NOON + 40 * MILLISECOND)
    exchange.on_tick(Tick(SHARE.key, NOON + 20 * MILLISECOND, 10_050, 400))
    assert [update.what for update in heard] == [Update.ACCEPTED, Update.ACCEPTED]
    exchange.on_tick(Tick(SHARE.key, NOON + 50 * MILLISECOND, 10_050, 400))
    assert [update.what for update in heard[2:]] == [Update.FILL, Update.TRIGGERED]


def test_a_fill_between_cancel_and_its_arrival_wins():
    """The order fills while the cancellation is on its way, and the cancellation says so."""
    bench = Bench()
    bench.print(31, quantity=0)
    bench.exchange.cancel(bench.touch(100))
    bench.print(120)
    bench.exchange.advance(NOON + SECOND)
    assert bench.said == [("ACCEPTED", 30), ("FILL", 120), ("CANCEL_REJECTED", 130)]
    assert bench.heard[-1].reason == (
        "The order filled (10 units) before the message arrived; nothing is left to be cancelled."
    )


def test_a_fill_between_modify_and_its_arrival_counts_into_the_total():
    """Four fill on the way; the new total of six leaves two."""
    bench = Bench()
    bench.print(31, quantity=0)
    bench.exchange.modify(bench.touch(100), quantity=6, price=10_000, trigger=0)
    bench.print(120, quantity=16)
    bench.print(140)
    assert bench.said == [("ACCEPTED", 30), ("FILL", 120), ("MODIFIED", 130), ("FILL", 140)]
    assert [update.fill.quantity for update in bench.heard if update.fill] == [4, 2]


def test_a_fill_beyond_the_new_total_refuses_it():
    """Eight fill on the way; a total of six cannot be kept any more, and the order goes on for ten."""
    bench = Bench()
    bench.print(31, quantity=0)
    bench.exchange.modify(bench.touch(100), quantity=6, price=10_000, trigger=0)
    bench.print(120, quantity=32)
    bench.print(140)
    assert [what for what, _ in bench.said] == ["ACCEPTED", "FILL", "MODIFY_REJECTED", "FILL"]
    assert [update.fill.quantity for update in bench.heard if update.fill] == [8, 2]


def test_messages_about_one_order_keep_their_sequence():
    """A cancellation sent right behind the order arrives after it, whatever their latencies."""
    exchange = PaperExchange(CALENDAR, RULES, {SHARE.key: SHARE}, seed=3)
    heard = []
    exchange.connect(heard.append)
    for number in range(50):
        order = new_order(request(), NOON + number * SECOND, number)
        exchange.place(order, SHARE)
        exchange.cancel(order)
    exchange.advance(NOON + 100 * SECOND)
    assert [update.what for update in heard] == [Update.ACCEPTED, Update.CANCELLED] * 50


def test_latency_is_a_function_of_seed_and_order():
    """Same seed and id, same latency; all of it between 5 and 40 ms, and spread out."""
    values = [Latency(seed=7).of(f"ORDER{number}", 0) for number in range(200)]
    assert values == [Latency(seed=7).of(f"ORDER{number}", 0) for number in range(200)]
    assert values != [Latency(seed=8).of(f"ORDER{number}", 0) for number in range(200)]
    assert 5 * MILLISECOND <= min(values) < 8 * MILLISECOND
    assert 37 * MILLISECOND < max(values) <= 40 * MILLISECOND


def test_next_due_says_when_something_happens():
    """First the arrival, then the session's end, then nothing."""
    bench = Bench()
    assert bench.exchange.next_due() == NOON + 30 * MILLISECOND
    bench.exchange.advance(NOON + SECOND)
    assert bench.exchange.next_due() == at(DAY, "15:30")
    bench.exchange.advance(at(DAY, "15:30"))
    assert bench.exchange.next_due() is None
    assert bench.said[-1][0] == "EXPIRED"


@pytest.mark.parametrize("step", [MILLISECOND, 50 * MILLISECOND, 10 * SECOND])
def test_how_often_the_clock_is_told_changes_nothing(step):
    """Calling `advance` finely or coarsely gives the same updates."""
    market = Market(latency=Latency(seed=1))
    market.run("BUY 10 LIMIT 100.00, SELL 10 SL-M 99.00, 99.50x400, 99.00x16, 98.90x400, 98.90x400")
    told = Market(latency=Latency(seed=1))
    for ts in range(told.now, told.now + 6 * SECOND, step):
        told.exchange.next_due()
        told.exchange.advance(min(ts, told.now))
    told.run("BUY 10 LIMIT 100.00, SELL 10 SL-M 99.00, 99.50x400, 99.00x16, 98.90x400, 98.90x400")
    assert told.updates == market.updates


class TestRestart:
    """A new exchange takes over the day's orders."""

    def take_over(self, *orders, now=NOON + 60 * SECOND):
        """Return a new exchange with `orders` put back, and what it says."""
        exchange = PaperExchange(CALENDAR, RULES, {SHARE.key: SHARE}, latency=SLOW)
        heard = []
        exchange.connect(heard.append)
        exchange.restore(orders)
        exchange.advance(now)
        return exchange, heard

    def confirmed(self, number, **terms):
        """Return an order that the exchange had confirmed."""
        order = new_order(request(**terms), NOON + number * SECOND, number)
        order.state, order.exchange_order_id = OrderState.OPEN, str(NOON + number * SECOND)
        return order

    def test_an_order_on_its_way_is_sent_again(self):
        """Nobody had confirmed it, so it arrives now."""
        _, heard = self.take_over(new_order(request(), NOON, 1))
        assert [update.what for update in heard] == [Update.ACCEPTED]

    def test_a_confirmed_order_says_nothing_and_fills(self):
        """It stands where it stood."""
        exchange, heard = self.take_over(self.confirmed(1))
        assert heard == []
        exchange.on_tick(Tick(SHARE.key, NOON + 70 * SECOND, 10_000, 400))
        assert [(update.what, update.exchange_order_id) for update in heard] == [(Update.FILL, str(NOON + SECOND))]

    def test_the_sequence_of_the_day_is_kept(self):
        """The order that the exchange had first is served first, in whatever sequence they are put back."""
        exchange, heard = self.take_over(self.confirmed(2), self.confirmed(1))
        exchange.on_tick(Tick(SHARE.key, NOON + 70 * SECOND, 10_000, 40))
        assert [update.exchange_order_id for update in heard] == [str(NOON + SECOND)]

    def test_a_market_order_at_its_protection_price_stays_there(self):
        """It does not take again what lies beyond."""
        order = self.confirmed(1, type=OrderType.MARKET, price=0)
        order.price = 10_100
        exchange, heard = self.take_over(order)
        exchange.on_tick(Tick(SHARE.key, NOON + 70 * SECOND, 10_105, 400))
        exchange.on_tick(Tick(SHARE.key, NOON + 71 * SECOND, 10_100, 400))
        assert [(update.what, update.fill.price) for update in heard] == [(Update.FILL, 10_100)]

    def test_a_triggered_stop_stays_triggered(self):
        """Its limit works at once."""
        order = self.confirmed(1, type=OrderType.SL, trigger=10_050, price=10_100)
        order.triggered = True
        exchange, heard = self.take_over(order)
        exchange.on_tick(Tick(SHARE.key, NOON + 70 * SECOND, 10_000, 400))
        assert [update.what for update in heard] == [Update.FILL]

    def test_yesterdays_orders_expire_on_the_new_day(self):
        """The first thing that a new day does is to end what the old one left, at the old session's end."""
        _, heard = self.take_over(self.confirmed(1), now=at("2025-04-01", "09:15"))
        assert [(update.what, update.ts) for update in heard] == [(Update.EXPIRED, at(DAY, "15:30"))]

    def test_ended_orders_only_show_in_the_book(self):
        """They neither work nor speak."""
        order = self.confirmed(1)
        order.state, order.filled, order.filled_value = OrderState.FILLED, 10, 100_000
        exchange, heard = self.take_over(order)
        assert heard == []
        assert [(row.state, row.filled) for row in exchange.order_book()] == [("FILLED", 10)]
        assert exchange.next_due() is None


def test_numbers_are_unique_and_rise():
    """Order and trade numbers never repeat, and sort by time."""
    market = Market().run("BUY 10 LIMIT 100.00, BUY 10 LIMIT 100.00, 100.00x400, BUY 10 MARKET, 100.00x16, 100.00x400")
    orders = [update.exchange_order_id for update in market.updates if update.what is Update.ACCEPTED]
    trades = [update.fill.id for update in market.updates if update.fill]
    for numbers in (orders, trades):
        assert numbers == sorted(set(numbers))
