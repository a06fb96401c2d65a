"""Between two market days of a simulated or replayed book: what the clearing corporation and the depository do.

In this order: DAY orders that still work expire; expiring contracts settle; futures are marked to the close; deliveries
settle, the day's purchases become holdings; what goes ex the next morning is applied. A live book is told all of this
by its broker.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from aitrade.brokers.simulator import clearing
from aitrade.brokers.simulator.clearing import Held
from aitrade.core.clock import ist_date
from aitrade.core.events import CashMove, Kind
from aitrade.core.instruments import Kind as What
from aitrade.core.money import format_rupees
from aitrade.core.orders import Product, Update, VenueUpdate
from aitrade.market.calendar import Calendar
from aitrade.market.corporate_actions import Action, ActionKind, parse_subject
from aitrade.market.feeds import Feed
from aitrade.market.rules import Rules

if TYPE_CHECKING:
    from aitrade.engine.loop import Engine


_SHARES = frozenset({ActionKind.SPLIT, ActionKind.BONUS})
"""What changes units."""


class Overnight:
    """Closes the books of one day. The engine still has that day's instruments and prices."""

    def __init__(self, engine: "Engine", calendar: Calendar, rules: Rules, day: date) -> None:
        self._engine = engine
        self._calendar = calendar
        self._day = day
        self._rules = rules
        self._made: Counter[str] = Counter()
        self._before = Counter(engine.book.state.day.night)

    def run(self, following: Feed) -> None:
        """Do everything that lies between this day and `following`."""
        self._expire_orders()
        for held in list(self._held()):
            self._end_of(held)
        self._settle()
        self._corporate_actions(following)

    def _expire_orders(self) -> None:
        now = self._engine.clock.now()
        for order in self._engine.book.working_orders():
            reason = "the market day ended"
            self._engine.on_update(VenueUpdate(order_id=order.id, what=Update.EXPIRED, ts=now, reason=reason))

    def _end_of(self, held: Held) -> None:
        instrument = held.instrument
        if instrument.is_derivative and instrument.expiry <= self._day.isoformat():
            spot = self._engine.quotes.last(instrument.underlying) or self._implied(held)
            rates = self._engine.charging.rates(instrument, Product.NRML)
            self._move(clearing.expire(held, spot, rates, self._rules))
        elif instrument.kind is What.FUTURE and (last := self._engine.quotes.last(instrument.key)):
            self._move(clearing.mark_to_market(held, last))

    def _implied(self, held: Held) -> int:
        """Return what an underlying that nobody has a price of stands at by the contract itself, and say so."""
        spot = clearing.implied(held, self._engine.quotes.last(held.instrument.key))
        text = f"{held.instrument.underlying} has no price: {held.instrument.key} settles by its own last price"
        self._engine.say(
            "alert", f"{text}, as if at {format_rupees(spot)}; compare it with the exchange's.", "clearing"
        )
        return spot

    def _settle(self) -> None:
        """What was bought on a day that has settled by this one is delivered; the day's purchases become T+1."""
        for key, holding in list(self._engine.book.state.holdings.items()):
            come = holding.t1 - min(sum(unsettled(holding.bought, self._calendar, self._day).values()), holding.t1)
            if come:
                note = f"{key}: {come} units delivered."
                self._move(CashMove(why="settlement", instrument=key, product="CNC", settled=come, note=note))
        for held in list(self._held()):
            if held.product == Product.CNC and held.quantity > 0:
                self._move(clearing.carry(held))

    def _corporate_actions(self, following: Feed) -> None:
        for row in following.corporate_actions:
            for action in parse_subject(row.subject):
                affected = [held for held in [*self._held(), *self._holdings()] if held.instrument.symbol == row.symbol]
                for held in affected:
                    self._go_ex(held, action)

    def _go_ex(self, held: Held, action: Action) -> None:
        """A contract gets no dividend; a split changes a future's units, an option's terms are the exchange's."""
        shares, instrument = action.kind in _SHARES, held.instrument
        if not instrument.is_derivative or (shares and instrument.kind is What.FUTURE):
            self._move(clearing.corporate_action(held, action))
        elif shares:
            text = f"{instrument.key} goes ex {action.kind.lower()}: its strike and units are not adjusted here"
            self._engine.say("alert", f"{text}; compare them with the exchange's notice.", "clearing")

    def _held(self) -> Iterator[Held]:
        rows = self._engine.instruments
        for key, lot in self._engine.book.state.positions.items():
            instrument, product = key.rsplit("|", 1)
            if lot.quantity and instrument in rows:
                yield Held(rows[instrument], product, lot.quantity, lot.cost)

    def _holdings(self) -> Iterator[Held]:
        rows = self._engine.instruments
        for key, holding in self._engine.book.state.holdings.items():
            if key in rows:
                yield Held(rows[key], Product.CNC, holding.lot.quantity, holding.lot.cost)

    def _move(self, move: CashMove) -> None:
        """Journal a move, unless a night that was interrupted had made it before."""
        self._made[move.name] += 1
        if self._made[move.name] > self._before[move.name]:
            self._engine.record(Kind.CASH, move)


def unsettled(traded: dict[str, int], calendar: Calendar, by: date) -> dict[str, int]:
    """Return what was traded, by day (ISO), on days whose trades have not settled by a day."""
    return {day: part for day, part in traded.items() if calendar.settlement_day(date.fromisoformat(day)) > by}


def overnight(engine: "Engine", calendar: Calendar, rules: Rules, following: Feed) -> None:
    """Close the book's last market day before `following` begins."""
    day = date.fromisoformat(engine.book.state.day.day) if engine.book.state.day.day else ist_date(engine.clock.now())
    Overnight(engine, calendar, rules, day).run(following)
