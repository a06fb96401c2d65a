"""The exchange's tape: its time, its numbers, and everything that it says."""

from aitrade.brokers.simulator.working import Working
from aitrade.brokers.venue import Listener
from aitrade.core.orders import Fill, OrderState, Update, VenueUpdate
from aitrade.core.quotes import Tick

_ENDS = {
    Update.REJECTED: OrderState.REJECTED,
    Update.CANCELLED: OrderState.CANCELLED,
    Update.EXPIRED: OrderState.EXPIRED,
}


class Tape:
    """Stamps updates with the market's time and sends them; an order's state is written before it is said."""

    __slots__ = ("_number", "listener", "now")

    def __init__(self) -> None:
        self.now = 0
        """Market time, ns UTC; it only goes forward."""
        self.listener: Listener = _nobody
        self._number = 0

    def number(self) -> str:
        """Return a number that no order or trade had: the time in ns, or the next free one.

        It needs nothing kept over a restart, for time has gone on since.
        """
        self._number = max(self.now, self._number + 1)
        return str(self._number)

    def end(self, order: Working, what: Update, reason: str) -> None:
        """End `order` and say so."""
        order.state = _ENDS[what]
        self.say(order, what, reason)

    def fill(self, order: Working, quantity: int, tick: Tick, price: int) -> None:
        """Book a fill of `quantity` units at `price` paise on the order, and say it."""
        order.filled += quantity
        order.filled_value += quantity * price
        order.state = OrderState.PARTIALLY_FILLED if order.remaining else OrderState.FILLED
        fill = Fill(
            id=self.number(),
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
        self.say(order, Update.FILL, fill=fill)

    def say(
        self, order: Working, what: Update, reason: str = "", *, fill: Fill | None = None, terms: bool = False
    ) -> None:
        """Send an update about `order`, with its `terms` as they stand where that is news."""
        self.listener(
            VenueUpdate(
                order_id=order.id,
                what=what,
                ts=self.now,
                exchange_ts=self.now,
                broker_order_id=order.number,
                exchange_order_id=order.number,
                reason=reason,
                fill=fill,
                quantity=order.quantity if terms else 0,
                price=order.limit if terms else 0,
                trigger=order.trigger if terms else 0,
            )
        )


def _nobody(_update: VenueUpdate) -> None:
    """Hear nothing, until somebody connects."""
