"""A venue that says what its script says: the test double for everything that talks to a venue.

venue = ScriptedVenue()
venue.connect(heard.append)
venue.place(order, instrument)                  # says ACCEPTED
venue.fill(order.id, 10, 10_005)                # says FILL
venue.answer = refuse("No margin; add funds.")  # the next orders are REJECTED
venue.answer = silence                          # nothing comes back: the caller has to look at the order book
"""

from collections.abc import Callable, Iterable

import msgspec

from aitrade.brokers.venue import Listener, SimulatedVenue, VenueOrder
from aitrade.core.instruments import Instrument
from aitrade.core.orders import TERMINAL, Fill, Order, OrderState, Update, VenueUpdate
from aitrade.core.quotes import Tick


class Sent(msgspec.Struct, frozen=True):
    """One call that the venue received: place, modify or cancel, with the terms that came along."""

    what: str
    order_id: str
    quantity: int = 0
    price: int = 0
    trigger: int = 0


Answer = Callable[["ScriptedVenue", str], None]


def accept(venue: "ScriptedVenue", order_id: str) -> None:
    """Take the order into the book."""
    venue.say(order_id, Update.ACCEPTED)


def silence(_venue: "ScriptedVenue", _order_id: str) -> None:
    """Take the order and say nothing, as when the reply is lost."""


def refuse(reason: str) -> Answer:
    """Return an answer that rejects with `reason`."""
    return lambda venue, order_id: venue.say(order_id, Update.REJECTED, reason)


def doubt(reason: str = "The broker did not answer in time.") -> Answer:
    """Return an answer that leaves the order in doubt."""
    return lambda venue, order_id: venue.say(order_id, Update.IN_DOUBT, reason)


_BECOMES = {
    Update.ACCEPTED: OrderState.OPEN,
    Update.REJECTED: OrderState.REJECTED,
    Update.CANCELLED: OrderState.CANCELLED,
    Update.EXPIRED: OrderState.EXPIRED,
}


class _Kept(msgspec.Struct):
    order: Order
    quantity: int
    state: OrderState = OrderState.PENDING
    filled: int = 0
    filled_value: int = 0


class ScriptedVenue(SimulatedVenue):
    """Keeps an order book, answers at once by `answer`, and fills only when told to. `ts` stamps what it says."""

    name = "scripted"

    def __init__(self, answer: Answer = accept) -> None:
        self.answer = answer
        self.ts = 0
        self.sent: list[Sent] = []
        self._kept: dict[str, _Kept] = {}
        self._listener: Listener = lambda _update: None
        self._fills = 0

    def connect(self, listener: Listener) -> None:
        """Deliver every update to `listener`."""
        self._listener = listener

    def place(self, order: Order, instrument: Instrument) -> None:
        """Keep the order and give the scripted answer; quantities off the lot are refused, as everywhere."""
        self.sent.append(Sent("place", order.id, order.quantity, order.price, order.trigger))
        if order.id in self._kept:
            return
        self._kept[order.id] = _Kept(order=order, quantity=order.quantity)
        self.ts = max(self.ts, order.updated)
        if order.quantity <= 0 or order.quantity % instrument.lot:
            self.say(order.id, Update.REJECTED, f"Quantity {order.quantity} is not a multiple of {instrument.lot}.")
        else:
            self.answer(self, order.id)

    def modify(self, order: Order, *, quantity: int, price: int, trigger: int) -> None:
        """Take the new terms, unless the order has ended or filled as much."""
        self.sent.append(Sent("modify", order.id, quantity, price, trigger))
        kept = self._kept.get(order.id)
        if reason := _ended(order.id, kept):
            self.say(order.id, Update.MODIFY_REJECTED, reason)
        elif kept and quantity <= kept.filled:
            self.say(order.id, Update.MODIFY_REJECTED, f"{kept.filled} units have filled already.")
        elif kept:
            kept.quantity = quantity
            self.say(order.id, Update.MODIFIED, terms=(quantity, price, trigger))

    def cancel(self, order: Order) -> None:
        """Cancel what has not filled, unless the order has ended."""
        self.sent.append(Sent("cancel", order.id))
        if reason := _ended(order.id, self._kept.get(order.id)):
            self.say(order.id, Update.CANCEL_REJECTED, reason)
        else:
            self.say(order.id, Update.CANCELLED, "Cancelled on request.")

    def order_book(self) -> list[VenueOrder]:
        """Return what became of every order that was placed, said or not."""
        return [
            VenueOrder(
                order_id=order_id,
                broker_order_id=f"S{order_id}",
                state=kept.state,
                filled=kept.filled,
                filled_value=kept.filled_value,
            )
            for order_id, kept in self._kept.items()
        ]

    # what the script does

    def fill(self, order_id: str, quantity: int, price: int) -> None:
        """Fill `quantity` units at `price` paise."""
        kept = self._kept[order_id]
        kept.filled += quantity
        kept.filled_value += quantity * price
        kept.state = OrderState.FILLED if kept.filled >= kept.quantity else OrderState.PARTIALLY_FILLED
        self._fills += 1
        request = kept.order.request
        fill = Fill(
            id=f"T{self._fills}",
            order_id=order_id,
            instrument=request.instrument,
            side=request.side,
            quantity=quantity,
            price=price,
            ts=self.ts,
            product=request.product,
            strategy=request.strategy,
        )
        self.say(order_id, Update.FILL, fill=fill)

    def say(
        self,
        order_id: str,
        what: Update,
        reason: str = "",
        *,
        fill: Fill | None = None,
        terms: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        """Send one update, as true or as wrong as the script wants it."""
        kept = self._kept.get(order_id)
        if kept:
            kept.state = _BECOMES.get(what, kept.state)
        number = f"S{order_id}"
        update = VenueUpdate(
            order_id=order_id,
            what=what,
            ts=self.ts,
            exchange_ts=self.ts,
            broker_order_id=number,
            exchange_order_id=number,
            reason=reason,
            fill=fill,
            quantity=terms[0],
            price=terms[1],
            trigger=terms[2],
        )
        self._listener(update)

    # what a simulated venue has besides: here nothing moves by itself

    def on_tick(self, tick: Tick) -> None:
        """Take the tick's time; fills come from the script."""
        self.ts = max(self.ts, tick.ts)

    def advance(self, ts: int) -> None:
        """Take the time."""
        self.ts = max(self.ts, ts)

    def next_due(self) -> int | None:
        """Never anything."""
        return None

    def take_in(self, tick: Tick) -> None:
        """Take no notice: a script fills orders."""

    def priced(self, why_not: str) -> None:
        """Say nothing of it: an answer is a script's."""

    def restore(self, orders: Iterable[Order]) -> None:
        """Keep the orders as they stand."""
        for order in orders:
            self._kept[order.id] = _Kept(order, order.quantity, order.state, order.filled, order.filled_value)


def _ended(order_id: str, kept: _Kept | None) -> str:
    if kept is None:
        return f"The venue does not know order {order_id}."
    return f"The order is already {kept.state}." if kept.state in TERMINAL else ""
