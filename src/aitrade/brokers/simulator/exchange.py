"""The paper exchange: the matching core that replay and paper call in process.

Messages arrive after a seeded latency, are checked, and rest in price-time priority until a print reaches them. What it
simplifies, and why, is written in docs/paper-exchange.md.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from heapq import heappop, heappush
from typing import Any, Protocol

import msgspec

from aitrade.brokers.simulator import admission, phases, reasons
from aitrade.brokers.simulator.book import Book
from aitrade.brokers.simulator.facts import DayFacts, Facts
from aitrade.brokers.simulator.floor import Floor
from aitrade.brokers.simulator.latency import Latency
from aitrade.brokers.simulator.matching import share_out
from aitrade.brokers.simulator.working import AT_MARKET, Working, from_order
from aitrade.brokers.venue import Listener, SimulatedVenue, VenueOrder
from aitrade.core.clock import DAY, at, ist_date
from aitrade.core.instruments import Instrument
from aitrade.core.orders import TERMINAL, Fill, Order, OrderState, OrderType, Update, Validity, VenueUpdate
from aitrade.core.quotes import Tick

_PLACE, _MODIFY, _CANCEL = 0, 1, 2
_STATE = {
    Update.REJECTED: OrderState.REJECTED,
    Update.CANCELLED: OrderState.CANCELLED,
    Update.EXPIRED: OrderState.EXPIRED,
}


class Rulebook(Protocol):
    """What the exchange asks of the dated rules where the day's master is silent."""

    def freeze(self, day: date, base: str, /) -> int | None:
        """Return the freeze quantity in units of contracts on `base`, or None."""
        ...


