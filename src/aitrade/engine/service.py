"""A running book: builds the engine from its settings, recovers it from the journal, and answers the API.

Start-up is recovery: an empty journal is only the shortest one. All methods but `call`, `stop` and `attach` run on the
trading thread.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.compliance.journal import Journal
from aitrade.compliance.tail import Tail
from aitrade.core import logs
from aitrade.core.clock import MINUTE, SECOND, ReplayClock, at, ist_time
from aitrade.core.errors import DataRefused, Refused
from aitrade.core.events import CashMove, Closed, DayBegan, Kind
from aitrade.core.instruments import Instrument
from aitrade.core.metrics import Buckets
from aitrade.core.orders import WORKING, Order
from aitrade.core.quotes import Bar
from aitrade.engine.charging import Charging
from aitrade.engine.commands import Commands
from aitrade.engine.day import MarketDay
from aitrade.engine.driver import Command, Driver
from aitrade.engine.health import HealthReport
from aitrade.engine.insight import btst_list, option_chain, underlyings
from aitrade.engine.loop import Engine
from aitrade.engine.margining import margins_of
from aitrade.engine.messages import (
    Health,
    OrderRow,
    Performance,
    PositionRow,
    Reconciled,
    Snapshot,
    Time,
    World,
)
from aitrade.engine.overnight import overnight, unsettled
from aitrade.engine.pace import SPEEDS, Pace
from aitrade.engine.past import recall, take_opening, take_unlisted
from aitrade.engine.publisher import Publisher, Send
from aitrade.engine.recovery import feed_for, halt_after_crashes, opened, recover, scorer_for
from aitrade.engine.settings import ENGINE, Effective, EngineSettings, Who, continues, effective
from aitrade.engine.state import State
from aitrade.engine.upkeep import reconcile
from aitrade.engine.views import Views, event_row, order_row, trade_row
from aitrade.intelligence.btst import Btst
from aitrade.market.bars import resample
from aitrade.market.calendar import Calendar, PhaseName, Segment
from aitrade.market.charges import ChargeBook
from aitrade.market.feeds import Feed
from aitrade.market.rules import Rules
from aitrade.risk.checks import RiskDesk
from aitrade.risk.limits import Limits
from aitrade.store.projection import Projection, ProjectionStatus, sqlite_url
from aitrade.strategies import KERNELS

DAY_MINUTES = 1440
_BEFORE_OPEN = 10 * SECOND
NEXT_DAY = "next"
SHED_SECONDS = 600.0
"""The longest that load is shed without being asked again."""
STRATEGY_INSTRUMENTS, STRATEGY_QUANTITY = 2, 10
"""What a strategy that is started by its name alone trades: the first of the watchlist, ten units each."""
Later = Callable[[], Any]
"""An answer that is worked out off the trading thread, from what was taken on it."""


class Service:
    """One book with its engine, driver and feed."""

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.started = time.monotonic()
        self._calendar = Calendar.load(settings.home_path)
        self._rules = Rules.load(settings.home_path)
        self._instruments: dict[str, Instrument] = {}
        book = recover(settings)
        self.feed = self._first_feed(book.state)
        self._clock = ReplayClock(book.state.ts)
        self._journal = Journal(
            settings.book_path / "journal", first=self.feed.day.isoformat(), durability=settings.durability
        )
        self._venue = PaperExchange(self._calendar, self._rules, self._instruments, settings.seed)
        self._charging = Charging(ChargeBook.load(settings.home_path), self.feed.day, settings.plan)
        limits = Limits.load(settings.home_path)
        self.engine = Engine(
            settings=settings, book=book, journal=self._journal, clock=self._clock, venue=self._venue,
            risk=RiskDesk(limits, self._rules, self._calendar), limits=limits, charging=self._charging,
            kernels=KERNELS,
        )  # fmt: skip
        self._projection = self._projected()
        self.commands = Commands(self.engine)
        self._views = Views(self.engine)
        self._scorer = scorer_for(settings)
        self._pace = Pace(0, time.monotonic_ns(), settings.speed)
        self._driver = Driver(self.engine, self._venue, self._clock, self._pace, self._publish)
        self.queues: dict[str, Callable[[], int]] = {
            "commands": self._driver.inbox.qsize, "paced": lambda: len(self.engine.paced), "log": logs.waiting,
        }  # fmt: skip
        """What waits where, by queue; any thread may ask."""
        self.requests = Buckets()
        """How long the API took to answer; it alone counts."""
        self.streams = 0
        self._health = HealthReport(self)
        self._publisher: Publisher | None = None
        self._begin()

    # From any thread

    def call(self, command: Command) -> None:
        """Run `command` on the trading thread."""
        self._driver.call(command)

    def stop(self) -> None:
        """Stop trading after the present event."""
        self._driver.stop()

    def attach(self, send: Send) -> None:
        """Give frames to `send` from now on."""
        self._publisher = Publisher(self.engine, send, self.time, self.health, self.snapshot)

    # The life of the process

    def run(self) -> None:
        """Trade until stopped; the calling thread is the trading thread."""
        self._projection.start()
        self._pace.anchor(self._clock.now(), time.monotonic_ns())
        self._driver.run()

    def play_through(self) -> None:
        """Trade the day to its end on the calling thread, without waiting or listening: research and benches."""
        self._driver.run_to_end()

    def step(self, seconds: int) -> None:
        """Trade `seconds` of market time on the calling thread."""
        until = self._clock.now() + seconds * SECOND
        self._driver.run_until(until)
        self._clock.advance(until)

    def abandon(self) -> None:
        """Let go as a killed process does: without a last record."""
        self._driver.close()
        self.engine.runner.close()
        self._journal.close()

    def close(self) -> None:
        """Write the last record and close the journal."""
        left = self.left_open()
        body = Closed(reason="stopped", open_orders=left["orders"], open_positions=left["positions"])
        try:
            self.engine.record(Kind.CLOSED, body)
        finally:
            self._driver.close()
            self.engine.runner.close()
            self._projection.close()
            self._journal.close()

    def left_open(self) -> dict[str, int]:
        """Return how many orders and positions are open."""
        state = self.engine.book.state
        open_positions = sum(1 for lot in state.positions.values() if lot.quantity)
        return {"orders": len(self.engine.book.working_orders()), "positions": open_positions}

    # What health asks

    @property
    def order_rate(self) -> int:
        """Orders a second and exchange segment that the rules allow."""
        return self._rules.order_rate(self.feed.day)

    @property
    def failure(self) -> str:
        """Why no price comes and when the feed is tried again, or nothing."""
        return self._driver.failure

    @property
    def quiet(self) -> bool:
        """Whether no price is expected now: paused, done, closed, or before the first of the session."""
        time = self.time()
        early = time.now < self.feed.start
        return self._pace.paused or self._driver.done or early or time.phase == PhaseName.CLOSED

    @property
    def projected(self) -> ProjectionStatus:
        """How far the database is, and what holds it up."""
        return self._projection.status

    # Questions

    def snapshot(self) -> Snapshot:
        """Return everything that a page begins with."""
        engine, state = self.engine, self.engine.book.state
        shown = self._shown()
        return Snapshot(
            world=self.world(),
            time=self.time(),
            health=self.health(),
            funds=self._views.funds(since=0),
            instruments=[engine.instruments[key] for key in shown if key in engine.instruments],
            indices=self.feed.indices,
            watchlist=self.feed.watchlist,
            quotes=[engine.quotes.row(key) for key in shown],
            orders=self.orders(),
            trades=[trade_row(fill, self._venue.name) for fill in state.fills],
            positions=self._views.positions(),
            holdings=self._views.holdings(),
            strategies=self._views.strategies(),
            events=[event_row(event) for event in engine.book.events],
            alerts=self._views.alerts(),
        )

    def world(self) -> World:
        """Return which world this is."""
        session = self._calendar.session(self.feed.day, Segment.CASH_FNO)
        return World(
            mode=self.settings.mode,
            book=self.settings.book,
            session=self.feed.day.isoformat(),
            source=self.feed.source,
            assumed=[*self.feed.assumed, *self._rules.assumed(self.feed.day)],
            phases=[[phase.name, phase.start, phase.end] for phase in session.phases],
            silence=self.feed.silence,
        )

    def time(self) -> Time:
        """Return the market's clock."""
        pace = self._pace
        now = max(self._clock.now(), 0 if self._driver.done else pace.market_at(time.monotonic_ns()))
        return Time(
            now=now,
            phase=self._calendar.phase_at(now, Segment.CASH_FNO).name,
            speed=pace.speed,
            paused=pace.paused,
            wall=time.time_ns(),
            done=self._driver.done,
        )

    def health(self) -> Health:
        """Return how the machine and the engine are."""
        return self._health.report()

    def in_force(self) -> Effective:
        """Return the settings and limits in force."""
        return effective(self.settings, self.engine.limits)

    def orders(self) -> list[OrderRow]:
        """Return the day's orders, oldest first."""
        return [order_row(order) for order in self.engine.book.state.orders.values()]

    def positions(self) -> list[PositionRow]:
        """Return the day's positions."""
        return self._views.positions()

    def performance(self) -> Performance:
        """Return the book's record."""
        return self._views.performance()

    def search(self, text: str, limit: int) -> list[Instrument]:
        """Return instruments whose key or name holds every word of `text`, those whose symbol begins with it first."""
        words = text.upper().split()
        first = words[0] if words else ""
        rows = self.engine.instruments.values()
        found = [row for row in rows if all(word in row.key or word in row.name.upper() for word in words)]
        found.sort(
            key=lambda row: (
                not row.symbol.startswith(first), row.is_derivative, len(row.symbol), row.symbol, row.expiry,
                row.is_option, row.strike,
            )
        )  # fmt: skip
        return found[:limit]

    def history(self, instrument: str, minutes: int, count: int, before: int) -> Later:
        """Return bars, oldest first; the forming one is last unless `before` cuts it off."""
        if instrument not in self.engine.instruments:
            raise Refused(f"{instrument} is not traded today; search for its symbol.")
        now = before or self._clock.now()
        forming = None if before else self.engine.bars.forming(instrument)
        feed = self.feed
        return lambda: _with_forming(feed, instrument, minutes, count, now, forming)

    def depth(self, instrument: str) -> Later:
        """Return the book's levels at the last print."""
        tick, row = self.engine.quotes.tick(instrument), self.engine.instruments.get(instrument)
        if tick is None or row is None:
            raise Refused(f"{instrument} has not printed today; there is no depth yet.")
        feed = self.feed
        return lambda: feed.depth(tick, row)

    def chain(self, underlying: str, expiry: str) -> Later:
        """Return an option chain at this moment; an empty expiry is the nearest."""
        return option_chain(self.engine, self._calendar, underlying, expiry)

    def underlyings(self) -> list[str]:
        """Return what has options today, indices first."""
        return underlyings(self.engine)

    def btst(self) -> Later:
        """Return the BTST list, or that it is locked until 14:15:00 of the market clock."""
        work_out = btst_list(self.engine, self.feed, self._clock.now(), self._scorer)

        def answer() -> Btst:
            found = work_out()
            sendable = frozenset(row.instrument for row in found.candidates if row.sendable)
            self.call(lambda: setattr(self.engine, "btst_sendable", sendable))
            return found

        return answer

    def metrics(self) -> Callable[[], str]:
        """Take the metrics; return what writes them as Prometheus text, off the trading thread."""
        return self._health.metrics()

    # Upkeep

    def reconcile(self, who: Who) -> Reconciled:
        """Compare the book with the venue's own, after connecting to it anew where there is a connection."""
        return reconcile(self.engine, who)

    def shed(self, fields: dict[str, Any], who: Who) -> dict[str, float]:
        """Send pages fewer frames for `seconds`; 0 ends it."""
        seconds = min(max(float(fields.get("seconds", SHED_SECONDS)), 0.0), SHED_SECONDS)
        self._driver.shed(seconds)
        self.engine.say("warning", f"{who.actor} slows the pages' frames for {seconds:g} s.", "upkeep")
        return {"seconds": seconds}

    def stop_feed(self, fields: dict[str, Any], who: Who) -> dict[str, bool]:
        """Let no price in, or let them in again: a drill of a scratch engine, which trades on without prices."""
        stopped = bool(fields["stopped"])
        self._driver.mute(muted=stopped)
        self.engine.say("warning", f"{who.actor} {'stops' if stopped else 'resumes'} the feed for a drill.", "feed")
        return {"stopped": stopped}

    # The market's pace

    def set_speed(self, fields: dict[str, Any], who: Who) -> Time:
        """Change the speed or pause; raise Refused for a speed that there is not."""
        speed, paused = fields.get("speed"), fields.get("paused")
        if speed is not None and speed not in SPEEDS:
            raise Refused(f"Speed {speed} is not one of {', '.join(map(str, SPEEDS))} (0 is as fast as it goes).")
        self._pace.set(time.monotonic_ns(), speed=speed, paused=paused)
        self.engine.say("info", f"{who.actor} set the market to {self._pace_in_words()}.", "clock")
        return self.time()

    def jump(self, fields: dict[str, Any], who: Who) -> Time:
        """Run forward to a time of the market day ("14:15"), or to the "next" day when this one is done."""
        to = str(fields["to"])
        if to == NEXT_DAY:
            self._next_day()
            return self.time()
        target = at(self.feed.day, to)
        if target <= self._clock.now():
            raise Refused(f"{to} is past on the market's clock; time only goes forward. A new book starts a new day.")
        self.engine.say("info", f"{who.actor} jumps forward to {to}.", "clock")
        self._pace.jump(target, time.monotonic_ns())
        return self.time()

    def shutdown(self, who: Who) -> dict[str, int]:
        """Stop the engine; the answer says what stays open."""
        self.engine.say("info", f"{who.actor} stops the engine.")
        left = self.left_open()
        self._driver.stop()
        return left

    def listeners(self, count: int) -> None:
        """Tell how many streams listen."""
        self.streams = count
        if self._publisher:
            self._publisher.listeners = count

    # Parts of the above

    def _projected(self) -> Projection:
        """Follow the journal into the database, on a thread of its own."""
        folder = self.settings.book_path
        url = self.settings.projection or sqlite_url(folder)
        read = Tail(folder / "journal").read
        return Projection(url, self.settings.book, read, self._say_from_any_thread)

    def _say_from_any_thread(self, level: str, text: str) -> None:
        self.call(lambda: self.engine.say(level, text, "store"))

    def _publish(self) -> None:
        if self._publisher:
            self._publisher.publish()

    def _pace_in_words(self) -> str:
        if self._pace.paused:
            return "pause"
        return f"{self._pace.speed} times real time" if self._pace.speed else "as fast as it goes"

    def _shown(self) -> list[str]:
        """The instruments that a page shows from the start: indices, watchlist, what is held, ordered or watched."""
        state = self.engine.book.state
        held = [key.rsplit("|", 1)[0] for key in state.positions]
        ordered = [order.request.instrument for order in state.orders.values()]
        alerted = [alert.instrument for alert in state.alerts.values()]
        return list(
            dict.fromkeys([*self.feed.indices, *self.feed.watchlist, *held, *state.holdings, *ordered, *alerted])
        )

    def _priced(self) -> list[str]:
        """The instruments whose prices so far are needed: what is shown, and what shown contracts settle and tie by."""
        rows = [self._instruments[key] for key in self._shown() if key in self._instruments]
        return list(dict.fromkeys([row.key for row in rows] + [row.underlying for row in rows if row.is_derivative]))

    def _begin(self) -> None:
        """Open the book, and its day: a new one, or the one that was interrupted."""
        state = self.engine.book.state
        new_book = state.seq == 0
        self._clock.advance(state.ts or self._start_of(self.feed))
        self.engine.record(Kind.OPENED, opened(self.settings))
        if new_book:
            self.engine.record(Kind.CASH, CashMove(why="opening", amount=self.settings.cash))
        self._report_torn()
        if not state.day.day:
            self._open_day(self.feed)
        elif state.day.ended:
            self._clock.advance(self.feed.end)
            self._take_day(self.feed)
            self._open_next()
        else:
            self._resume_day()
        self._say_which_day()
        if new_book:
            self._start_configured()
        halt_after_crashes(self.engine)

    def _first_feed(self, state: State) -> Feed:
        """The feed of the book's day, the configured one for a new book."""
        stands, asked = state.day.day, self.settings.day
        day = date.fromisoformat(stands) if stands else None
        try:
            return feed_for(self.settings, self._calendar, self._rules, day)
        except DataRefused as refused:
            if stands in ("", asked):
                raise
            raise DataRefused(f"{refused} {continues(self.settings.book, stands, asked)}") from None

    def _start_of(self, feed: Feed) -> int:
        if self.settings.start:
            return at(feed.day, self.settings.start)
        return max(feed.start, self._calendar.session(feed.day, Segment.CASH_FNO).open - _BEFORE_OPEN)

    def _open_day(self, feed: Feed) -> None:
        """Close what the day before left, begin a segment with the whole state, and start the new day."""
        engine = self.engine
        if engine.book.state.day.day:
            overnight(engine, self._calendar, self._rules, feed)
        self._clock.advance(self._start_of(feed))
        self._journal.rotate(feed.day.isoformat())
        engine.snapshot()
        self._take_day(feed)
        carried = engine.account.carried()
        body = DayBegan(
            day=feed.day.isoformat(), source=feed.source, assumed=feed.assumed, carried=carried,
            unsettled=unsettled(engine.book.state.proceeds, self._calendar, feed.day),
        )  # fmt: skip
        engine.record(Kind.DAY, body)
        recall(self.engine, self._venue, feed)
        self._driver.play(feed, self._day, self._clock.now(), self._catch_up)
        self._pace.anchor(self._clock.now(), time.monotonic_ns())

    def _resume_day(self) -> None:
        self._take_day(self.feed)
        self._venue.restore(self._still_listed())
        recall(self.engine, self._venue, self.feed)
        self.engine.ask_again()
        self._driver.play(self.feed, self._day, self._clock.now(), self._catch_up)
        self.engine.say("info", "The engine continues from its journal.")

    def _still_listed(self) -> list[Order]:
        """The day's orders whose instruments today's data still have; a working one without them is told."""
        listed = []
        for order in self.engine.book.state.orders.values():
            if order.request.instrument in self._instruments:
                listed.append(order)
            elif order.state in WORKING:
                gone = f"{order.request.instrument} is not in the day's data any more: import them again, then restart."
                self.engine.say("alert", f"Order {order.id} waits: {gone}")
        return listed

    def _take_day(self, feed: Feed) -> None:
        """Give every part the day's instruments, rates and times."""
        self.feed = feed
        self._instruments.clear()
        self._instruments.update((row.key, row) for row in feed.instruments())
        self._charging.new_day(feed.day)
        session = self._calendar.session(feed.day, Segment.CASH_FNO)
        self.engine.begin_day(self._instruments, session.open, feed.start)
        self._day = MarketDay(self.engine, self.commands, self._calendar, self._rules, feed.day)
        take_opening(self.engine, feed)
        for key in self._priced():
            if key in self._instruments:
                self.engine.quotes.seed(self._day_bars(feed, key, feed.start))
        take_unlisted(self.engine, feed)
        self.engine.account.new_day(margins_of(self._rules, feed.day, self._instruments.values()))
        self._restart_strategies(feed, session.open)

    def _restart_strategies(self, feed: Feed, day_open: int) -> None:
        state = self.engine.book.state
        for change in state.strategies.values():
            if change.state == "running":
                since = max(state.strategy_since[change.name], day_open)
                bars = [bar for key in change.instruments for bar in self._day_bars(feed, key, since)]
                self.engine.runner.start(change, day_open, bars)

    def _catch_up(self, read_to: int) -> None:
        """Know the minutes since `read_to`, in which no price came, from the feed's history: as after a restart."""
        if self._clock.now() - read_to < MINUTE:
            return
        recall(self.engine, self._venue, self.feed, read_to)
        try:
            self._take_day_so_far()
        except Exception as error:
            text = f"The minutes since {ist_time(read_to)} are missing, strategies go on without them: {error}"
            self.engine.say("alert", text, "feed")

    def _take_day_so_far(self) -> None:
        for key in self._priced():
            bars = self._day_bars(self.feed, key, self.feed.start)
            self.engine.quotes.seed(bars)
            for bar in bars[-1:]:
                self.engine.account.on_tick(key, bar.close)
        self._restart_strategies(self.feed, self.engine.day_open)

    def _day_bars(self, feed: Feed, key: str, since: int) -> list[Bar]:
        now = self._clock.now()
        return [bar for bar in feed.history(key, 1, DAY_MINUTES, now) if bar.start >= since and bar.end <= now]

    def _next_day(self) -> None:
        if not self._driver.done:
            raise Refused("The market day is not over; jump to its end first.")
        self._open_day(self.feed.next_day())

    def _open_next(self) -> None:
        """Begin the day after the one that is over; where it cannot be had, stay at that one's end and say why."""
        try:
            following = self.feed.next_day()
        except Refused as none:
            self._driver.rest()
            self.engine.say("warning", f"{self.feed.day} is over. {none}", "clock")
        else:
            self._open_day(following)

    def _say_which_day(self) -> None:
        """A book goes on where it stopped: say so when another session was asked for."""
        asked, day = self.settings.day, self.feed.day.isoformat()
        if asked and asked != day:
            self.engine.say("warning", continues(self.settings.book, day, asked), "clock")

    def _start_configured(self) -> None:
        instruments = self.feed.watchlist[:STRATEGY_INSTRUMENTS]
        if self.settings.strategies and not instruments:
            text = f"No strategy was started: of {self.feed.day} only indices are imported. Import shares of that day."
            self.engine.say("warning", text, "strategy")
            return
        for name in self.settings.strategies:
            self.commands.start(name, {"instruments": instruments, "quantity": STRATEGY_QUANTITY}, ENGINE)

    def _report_torn(self) -> None:
        torn = self._journal.torn
        if torn:
            self.engine.say(
                "warning", f"The last record was cut short; its bytes are kept in {torn.kept.name}.", "journal"
            )


def _with_forming(feed: Feed, instrument: str, minutes: int, count: int, now: int, forming: Bar | None) -> list[Bar]:
    """Return closed bars and, last, the one that is being built: its closed minutes and the forming one."""
    closed = feed.history(instrument, minutes, count, now)
    if forming is None:
        return closed
    since = closed[-1].end if closed else 0
    tail = [bar for bar in feed.history(instrument, 1, minutes, now) if bar.start >= since]
    return [*closed, *resample([*tail, forming], minutes)[-1:]]
