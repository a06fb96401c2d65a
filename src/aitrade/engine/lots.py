"""A lot: units held at an average cost, to the paisa."""

import msgspec

from aitrade.core.money import half_up


class Lot(msgspec.Struct):
    """Units (negative for short) and what they cost; closing part of it realises P&L on average cost.

    No paisa is lost to rounding: `realised + value(last) - cost` always equals what came in minus what went out.
    """

    quantity: int = 0
    cost: int = 0
    """Signed: what the open units cost (negative for what a short brought in), paise."""
    realised: int = 0
    charges: int = 0
    trades: int = 0

    @property
    def average(self) -> float:
        """Average price of the open units, paise; 0.0 when flat."""
        return self.cost / self.quantity if self.quantity else 0.0

    def trade(self, quantity: int, price: int) -> int:
        """Add `quantity` signed units at `price` and return the P&L that this realised, paise."""
        self.trades += 1
        closing = self._closing(quantity)
        realised = self.close(closing, price) if closing else 0
        opening = quantity - closing
        self.quantity += opening
        self.cost += opening * price
        return realised

    def close(self, quantity: int, price: int) -> int:
        """Take `quantity` signed units off, opposite to what is held, at `price`; return the realised P&L."""
        part = (
            half_up(self.cost * -quantity, self.quantity)
            if self.quantity > 0
            else -half_up(self.cost * -quantity, -self.quantity)
        )
        realised = -quantity * price - part
        self.quantity += quantity
        self.cost -= part
        self.realised += realised
        return realised

    def take(self, quantity: int) -> int:
        """Take `quantity` units of a long lot off at cost, without P&L; return their cost."""
        part = half_up(self.cost * quantity, self.quantity)
        self.quantity -= quantity
        self.cost -= part
        return part

    def unrealised(self, last: int) -> int:
        """Return what the open units would realise at `last`, paise."""
        return self.quantity * last - self.cost

    def _closing(self, quantity: int) -> int:
        if quantity * self.quantity >= 0:
            return 0
        return quantity if abs(quantity) <= abs(self.quantity) else -self.quantity
