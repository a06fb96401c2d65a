"""The trading loop's heart: every order, update and market event passes here, on one thread, in one order of time.

An order's way: request → risk (all rules) → journal → venue → updates → journal → book → page. Nothing is acted on
before its record is written, and the book changes only by applying records.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from aitrade.brokers.venue import Venue
from aitrade.compliance.journal import Journal, JournalUnwritable
from aitrade.core.clock import Clock, ist_time
from aitrade.core.errors import OrderRefused
from aitrade.core.events import (
    Ask,
    InputBatch,
    Kind,
    Line,
    Mark,
    PriceAlert,
    Record,
    Refusal,
    StateChange,
    StrategyChange,
)
from aitrade.core.instruments import Instrument
from aitrade.core.money import format_rupees
from aitrade.core.orders import (
    TERMINAL,
    Fill,
    Order,
    OrderRequest,
    OrderState,
    Product,
    Update,
    VenueUpdate,
    client_order_id,
)
from aitrade.core.quotes import Tick
from aitrade.core.strategy import Kernel
from aitrade.engine.account import Account
from aitrade.engine.charging import Charging
from aitrade.engine.latency import Latencies
from aitrade.engine.quotes import Quotes
from aitrade.engine.runner import Runner, code_hash
from aitrade.engine.settings import ENGINE, EngineSettings, Who
from aitrade.engine.state import Book
from aitrade.market.bars import BarBuilder
from aitrade.market.feeds import Batch
from aitrade.risk.checks import RiskDesk
from aitrade.risk.exits import is_exit
from aitrade.risk.limits import Limits
from aitrade.risk.refusals import Refusal as RiskRefusal
from aitrade.risk.refusals import Rule
from aitrade.risk.slicing import slice_quantity
from aitrade.risk.trading_state import TradingState

Problems = list[list[str]]
_MOVES = frozenset({Kind.CASH, Kind.CONVERT})
"""Records that change units or cost without an order."""
_INTENT, _UPDATE, _PENDING, _ACTIVE = Kind.INTENT, Kind.UPDATE, OrderState.PENDING, TradingState.ACTIVE
_elapsed = time.perf_counter_ns
"""Read for every order: looked up once, for an enumeration looks its members up in Python."""


class Refused(OrderRefused):
    """An order broke rules; `problems` has each rule and its sentence."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(" ".join(text for _rule, text in problems))
        self.problems = problems


