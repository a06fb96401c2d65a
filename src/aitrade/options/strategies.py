"""Option strategies: their legs, what they pay at expiry, and what they are worth today.

Money in paise, quantity in units, signed: bought is positive. At expiry a strategy is piecewise linear between its
strikes, so break-evens and extremes are exact.
"""

import math
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from aitrade.core.errors import Refused
from aitrade.core.instruments import Kind
from aitrade.core.money import half_up
from aitrade.core.orders import OrderRequest, OrderType, Product, Side
from aitrade.market.premium import premium
from aitrade.options.chain import Chain, Strike

_C, _P = Kind.CALL, Kind.PUT
Template = tuple[tuple[Kind, int, str, int], ...]
TEMPLATES: dict[str, Template] = {
    "Long call": ((_C, 1, "", 0),),
    "Long put": ((_P, 1, "", 0),),
    "Long straddle": ((_C, 1, "", 0), (_P, 1, "", 0)),
    "Short straddle": ((_C, -1, "", 0), (_P, -1, "", 0)),
    "Long strangle": ((_C, 1, "near", 1), (_P, 1, "near", -1)),
    "Short strangle": ((_C, -1, "near", 1), (_P, -1, "near", -1)),
    "Bull call spread": ((_C, 1, "", 0), (_C, -1, "near", 1)),
    "Bear call spread": ((_C, -1, "", 0), (_C, 1, "near", 1)),
    "Bull put spread": ((_P, -1, "", 0), (_P, 1, "near", -1)),
    "Bear put spread": ((_P, 1, "", 0), (_P, -1, "near", -1)),
    "Iron condor": ((_P, 1, "far", -1), (_P, -1, "near", -1), (_C, -1, "near", 1), (_C, 1, "far", 1)),
    "Iron butterfly": ((_P, 1, "near", -1), (_P, -1, "", 0), (_C, -1, "", 0), (_C, 1, "near", 1)),
    "Call butterfly": ((_C, 1, "near", -1), (_C, -2, "", 0), (_C, 1, "near", 1)),
    "Risk reversal": ((_C, 1, "near", 1), (_P, -1, "near", -1)),
}
"""By name: the legs as (side, quantity, which distance, direction), counted in strikes from the money."""


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One option of a strategy; `premium` is what a unit costs to enter: the ask for a buyer, the bid for a seller."""

    key: str
    kind: Kind
    strike: int
    quantity: int
    premium: int
    iv: float = 0.0
    """Percent; 0 where it is not known: then it is valued at its intrinsic value today."""

    def payoff(self, price: int) -> int:
        """Return profit or loss at expiry, the underlying at `price`, charges left out."""
        worth = max(price - self.strike, 0) if self.kind is Kind.CALL else max(self.strike - price, 0)
        return self.quantity * (worth - self.premium)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A leg as a person picks it: signed units at a strike (paise); a premium of 0 is what the market asks now."""

    kind: Kind
    strike: int
    quantity: int
    premium: int = 0


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """Legs that belong together, and what follows from them; None for a profit or loss says unlimited."""

    name: str
    legs: list[Leg]
    net_premium: int
    """Paid in all; negative where premium is received."""
    break_evens: list[int]
    max_profit: int | None
    max_loss: int | None
    """As a positive amount."""

    def payoff(self, price: int) -> int:
        """Return profit or loss at expiry with the underlying at `price`, charges left out."""
        return sum(leg.payoff(price) for leg in self.legs)


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy over prices of the underlying: at expiry, and valued today."""

    prices: list[int]
    at_expiry: list[int]
    today: list[int]


def analyse(name: str, legs: Sequence[Leg]) -> Strategy:
    """Return the strategy of `legs`; raises Refused without any."""
    if not legs:
        raise Refused("A strategy needs at least one leg; add a strike from the chain.")
    corners = [0, *sorted({leg.strike for leg in legs})]
    bare = Strategy(name=name, legs=list(legs), net_premium=_net(legs), break_evens=[], max_profit=0, max_loss=0)
    values = [bare.payoff(price) for price in corners]
    slope = sum(leg.quantity for leg in legs if leg.kind is Kind.CALL)
    return msgspec.structs.replace(
        bare,
        break_evens=_break_evens(corners, values, slope),
        max_profit=None if slope > 0 else max(values),
        max_loss=None if slope < 0 else -min(values),
    )


def _net(legs: Sequence[Leg]) -> int:
    return sum(leg.quantity * leg.premium for leg in legs)


def _break_evens(corners: list[int], values: list[int], slope: int) -> list[int]:
    """Return where the payoff crosses or touches zero, to the paisa; a stretch at zero gives its two ends."""
    found = {price for price, value in zip(corners, values, strict=True) if value == 0}
    for (left, right), (one, other) in zip(pairwise(corners), pairwise(values), strict=True):
        if one * other < 0:
            found.add(left + half_up(abs(one) * (right - left), abs(one) + abs(other)))
    if slope * values[-1] < 0:
        found.add(corners[-1] + half_up(abs(values[-1]), abs(slope)))
    return sorted(found)


def build(name: str, chain: Chain, quantity: int, *, near: int = 2, far: int = 4, centre: int = 0) -> Strategy:
    """Return the strategy called `name` (see TEMPLATES) on `chain`, `quantity` units a leg.

    `near` and `far` are distances in strikes from `centre` (paise; 0: at the money). Raises Refused for a name, a
    strike or a quantity that does not exist, saying what does.
    """
    if name not in TEMPLATES:
        raise Refused(f"There is no strategy {name!r}; choose one of {', '.join(TEMPLATES)}.")
    if quantity <= 0 or quantity % chain.lot:
        raise Refused(f"{quantity} is no multiple of the lot; send {chain.lot} or a multiple of it.")
    strikes = [row.strike for row in chain.strikes]
    middle = strikes.index(_centre(chain, strikes, centre))
    distance = {"": 0, "near": near, "far": far}
    wanted = [(kind, count * quantity, middle + way * distance[which]) for kind, count, which, way in TEMPLATES[name]]
    return analyse(name, [_leg(chain, *leg) for leg in wanted])


def _centre(chain: Chain, strikes: list[int], centre: int) -> int:
    if centre and centre not in strikes:
        first, last = strikes[0] / 100, strikes[-1] / 100
        raise Refused(f"There is no strike {centre / 100:g}; the chain has {first:g} to {last:g}.")
    return centre or chain.at_the_money


def _leg(chain: Chain, kind: Kind, quantity: int, place: int) -> Leg:
    row = chain.strikes[place] if 0 <= place < len(chain.strikes) else None
    return _priced(chain, row, Wanted(kind=kind, strike=row.strike if row else 0, quantity=quantity))


def pick(chain: Chain, wanted: Sequence[Wanted]) -> list[Leg]:
    """Return the chosen legs priced on `chain`; raise Refused for a strike or a quantity that it does not have."""
    rows = {row.strike: row for row in chain.strikes}
    for leg in wanted:
        if not leg.quantity or leg.quantity % chain.lot:
            raise Refused(f"{abs(leg.quantity)} is no multiple of the lot; send {chain.lot} or a multiple of it.")
    return [_priced(chain, rows.get(leg.strike), leg) for leg in wanted]


def _priced(chain: Chain, row: Strike | None, leg: Wanted) -> Leg:
    side = row and (row.call if leg.kind is Kind.CALL else row.put)
    if row is None or side is None:
        raise Refused(f"The chain of {chain.expiry} has {len(chain.strikes)} strikes and no such leg; go less far out.")
    cost = leg.premium or (side.ask if leg.quantity > 0 else side.bid) or side.last
    return Leg(key=side.key, kind=leg.kind, strike=row.strike, quantity=leg.quantity, premium=cost, iv=side.iv)


def curve(strategy: Strategy, spot: int, years: float, *, rate: float = 0.0, points: int = 121) -> Curve:
    """Return the strategy over `points` prices that hold all strikes and break-evens; `years` are left to expiry."""
    marks = [spot, *(leg.strike for leg in strategy.legs), *strategy.break_evens]
    margin = max(max(marks) - min(marks), spot // 25)
    low, high = max(min(marks) - margin // 2, 1), max(marks) + margin // 2
    prices = sorted({*np.linspace(low, high, points).astype(int).tolist(), *(mark for mark in marks if mark > 0)})
    return Curve(
        prices=prices,
        at_expiry=[strategy.payoff(price) for price in prices],
        today=_today(strategy, np.array(prices, float), years, rate),
    )


def _today(strategy: Strategy, prices: Any, years: float, rate: float) -> list[int]:
    total = np.full(len(prices), -float(strategy.net_premium))
    for leg in strategy.legs:
        forward = prices * math.exp(rate * years)
        worth = premium(forward, float(leg.strike), years, leg.iv / 100, leg.kind is Kind.CALL, rate)
        total += leg.quantity * worth
    return [int(value) for value in np.rint(total).tolist()]


def orders(
    strategy: Strategy, basket: str, *, product: Product = Product.NRML, market: Collection[str] = ()
) -> list[OrderRequest]:
    """Return one order a leg under the common name `basket`: limits at the legs' premiums, `market` orders by key.

    A quantity above the freeze limit goes as several orders.

    Legs that are bought come first, so that margin is never asked for a risk that the basket covers.
    """
    return [
        OrderRequest(
            instrument=leg.key,
            side=Side.BUY if leg.quantity > 0 else Side.SELL,
            quantity=abs(leg.quantity),
            type=OrderType.MARKET if leg.key in market else OrderType.LIMIT,
            price=0 if leg.key in market else leg.premium,
            product=product,
            basket=basket,
            slice=True,
        )
        for leg in sorted(strategy.legs, key=lambda leg: leg.quantity < 0)
    ]
