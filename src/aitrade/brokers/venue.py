"""The venue seam: whatever takes orders and says what became of them.

Every broker adapter, the paper exchange and a test double are small implementations of `Venue`; one contract suite runs
over them all.
"""

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

import msgspec

from aitrade.core.instruments import Instrument
from aitrade.core.orders import Order, VenueUpdate
from aitrade.core.quotes import Tick

Listener = Callable[[VenueUpdate], None]


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the venue's own book has it; `order_id` is our tag."""

    order_id: str
    broker_order_id: str
    state: str
    filled: int
    filled_value: int


class Venue(Protocol):
    """Takes orders; answers through the listener, never through return values."""

    name: str

    def connect(self, listener: Listener) -> None:
        """Deliver every update to `listener`, in the order in which things happened."""
        ...

    def place(self, order: Order, instrument: Instrument) -> None:
        """Send a new order. The outcome arrives as updates."""
        ...

    def modify(self, order: Order, *, quantity: int, price: int, trigger: int) -> None:
        """Ask for new terms; `quantity` is the total wanted, filled units included."""
        ...

    def cancel(self, order: Order) -> None:
        """Ask for the cancellation of what has not filled."""
        ...

    def order_book(self) -> Iterable[VenueOrder]:
        """Return the venue's own view of the day's orders: the truth after a doubt."""
        ...


@runtime_checkable
class Reconnecting(Protocol):
    """A venue behind a connection that can be made anew."""

    def reconnect(self) -> str:
        """Drop the connection and make it anew, log in where that needs no person; return what was done, in words."""
        ...


class SimulatedVenue(Venue, Protocol):
    """A venue whose market is fed to it: the paper exchange, in replay and on paper alike."""

    def on_tick(self, tick: Tick) -> None:
        """Match against one market tick."""
        ...

    def advance(self, ts: int) -> None:
        """Let everything happen that is due by `ts` (arrivals after latency, phase changes, expiry of the day)."""
        ...

    def next_due(self) -> int | None:
        """Return when `advance` has next to be called, ns UTC, or None."""
        ...

    def take_in(self, tick: Tick) -> None:
        """Know a tick from before a restart or from a gap: it fills nothing."""
        ...

    def priced(self, why_not: str) -> None:
        """Take in that no price comes, and why: orders that arrive are told; "" when prices come again."""
        ...

    def restore(self, orders: Iterable[Order]) -> None:
        """Put back working orders after a restart, with what they have filled."""
        ...
