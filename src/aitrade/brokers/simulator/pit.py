"""The pit: where working orders meet prints."""

from collections.abc import Iterator

from aitrade.brokers.simulator import reasons
from aitrade.brokers.simulator.book import Book
from aitrade.brokers.simulator.facts import DayFacts
from aitrade.brokers.simulator.matching import share_out
from aitrade.brokers.simulator.phases import Conduct
from aitrade.brokers.simulator.tape import Tape
from aitrade.brokers.simulator.working import Working
from aitrade.core.orders import OrderType, Update, Validity
from aitrade.core.quotes import Tick
from aitrade.market.calendar import Segment


class Pit:
    """The books of all instruments that have working orders, and the last tick of every instrument."""

    def __init__(self, tape: Tape, participation: int, facts: DayFacts) -> None:
        self.books: dict[str, Book] = {}
        self.last: dict[str, Tick] = {}
        self.facts = facts
        self.morning = 0
        """The day's first ns: a last price from before it is none."""
        self._tape = tape
        self._participation = participation
        self._sequence = 0

    def working(self, segment: Segment) -> Iterator[Book]:
        """Yield the books of a segment; they may be emptied meanwhile."""
        yield from [book for book in self.books.values() if book.segment == segment]

    def enter(self, order: Working, *, gathers: bool, sequence: int | None = None) -> None:
        """Put `order` into its book, unless it would trade with one of ours that rests there already."""
        rival = None if order.waiting else self._rival(order)
        if rival:
            self._tape.end(order, Update.CANCELLED, reasons.self_trade(rival))
        else:
            self.rest(order, gathers=gathers, sequence=sequence)

    def rest(self, order: Working, *, gathers: bool, sequence: int | None = None) -> None:
        """Put `order` behind what has its price already, or back to its place in the `sequence`.

        `gathers` says whether orders gather for a call auction now.
        """
        self._sequence += 1
        order.ranked(self._sequence if sequence is None else sequence)
        book = self.books.get(order.instrument.key)
        if book is None:
            book = self.books[order.instrument.key] = Book(order.instrument, order.segment)
            book.auction = gathers
        book.add(order)
        if order.taking or order.validity is Validity.IOC:
            book.fresh.append(order)

    def leave(self, order: Working) -> None:
        """Take `order` out."""
        book = self.books[order.instrument.key]
        book.remove(order)
        if not book:
            del self.books[order.instrument.key]

    def last_price(self, order: Working) -> int:
        """Return the last price of the day in paise, 0 before the first."""
        last = self.last.get(order.instrument.key)
        return last.price if last and last.ts >= self.morning else 0

    def protect(self, order: Working, reference: int) -> None:
        """Bound a market order by its protection price; without a reference its first print will."""
        if reference:
            order.limit = self.facts.protection_price(order.instrument, order.sign, reference)

    def print(self, book: Book, tick: Tick, rules: Conduct) -> None:
        """Let a tick with quantity do its work: fill, decide about orders that waited for it, trigger stops."""
        if not (rules.uncrosses if book.auction else rules.trades):
            return
        if not book.auction:
            self._bound_fresh(book, tick)
        for order, quantity, price in share_out(book, tick, self._participation):
            if quantity == order.remaining:
                book.remove(order)
            self._tape.fill(order, quantity, tick, price)
        self._settle_fresh(book, tick)
        book.auction = book.auction and rules.collects
        if not rules.collects:
            for order in book.triggered(tick.price):
                self._trigger(book, order, tick)
        if not book:
            self.books.pop(book.instrument.key, None)

    def _rival(self, order: Working) -> Working | None:
        """Return the resting order of ours that `order` would trade with, or None.

        A limit order meets whatever it crosses; a market order meets only what stands at the best quote, for it trades
        there first.
        """
        book = self.books.get(order.instrument.key)
        if book is None or book.auction:
            return None
        rival = next((other for other in (book.offers if order.sign > 0 else book.bids) if other.rests), None)
        bound = self._best(order) if order.taking else order.limit
        return rival if rival and bound and order.sign * (rival.limit - bound) <= 0 else None

    def _best(self, order: Working) -> int:
        """Return the best price that the market offers a taker, no worse than its bound; 0 where none is known."""
        last = self.last.get(order.instrument.key)
        if last is None:
            return 0
        best = (last.ask if order.sign > 0 else last.bid) or last.price
        return min(best, order.limit) if order.sign > 0 and order.limit else max(best, order.limit)

    def _bound_fresh(self, book: Book, tick: Tick) -> None:
        """Bound the market orders that came before the day's first print."""
        for order in [order for order in book.fresh if not order.limit]:
            book.rerank(order, self.facts.protection_price(order.instrument, order.sign, tick.price))

    def _settle_fresh(self, book: Book, tick: Tick) -> None:
        """Let its first print decide what becomes of a market order, a triggered stop or an IOC."""
        fresh, book.fresh = book.fresh, []
        for order in fresh:
            if order.since > tick.ts:
                book.fresh.append(order)
            elif order.validity is Validity.IOC:
                book.remove(order)
                self._tape.end(order, Update.CANCELLED, reasons.ioc(order, tick, self._participation))
            elif order.taking:
                self._stand(book, order, tick)

    def _stand(self, book: Book, order: Working, tick: Tick) -> None:
        """Leave the rest of a market order or a stop in the book as a limit order."""
        order.taking = False
        reason = reasons.rests(order, tick, self._participation)
        if book.auction and not order.limit:
            book.rerank(order, tick.price)
            reason = reasons.auction_rest(order)
        if rival := self._rival(order):
            book.remove(order)
            self._tape.end(order, Update.CANCELLED, reasons.self_trade(rival))
        elif order.type is not OrderType.SL:
            self._tape.say(order, Update.MODIFIED, reason, terms=True)

    def _trigger(self, book: Book, order: Working, tick: Tick) -> None:
        if order.since > tick.ts:
            return
        book.remove(order)
        order.waiting, order.taking, order.since = False, True, tick.ts
        if order.type is OrderType.SL_M:
            self.protect(order, tick.price)
        self._tape.say(order, Update.TRIGGERED, reasons.triggered(order, tick), terms=True)
        self.enter(order, gathers=False)
