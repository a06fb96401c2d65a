"""Margin without the exchange's daily SPAN file: a documented approximation, in integer paise.

The method (rates and their sources are dated data in `market`; figures of 2026 in brackets):

- **Derivatives** are margined by underlying and expiry. The underlying is moved over the price scan range (index
  ±9.3 %, stock ±14.2 %), and the margin is the most that the legs together could owe at any price in it: a short option
  owes its intrinsic value, a long option is owed its own, a future owes what it lost. For a single short option this is
  *scan % of notional less what it is out of the money*; for a spread it can never exceed the spread's greatest loss, so
  defined risk gets its relief, and a further long option never raises it.
- **Exposure** (index 2 %, stock 3.5 % of notional) and, on their expiry day, **ELM** (2 %) on short index options come
  on top, for every short option and (exposure only) every future; hedges do not reduce them.
- **Calendar spreads** get no relief: each expiry stands alone. That errs on the safe side, and it is the rule for the
  expiring leg on its expiry day.
- **An option's buyer** pays the premium and ties nothing more.
- **Shares**: delivery is paid in full; intraday ties a dated part of the value (20 %, five times leverage).

It leaves out what only the file has: volatility scans, inter-commodity credits, short-option minimum. What a defined
risk ties is therefore its greatest loss and the exposure of its short legs, as an exchange asks it: docs/risk.md sets
published figures beside it. Test it against more of them before it is relied on for real money.

Source: nseclearing.in, SPAN risk parameters; SEBI/HO/MRD/TPD-1/P/CIR/2024/132 and NCL/CMPT/64639 for the ELM, which
"applies even if the position is hedged" (support.zerodha.com, additional-elm-for-index-expiry).
"""

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from aitrade.core.instruments import Instrument, Kind
from aitrade.core.orders import Product

MILLION = 1_000_000
_CNC = Product.CNC


class Position(msgspec.Struct, frozen=True):
    """Units of an instrument, held or on order; `price` is what one unit is worth now (or the order's), paise."""

    instrument: Instrument
    product: Product
    quantity: int
    """Signed: negative for short, or for a working sale."""
    price: int


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """One day's margin rates in parts per million of value."""

    index_scan: int
    stock_scan: int
    index_exposure: int
    stock_exposure: int
    expiry_elm: int
    intraday: int
    """Part of an intraday share order's value that is tied; at most all of it, as of a delivery order's."""
    delivery: int = MILLION


