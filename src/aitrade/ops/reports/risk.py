"""The risk report's figures: value at risk, stress, and how much of each limit a day used.

Value at risk is the loss that one day exceeds with a probability of 1 - confidence, above zero, at the close:

- **historical**: the day's positions, revalued under each past day's move of their underlyings (options in full), and
  the loss taken from the sorted outcomes; beside it the same of the book's own days as they were;
- **parametric** (variance-covariance): z x sqrt(d' S d), with d the delta values and S the sample covariance of the
  same moves; the mean is taken as nothing. An option's curvature is not in it.

Of n outcomes the one is taken that exactly floor((1 - confidence) n) were worse than; expected shortfall is the mean of
the worst (1 - confidence) n of them, the last one by the part of it that belongs to them. Fewer outcomes than
1 / (1 - confidence) say nothing, and no figure is given. Sources: J.P. Morgan/Reuters, RiskMetrics Technical Document,
4th edition (1996); C. Acerbi, D. Tasche, "On the coherence of expected shortfall", Journal of Banking and Finance 26.
"""

from collections.abc import Sequence
from datetime import date
from math import floor, sqrt
from statistics import NormalDist, stdev

import msgspec
import numpy as np
import numpy.typing as npt

from aitrade.ops.reports.closing import Closing
from aitrade.ops.reports.exposure import Exposure, revalued

Floats = npt.NDArray[np.float64]
INDEX = "NSE:NIFTY"
"""Against which a share's beta is measured, and whose move a scenario names."""
WINDOW = 250
"""Past market days that are asked for."""


class Scenario(msgspec.Struct, frozen=True):
    """A sudden move of the index, and what implied volatilities are multiplied by."""

    index: float
    volatility: float = 1.0

    @property
    def name(self) -> str:
        """What it is, in words."""
        scaled = f", volatility x {self.volatility:g}" if self.volatility != 1 else ""
        return f"Index {self.index * 100:+.0f} %{scaled}" if self.index else f"Index unmoved{scaled}"

    @property
    def short(self) -> str:
        """The same for a chart."""
        scaled = f" v{self.volatility:g}" if self.volatility != 1 else ""
        return f"{self.index * 100:+.0f} %{scaled}"


SCENARIOS = (
    *(Scenario(move) for move in (-0.20, -0.10, -0.05, -0.02, 0.02, 0.05, 0.10, 0.20)),
    Scenario(-0.10, 1.5),
    Scenario(-0.20, 2.0),
    Scenario(0.0, 0.7),
)


class ValueAtRisk(msgspec.Struct, frozen=True, kw_only=True):
    """One figure with what it rests on; `loss` and `shortfall` in paise, None where the outcomes are too few."""

    method: str
    of: str
    """positions, or the book's own days."""
    confidence: float
    outcomes: int
    first: str
    last: str
    loss: int | None
    shortfall: int | None = None

    @property
    def window(self) -> str:
        """What it rests on, in words."""
        return f"{self.outcomes} days, {self.first} to {self.last}" if self.outcomes else "no days"

    @property
    def missing(self) -> str:
        """Why there is no figure, or ""."""
        needed = fewest(self.confidence)
        return "" if self.loss is not None else f"needs {needed} days, there are {self.outcomes}"


class Stress(msgspec.Struct, frozen=True):
    """What a scenario makes, paise; by underlying."""

    scenario: Scenario
    total: int
    parts: dict[str, int]


class Moves(msgspec.Struct, frozen=True):
    """Daily relative moves of underlyings, oldest first: a row a day that all of them have, a column an underlying."""

    days: list[date]
    underlyings: list[str]
    table: Floats
    missing: list[str]
    """Underlyings without a past: they are taken to move with the index."""

    def one(self, underlying: str) -> Floats:
        """Return the moves of an underlying; of the index where it has no past, none where that has none either."""
        name = underlying if underlying in self.underlyings else INDEX
        return self.table[:, self.underlyings.index(name)] if name in self.underlyings else np.zeros(len(self.days))

    def of(self, rows: Sequence[Exposure]) -> Floats:
        """Return the moves as a column for each exposure."""
        return np.array([self.one(row.underlying) for row in rows]).reshape(len(rows), len(self.days)).T


def moves(rows: Sequence[Exposure], market: Closing, window: int = WINDOW) -> Moves:
    """Return the moves of the exposures' underlyings and of the index over the last `window` market days."""
    closes = {name: market.past(name, window + 1) for name in sorted({row.underlying for row in rows} | {INDEX})}
    names = [name for name, found in closes.items() if len(found) > 1]
    days = sorted(set.intersection(*(set(closes[name]) for name in names))) if names else []
    prices = np.array([[closes[name][day] for name in names] for day in days], float).reshape(len(days), len(names))
    table = prices[1:] / prices[:-1] - 1 if len(days) > 1 else np.empty((0, len(names)))
    return Moves(days[1:], names, table, [name for name in closes if name not in names])