class PaperExchange(SimulatedVenue):
    """An exchange for one account. Deterministic: the same calls and ticks give the same updates.

    `participation` is the percentage of each print's quantity that our orders may take together. Times given to
    `advance` and of ticks never go back; a tick that is older than an order's arrival never fills it.
    """

    name = "paper"

    def __init__(
        self,
        calendar: phases.Sessions,
        rules: Rulebook,
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
        self._listener: Listener = _nobody
        self._orders: dict[str, Working] = {}
        self._books: dict[str, Book] = {}
        self._last: dict[str, Tick] = {}
        self._watched: dict[str, int] = {}
        self._agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0
        self._number = 0
        self._now = 0
        self._midnight = 0
        self._day_facts = self._facts.on(date(1970, 1, 1))

    # what the engine calls

    def connect(self, listener: Listener) -> None:
        """Deliver every update to `listener`, in market order."""
        self._listener = listener

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
        self._now = max(self._now, tick.ts)
        self._last[tick.instrument] = tick
        book = self._books.get(tick.instrument)
        if book is not None and tick.quantity > 0:
            self._print(book, tick)

    def advance(self, ts: int) -> None:
        """Let arrivals and phase changes up to and including `ts` happen, each at its own time."""
        agenda = self._agenda
        while agenda and agenda[0][0] <= ts:
            due, _, happen, details = heappop(agenda)
            self._now = max(self._now, due)
            happen(*details)
        self._now = max(self._now, ts)

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
        self._now = max([self._now, *(order.updated for order in orders)])
        for order in orders:
            if order.id not in self._orders:
                self._put_back(order)

    def halt(self, ts: int, percent: int) -> None:
        """Halt the whole market at `ts` because an index has moved by `percent` (10, 15 or 20).

        All orders are cancelled; after the halt a call auction gathers new ones. The dated table knows how long, and
        when such a move halts nothing any more.
        """
        self.advance(ts)
        self._floor.halt(self._today().halts(percent, ts))
        for segment in {book.segment for book in self._books.values()}:
            self._turn(segment)

    # messages on their way

    def _put_back(self, order: Order) -> None:
        instrument = self._complete(self._instruments[order.request.instrument], order.updated)
        self._orders[order.id] = working = from_order(order, instrument)
        if not working.done:
            self._rest(working)

    def _known(self, order: Order) -> Working:
        """Return our copy of `order`, or a stand-in without a number, of which everything is refused on arrival."""
        known = self._orders.get(order.id)
        if known is None:
            known = from_order(order, self._instruments[order.request.instrument])
            known.number = ""
        return known

    def _send(self, order: Order, working: Working, kind: int, happen: Callable[..., None], *terms: int) -> None:
        sent = max(order.updated, self._now)
        due = max(sent + self._latency.of(order.id, kind), working.due + 1)
        working.due = due
        self._sequence += 1
        heappush(self._agenda, (due, self._sequence, happen, (working, *terms)))

    def _arrive(self, order: Working) -> None:
        phase = self._floor.phase(order.segment, self._now)
        order.number = self._numbered()
        order.since = self._now
        reason = (
            phases.entry_refusal(order, phase, self._now)
            or admission.refusal(order, self._today())
            or self._price_refusal(order, phases.conduct(phase))
        )
        if reason:
            self._end(order, Update.REJECTED, reason)
            return
        self._bound(order, phases.conduct(phase))
        order.state = OrderState.OPEN
        self._say(order, Update.ACCEPTED, terms=True)
        self._enter(order)

    def _price_refusal(self, order: Working, rules: phases.Conduct) -> str:
        """Return why a session that knows its price beforehand does not take the order's, or ""."""
        reference = self._reference(order) if order.limit and (rules.closing or rules.at_close) else 0
        if not reference:
            return ""
        if rules.at_close:
            return reasons.not_the_close(order, reference) if order.limit != reference else ""
        band = self._today().closing_band(reference, order.instrument.tick)
        return reasons.outside_auction(order, band) if band[1] and not band[0] <= order.limit <= band[1] else ""

    def _bound(self, order: Working, rules: phases.Conduct) -> None:
        """Bound a market order by its protection price; after the close by the close; in an auction not at all."""
        if not order.taking or rules.collects:
            return
        if rules.at_close:
            order.limit, order.taking = self._reference(order), False
        else:
            order.limit = self._protection_price(order, self._last_price(order))

    def _amend(self, order: Working, quantity: int, price: int, trigger: int) -> None:
        limit, stop = _new_terms(order, price, trigger)
        wanted = msgspec.structs.replace(order, quantity=quantity, limit=limit, trigger=stop)
        reason = self._amend_refusal(order, wanted, trigger)
        if reason:
            self._say(order, Update.MODIFY_REJECTED, reason)
            return
        self._leave(order)
        keeps = (limit, stop) == (order.limit, order.trigger) and quantity <= order.quantity
        order.quantity, order.limit, order.trigger = quantity, limit, stop
        order.taking = order.taking and not price
        self._say(order, Update.MODIFIED, terms=True)
        self._enter(order, order.rank[1] if keeps else None)

    def _amend_refusal(self, order: Working, wanted: Working, trigger: int) -> str:
        if order.done or not order.number:
            return reasons.nothing_left(order, "changed")
        if wanted.quantity <= order.filled:
            return reasons.below_filled(order, wanted.quantity)
        if order.trigger and not order.waiting and trigger not in (0, order.trigger):
            return reasons.has_triggered(order)
        phase = self._floor.phase(order.segment, self._now)
        return (
            phases.alter_refusal(order, phase, self._now)
            or admission.refusal(wanted, self._today())
            or self._price_refusal(wanted, phases.conduct(phase))
        )

    def _withdraw(self, order: Working) -> None:
        phase = self._floor.phase(order.segment, self._now)
        if order.done or not order.number:
            self._say(order, Update.CANCEL_REJECTED, reasons.nothing_left(order, "cancelled"))
        elif reason := phases.alter_refusal(order, phase, self._now):
            self._say(order, Update.CANCEL_REJECTED, reason)
        else:
            self._leave(order)
            self._end(order, Update.CANCELLED, reasons.on_request(order))

    def _complete(self, instrument: Instrument, ts: int) -> Instrument:
        if instrument.freeze or not instrument.is_derivative:
            return instrument
        freeze = self._rules.freeze(ist_date(ts), instrument.underlying.rpartition(":")[2]) or 0
        return msgspec.structs.replace(instrument, freeze=freeze) if freeze else instrument

    # the book

    def _enter(self, order: Working, sequence: int | None = None) -> None:
        rival = None if order.waiting else self._rival(order)
        if rival:
            self._end(order, Update.CANCELLED, reasons.self_trade(rival))
            return
        self._rest(order, sequence)

    def _rest(self, order: Working, sequence: int | None = None) -> None:
        self._sequence += 1
        order.ranked(self._sequence if sequence is None else sequence)
        book = self._books.get(order.instrument.key)
        if book is None:
            book = self._open_book(order)
        book.add(order)
        if order.taking or order.validity is Validity.IOC:
            book.fresh.append(order)

    def _open_book(self, order: Working) -> Book:
        book = self._books[order.instrument.key] = Book(order.instrument, order.segment)
        phase = self._floor.phase(book.segment, self._now)
        book.auction = phases.conduct(phase).collects
        self._watch(book.segment, phase.end)
        return book

    def _leave(self, order: Working) -> None:
        book = self._books[order.instrument.key]
        book.remove(order)
        if not book:
            del self._books[order.instrument.key]

    def _rival(self, order: Working) -> Working | None:
        """Return the resting order of ours that `order` would trade with, or None.

        A limit order meets whatever it crosses; a market order meets only what stands at the best quote, for it trades
        there first.
        """
        book = self._books.get(order.instrument.key)
        if book is None or book.auction:
            return None
        rival = next((other for other in (book.offers if order.sign > 0 else book.bids) if other.rests), None)
        bound = self._best(order) if order.taking else order.limit
        return rival if rival and bound and order.sign * (rival.limit - bound) <= 0 else None

    def _best(self, order: Working) -> int:
        """Return the best price that the market offers a taker, no worse than its bound; 0 where none is known."""
        last = self._last.get(order.instrument.key)
        if last is None:
            return 0
        best = (last.ask if order.sign > 0 else last.bid) or last.price
        return min(best, order.limit) if order.sign > 0 and order.limit else max(best, order.limit)

    def _protection_price(self, order: Working, reference: int) -> int:
        """Return the protection price, or 0 where no reference is known."""
        return self._today().protection_price(order.instrument, order.sign, reference) if reference else 0

    def _reference(self, order: Working) -> int:
        """Return the last price of the day, or the close of the day before; 0 where neither is known."""
        return self._last_price(order) or order.instrument.previous_close

    def _last_price(self, order: Working) -> int:
        """Return the last price of the day, 0 before the first."""
        last = self._last.get(order.instrument.key)
        return last.price if last and last.ts >= self._midnight - DAY else 0

    # a print

    def _print(self, book: Book, tick: Tick) -> None:
        rules = phases.conduct(self._floor.phase(book.segment, self._now))
        if not (rules.uncrosses if book.auction else rules.trades):
            return
        for order in book.fresh:
            if not order.limit and not book.auction:
                book.rerank(order, self._protection_price(order, tick.price))
        for order, quantity, price in share_out(book, tick, self._participation):
            self._fill(book, order, quantity, price, tick)
        fresh, book.fresh = book.fresh, []
        for order in fresh:
            self._settle(book, order, tick)
        book.auction = book.auction and rules.collects
        if not rules.collects:
            for order in book.triggered(tick.price):
                self._trigger(book, order, tick)
        if not book:
            self._books.pop(book.instrument.key, None)

    def _fill(self, book: Book, order: Working, quantity: int, price: int, tick: Tick) -> None:
        order.filled += quantity
        order.filled_value += quantity * price
        order.state = OrderState.PARTIALLY_FILLED if order.remaining else OrderState.FILLED
        if order.done:
            book.remove(order)
        self._number = number = max(tick.ts, self._number + 1)
        fill = Fill(
            id=str(number),
            order_id=order.id,
            instrument=order.instrument.key,
            side=order.side,
            quantity=quantity,
            price=price,
            ts=tick.ts,
            product=order.product,
            strategy=order.strategy,
            modelled=tick.modelled,
        )
        self._say(order, Update.FILL, fill=fill)

    def _settle(self, book: Book, order: Working, tick: Tick) -> None:
        """Let the first print decide what becomes of a market order, a triggered stop or an IOC."""
        if order.since > tick.ts:
            book.fresh.append(order)
        elif order.validity is Validity.IOC:
            book.remove(order)
            self._end(order, Update.CANCELLED, reasons.ioc(order, tick, self._participation))
        elif order.taking:
            self._rest_at_bound(book, order, tick)

    def _rest_at_bound(self, book: Book, order: Working, tick: Tick) -> None:
        order.taking = False
        reason = reasons.rests(order, tick, self._participation)
        if book.auction and not order.limit:
            book.rerank(order, tick.price)
            reason = reasons.auction_rest(order)
        if rival := self._rival(order):
            book.remove(order)
            self._end(order, Update.CANCELLED, reasons.self_trade(rival))
        elif order.type is not OrderType.SL:
            self._say(order, Update.MODIFIED, reason, terms=True)

    def _trigger(self, book: Book, order: Working, tick: Tick) -> None:
        if order.since > tick.ts:
            return
        book.remove(order)
        order.waiting, order.taking, order.since = False, True, tick.ts
        if order.type is OrderType.SL_M:
            order.limit = self._protection_price(order, tick.price)
        self._say(order, Update.TRIGGERED, reasons.triggered(order, tick), terms=True)
        self._enter(order)

    # phases

    def _watch(self, segment: str, end: int) -> None:
        if self._watched.get(segment) != end:
            self._watched[segment] = end
            self._sequence += 1
            heappush(self._agenda, (end, -self._sequence, self._turn, (segment,)))

    def _turn(self, segment: str) -> None:
        """Begin the phase that holds now: what it does not keep leaves the book."""
        phase = self._floor.phase(segment, self._now)
        rules = phases.conduct(phase)
        for book in [book for book in self._books.values() if book.segment == segment]:
            for order in list(book):
                self._turn_order(order, rules)
            book.auction = book.auction or rules.collects
        if any(book.segment == segment for book in self._books.values()):
            self._watch(segment, phase.end)

    def _turn_order(self, order: Working, rules: phases.Conduct) -> None:
        if rules.ends:
            last = self._last.get(order.instrument.key)
            self._drop(order, Update.EXPIRED, reasons.expired(order, last, self._now, self._participation))
        elif rules.purges:
            self._drop(order, Update.CANCELLED, reasons.HALTED)
        elif rules.closing and order.waiting:
            self._drop(order, Update.CANCELLED, reasons.STOPS_OUT)
        elif rules.closing and (reason := self._price_refusal(order, rules)):
            self._drop(order, Update.CANCELLED, reason)

    def _drop(self, order: Working, what: Update, reason: str) -> None:
        self._leave(order)
        self._end(order, what, reason)

    # what is said

    def _end(self, order: Working, what: Update, reason: str) -> None:
        order.state = _STATE[what]
        self._say(order, what, reason)

    def _say(
        self, order: Working, what: Update, reason: str = "", *, fill: Fill | None = None, terms: bool = False
    ) -> None:
        self._listener(
            VenueUpdate(
                order_id=order.id,
                what=what,
                ts=self._now,
                exchange_ts=self._now,
                broker_order_id=order.number,
                exchange_order_id=order.number,
                reason=reason,
                fill=fill,
                quantity=order.quantity if terms else 0,
                price=order.limit if terms else 0,
                trigger=order.trigger if terms else 0,
            )
        )

    def _numbered(self) -> str:
        self._number = max(self._now, self._number + 1)
        return str(self._number)

    def _today(self) -> DayFacts:
        if self._now >= self._midnight:
            day = ist_date(self._now)
            self._midnight, self._day_facts = at(day, "24:00"), self._facts.on(day)
            self._orders = {key: order for key, order in self._orders.items() if not order.done}
        return self._day_facts


def _new_terms(order: Working, price: int, trigger: int) -> tuple[int, int]:
    """Return limit and trigger after a change: a market order may keep its bound, a waiting SL-M has none yet."""
    if order.type not in AT_MARKET:
        return price, trigger if order.waiting else order.trigger
    return (0, trigger) if order.waiting else (price or order.limit, order.trigger)


def _nobody(_update: VenueUpdate) -> None:
    """Hear nothing, until the engine connects."""
