"""The simulated market from close to close: gaps, days and India VIX of every trading day, from the seed alone.

Every day's numbers are functions of (seed, date). Prices hang on an anchor day: what lies after it is the anchor plus
the moves since, what lies before it is the anchor minus the moves until, so that any two views of a day agree.
"""

import math
from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np

from aitrade.market.draws import Floats, normal, uniform, word
from aitrade.market.simulated.universe import Calibration, Universe

_MEMORY = 120
"""Days after which a shock to India VIX is forgotten (at the fitted persistence under 1 % of it is left)."""
_FARTHEST = 4.0
"""Deviations beyond which a day's move is cut."""
YEAR_DAYS = 252
_DIGITS = 9
"""Decimals kept of a day's figures: the last bits of a product depend on how many days are asked for."""


class Model(msgspec.Struct, frozen=True):
    """The factors that move stocks: the market, then the sectors, then each stock's own."""

    universe: Universe
    figures: Calibration
    names: list[str]
    """Of the factors."""
    loading: Floats
    """(stocks, factors): what a stock takes of each factor."""
    scale: float
    """What is left of NIFTY's variance for the market factor, as a deviation's share."""

    @property
    def words(self) -> np.ndarray:
        """The factors' names as hash keys."""
        return np.array([word(name) for name in self.names], np.uint64)

    def deviations(self, market: Floats, own: float) -> Floats:
        """Return (days, factors) deviations, from the market's by day and the stocks' own."""
        others = np.full((len(market), len(self.names) - 1), own)
        return np.column_stack([market * self.scale, others])


def build_model(universe: Universe, figures: Calibration) -> Model:
    """Return the factor model: betas as fitted, 1 where not; sectors share a part of their stocks' own moves."""
    sectors = sorted({stock.sector for stock in universe.stock})
    shared = figures.stock.sector_correlation
    beta = [[figures.beta.get(stock.symbol, 1.0)] for stock in universe.stock]
    member = [[math.sqrt(shared) * (stock.sector == sector) for sector in sectors] for stock in universe.stock]
    loading = np.hstack([beta, member, math.sqrt(1 - shared) * np.eye(len(universe.stock))])
    names = ["market", *(f"sector {sector}" for sector in sectors), *(stock.symbol for stock in universe.stock)]
    return Model(universe, figures, names, loading, _market_scale(universe.weights()[0] @ loading, figures))


def _market_scale(index: Floats, figures: Calibration) -> float:
    """Return how much of NIFTY's daily deviation the market factor carries, when stocks' own moves add theirs."""
    wanted = figures.market.intraday_deviation**2
    others = float((index[1:] ** 2).sum()) * figures.stock.own_intraday**2
    return math.sqrt(max(wanted - others, 0.0) / wanted) / float(index[0])


class Walk(msgspec.Struct, frozen=True):
    """The market from close to close, a row a trading day. Prices are logarithms of rupees."""

    days: list[date]
    open: Floats
    close: Floats
    """(days, stocks)."""
    intraday: Floats
    """(days, factors): each factor's move from open to close."""
    deviation: Floats
    """(days, factors): what that move was drawn from."""
    vix: Floats
    """Evening India VIX."""

    def row(self, day: date) -> int:
        """Return the row of `day`; raise KeyError where it is not in the walk."""
        try:
            return self.days.index(day)
        except ValueError:
            raise KeyError(day) from None


def _quantile(share: Floats, at: list[float], values: list[float]) -> Floats:
    """Return the fitted distribution's value at `share`, its tails cut at the outer quantiles, with deviation 1."""
    grid = np.interp(np.linspace(0.0005, 0.9995, 1000), at, values)
    return (np.interp(share, at, values) - grid.mean()) / grid.std()


def walk(model: Model, seed: int, days: Sequence[date]) -> Walk:
    """Return the walk over `days`: trading days in order, the anchor among them, the first `_MEMORY` for VIX only."""
    figures, dates = model.figures, np.array([day.toordinal() for day in days])
    named = model.words[None, :]
    share = uniform(seed, named, dates[:, None], "gap")
    own_gap = _quantile(share, figures.quantiles.at, figures.stock.gap_quantiles)
    own_gap[:, 0] = _quantile(share[:, 0], figures.quantiles.at, figures.market.gap_quantiles)
    drawn = np.clip(normal(seed, named, dates[:, None], "day"), -_FARTHEST, _FARTHEST)
    vix = _vix(figures, own_gap[:, 0], drawn[:, 0], normal(seed, dates, "vix"))
    before = np.concatenate([vix[:1], vix[:-1]]) / 100 / math.sqrt(YEAR_DAYS)
    gap = own_gap * model.deviations(before * figures.market.gap_over_implied, figures.stock.own_gap)
    deviation = model.deviations(before * figures.market.intraday_over_implied, figures.stock.own_intraday)
    intraday = drawn * deviation
    close = _levels(model, list(days), np.round((gap + intraday) @ model.loading.T, _DIGITS))
    return Walk(list(days), close - np.round(intraday @ model.loading.T, _DIGITS), close, intraday, deviation, vix)


def _levels(model: Model, days: list[date], moves: Floats) -> Floats:
    """Return log closes that pass the universe's prices on the anchor day, summed outwards from it."""
    anchor = days.index(max(day for day in days if day <= model.universe.anchor))
    start = np.log([stock.price for stock in model.universe.stock])
    after = np.cumsum(moves[anchor + 1 :], axis=0)
    back = np.cumsum(moves[anchor:0:-1], axis=0)[::-1]
    return start + np.concatenate([-back, np.zeros((1, len(start))), after])


def _vix(figures: Calibration, gap: Floats, day: Floats, alone: Floats) -> Floats:
    """Return evening India VIX: shocks that lean against the market's move, remembered for `_MEMORY` days."""
    one, other, lean = figures.market.gap_over_implied, figures.market.intraday_over_implied, figures.vix.correlation
    market = (gap * one + day * other) / math.hypot(one, other)
    shock = figures.vix.shock * (lean * market + math.sqrt(1 - lean**2) * alone)
    remembered = figures.vix.persistence ** np.arange(_MEMORY)
    return np.round(figures.vix.median * np.exp(np.convolve(shock, remembered)[: len(shock)]), _DIGITS)