class Margins:
    """Margins on one day. All answers are paise and never negative."""

    def __init__(self, rates: Rates, day: str, indices: Collection[str]) -> None:
        """`day` is the ISO date (for expiry-day ELM); `indices` are the keys of those underlyings that are indices."""
        self._rates = rates
        self._day = day
        self._indices = frozenset(indices)

    def is_index(self, underlying: str) -> bool:
        """Return whether an underlying is an index."""
        return underlying in self._indices

    def shares(self, product: Product, quantity: int, price: int) -> int:
        """Return what `quantity` shares tie at `price`."""
        rate = self._rates.delivery if product is _CNC else self._rates.intraday
        return _part(abs(quantity) * price, rate)

    def share_order(self, product: Product, quantity: int, opening: int, price: int) -> int:
        """Return what a working share order ties that opens `opening` units; a delivery sale ties nothing."""
        return 0 if product is Product.CNC and quantity < 0 else self.shares(product, opening, price)

    def group(self, legs: Sequence[Position], spot: int) -> int:
        """Return the margin of derivative legs on one underlying whose price is `spot` (0: taken from the legs)."""
        if not legs:
            return 0
        expiries = {leg.instrument.expiry for leg in legs}
        if len(expiries) == 1:
            return self._expiry(legs, spot)
        return sum(self._expiry([leg for leg in legs if leg.instrument.expiry == expiry], spot) for expiry in expiries)

    def with_working(self, held: Sequence[Position], working: Sequence[Position], spot: int) -> list[Position]:
        """Return the legs held and those working orders that may raise their margin.

        Every option sale is in, for it may take away a hedge that another leans on; a hedge on order is not one yet.
        """
        legs = list(held)
        for order in working:
            sells_option = order.quantity < 0 and order.instrument.is_option
            if sells_option or self.group([*legs, order], spot) > self.group(legs, spot):
                legs.append(order)
        return legs

    def rise(self, held: Sequence[Position], working: Sequence[Position], orders: Sequence[Position], spot: int) -> int:
        """Return by how much `orders` together raise the margin of what is held and works already; 0 if they do not."""
        before = self.with_working(held, working, spot)
        return max(0, self.group([*before, *orders], spot) - self.group(before, spot))

    def book(self, held: Iterable[Position], working: Iterable[Position], spot: Callable[[str], int]) -> int:
        """Return what a whole book ties: margins of what is held, and what working orders may still need.

        `held` counts delivered shares and long options as paid for; `spot` gives the last price of a key.
        """
        held, working = list(held), list(working)
        total = self._shares_held(held) + self._cash_of_working(held, working)
        for underlying in sorted({p.instrument.underlying for p in [*held, *working] if p.instrument.is_derivative}):
            price = spot(underlying)
            legs = [p for p in held if p.instrument.underlying == underlying]
            more = [p for p in working if p.instrument.underlying == underlying]
            total += self.group(self.with_working(legs, more, price), price)
        return total

    def _shares_held(self, held: Iterable[Position]) -> int:
        return sum(
            self.shares(p.product, p.quantity, p.price)
            for p in held
            if p.product is Product.MIS and not p.instrument.is_derivative
        )

    def _cash_of_working(self, held: Sequence[Position], working: Sequence[Position]) -> int:
        """Return premiums of option purchases and the value of share orders beyond what they close."""
        left = {(p.instrument.key, p.product): p.quantity for p in held}
        total = 0
        for order in working:
            key = (order.instrument.key, order.product)
            before = left.get(key, 0)
            opening = opened(before, order.quantity)
            left[key] = before + order.quantity - (opening if order.quantity > 0 else -opening)
            if not order.instrument.is_derivative:
                total += self.share_order(order.product, order.quantity, opening, order.price)
            elif order.quantity > 0 and order.instrument.is_option:
                total += opening * order.price
        return total

    def _expiry(self, legs: Sequence[Position], spot: int) -> int:
        legs = _netted(legs)
        first = legs[0]
        spot = spot or first.instrument.strike or first.price
        index = first.instrument.underlying in self._indices
        rates = self._rates
        scan = _part(spot, rates.index_scan if index else rates.stock_scan)
        owed = _most_owed(legs, spot, scan)
        exposed = sum(_notional(leg, spot) for leg in legs if leg.quantity < 0 or leg.instrument.kind is Kind.FUTURE)
        total = owed + _part(exposed, rates.index_exposure if index else rates.stock_exposure)
        if index and first.instrument.expiry == self._day:
            short = sum(_notional(leg, spot) for leg in legs if leg.quantity < 0 and leg.instrument.is_option)
            total += _part(short, rates.expiry_elm)
        return total


def opened(position: int, change: int) -> int:
    """Return how many units of a signed `change` open new exposure instead of closing `position`."""
    closing = min(abs(change), abs(position)) if position * change < 0 else 0
    return abs(change) - closing


def _part(value: int, rate: int) -> int:
    """Return `rate` parts per million of a value, rounded up to the paisa."""
    return -(-value * rate // MILLION)


def _notional(leg: Position, spot: int) -> int:
    return abs(leg.quantity) * (leg.price if leg.instrument.kind is Kind.FUTURE else spot)


def _netted(legs: Sequence[Position]) -> Sequence[Position]:
    """Add the legs of one instrument together, over products."""
    if len({leg.instrument.key for leg in legs}) == len(legs):
        return legs
    units: dict[str, Position] = {}
    for leg in legs:
        before = units.get(leg.instrument.key)
        quantity = leg.quantity + (before.quantity if before else 0)
        units[leg.instrument.key] = Position(leg.instrument, leg.product, quantity, leg.price)
    return list(units.values())


def _most_owed(legs: Sequence[Position], spot: int, scan: int) -> int:
    """Return the most that the legs owe in the scan range; what they owe is piecewise linear, so its bends suffice."""
    low, high = max(spot - scan, 0), spot + scan
    bends = {leg.instrument.strike for leg in legs if low < leg.instrument.strike < high}
    return max(0, *(-sum(_worth(leg, price, spot) for leg in legs) for price in (low, high, *bends)))


def _worth(leg: Position, price: int, spot: int) -> int:
    """Return what a leg is worth to its holder when the underlying stands at `price`, paise; negative is owed."""
    return leg.quantity * _unit_worth(leg.instrument, price, spot)


def _unit_worth(instrument: Instrument, price: int, spot: int) -> int:
    if instrument.kind is Kind.CALL:
        return max(price - instrument.strike, 0)
    if instrument.kind is Kind.PUT:
        return max(instrument.strike - price, 0)
    return price - spot
