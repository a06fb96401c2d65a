"""What a book is exposed to when its day closes: every open position valued, with its sensitivity to its underlying.

Options by Black-76 (`options.pricing`) on the forward that put-call parity says near the money, with the volatility
that the contract's own closing price implies; the rate is 0, which for listed lives moves a premium by parts of a
percent. Money in paise; values of models are floats, what the ledger knows is integers.
"""

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from aitrade.core.instruments import Instrument, Kind
from aitrade.engine.lots import Lot
from aitrade.ops.ledger import Standing
from aitrade.ops.reports.closing import Closing
from aitrade.options.chain import OptionQuote, forward_of
from aitrade.options.pricing import greeks, implied_volatility, price

Floats = npt.NDArray[np.float64]
_YEAR_DAYS = 365
_NEAR = 5
"""Strikes on each expiry that are asked for put-call parity."""


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument of a book, its products and its holding together."""

    key: str
    kind: Kind
    underlying: str
    """Its own key for a share."""
    units: int
    cost: int
    last: int
    """Close of the day; 0 where the market does not say, and then it counts at cost."""
    forward: float
    """Of the underlying to the contract's expiry; the close itself for a share or future."""
    strike: int = 0
    years: float = 0.0
    volatility: float = 0.0
    """Implied by the close, per year; 0 where none can be told: the option then counts at its intrinsic value."""
    delta: float = 1.0
    gamma: float = 0.0
    vega: float = 0.0
    """Per unit: of delta per paisa, and of the premium (paise) per percentage point."""
    modelled: bool = False

    @property
    def value(self) -> int:
        """Units at the close."""
        return self.units * self.last if self.last else self.cost

    @property
    def unrealised(self) -> int:
        """Value less cost."""
        return self.value - self.cost

    @property
    def delta_value(self) -> float:
        """What it is worth in the underlying: units times delta times the forward (future-equivalent)."""
        return self.units * self.delta * self.forward

    @property
    def is_option(self) -> bool:
        """A call or put."""
        return self.kind in (Kind.CALL, Kind.PUT)


def exposures(standing: Standing, market: Closing, *, flat: bool = False) -> list[Exposure]:
    """Return every open position and holding, by key; `flat` adds what the day closed."""
    held: dict[str, list[Lot]] = {}
    for key, lot in (standing.positions if flat else standing.open).items():
        held.setdefault(key.rsplit("|", 1)[0], []).append(lot)
    for key, holding in standing.holdings.items():
        held.setdefault(key, []).append(holding.lot)
    forwards: dict[tuple[str, str], float] = {}
    return [_exposure(key, lots, market, forwards) for key, lots in sorted(held.items())]


def _exposure(key: str, lots: Sequence[Lot], market: Closing, forwards: dict[tuple[str, str], float]) -> Exposure:
    units, cost, last = sum(lot.quantity for lot in lots), sum(lot.cost for lot in lots), market.last(key)
    row = market.instruments.get(key)
    if row is None or not row.is_option:
        kind = row.kind if row else Kind.EQUITY
        underlying = row.underlying if row and row.is_derivative else key
        return Exposure(
            key=key, kind=kind, underlying=underlying, units=units, cost=cost, last=last, forward=float(last),
            modelled=bool(row and row.modelled),
        )  # fmt: skip
    at = (row.underlying, row.expiry)
    if at not in forwards:
        forwards[at] = _forward(row, market)
    return _option(row, units, cost, last, forwards[at], market.day)


def _option(row: Instrument, units: int, cost: int, last: int, forward: float, day: date) -> Exposure:
    years = (date.fromisoformat(row.expiry) - day).days / _YEAR_DAYS
    call = row.kind is Kind.CALL
    volatility = float(np.nan_to_num(implied_volatility(last, forward, row.strike, years, call)))
    told = greeks(forward, row.strike, years, volatility, call)
    return Exposure(
        key=row.key, kind=row.kind, underlying=row.underlying, units=units, cost=cost, last=last, forward=forward,
        strike=row.strike, years=years, volatility=volatility, delta=float(told.delta), gamma=float(told.gamma),
        vega=float(told.vega), modelled=row.modelled,
    )  # fmt: skip


def _forward(row: Instrument, market: Closing) -> float:
    """Return the forward that parity says, from the strikes nearest to the spot."""
    spot = market.last(row.underlying)
    chain = [one for one in market.instruments.values() if one.is_option and _same(one, row)]
    near = sorted({one.strike for one in chain}, key=lambda strike: abs(strike - spot))[:_NEAR]
    return forward_of(spot, [OptionQuote(instrument=o, last=market.last(o.key)) for o in chain if o.strike in near])


def _same(one: Instrument, other: Instrument) -> bool:
    return (one.underlying, one.expiry) == (other.underlying, other.expiry)


def revalued(rows: Sequence[Exposure], moves: Floats, volatility: float = 1.0) -> Floats:
    """Return the P&L in paise of each scenario (row) and exposure (column) when the underlyings move by `moves`.

    `moves` is relative (-0.05: five percent down), in the shape of the answer; implied volatilities are multiplied by
    `volatility`. The move is sudden: no time passes. Options are priced anew in full, the rest is linear.
    """
    answer = np.empty(moves.shape)
    for column, row in enumerate(rows):
        moved = row.forward * (1 + moves[:, column])
        if row.is_option:
            call = row.kind is Kind.CALL
            before = price(row.forward, row.strike, row.years, row.volatility, call)
            after = price(moved, row.strike, row.years, row.volatility * volatility, call)
            answer[:, column] = row.units * (after - before)
        else:
            answer[:, column] = row.units * (moved - row.forward)
    return answer
