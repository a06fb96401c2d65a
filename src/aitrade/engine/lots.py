"""A lot: units held at an average cost, to the paisa."""

from collections.abc import Sequence

import msgspec

from aitrade.core.money import half_up


def shares(whole: int, weights: Sequence[int]) -> list[int]:
    """Return `whole` split by `weights` (not summing to zero) in integers, the rest to the last; the sum is `whole`."""
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    parts = [whole * weight // total for weight in weights[:-1]]
    return [*parts, whole - sum(parts)]


def _part(cost: int, units: int, of: int) -> int:
    """Return the share of `cost` that `units` of `of` have, by their counts, to the nearest paisa."""
    whole = cost * abs(units)
    return half_up(whole, abs(of)) if cost > 0 else -half_up(-whole, abs(of))


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
        part = _part(self.cost, quantity, self.quantity)
        realised = -quantity * price - part
        self.quantity += quantity
        self.cost -= part
        self.realised += realised
        return realised

    def take(self, quantity: int) -> int:
        """Take `quantity` signed units, the way they are held, off at cost, without P&L; return their signed cost."""
        part = _part(self.cost, quantity, self.quantity)
        self.quantity -= quantity
        self.cost -= part
        return part

    def join(self, quantity: int, cost: int) -> int:
        """Add signed units that cost `cost`; opposite ones close each other. Return the P&L that this realised."""
        closing = -self._closing(quantity)
        ended = _part(self.cost, closing, self.quantity) + _part(cost, closing, quantity) if closing else 0
        self.quantity += quantity
        self.cost += cost - ended
        self.realised -= ended
        return -ended

    def unrealised(self, last: int) -> int:
        """Return what the open units would realise at `last`, paise."""
        return self.quantity * last - self.cost

    def _closing(self, quantity: int) -> int:
        if quantity * self.quantity >= 0:
            return 0
        return quantity if abs(quantity) <= abs(self.quantity) else -self.quantity
