"""A feed that fails in the middle of the day: the engine lives on its clock, says so, and opens the feed again."""

import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from aitrade.core.clock import MINUTE, SECOND, at, ist_time
from aitrade.core.orders import OrderRequest, OrderState, OrderType, Product, Side
from aitrade.engine import driver
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.engine.supply import LONGEST_PAUSE, Supply
from aitrade.market.batches import batch as empty

TRADER = Who("tester", "trader")
DAY = "2026-11-23"
TCS = "NSE:TCS"
MIS = f"{TCS}|MIS"


@dataclass
class Fails:
    """A feed that fails `how` at market time `since`, as often as `times` says, until it is mended."""

    feed: object
    since: int
    how: str = "raises"
    times: int = 1_000
    opened: list[int] = field(default_factory=list)
    mended: threading.Event = field(default_factory=threading.Event)

    def __getattr__(self, name):
        return getattr(self.feed, name)

    def batches(self, after):
        """Yield the feed's batches up to the failure."""
        self.opened.append(after)
        for batch in self.feed.batches(after):
            if batch.start >= self.since and self.times > 0 and not self.mended.is_set():
                self.times -= 1
                if self.how == "raises":
                    raise OSError("the cable was cut")
                if self.how == "ends":
                    return
                if self.how == "is empty":
                    yield empty(batch.start, batch.end, [])
                    continue
                self.mended.wait()
            yield batch


@pytest.fixture
def begin(tmp_path):
    """Start a service whose feed fails; every one is let go at the end, however the test ends."""
    started = []

    def start(since="15:01", start="14:58", how="raises", times=1_000, **more):
        home = tmp_path / str(len(started))
        service = Service(EngineSettings(home=str(home), day=DAY, start=start, **more))
        feed = Fails(service.feed, at(DAY, since), how, times)
        service.feed = feed
        service._driver.play(feed, service._day, service._clock.now(), service._catch_up)
        started.append((service, feed))
        return service, feed

    yield start
    for service, feed in started:
        feed.mended.set()
        service.abandon()


def said(service, source="feed"):
    """The event log's lines of a source, as (level, text)."""
    return [(event.line.level, event.line.text) for event in service.engine.book.events if event.line.source == source]


def buy(service, **more):
    """Ten shares, intraday."""
    return service.engine.place(OrderRequest(instrument=TCS, side=Side.BUY, quantity=10, **more), TRADER)[0]


def mend(service, feed):
    """Let the feed work again, and the market go on until it is open."""
    feed.mended.set()
    until = time.monotonic() + 30
    while service.failure and time.monotonic() < until:
        time.sleep(0.1)
        service.step(1)


def bid(service):
    """A limit two percent below the market: it rests."""
    tick = service.engine.instruments[TCS].tick
    return buy(service, type=OrderType.LIMIT, price=service.engine.quotes.last(TCS) * 98 // 100 // tick * tick)


@pytest.mark.parametrize("how", ["raises", "ends"])
def test_a_feed_that_stumbles_is_opened_again_and_nothing_is_missing(begin, how):
    """It is told as a warning; quotes, ticks and bars are those of a feed that never failed."""
    whole, _ = begin(times=0)
    stumbled, feed = begin(how=how, times=1)
    for service in (whole, stumbled):
        service.step(60)
        buy(service)
        service.step(240)
    assert feed.opened == [at(DAY, "14:58"), at(DAY, "15:01")]
    assert stumbled.engine.ticks == whole.engine.ticks
    assert stumbled.engine.quotes.row(TCS) == whole.engine.quotes.row(TCS)
    assert [fill.price for fill in stumbled.engine.book.state.fills] == [
        fill.price for fill in whole.engine.book.state.fills
    ]
    ((level, text),) = said(stumbled)
    assert level == "warning"
    assert "opened again" in text
    assert stumbled.health().reasons == []


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("raises", "OSError: the cable was cut"),
        ("ends", "it ended at 15:01:00, the market trades until 15:40:00"),
        ("falls silent", "it has been silent for 0.2 s"),
    ],
)
def test_a_feed_that_stays_away_is_told_and_the_clock_goes_on(begin, how, why):
    """One alert, health and its words for the page; market time passes, quotes stay, marks are written."""
    service, _ = begin(how=how, feed_seconds=0.2)
    service.step(60)
    buy(service)
    service.step(240)
    shown = service.engine.quotes.last(TCS)
    curve = len(service.engine.book.state.day.curve)
    service.step(180)
    assert ist_time(service.engine.clock.now()) == "15:06:00"
    assert len(service.engine.book.state.day.curve) == curve + 3
    assert service.engine.quotes.last(TCS) == shown
    health = service.health()
    assert why in health.feed_failure
    assert health.feed_failure in health.reasons
    alerts = [text for level, text in said(service) if level == "alert"]
    assert len(alerts) == 1
    assert why in alerts[0]
    assert "Prices are old" in alerts[0]


