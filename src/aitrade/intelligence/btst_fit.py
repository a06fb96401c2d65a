"""How much each part of the BTST rule said about the night that followed, over imported day bars; new points from it.

A part's worth is the rank correlation (Spearman) of its share with the return from the close to the next open. New
points are half the old ones and half in proportion to positive worth, fitted on the first two thirds of the days and
judged on the last. "Last hour" needs minutes, which day bars do not have: it keeps its points.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from aitrade.core.quotes import Bar
from aitrade.intelligence.btst import DAYS, Evidence, RuleScorer, Weights

Floats = npt.NDArray[np.float64]
FITTED = ("change", "place", "volume", "ahead", "trend")
LEAST = 500
"""Nights below which nothing is fitted."""


class Night(msgspec.Struct, frozen=True):
    """One share on one evening: the parts' shares of their points in `FITTED`'s order, and the night's return."""

    start: int
    shares: tuple[float, ...]
    overnight: float


class Fit(msgspec.Struct, frozen=True):
    """New weights, and how good they are: `before` and `after` are the score's rank correlation on held-out nights."""

    weights: Weights
    nights: int
    worth: dict[str, float]
    before: float
    after: float


def nights(days: Sequence[Bar], index: Sequence[Bar]) -> list[Night]:
    """Return a share's evenings, each judged on its day bar and those before it; days the index lacks are left out."""
    by_day = {bar.start: bar for bar in index}
    whole = RuleScorer()
    found = []
    for place in range(DAYS, len(days) - 1):
        day, after = days[place], days[place + 1]
        if day.start in by_day and day.close > 0 and day.volume > 0:
            evidence = Evidence(days=days[place - DAYS : place], minutes=[day], index=[by_day[day.start]])
            parts = dict(zip(Weights.__struct_fields__, whole.factors(evidence), strict=True))
            shares = tuple(parts[name].points / (parts[name].out_of or 1.0) for name in FITTED)
            found.append(Night(day.start, shares, after.open / day.close - 1))
    return found


def fit(found: Sequence[Night], present: Weights) -> Fit | None:
    """Return new weights; None with too few nights, or where no part says anything about them."""
    if len(found) < LEAST:
        return None
    ordered = sorted(found, key=lambda night: night.start)
    shares = np.array([night.shares for night in ordered])
    returns = np.array([night.overnight for night in ordered])
    cut = len(ordered) * 2 // 3
    worth = {name: correlation(shares[:cut, n], returns[:cut]) for n, name in enumerate(FITTED)}
    positive = {name: max(value, 0.0) for name, value in worth.items()}
    if not sum(positive.values()):
        return None
    weights = _blended(present, positive)
    judged = [correlation(shares[cut:] @ _points(one), returns[cut:]) for one in (present, weights)]
    return Fit(weights, len(ordered), worth, judged[0], judged[1])


def correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation, ties by their mean rank; 0 where either does not vary."""
    first, second = _ranks(one), _ranks(other)
    if not first.std() or not second.std():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Floats) -> Floats:
    _found, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mean: Floats = (ends - (counts - 1) / 2)[inverse].astype(np.float64)
    return mean


def _points(weights: Weights) -> Floats:
    return np.array([getattr(weights, name) for name in FITTED])


def _blended(present: Weights, positive: dict[str, float]) -> Weights:
    """Half of each part's present points and half of all fitted points by worth; rounded, the sum stays what it was."""
    whole, share = float(_points(present).sum()), sum(positive.values())
    new = {name: round(getattr(present, name) / 2 + whole * positive[name] / share / 2, 2) for name in FITTED}
    first = max(new, key=lambda name: new[name])
    new[first] = round(new[first] + whole - sum(new.values()), 2)
    return msgspec.structs.replace(present, **new)
