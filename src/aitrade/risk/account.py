"""What the checks read of a book. The engine's account answers; nothing here is changed by asking.

Every answer is integers or structs that exist already: the checks ask for each order, so an answer is a look-up, not a
computation, except `available`, `day_pnl` and the legs, which the account keeps fresh or works out when asked.
"""

from collections.abc import Sequence
from typing import Protocol

from aitrade.core.orders import Product, Side
from aitrade.risk.margin import Margins, Position


class Account(Protocol):
    """The view of a book that risk needs. Money in paise, quantities in units, times in ns UTC."""

    margins: Margins
    """The day's."""

    def available(self) -> int:
        """Return the cash that new orders may tie: cash less margins, less what working orders tie."""
        ...

    def day_pnl(self) -> int:
        """Return realised + unrealised - charges since the day began."""
        ...

    def orders_today(self) -> int:
        """Return how many orders were sent since the day began."""
        ...

    def net(self, instrument: str, product: Product) -> int:
        """Return the signed units held; for CNC, the day's units and the holding together."""
        ...

    def undelivered(self, instrument: str) -> int:
        """Return those CNC units that are not delivered yet: T+1 and bought today."""
        ...

    def working(self, instrument: str, product: Product, side: Side) -> int:
        """Return the units of working orders that have not filled."""
        ...

    def last(self, instrument: str) -> int:
        """Return the last price, the previous close before the first print, 0 when nothing is known."""
        ...

    def quoted(self, instrument: str) -> tuple[int, int]:
        """Return that price, and when it printed: 0 when it has not printed today."""
        ...

    def legs(self, underlying: str) -> Sequence[Position]:
        """Return the derivative positions on an underlying, one an instrument and product."""
        ...

    def working_legs(self, underlying: str) -> Sequence[Position]:
        """Return the unfilled part of the working derivative orders on an underlying, oldest first."""
        ...

    def knows(self, reference: str) -> bool:
        """Return whether an order with this reference was sent today."""
        ...
