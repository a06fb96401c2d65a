"""The paper exchange: the matching core that replay and paper call in process.

Messages arrive after a seeded latency, are checked, and rest in price-time priority until a print reaches them. What it
simplifies, and why, is written in docs/paper-exchange.md.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from heapq import heappop, heappush
from typing import Any

import msgspec

from aitrade.brokers.simulator import admission, phases, reasons
from aitrade.brokers.simulator.closing import Closing
from aitrade.brokers.simulator.facts import DayFacts, Facts
from aitrade.brokers.simulator.floor import Floor
from aitrade.brokers.simulator.latency import Latency
from aitrade.brokers.simulator.pit import Pit
from aitrade.brokers.simulator.tape import Tape
from aitrade.brokers.simulator.working import AT_MARKET, Working, from_order
from aitrade.brokers.venue import Listener, SimulatedVenue, VenueOrder
from aitrade.core.clock import MINUTE, at, ist_date
from aitrade.core.instruments import Instrument
from aitrade.core.orders import TERMINAL, Order, OrderState, Update
from aitrade.core.quotes import Tick
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.rules import Rules

OLD = 2 * MINUTE
"""Whoever sends an order at market to what has not printed for so long is told that it waits."""
_PLACE, _MODIFY, _CANCEL = 0, 1, 2


class PaperExchange(SimulatedVenue):
    """An exchange for one account. Deterministic: the same calls and ticks give the same updates.

    `participation` is the percentage of each print's quantity that our orders may take together. Times given to
    `advance` and of ticks never go back; a tick that is older than an order's arrival never fills it.
    """

    name = "paper"

    def __init__(
        self,
        calendar: Calendar,
        rules: Rules,
        instruments: Mapping[str, Instrument],
        seed: int = 0,
        *,
        participation: int = 25,
        latency: Latency | None = None,
        facts: Facts | None = None,
    ) -> None:
        self._floor = Floor(calendar)
        self._rules = rules
        self._instruments = instruments
        self._participation = participation
        self._latency = latency or Latency(seed=seed)
        self._facts = facts or Facts.load()
        self._closing = Closing(calendar, self._facts, instruments)
        self._tape = Tape()
        self._pit = Pit(self._tape, participation, self._facts.on(date(1970, 1, 1)))
        self._orders: dict[str, Working] = {}
        self._watched: dict[Segment, int] = {}
        self._agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sent = 0
        self._midnight = 0
        self._unpriced = ""

    # what the engine calls

    def connect(self, listener: Listener) -> None:
        """Deliver every update to `listener`, in market order."""
        self._tape.listener = listener

    def place(self, order: Order, instrument: Instrument) -> None:
        """Send `order`; it arrives a latency after `order.updated`. The same id twice is one order."""
        if order.id in self._orders:
            return
        self._orders[order.id] = working = from_order(order, self._complete(instrument, order.updated))
        self._send(order, working, _PLACE, self._arrive)

    def modify(self, order: Order, *, quantity: int, price: int, trigger: int) -> None:
        """Ask for new terms; `quantity` is the total, filled units included; a `price` of 0 keeps a market order's."""
        working = self._known(order)
        self._send(order, working, _MODIFY, self._amend, quantity, price, trigger)

    def cancel(self, order: Order) -> None:
        """Ask for the cancellation of what has not filled by the time that the message arrives."""
        self._send(order, self._known(order), _CANCEL, self._withdraw)

    def order_book(self) -> list[VenueOrder]:
        """Return every order of the day, in the order in which they were sent."""
        return [
            VenueOrder(
                order_id=order.id,
                broker_order_id=order.number,
                state=order.state,
                filled=order.filled,
                filled_value=order.filled_value,
            )
            for order in self._orders.values()
        ]

    def on_tick(self, tick: Tick) -> None:
        """Match against one print; a tick without quantity moves quotes and fills nothing."""
        if self._agenda and self._agenda[0][0] <= tick.ts:
            self.advance(tick.ts)
        tape, pit = self._tape, self._pit
        tape.now = max(tape.now, tick.ts)
        pit.last[tick.instrument] = tick
        if tick.ts >= self._closing.since:
            self._closing.note(tick)
        book = pit.books.get(tick.instrument)
        if book is not None and tick.quantity > 0:
            pit.print(book, tick, phases.conduct(self._floor.phase(book.segment, tape.now)))

    def take_in(self, tick: Tick) -> None:
        """Know a print from before a restart: it is the last price and counts for the close, and fills nothing."""
        self._pit.last[tick.instrument] = tick
        self._closing.note(tick)

    def remembers_from(self, now: int) -> int:
        """Return from when on prints have to be taken in at a restart at `now`, ns UTC; 0 where none has to be."""
        return self._closing.began(now)

    def advance(self, ts: int) -> None:
        """Let arrivals and phase changes up to and including `ts` happen, each at its own time."""
        agenda, tape = self._agenda, self._tape
        while agenda and agenda[0][0] <= ts:
            due, _, happen, details = heappop(agenda)
            tape.now = max(tape.now, due)
            happen(*details)
        tape.now = max(tape.now, ts)

    def next_due(self) -> int | None:
        """Return when the next arrival or phase change is due, ns UTC."""
        return self._agenda[0][0] if self._agenda else None

    def restore(self, orders: Iterable[Order]) -> None:
        """Put back the orders of a book after a restart.

        An order that the exchange had confirmed stands where it stood, in the sequence of its exchange number; one that
        was on its way is sent again; an ended one only shows in `order_book`. Asked-for changes and cancellations that
        were on their way are lost with the process that sent them.
        """
        orders = sorted(orders, key=lambda order: (order.exchange_order_id, order.id))
        under_way = [order for order in orders if not order.exchange_order_id and order.state not in TERMINAL]
        for order in under_way:
            self.place(order, self._instruments[order.request.instrument])
        self._tape.now = max([self._tape.now, *(order.updated for order in orders)])
        for order in orders:
            if order.id not in self._orders:
                self._put_back(order)

    def priced(self, why_not: str) -> None:
        """Take in that no price comes, and why: what arrives waits, and is told so; "" when prices come again."""
        self._unpriced = why_not

    def halt(self, ts: int, percent: int) -> None:
        """Halt the whole market at `ts` because an index has moved by `percent` (10, 15 or 20).

        All orders are cancelled; after the halt a call auction gathers new ones. The dated table knows how long, and
        when such a move halts nothing any more.
        """
        self.advance(ts)
        self._floor.halt(self._today().halts(percent, ts))
        for segment in {book.segment for book in self._pit.books.values()}:
            self._turn(segment)

    # messages on their way

    def _put_back(self, order: Order) -> None:
        instrument = self._complete(self._instruments[order.request.instrument], order.updated)
        self._orders[order.id] = working = from_order(order, instrument)
        if not working.done:
            phase = self._floor.phase(working.segment, self._tape.now)
            self._pit.rest(working, gathers=phases.conduct(phase).collects)
            self._watch(working.segment, phase.end)

    def _known(self, order: Order) -> Working:
        """Return our copy of `order`, or a stand-in without a number, of which everything is refused on arrival."""
        known = self._orders.get(order.id)
        if known is None:
            known = from_order(order, self._instruments[order.request.instrument])
            known.number = ""
        return known

    def _send(self, order: Order, working: Working, kind: int, happen: Callable[..., None], *terms: int) -> None:
        sent = max(order.updated, self._tape.now)
        due = max(sent + self._latency.of(order.id, kind), working.due + 1)
        working.due = due
        self._sent += 1
        heappush(self._agenda, (due, self._sent, happen, (working, *terms)))

    def _arrive(self, order: Working) -> None:
        tape = self._tape
        phase = self._floor.phase(order.segment, tape.now)
        rules = phases.conduct(phase)
        order.number, order.since = tape.number(), tape.now
        reason = (
            phases.entry_refusal(order, phase, tape.now)
            or admission.refusal(order, self._today())
            or self._price_refusal(order, rules)
            or (self._trigger_refusal(order) if order.waiting else "")
            or self._expiry_refusal(order)
        )
        if reason:
            tape.end(order, Update.REJECTED, reason)
            return
        self._bound(order, rules)
        order.state = OrderState.OPEN
        tape.say(order, Update.ACCEPTED, self._unpriced or self._old_price(order, rules), terms=True)
        self._watch(order.segment, phase.end)
        self._pit.enter(order, gathers=rules.collects)

    def _price_refusal(self, order: Working, rules: phases.Conduct) -> str:
        """Return why a session that knows its price beforehand does not take the order's, or ""."""
        reference = self._reference(order) if order.limit and (rules.closing or rules.at_close) else 0
        if not reference:
            return ""
        if rules.at_close:
            return reasons.not_the_close(order, reference) if order.limit != reference else ""
        band = self._today().closing_band(reference, order.instrument.tick)
        return reasons.outside_auction(order, band) if band[1] and not band[0] <= order.limit <= band[1] else ""

    def _old_price(self, order: Working, rules: phases.Conduct) -> str:
        """Return that an order at market waits, where its instrument prints no more; or ""."""
        last = self._pit.last.get(order.instrument.key)
        waits = order.taking and not rules.collects and last is not None and self._tape.now - last.ts > OLD
        return reasons.waits(last) if waits and last is not None else ""

    def _trigger_refusal(self, order: Working) -> str:
        """Return why a stop's trigger lies on the wrong side of the last price (first, yesterday's), or ""."""
        last = self._pit.last_price(order) or order.instrument.previous_close
        return reasons.fires_at_once(order, last) if last and (order.trigger - last) * order.sign <= 0 else ""

    def _reference(self, order: Working) -> int:
        """Return the close, or before there is one the closing auction's reference; 0 where no price is known.

        The print of the auction's match is the close. Else it is the window's average; the last price where nothing
        printed in the window, and before any print yesterday's close.
        """
        last, match = self._pit.last.get(order.instrument.key), self._closing.match(order.segment, self._tape.now)
        if last is not None and match and last.ts >= match and last.quantity:
            return last.price
        average = self._closing.average(order.instrument, self._tape.now)
        return average or self._pit.last_price(order) or order.instrument.previous_close

    def _expiry_refusal(self, order: Working) -> str:
        """Return why an expiring index contract does not trade any more, or ""; while it does, note when it stops."""
        stops = self._last_trade(order)
        if not stops:
            return ""
        if self._tape.now >= stops:
            return reasons.contract_stopped(order, stops)
        self._sent += 1
        heappush(self._agenda, (stops, -self._sent, self._stop_contract, (order.instrument.key,)))
        return ""

    def _last_trade(self, order: Working) -> int:
        instrument = order.instrument
        if not instrument.expiry or not self._rules.is_index(_base(instrument)):
            return 0
        return self._today().last_trade(instrument.expiry)

    def _stop_contract(self, key: str) -> None:
        for order in list(self._pit.books.get(key, ())):
            self._expire(order)

    def _bound(self, order: Working, rules: phases.Conduct) -> None:
        """Bound a market order by its protection price; after the close by the close; in an auction not at all."""
        if not order.taking or rules.collects:
            return
        if rules.at_close:
            order.limit, order.taking = self._reference(order), False
        else:
            self._pit.protect(order, self._pit.last_price(order))

    def _amend(self, order: Working, quantity: int, price: int, trigger: int) -> None:
        limit, stop = _new_terms(order, price, trigger)
        wanted = msgspec.structs.replace(order, quantity=quantity, limit=limit, trigger=stop)
        reason = self._amend_refusal(order, wanted, trigger)
        if reason:
            self._tape.say(order, Update.MODIFY_REJECTED, reason)
            return
        self._pit.leave(order)
        keeps = (limit, stop) == (order.limit, order.trigger) and quantity <= order.quantity
        order.quantity, order.limit, order.trigger = quantity, limit, stop
        order.taking = order.taking and not price
        self._tape.say(order, Update.MODIFIED, terms=True)
        rules = phases.conduct(self._floor.phase(order.segment, self._tape.now))
        self._pit.enter(order, gathers=rules.collects, sequence=order.rank[1] if keeps else None)

    def _amend_refusal(self, order: Working, wanted: Working, trigger: int) -> str:
        if order.done or not order.number:
            return reasons.nothing_left(order, "changed")
        if wanted.quantity <= order.filled:
            return reasons.below_filled(order, wanted.quantity)
        if order.trigger and not order.waiting and trigger not in (0, order.trigger):
            return reasons.has_triggered(order)
        phase = self._floor.phase(order.segment, self._tape.now)
        return (
            phases.alter_refusal(order, phase, self._tape.now)
            or admission.refusal(wanted, self._today())
            or self._price_refusal(wanted, phases.conduct(phase))
            or (self._trigger_refusal(wanted) if order.waiting and trigger != order.trigger else "")
        )

    def _withdraw(self, order: Working) -> None:
        tape = self._tape
        if order.done or not order.number:
            tape.say(order, Update.CANCEL_REJECTED, reasons.nothing_left(order, "cancelled"))
        elif reason := phases.alter_refusal(order, self._floor.phase(order.segment, tape.now), tape.now):
            tape.say(order, Update.CANCEL_REJECTED, reason)
        else:
            self._drop(order, Update.CANCELLED, reasons.on_request(order))

    def _drop(self, order: Working, what: Update, reason: str) -> None:
        self._pit.leave(order)
        self._tape.end(order, what, reason)

    def _complete(self, instrument: Instrument, ts: int) -> Instrument:
        if instrument.freeze or not instrument.is_derivative:
            return instrument
        freeze = self._rules.freeze(ist_date(ts), _base(instrument)) or 0
        return msgspec.structs.replace(instrument, freeze=freeze) if freeze else instrument

    # phases

    def _watch(self, segment: Segment, end: int) -> None:
        """Note that the segment's phase ends; a phase's end comes before the messages that arrive at that moment."""
        if self._watched.get(segment) != end:
            self._watched[segment] = end
            self._sent += 1
            heappush(self._agenda, (end, -self._sent, self._turn, (segment,)))

    def _turn(self, segment: Segment) -> None:
        """Begin the phase that holds now: what it does not keep leaves the book."""
        phase = self._floor.phase(segment, self._tape.now)
        rules = phases.conduct(phase)
        for book in self._pit.working(segment):
            for order in list(book):
                self._turn_order(order, rules)
            book.auction = book.auction or rules.collects
        if any(self._pit.working(segment)):
            self._watch(segment, phase.end)

    def _turn_order(self, order: Working, rules: phases.Conduct) -> None:
        if rules.ends:
            self._expire(order)
        elif rules.purges:
            self._drop(order, Update.CANCELLED, reasons.HALTED)
        elif rules.closing and order.waiting:
            self._drop(order, Update.CANCELLED, reasons.STOPS_OUT)
        elif rules.closing and (reason := self._price_refusal(order, rules)):
            self._drop(order, Update.CANCELLED, reason)

    def _expire(self, order: Working) -> None:
        last = self._pit.last.get(order.instrument.key)
        self._drop(order, Update.EXPIRED, reasons.expired(order, last, self._tape.now, self._participation))

    def _today(self) -> DayFacts:
        """Return the day's facts; on a new day forget the ended orders of the one before."""
        if self._tape.now >= self._midnight:
            day = ist_date(self._tape.now)
            self._midnight, self._pit.morning = at(day, "24:00"), at(day, "00:00")
            self._pit.facts = self._facts.on(day)
            self._orders = {key: order for key, order in self._orders.items() if not order.done}
        return self._pit.facts


def _new_terms(order: Working, price: int, trigger: int) -> tuple[int, int]:
    """Return limit and trigger after a change: a market order may keep its bound, a waiting SL-M has none yet."""
    if order.type not in AT_MARKET:
        return price, trigger if order.waiting else order.trigger
    return (0, trigger) if order.waiting else (price or order.limit, order.trigger)


def _base(instrument: Instrument) -> str:
    return instrument.underlying.rpartition(":")[2]