def test_without_prices_orders_wait_and_can_be_cancelled(begin):
    """What comes is told that it waits; what rests, and what waits, can be cancelled."""
    service, _ = begin()
    service.step(60)
    resting = bid(service)
    service.step(150)
    waiting = buy(service)
    service.step(5)
    assert waiting.state is OrderState.OPEN
    assert waiting.reason.startswith("The feed is down since 15:0")
    assert waiting.reason.endswith("The order waits for the next price; it can be cancelled.")
    for order in (resting, waiting):
        service.commands.cancel(order.id, TRADER)
    service.step(5)
    assert [order.state for order in (resting, waiting)] == [OrderState.CANCELLED] * 2


def test_without_prices_the_square_off_is_tried_told_and_stays_visible(begin):
    """At its time an exit goes out, with an alert; at the close it has expired and the position is marked."""
    service, _ = begin()
    service.step(60)
    buy(service)
    entry = bid(service)
    service.step(60)
    service.step(6 * 60)
    ((level, text),) = said(service, "square-off")
    assert level == "alert"
    assert "Square-off of 1 positions sent" in text
    assert "close them by hand" in text
    leaving = list(service.engine.book.state.orders.values())[-1]
    assert (leaving.is_exit, leaving.state) == (True, OrderState.OPEN)
    assert entry.state is OrderState.CANCELLED
    service.play_through()
    service.step(30 * 60)
    assert leaving.state is OrderState.EXPIRED
    assert "nothing printed" in leaving.reason
    (row,) = [row for row in service.positions() if row.quantity]
    assert row.note.startswith("square-off missed")
    assert ("alert", f"{MIS} did not get out before the close; close it by hand.") in said(service, "square-off")
    assert service.engine.book.state.day.ended
    assert "closes at the last prices known" in said(service)[-1][1]
    assert service.failure == ""
    service.jump({"to": "next"}, TRADER)
    assert [row.quantity for row in service.positions()] == [10]


def test_a_feed_without_prices_in_it_is_no_less_told(begin):
    """Minutes come and nothing is in them: the exit says that it waits, the square-off is an alert."""
    service, _ = begin(how="is empty", since="15:02")
    service.step(60)
    buy(service)
    service.step(5 * 60)
    assert any("No price for" in reason for reason in service.health().reasons)
    service.step(2 * 60)
    ((level, text),) = said(service, "square-off")
    assert level == "alert"
    assert "No price has come since 15:01:" in text
    leaving = list(service.engine.book.state.orders.values())[-1]
    assert leaving.reason.startswith(f"{TCS} has not printed since 15:01:")
    assert leaving.reason.endswith("the order waits for the next price, and can be cancelled.")
    service.play_through()
    service.step(30 * 60)
    (row,) = [row for row in service.positions() if row.quantity]
    assert row.note.startswith("square-off missed")


def test_prices_that_come_again_let_the_square_off_fill(begin):
    """The feed is opened again from the market's time, without a restart; the waiting exit fills."""
    service, feed = begin()
    service.step(60)
    buy(service)
    service.step(8 * 60)
    assert service.engine.book.position(TCS, "MIS") == 10
    mend(service, feed)
    service.step(120)
    assert max(feed.opened) >= at(DAY, "15:06")
    assert service.failure == ""
    assert said(service)[-1][0] == "warning"
    assert "The feed is back" in said(service)[-1][1]
    assert service.engine.book.position(TCS, "MIS") == 0
    assert service.health().reasons == []


def test_what_was_missed_is_taken_from_the_feeds_history(begin):
    """Day's high, low and volume, and what strategies know, are those of a day without a gap."""
    trend = {"strategies": ("moving-average",)}
    whole, _ = begin(times=0, since="10:03", start="10:00", **trend)
    gap, feed = begin(since="10:03", start="10:00", **trend)
    whole.step(30 * 60)
    gap.step(20 * 60)
    mend(gap, feed)
    gap._driver.run_until(whole._clock.now())
    assert gap.engine.ticks < whole.engine.ticks
    assert gap.engine.quotes.row(TCS) == whole.engine.quotes.row(TCS)
    states = [service.engine.runner.running["moving-average"].states for service in (whole, gap)]
    assert {key: list(value) for key, value in states[0].items()} == {
        key: list(value) for key, value in states[1].items()
    }