def fewest(confidence: float) -> int:
    """Return how many outcomes a confidence needs: one of them is as rare as that."""
    return round(1 / (1 - confidence))


def worst(outcomes: Sequence[float] | Floats, confidence: float) -> tuple[int, int] | None:
    """Return (loss, shortfall) in paise, above zero for a loss; None where the outcomes are too few."""
    if len(outcomes) < fewest(confidence):
        return None
    ordered = np.sort(np.asarray(outcomes, float))
    tail = (1 - confidence) * len(ordered)
    at = floor(tail + 1e-9)
    beyond = float(ordered[:at].sum()) + (tail - at) * float(ordered[at])
    return -round(float(ordered[at])), -round(beyond / tail)


def historical(rows: Sequence[Exposure], past: Moves, confidence: float) -> ValueAtRisk:
    """Return the historical value at risk of positions."""
    outcomes = revalued(rows, past.of(rows)).sum(axis=1) if rows else np.zeros(len(past.days))
    return _told("historical, positions revalued", "positions", past.days, worst(outcomes, confidence), confidence)


def parametric(rows: Sequence[Exposure], past: Moves, confidence: float) -> ValueAtRisk:
    """Return the variance-covariance value at risk of positions."""
    found = None
    if len(past.days) >= fewest(confidence):
        deltas = np.array([row.delta_value for row in rows])
        covariance = np.atleast_2d(np.cov(past.of(rows), rowvar=False)) if rows else np.zeros((0, 0))
        deviation = sqrt(max(float(deltas @ covariance @ deltas), 0.0))
        found = _normal(deviation, confidence)
    return _told("parametric, variance-covariance", "positions", past.days, found, confidence)


def of_own_days(pnl: Sequence[tuple[str, int]], confidence: float) -> tuple[ValueAtRisk, ValueAtRisk]:
    """Return historical and parametric value at risk of a book's own days, given as (ISO day, P&L in paise)."""
    days, outcomes = [date.fromisoformat(day) for day, _ in pnl], [float(made) for _, made in pnl]
    enough = len(outcomes) >= fewest(confidence)
    normal = _normal(stdev(outcomes), confidence) if enough else None
    of = "the book's own days"
    return (
        _told("historical, days as they were", of, days, worst(outcomes, confidence), confidence),
        _told("parametric, their deviation", of, days, normal, confidence),
    )


def _normal(deviation: float, confidence: float) -> tuple[int, int]:
    """Return the loss and the shortfall of a normal distribution around nothing."""
    z = NormalDist().inv_cdf(confidence)
    return round(z * deviation), round(NormalDist().pdf(z) / (1 - confidence) * deviation)


def _told(method: str, of: str, days: Sequence[date], found: tuple[int, int] | None, confidence: float) -> ValueAtRisk:
    return ValueAtRisk(
        method=method,
        of=of,
        confidence=confidence,
        outcomes=len(days),
        first=days[0].isoformat() if days else "",
        last=days[-1].isoformat() if days else "",
        loss=found[0] if found else None,
        shortfall=found[1] if found else None,
    )


def betas(rows: Sequence[Exposure], past: Moves, indices: Sequence[str]) -> dict[str, float]:
    """Return each underlying's move for a move of one of the index: 1 for an index, and where there is no past."""
    index = past.one(INDEX)
    spread = float(np.var(index)) if len(index) > 1 else 0.0
    answer = {}
    for name in sorted({row.underlying for row in rows}):
        own = past.one(name)
        measured = spread > 0 and name not in indices
        answer[name] = float(np.mean((own - own.mean()) * (index - index.mean()))) / spread if measured else 1.0
    return answer


def stressed(
    rows: Sequence[Exposure], beta: dict[str, float], scenarios: Sequence[Scenario] = SCENARIOS
) -> list[Stress]:
    """Return what each scenario makes of the exposures: indices move by it, shares by their beta times it."""
    answer = []
    for scenario in scenarios:
        move = np.array([[max(scenario.index * beta[row.underlying], -1 + 1e-6) for row in rows]]).reshape(1, len(rows))
        made = revalued(rows, move, scenario.volatility)[0]
        parts: dict[str, int] = {}
        for row, amount in zip(rows, made, strict=True):
            parts[row.underlying] = parts.get(row.underlying, 0) + round(float(amount))
        answer.append(Stress(scenario, sum(parts.values()), parts))
    return answer
