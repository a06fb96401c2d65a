"""Fits what stocks, the index and India VIX do over a day and overnight."""

import math
from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from aitrade.market.simulated.sources import (
    MINUTES,
    Floats,
    daily,
    index_days,
    moves,
    read,
    stock_days,
    vix_history,
)

KNOTS = (0, 1, 2, 3, 5, 10, 20, 35, 60, 90, 120, 180, 240, 300, 330, 344, 345, 352, 360, 367, 371, 374)
"""Minutes of the session at which the two U shapes are kept; 345 is 15:00, when volume steps up."""
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
SECTORS = (
    ("AXISBANK", "HDFCBANK", "ICICIBANK", "KOTAKBANK", "SBIN"),
    ("INFY", "TCS"),
    ("HINDUNILVR", "ITC", "NESTLEIND"),
)
"""Stocks of the daily set that share a sector."""


def minute_returns(days: Floats) -> Floats:
    """Return log returns (days, 375), the first from the day's open."""
    prices = np.concatenate([days[:, :1, 0], days[:, :, 3]], axis=1)
    return np.diff(np.log(prices), axis=1)


def at_knots(shape: Floats) -> list[float]:
    """Return a 375-minute shape at the knots, each the mean of the minutes nearer to it than to its neighbours."""
    edges = [0, *[(one + other + 1) // 2 for one, other in pairwise(KNOTS)], MINUTES]
    return [float(shape[start:end].mean()) for start, end in pairwise(edges)]


def around_shape(days: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Return a set of days' level (days, 1), shape (375), moves and mean range, the last two over level and shape."""
    returns = minute_returns(days)
    level = np.sqrt((returns**2).mean(axis=1, keepdims=True))
    shape = np.sqrt(((returns / level) ** 2).mean(axis=0))
    return level, shape, returns / level / shape, float((np.log(days[:, :, 1] / days[:, :, 2]) / level / shape).mean())


def minute_figures(folder: Path) -> dict[str, Any]:
    """Return the shapes of a day and what a minute does around them, over the stocks of the minute set."""
    found = defaultdict(list)
    for days in stock_days(folder):
        volume, (level, shape, moved, ranged) = days[:, :, 4], around_shape(days)
        share = (volume / volume.sum(axis=1, keepdims=True)).mean(axis=0) * MINUTES
        noise = np.log((volume + 1) / volume.sum(axis=1, keepdims=True) * MINUTES / share)
        found["volatility"].append(at_knots(shape))
        found["volume"].append(at_knots(share))
        found["kurtosis"].append(float((moved**4).mean() / (moved**2).mean() ** 2))
        found["range_ratio"].append(ranged)
        found["volume_noise"].append(float(noise.std()))
        found["volume_follows_move"].append(float(np.polyfit(np.abs(moved).ravel(), noise.ravel(), 1)[0]))
        found["volume_day_noise"].append(float(np.log(volume.sum(axis=1)).std()))
        found["volatility_day_noise"].append(float(np.log(level).std()))
    return {"knots": list(KNOTS)} | {name: np.mean(values, axis=0).round(4).tolist() for name, values in found.items()}


def quantiles(values: Floats) -> list[float]:
    """Return the quantiles of `values` in their own standard deviations around the median."""
    centred = values - np.median(values)
    return (np.quantile(centred, QUANTILES) / centred.std()).round(3).tolist()


def market_figures(folder: Path) -> dict[str, Any]:
    """Return what NIFTY's days do against what India VIX said the evening before, and how India VIX answers."""
    index, vix = daily(folder / "dhan-5min-2026" / "nifty_daily.csv", 1), vix_history(folder)
    days = sorted(index.keys() & vix.keys())
    (gap, intraday), level = moves(index, days), np.log([vix[day] for day in days])
    implied = np.exp(level[:-1]) / 100 / math.sqrt(252)
    away = level - np.median(level)
    phi = float(away[:-1] @ away[1:] / (away[:-1] @ away[:-1]))
    shock = away[1:] - phi * away[:-1]
    minutes = index_days(folder / "index-1min-2024" / "NIFTY_2024-01_to_2024-04.csv")
    market = {
        "gap_over_implied": gap.std() / implied.mean(),
        "intraday_over_implied": intraday.std() / implied.mean(),
        "gap_quantiles": quantiles(gap / implied),
        "gap_deviation": gap.std(),
        "intraday_deviation": intraday.std(),
        "minute_deviation": minute_returns(minutes).std(),
        "range_ratio": around_shape(minutes)[3],
    }
    fear = {
        "median": float(np.exp(np.median(level))),
        "persistence": phi,
        "shock": shock.std(),
        "correlation": float(np.corrcoef(shock, gap + intraday)[0, 1]),
    }
    return {"market": market, "vix": fear}


def stock_figures(folder: Path) -> dict[str, Any]:
    """Return each stock's answer to the index, and the typical part of its own, from adjusted daily prices."""
    index = daily(folder / "dhan-5min-2026" / "nifty_daily.csv", 1)
    betas, own_gap, own_day, tails, rests = {}, [], [], [], {}
    for path in sorted((folder / "daily-nifty50").glob("*.csv")):
        stock = daily(path)
        days = sorted(index.keys() & stock.keys())
        (gap, intraday), (index_gap, index_day) = moves(stock, days), moves(index, days)
        both, index_both = gap + intraday, index_gap + index_day
        betas[path.stem] = round(float(both @ index_both / (index_both @ index_both)), 2)
        rest_gap = gap - betas[path.stem] * index_gap
        own_gap.append(rest_gap.std())
        own_day.append((intraday - betas[path.stem] * index_day).std())
        rests[path.stem] = dict(zip(days[1:], both - betas[path.stem] * index_both, strict=True))
        tails.append(quantiles(rest_gap))
    own = {"own_gap": np.median(own_gap), "own_intraday": np.median(own_day), "gap_quantiles": np.mean(tails, axis=0)}
    together = {"sector_correlation": alike(rests), "five_minute_correlation": correlation(folder)}
    return {"stock": own | together, "beta": betas}


def alike(rests: Mapping[str, Mapping[str, float]]) -> float:
    """Return the mean correlation of what the index does not explain, over pairs of one sector."""
    found = []
    for one, other in (pair for sector in SECTORS for pair in combinations(sector, 2)):
        days = sorted(rests[one].keys() & rests[other].keys())
        found.append(float(np.corrcoef([rests[one][day] for day in days], [rests[other][day] for day in days])[0, 1]))
    return float(np.mean(found))


def correlation(folder: Path) -> float:
    """Return the mean correlation of 5-minute returns of stocks with the index, within days."""
    base = folder / "dhan-5min-2026"
    series = {
        path.stem: {row["timestamp"]: float(row["close"]) for row in read(path)}
        for path in base.glob("nifty*_5min.csv")
    }
    index = series.pop("nifty_5min")
    found = []
    for name, stock in sorted(series.items()):
        if "atm" in name:
            continue
        stamps = sorted(index.keys() & stock.keys())
        same_day = [one[:10] == other[:10] for one, other in pairwise(stamps)]
        pair = np.diff(np.log([[index[stamp], stock[stamp]] for stamp in stamps]), axis=0)[same_day]
        found.append(float(np.corrcoef(pair.T)[0, 1]))
    return float(np.mean(found))