def test_a_silent_feed_never_holds_up_a_command(begin):
    """While nothing comes the trading thread answers, and stops when it is told to."""
    service, _ = begin(how="falls silent", since="14:59", feed_seconds=600.0, speed=60)
    thread = threading.Thread(target=service.run)
    thread.start()
    time.sleep(1.5)
    answered = threading.Event()
    service.call(answered.set)
    assert answered.wait(10)
    service.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_as_fast_as_it_goes_the_market_waits_for_prices(begin):
    """While the feed is down, a day at full speed does not run out without prices: it runs at the wall's pace."""
    service, feed = begin(speed=0)
    thread = threading.Thread(target=service.run)
    thread.start()
    until = time.monotonic() + 20
    while not service.failure and time.monotonic() < until:
        time.sleep(0.01)
    assert service.engine.clock.now() < at(DAY, "15:05")
    feed.mended.set()
    while not service.engine.book.state.day.ended and time.monotonic() < until:
        time.sleep(0.01)
    service.stop()
    thread.join(10)
    assert service.engine.book.state.day.ended
    assert "The feed is back" in said(service)[-1][1]


def refusal_in_the_auction(service):
    """What the closing auction says of a purchase far above its band."""
    service._driver.run_until(at(DAY, "15:21"))
    service._clock.advance(at(DAY, "15:21"))
    tick = service.engine.instruments[TCS].tick
    price = service.engine.quotes.last(TCS) * 104 // 100 // tick * tick
    order = buy(service, type=OrderType.LIMIT, price=price, product=Product.CNC)
    service.step(5)
    return order.reason


def test_the_closing_auctions_reference_survives_gaps_and_restarts(begin):
    """Its band is made of the window's prints, those that came before a restart or while the feed was down as well."""
    whole, _ = begin(times=0, start="15:02")
    gap, feed = begin(since="15:05", start="15:02")
    gap.step(11 * 60)
    assert gap.failure
    mend(gap, feed)
    killed, _ = begin(times=0, start="15:02")
    killed.step(16 * 60 + 30)
    killed.abandon()
    again = Service(killed.settings)
    told = [refusal_in_the_auction(service) for service in (whole, gap, again)]
    again.abandon()
    assert "outside the closing auction's band of" in told[0]
    assert told == told[:1] * 3


class Wall:
    """A wall clock that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        """Tell the time, seconds."""
        return self.now


class Dead:
    """A feed that never works."""

    end = 100 * MINUTE

    def __init__(self):
        self.opened = []

    def opening(self):
        """Have no auction."""

    def batches(self, after):
        """Raise."""
        self.opened.append(after)
        raise OSError("gone")
        yield


def test_the_pauses_grow_and_are_bounded():
    """At once, then after 1, 2, 4 … seconds, a minute at the most; each time from where the market is."""
    feed, wall = Dead(), Wall()
    supply = Supply(feed, MINUTE, 30.0, wall)
    for second in range(60, 360):
        for _ in range(2):
            assert supply.take(second * SECOND, 1.0) is None
            while supply._reader is not None:
                assert supply.take(second * SECOND, 1.0) is None
        wall.now += 1
    tried = [after // SECOND for after in feed.opened]
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[:10] == [0, 1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert "OSError: gone; it is opened again in" in supply.trouble()


def test_a_feed_that_is_silent_from_the_first_minute_does_not_hold_up_the_start(tmp_path, monkeypatch):
    """The engine is there without prices, answers, and trades on them when they come."""
    monkeypatch.setattr(driver, "_FIRST_S", 0.2)
    service = Service(EngineSettings(home=str(tmp_path), day=DAY, start="10:00"))
    feed = Fails(service.feed, at(DAY, "10:00"), "falls silent")
    began = time.monotonic()
    service._driver.play(feed, service._day, service._clock.now(), service._catch_up)
    assert time.monotonic() - began < 10
    assert service.engine.quotes.tick(TCS).ts < at(DAY, "10:00")
    feed.mended.set()
    service.step(60)
    assert service.engine.quotes.tick(TCS).ts > at(DAY, "10:00:50")
    assert service.health().reasons == []
    service.abandon()