class Engine:
    """One book, trading. Every method runs on the trading thread; times come from `clock`, ns UTC."""

    def __init__(
        self,
        *,
        settings: EngineSettings,
        book: Book,
        journal: Journal,
        clock: Clock,
        venue: Venue,
        risk: RiskDesk,
        limits: Limits,
        charging: Charging,
        kernels: dict[str, Kernel],
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self.settings = settings
        self.book = book
        self.journal = journal
        self.clock = clock
        self.venue = venue
        self.risk = risk
        self.limits = limits
        self.charging = charging
        self.latencies = Latencies()
        self.instruments: dict[str, Instrument] = {}
        self.quotes = Quotes(())
        self.bars = BarBuilder(1, 0)
        self.ticks = 0
        self.newest_tick = 0
        """How many prices came, and when the newest printed."""
        self.unpriced = ""
        """Why no price comes, while the feed is down."""
        self.refused = 0
        self.updates = dict.fromkeys(Update, 0)
        """How many orders our checks refused, and what venues said how often, since the process began."""
        self.account = Account(self)
        self.runner = Runner(kernels, self, self._strategy_failed, settings.strategy_seconds)
        self._first = 0
        self._wall = wall
        self._run = _run_number(settings.book)
        self._alerts: dict[str, list[PriceAlert]] = {}
        self.btst_sendable: frozenset[str] = frozenset()
        """Shares that the newest BTST list lets through."""
        self.notes: dict[str, str] = {}
        """Position key to what a person has to know."""
        self._waiting: dict[str, tuple[set[str], Callable[[], None]]] = {}
        """Position key to the orders that have to end first, and what is done then."""
        self.paced: deque[tuple[Instrument, Callable[[], None]]] = deque()
        """Exits, changes and cancellations whose turn has not come: the order rate paces them, it never refuses one."""
        venue.connect(self.on_update)

    # What is written

    def record(self, kind: Kind, body: Any, who: Who = ENGINE, *, order: Order | None = None) -> None:
        """Append a record and apply it to the book; raise JournalUnwritable, with nothing changed, when that fails."""
        strategy = order.request.strategy if order is not None else ""
        settings = self.settings
        record = Record(
            0, kind, self.clock.now(), self._wall(), settings.book, body, who.actor, who.role, strategy,
            self._hash_of(strategy) if strategy else "", settings.algo_id if strategy else "", settings.client,
            who.session, who.source, order.id if order is not None else "",
        )  # fmt: skip
        if kind is _UPDATE:
            record.broker_order_id, record.exchange_order_id = body.broker_order_id, body.exchange_order_id
            record.exchange_ts, record.reason = body.exchange_ts, body.reason
        self.journal.append(record)
        self.book.apply(record)
        if order is not None:
            self.account.touch(order.request.instrument)
            if kind is _UPDATE and body.fill is not None:
                self.account.filled(order.request.instrument)
        elif kind is Kind.REFUSAL:
            self.refused += 1
        elif kind in _MOVES and body.instrument:
            self.account.touch(body.instrument)
            self.account.filled(body.instrument)

    def snapshot(self) -> None:
        """Write the whole state as a record: what recovery of this segment begins with."""
        body = msgspec.Raw(msgspec.msgpack.encode(self.book.state))
        self.journal.append(Record(0, Kind.SNAPSHOT, self.clock.now(), self._wall(), self.settings.book, body))

    def begin_day(self, instruments: dict[str, Instrument], day_open: int, first: int = 0) -> None:
        """Take the day's master and open (ns UTC); `account.new_day` follows when the prices so far are known.

        What prints before `first` is a call auction's, which makes no bar for strategies.
        """
        self.instruments, self._first = instruments, first
        self.day_open = day_open
        self.quotes = Quotes(instruments.values())
        self.bars = BarBuilder(1, day_open)
        self.notes.clear()
        self._waiting.clear()
        self.paced.clear()
        self.btst_sendable = frozenset()
        self.runner.new_day(day_open)
        self.index_alerts()

    def say(self, level: str, text: str, source: str = "engine") -> None:
        """Leave a line in the event log."""
        self.record(Kind.EVENT, Line(level=level, text=text, source=source))

    # Orders

    def place(self, request: OrderRequest, who: Who, *, funded: bool = False) -> list[Order]:
        """Check, journal and send an order (several of one basket when sliced); raise Refused with every broken rule.

        A reference that was used today answers with the order that it named and sends nothing. `funded` says that the
        margin was found for the whole basket that the order is a leg of.
        """
        reference = request.reference
        known = self.book.references.get(reference) or self.book.references.get(f"{reference}/0") if reference else None
        if known is not None:
            return [self.book.state.orders[known]]
        if not request.slice:
            return [self._place_one(request, who, funded=funded)]
        parts = self._sliced(request)
        if len(parts) > 1:
            self._check_whole(request, who, funded=funded)
        return [self._place_one(part, who, funded=funded or len(parts) > 1) for part in parts]

    def _check_whole(self, request: OrderRequest, who: Who, *, funded: bool) -> None:
        """Check what is sent in slices as one order: no slice goes when the whole breaks a rule, freeze apart."""
        problems = self.whole_refusals(request, who, funded=funded)
        if problems:
            self.record(Kind.REFUSAL, Refusal(request=request, problems=problems), who)
            raise Refused(problems)

    def submit(self, request: OrderRequest) -> list[Order]:
        """Place a strategy's order; a refusal is journaled, not raised."""
        try:
            return self.place(request, Who(request.strategy, "strategy"))
        except OrderRefused:
            return []

    def check_basket(self, requests: list[OrderRequest], who: Who) -> None:
        """Check the legs of a basket, margined together; journal and raise Refused with every rule that any breaks."""
        problems = self.basket_refusals(requests, who)
        if problems:
            self.record(Kind.REFUSAL, Refusal(request=requests[0], problems=problems), who)
            raise Refused(problems)

    def basket_refusals(self, requests: list[OrderRequest], who: Who) -> Problems:
        """Return every rule that any leg breaks now; the legs' margin is found for all together."""
        found = self.risk.check_basket(self.parts(requests), self.clock.now(), self.account)
        return _told(found) + [problem for request in requests for problem in self._state_problem(request, who)]

    def basket_margin(self, requests: list[OrderRequest]) -> int:
        """Return what a basket would tie and spend, its legs together, paise."""
        return self.risk.needed(self.parts(requests), self.clock.now(), self.account)

    def parts(self, requests: list[OrderRequest]) -> list[tuple[OrderRequest, Instrument | None]]:
        """Return the orders that a basket is sent as, sliced where asked, each with its instrument."""
        parts = [part for request in requests for part in self._sliced(request)]
        return [(part, self.instruments.get(part.instrument)) for part in parts]

    def refusals(self, request: OrderRequest, who: Who, *, funded: bool = False) -> Problems:
        """Return every rule that `request` breaks now, each with its sentence."""
        return self._judged(request, who, self.clock.now(), funded=funded)[0]

    def _judged(self, request: OrderRequest, who: Who, now: int, *, funded: bool) -> tuple[Problems, bool]:
        """Return every rule that `request` breaks at `now`, and whether it is an exit."""
        instrument = self.instruments.get(request.instrument)
        found = self.risk.check(request, instrument, now, self.account, funded=funded)
        if not found.refusals and self.book.state.trading == _ACTIVE:
            return [], found.is_exit
        return _told(found.refusals) + self._state_problem(request, who), found.is_exit

    def whole_refusals(self, request: OrderRequest, who: Who, *, funded: bool = False) -> Problems:
        """Return every rule that a request breaks as one order, freeze apart where it is sent in slices."""
        found, sliced = self.refusals(request, who, funded=funded), len(self._sliced(request)) > 1
        return [row for row in found if not sliced or row[0] != Rule.FREEZE]

    def _state_problem(self, request: OrderRequest, who: Who) -> Problems:
        state = TradingState(self.book.state.trading)
        if state is not TradingState.ACTIVE:
            by_person = who.role != "strategy"
            if not state.allows(is_exit=self.exits(request), by_person=by_person):
                return [["trading_state", state.refusal(self.book.state.trading_reason)]]
        return []

    def exits(self, request: OrderRequest) -> bool:
        """Return whether the request is an exit by the rule of exits."""
        instrument = self.instruments.get(request.instrument)
        return instrument is not None and is_exit(request, instrument, self.account)

    def modify(self, order_id: str, *, quantity: int, price: int, trigger: int, who: Who) -> Order:
        """Ask for new terms for a working order; raise Refused when it is not working or the new terms break a rule."""
        order = self._working(order_id)
        terms = msgspec.structs.replace(order.request, quantity=quantity, price=price, trigger=trigger, reference="")
        instrument, now = self.instruments[order.request.instrument], self.clock.now()
        problems = _told(self.risk.check_modification(terms, order, instrument, now, self.account))
        if problems:
            raise Refused(problems)
        body = Ask(order_id=order_id, quantity=quantity, price=price, trigger=trigger)
        self.record(Kind.MODIFY, body, who, order=order)
        self._ask(order, body)
        return order

    def cancel(self, order_id: str, who: Who) -> Order:
        """Ask for the cancellation of a working order; raise Refused when it is not working."""
        order = self._working(order_id)
        body = Ask(order_id=order_id)
        self.record(Kind.CANCEL, body, who, order=order)
        self._ask(order, body)
        return order

    def ask_again(self) -> None:
        """Send once more what a restart lost on its way to the venue; its records are written already."""
        for order_id, asked in self.book.state.asked.items():
            order = self.book.state.orders[order_id]
            for ask in asked if order.request.instrument in self.instruments else ():
                self._ask(order, ask)

    def cancel_all(self, who: Who, *, instrument: str = "", strategy: str | None = None) -> int:
        """Ask for the cancellation of all working orders (of an instrument, of a strategy); return how many."""
        chosen = [
            order
            for order in self.book.working_orders()
            if order.request.instrument in self.instruments
            and (not instrument or order.request.instrument == instrument)
            and (strategy is None or order.request.strategy == strategy)
        ]
        for order in chosen:
            self.cancel(order.id, who)
        return len(chosen)

    # What the venue says

    def on_update(self, update: VenueUpdate) -> None:
        """Book what a venue says; what cannot be true is reported and changes nothing."""
        fill = update.fill
        if fill is not None and fill.id in self.book.seen_fills:
            self.say("warning", f"The venue reported trade {fill.id} again; it is counted once.", "venue")
            return
        if not self.book.allows(update):
            self._impossible(update)
            return
        order = self.book.state.orders[update.order_id]
        if fill is not None:
            update = msgspec.structs.replace(update, fill=self._charged(order, fill))
        elif update.what is Update.CANCELLED:
            update = self._for_exit(update)
        self.record(Kind.UPDATE, update, order=order)
        self.account.work_out()
        self.updates[update.what] += 1
        if self._waiting:
            self._heard(order, update)
        if update.what is Update.REJECTED and order.request.strategy:
            self.say("warning", f"{order.request.strategy}: order {order.id} was rejected: {update.reason}", "venue")

    def working_on(self, key: str) -> list[Order]:
        """Return the orders that work in a position's instrument and product."""
        instrument, product = key.rsplit("|", 1)
        return [order for order in self.book.working.get(instrument, {}).values() if order.request.product == product]

    def when_ended(self, key: str, orders: list[Order], then: Callable[[], None]) -> None:
        """Do `then` for a position when all `orders` have ended; a later wish for it replaces an earlier one."""
        self._waiting[key] = ({order.id for order in orders}, then)

    def _for_exit(self, update: VenueUpdate) -> VenueUpdate:
        """Say of a cancellation what it made way for, which the venue does not know."""
        for key, (awaited, _then) in self._waiting.items():
            if update.order_id in awaited:
                said = update.reason[:1].lower() + update.reason[1:]
                reason = f"Cancelled for the exit of {key.replace('|', ' ')}: {said}"
                return msgspec.structs.replace(update, reason=reason)
        return update

    def note(self, key: str, text: str) -> None:
        """Tell on a position what a person has to know."""
        self.notes[key] = text
        self.book.changed_positions.add(key)

    def _heard(self, order: Order, update: VenueUpdate) -> None:
        for key, (awaited, then) in list(self._waiting.items()):
            if order.id not in awaited:
                continue
            if order.state in TERMINAL:
                awaited.discard(order.id)
            elif update.what is Update.CANCEL_REJECTED:
                del self._waiting[key]
                text = f"{key} was not exited: order {order.id} stays ({update.reason}); exit again."
                self.say("alert", text, "venue")
                continue
            if not awaited:
                del self._waiting[key]
                then()

    # What the market says

    def on_batch(self, batch: Batch) -> None:
        """Journal the digest of the input that is about to be used; a restart has to read the same batch again."""
        state = self.book.state
        if batch.start == state.input_start:
            if batch.digest != state.input_digest:
                self.say("alert", f"Market data from {ist_time(batch.start)} changed since it was traded on.", "feed")
            return
        body = InputBatch(start=batch.start, end=batch.end, ticks=len(batch.ticks), digest=batch.digest)
        self.record(Kind.INPUT, body)

    def take_in(self, tick: Tick) -> None:
        """Know a price that was traded on before a restart: quotes and bars, no fills, no alerts."""
        self.venue.take_in(tick)  # type: ignore[attr-defined]
        self.quotes.on_tick(tick)
        self.account.on_tick(tick.instrument, tick.price)
        self.bars.on_tick(tick)

    def on_tick(self, tick: Tick) -> None:
        """Let a price do its work: fills first, then quotes, bars and alerts."""
        self.venue.on_tick(tick)  # type: ignore[attr-defined]
        self.quotes.on_tick(tick)
        self.account.on_tick(tick.instrument, tick.price)
        self.bars.on_tick(tick)
        self.ticks += 1
        self.newest_tick = tick.ts
        if tick.instrument in self._alerts:
            self._check_alerts(tick)

    def on_minute(self, ts: int) -> None:
        """Close the minute's bars and let strategies decide on them."""
        for bar in self.bars.close(ts):
            if bar.start >= self._first:
                self.runner.on_bar(bar)
        self.account.refresh()
        self.mark()

    def mark(self, *, closing: bool = False) -> None:
        """Journal what the book is worth now."""
        body = Mark(day_pnl=self.account.day_pnl(), equity=self.account.equity(), closing=closing)
        self.record(Kind.MARK, body)

    # Strategies, alerts, state

    def start_strategy(self, change: StrategyChange, who: Who) -> None:
        """Start a strategy from now on, with the parameters in `change`; its code hash is filled in."""
        kernel = self.runner.kernels[change.name]
        parameters = {**kernel.parameters, **change.parameters}
        body = msgspec.structs.replace(change, state="running", parameters=parameters, code_hash=code_hash(kernel))
        self.record(Kind.STRATEGY, body, who)
        self.runner.start(body, self.day_open)

    def stop_strategy(self, name: str, who: Who, reason: str = "") -> None:
        """Stop a strategy: its working orders are cancelled, its positions stay."""
        change = self.book.state.strategies[name]
        self.runner.stop(name)
        self.cancel_all(who, strategy=name)
        self.record(Kind.STRATEGY, msgspec.structs.replace(change, state="stopped", reason=reason), who)

    def set_alert(self, alert: PriceAlert, who: Who) -> None:
        """Set, change or (with `removed`) remove a price alert."""
        self.record(Kind.ALERT, alert, who)
        self.index_alerts()

    def set_trading(self, state: str, reason: str, who: Who) -> None:
        """Change the trading state; it survives a restart."""
        self.record(Kind.STATE, StateChange(state=state, reason=reason), who)

    def index_alerts(self) -> None:
        """File the waiting alerts by instrument."""
        self._alerts = {}
        for alert in self.book.state.alerts.values():
            if not alert.fired:
                self._alerts.setdefault(alert.instrument, []).append(alert)

    # What a runner needs of a desk

    def owned(self, strategy: str, instrument: str) -> int:
        """Return the units that a strategy holds."""
        return self.book.owned(strategy, instrument)

    def pending(self, strategy: str, instrument: str) -> int:
        """Return the signed units of a strategy's working orders."""
        working = self.book.working.get(instrument, {}).values()
        return sum(o.request.side.sign * o.remaining for o in working if o.request.strategy == strategy)

    def instrument(self, key: str) -> Instrument | None:
        """Return an instrument of the day."""
        return self.instruments.get(key)

    day_open: int = 0
    """ns UTC of 09:15 (the session's continuous open) of the market day."""

    # Parts of the above

    def _place_one(self, request: OrderRequest, who: Who, *, funded: bool) -> Order:
        began = _elapsed()
        now = self.clock.now()
        problems, exiting = self._judged(request, who, now, funded=funded)
        if problems:
            self.record(Kind.REFUSAL, Refusal(request=request, problems=problems), who)
            raise Refused(problems)
        instrument = self.instruments[request.instrument]
        order = Order(
            id=client_order_id(now, self._run, self.book.state.sequence + 1),
            request=request,
            state=_PENDING,
            venue=self.venue.name,
            quantity=request.quantity,
            price=request.price,
            trigger=request.trigger,
            created=now,
            updated=now,
            is_exit=exiting,
        )
        checked = _elapsed()
        try:
            self.record(_INTENT, order, who, order=order)
        except JournalUnwritable as error:
            raise Refused([["journal", str(error)]]) from error
        written = _elapsed()
        if exiting:
            self._in_turn(instrument, partial(self._send, order, instrument))
        else:
            self._send(order, instrument)
        self.latencies.add(began, checked, written, _elapsed())
        self.account.work_out()
        return order

    def _send(self, order: Order, instrument: Instrument) -> None:
        self.risk.sent(order.request, instrument, self.clock.now())
        self.venue.place(order, instrument)

    def _ask(self, order: Order, ask: Ask) -> None:
        """Send a change or, without a quantity, a cancellation when its turn has come."""
        instrument = self.instruments[order.request.instrument]

        def send() -> None:
            self.risk.changed(instrument, self.clock.now())
            if ask.quantity:
                self.venue.modify(order, quantity=ask.quantity, price=ask.price, trigger=ask.trigger)
            else:
                self.venue.cancel(order)

        self._in_turn(instrument, send)

    def _in_turn(self, instrument: Instrument, send: Callable[[], None]) -> None:
        if self.paced or self.risk.wait(instrument, self.clock.now()):
            self.paced.append((instrument, send))
        else:
            send()

    def paced_due(self) -> int:
        """Return when the first paced message may go, ns UTC."""
        now = self.clock.now()
        return now + self.risk.wait(self.paced[0][0], now)

    def send_paced(self) -> None:
        """Send the paced messages whose turn has come, in their sequence."""
        while self.paced and not self.risk.wait(self.paced[0][0], self.clock.now()):
            self.paced.popleft()[1]()

    def _sliced(self, request: OrderRequest) -> list[OrderRequest]:
        if not request.slice:
            return [request]
        instrument = self.instruments.get(request.instrument)
        if instrument is None or not instrument.freeze or request.quantity <= instrument.freeze:
            return [request]
        basket = request.basket or f"slices-{self.book.state.sequence + 1}"
        sizes = slice_quantity(request.quantity, instrument.freeze, instrument.lot)
        return [
            msgspec.structs.replace(
                request, quantity=size, basket=basket, reference=f"{request.reference}/{n}" if request.reference else ""
            )
            for n, size in enumerate(sizes)
        ]

    def _working(self, order_id: str) -> Order:
        order = self.book.state.orders.get(order_id)
        if order is None:
            raise Refused([["order", f"There is no order {order_id} today; look in the order book."]])
        if order.request.instrument not in self.instruments:
            text = f"{order.request.instrument} is not in the day's data: import them again, then restart."
            raise Refused([["instrument", text]])
        if order.id not in self.book.working.get(order.request.instrument, {}):
            raise Refused([["order", f"Order {order_id} is {order.state}; only a working order can be changed."]])
        return order

    def _charged(self, order: Order, fill: Fill) -> Fill:
        instrument = self.instruments[fill.instrument]
        so_far = self.book.state.fill_charges.get(order.id)
        first = self.book.delivery_sale(fill.instrument) if fill.product is Product.CNC else ""
        charges = self.charging.of_fill(order, fill, instrument, so_far, dp_due=first in ("", order.id))
        return msgspec.structs.replace(fill, charges=charges, strategy=order.request.strategy)

    def _impossible(self, update: VenueUpdate) -> None:
        order = self.book.state.orders.get(update.order_id)
        state = order.state if order else "unknown"
        self.say(
            "alert", f"Order {update.order_id} is {state}, the venue says {update.what}: look at both books.", "venue"
        )

    def _check_alerts(self, tick: Tick) -> None:
        for alert in self._alerts[tick.instrument]:
            if tick.price >= alert.price if alert.above else tick.price <= alert.price:
                self._fire(alert, tick)

    def _fire(self, alert: PriceAlert, tick: Tick) -> None:
        way = "rose to" if alert.above else "fell to"
        note = f"{alert.instrument} {way} {format_rupees(tick.price)} (alert at {format_rupees(alert.price)})."
        self.record(Kind.ALERT, msgspec.structs.replace(alert, fired=tick.ts, note=note))
        self.index_alerts()

    def _strategy_failed(self, name: str, reason: str) -> None:
        change = self.book.state.strategies[name]
        self.cancel_all(ENGINE, strategy=name)
        self.record(Kind.STRATEGY, msgspec.structs.replace(change, state="failed", reason=reason))

    def _hash_of(self, strategy: str) -> str:
        change = self.book.state.strategies.get(strategy)
        return change.code_hash if change else ""


def _told(refusals: Iterable[RiskRefusal]) -> Problems:
    return [[str(refusal.rule), refusal.text] for refusal in refusals]


def _run_number(book: str) -> int:
    """A number for the book's name, so that two books never name an order alike."""
    number = 0
    for character in book:
        number = (number * 131 + ord(character)) % 36**4
    return number
