"""Fit the simulated session to real days: `python -m aitrade.market.simulated.calibrate PATH [TARGET]`.

PATH is a folder with the sets that `reference/data.md` names. Only fitted statistics are written, never rows of data.
"""

import csv
import io
import json
import math
import sys
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from aitrade.market.premium import premium

Floats = npt.NDArray[np.float64]
Row = dict[str, str]
MINUTES = 375
KNOTS = (0, 1, 2, 3, 5, 10, 20, 35, 60, 90, 120, 180, 240, 300, 330, 344, 345, 352, 360, 367, 371, 374)
"""Minutes of the session at which the two U shapes are kept; 345 is 15:00, when volume steps up."""
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
MONEYNESS = tuple(x / 2 for x in range(-8, 9))
"""ln(strike / forward) in standard deviations to expiry."""
SECTORS = (
    ("AXISBANK", "HDFCBANK", "ICICIBANK", "KOTAKBANK", "SBIN"),
    ("INFY", "TCS"),
    ("HINDUNILVR", "ITC", "NESTLEIND"),
)
"""Stocks of the daily set that share a sector."""
CHEAPEST = 1.0
"""Premiums below a rupee are all tick size: nothing can be read from them."""
LONGEST = 65
"""Days to the farthest expiry that is listed here: the next month's."""
FAR = 3.0
"""Deviations beyond which a smile is not fitted."""


def rows(text: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of a CSV, names and values without blanks around them."""
    for row in csv.DictReader(text):
        yield {name.strip(): (value or "").strip() for name, value in row.items() if name}


def read(path: Path) -> list[Row]:
    """Return the rows of a CSV file, with or without a byte-order mark."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(rows(file))


def stock_days(folder: Path) -> Iterator[Floats]:
    """Yield, per stock of the minute set, an array (days, 375, 5) of open, high, low, close, volume, days in order."""
    for stock in sorted(path for path in (folder / "nse-1min-stocks-2025").iterdir() if path.is_dir()):
        files = sorted(stock.glob("*.csv"), key=lambda path: path.stem.split("-")[::-1])
        days = [
            [[float(row[name]) for name in ("open", "high", "low", "close", "volume")] for row in read(file)]
            for file in tqdm(files, desc=stock.name, unit="day")
        ]
        yield np.array([day for day in days if len(day) == MINUTES])


def index_days(path: Path) -> Floats:
    """Return an array (days, 375, 4) of an index's whole sessions; what was printed after the close is left out."""
    days: defaultdict[str, list[list[float]]] = defaultdict(list)
    for row in read(path):
        if "09:15" <= row["Time"] <= "15:29":
            days[row["Date"]].append([float(row[name]) for name in ("Open", "High", "Low", "Close")])
    return np.array([day for day in days.values() if len(day) == MINUTES])


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


def daily(path: Path, shift: int = 0) -> dict[str, tuple[float, float]]:
    """Return day to (open, close) of a daily file; `shift` days are added where stamps are UTC midnights."""
    days = {}
    for row in read(path):
        day = date.fromisoformat(row["timestamp"][:10]) + timedelta(days=shift)
        days[day.isoformat()] = float(row["open"]), float(row["close"])
    return days


def moves(days: Mapping[str, tuple[float, float]], wanted: Iterable[str]) -> tuple[Floats, Floats]:
    """Return (gap, intraday) log returns of the wanted days after the first."""
    prices = np.log([days[day] for day in wanted])
    return prices[1:, 0] - prices[:-1, 1], prices[1:, 1] - prices[1:, 0]


def vix_history(folder: Path) -> dict[str, float]:
    """Return day to closing India VIX."""
    found = read(folder / "vix-span-history" / "india_vix.csv")
    return {datetime.strptime(row["Date"].title(), "%d-%b-%Y").date().isoformat(): float(row["Close"]) for row in found}  # noqa: DTZ007 -- a date


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


def bhavcopies(folder: Path, names: tuple[str, ...] = ("NIFTY", "BANKNIFTY")) -> Iterator[list[Row]]:
    """Yield the derivative rows of one underlying on one day, from the UDiFF files."""
    for path in sorted((folder / "bhav-fo-udiff").glob("*.zip")):
        with zipfile.ZipFile(path) as packed, packed.open(packed.namelist()[0]) as file:
            found = list(rows(io.TextIOWrapper(file, "utf-8")))
        for name in names:
            yield [row for row in found if row["TckrSymb"] == name]
    for path in sorted((folder / "bhav-fo-udiff-bysymbol").glob("*/*.csv")):
        if path.stem in names:
            yield read(path)


def implied(price: float, forward: float, strike: float, years: float, call: bool) -> float:
    """Return the volatility at which Black-76 gives `price`, by bisection."""
    low, high = 0.01, 3.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if premium(forward, strike, years, middle, call) < price else (low, middle)
    return low


def expiries(found: list[Row]) -> Iterator[tuple[float, list[Row]]]:
    """Yield (years, traded option rows) of the nearest expiries after the day itself."""
    options: defaultdict[str, list[Row]] = defaultdict(list)
    for row in found:
        if row["FinInstrmTp"] == "IDO" and int(row["TtlTradgVol"]) > 0:
            options[row["XpryDt"]].append(row)
    day = date.fromisoformat(found[0]["TradDt"])
    for expiry in sorted(options)[:4]:
        if days := (date.fromisoformat(expiry) - day).days:
            yield days / 365, options[expiry]


def smile(years: float, options: list[Row]) -> tuple[Floats, Floats, list[tuple[float, str, int, int]], float] | None:
    """Return x, volatility over that at the money, (x, side, OI, lots) and the latter; None where an expiry is thin."""
    price = {(float(row["StrkPric"]), row["OptnTp"]): float(row["ClsPric"]) for row in options}
    both = [strike for strike, side in price if side == "CE" and (strike, "PE") in price]
    if len(both) < len(MONEYNESS):
        return None
    centre = min(both, key=lambda strike: abs(price[strike, "CE"] - price[strike, "PE"]))
    forward = centre + price[centre, "CE"] - price[centre, "PE"]
    level = implied(price[centre, "CE"], forward, centre, years, call=True)

    def place(strike: float) -> float:
        return math.log(strike / forward) / (level * math.sqrt(years))

    wings = [(strike, side) for strike, side in price if (strike > forward) == (side == "CE")]
    good = [(strike, side) for strike, side in wings if price[strike, side] >= CHEAPEST and abs(place(strike)) < FAR]
    ratio = [implied(price[key], forward, key[0], years, key[1] == "CE") / level for key in good]
    held = [
        (place(float(row["StrkPric"])), row["OptnTp"], int(row["OpnIntrst"]), int(row["TtlTradgVol"]))
        for row in options
    ]
    return np.array([place(strike) for strike, _ in good]), np.array(ratio), held, level


def spread_over(held: list[tuple[float, str, int, int]], side: str, column: int) -> Floats:
    """Return what share of an expiry's OI (2) or volume (3) one strike holds, by moneyness."""
    total = sum(row[column] for row in held) or 1
    near = [[row[column] / total for row in held if row[1] == side and abs(row[0] - x) <= 0.25] for x in MONEYNESS]  # noqa: PLR2004 -- half a step
    return np.array([sum(shares) for shares in near])


def option_figures(folder: Path) -> dict[str, Any]:
    """Return the smile, the cost of carry, and where volume and open interest lie, over the index bhavcopies."""
    xs, ratios, profile, carry, levels = [], [], defaultdict(list), [], defaultdict(list)
    vix = vix_history(folder)
    for found in tqdm(list(bhavcopies(folder)), desc="bhavcopies", unit="chain"):
        carry += [rate for rate in map(carry_of, found) if rate is not None]
        for years, options in expiries(found):
            if (fitted := smile(years, options)) is None:
                continue
            xs.append(fitted[0])
            ratios.append(fitted[1] - 1)
            levels[f"{found[0]['TckrSymb']}_over_vix"].append(fitted[3] * 100 / vix[found[0]["TradDt"]])
            for side in ("CE", "PE"):
                profile[f"oi_{side}"].append(spread_over(fitted[2], side, 2))
                profile[f"volume_{side}"].append(spread_over(fitted[2], side, 3))
    x, ratio = np.concatenate(xs), np.concatenate(ratios)
    slope, curve = np.linalg.lstsq(np.stack([x, x**2], axis=1), ratio, rcond=None)[0]
    shapes = {name: np.mean(values, axis=0) for name, values in sorted(profile.items())}
    over_vix = {name: np.mean(values) for name, values in levels.items()}
    fitted_smile = {"skew": slope, "curvature": curve, "moneyness": list(MONEYNESS)}
    return {"carry": np.median(carry), **over_vix, **fitted_smile, **shapes, **quotes(folder)}


def sizes(folder: Path) -> dict[str, Any]:
    """Return lots of open interest and lots traded by days to expiry, a table for each kind of contract.

    A table is [[days, OI lots, traded lots], …]: all strikes of an expiry together, averaged over the files.
    """
    tables: defaultdict[str, defaultdict[int, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for found in bhavcopies(folder, ("NIFTY", "BANKNIFTY", "RELIANCE", "HDFCBANK", "INFY")):
        monthly = {row["XpryDt"] for row in found if row["FinInstrmTp"] in {"IDF", "STF"}}
        for (kind, expiry), (held, traded) in contracts(found).items():
            table = table_of(found[0]["TckrSymb"], kind, monthly=expiry in monthly)
            days = (date.fromisoformat(expiry) - date.fromisoformat(found[0]["TradDt"])).days
            if table and days <= LONGEST:
                tables[table][days].append((held, traded))
    return {name: [[days, *np.mean(table[days], axis=0)] for days in sorted(table)] for name, table in tables.items()}


def contracts(found: list[Row]) -> dict[tuple[str, str], list[float]]:
    """Return, by kind and expiry, lots of open interest and lots traded."""
    totals: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in found:
        total = totals[row["FinInstrmTp"], row["XpryDt"]]
        total[0] += int(row["OpnIntrst"]) / int(row["NewBrdLotQty"])
        total[1] += int(row["TtlTradgVol"])
    return totals


def table_of(base: str, kind: str, *, monthly: bool) -> str:
    """Return the name of the table that a contract counts in, or nothing."""
    if kind == "STF":
        return "stock_future"
    if kind == "IDF":
        return f"{base}_future"
    return f"{base}_{'monthly' if monthly else 'weekly'}" if kind == "IDO" else ""


def carry_of(row: Row) -> float | None:
    """Return the yearly rate that an index future's settlement says, or None for other rows and the last fortnight."""
    days = (date.fromisoformat(row["XpryDt"]) - date.fromisoformat(row["TradDt"])).days
    if row["FinInstrmTp"] != "IDF" or days < 14:  # noqa: PLR2004 -- the docstring's fortnight
        return None
    return math.log(float(row["SttlmPric"]) / float(row["UndrlygPric"])) * 365 / days


def quotes(folder: Path) -> dict[str, float]:
    """Return how wide options quote, as a share of the premium: the median of a stored chain's wings."""
    (path,) = (folder / "option-chain-snapshots").glob("upstox*.json")
    wide = []
    for strike in json.loads(path.read_text())["response"]["data"]:
        for side in ("call_options", "put_options"):
            market = strike[side]["market_data"]
            bid, ask = market["bid_price"], market["ask_price"]
            if CHEAPEST <= bid < ask <= strike["underlying_spot_price"] * 0.02:
                wide.append((ask - bid) / (ask + bid) * 2)
    return {"spread_share": float(np.median(wide))}


def plain(value: Any) -> Any:
    """Return `value` with every number rounded to what a fit can mean, as plain Python."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(inner) for inner in value]
    return value if isinstance(value, int) else float(f"{float(value):.4g}")


def write(figures: Mapping[str, Mapping[str, Any]], target: Path) -> None:
    """Write the figures as TOML tables of numbers."""
    lines = ["# Statistics fitted by `python -m aitrade.market.simulated.calibrate`; made by it, not by hand.", ""]
    for table, values in figures.items():
        lines += [f"[{table}]", *(f"{name} = {value}" for name, value in plain(dict(values)).items()), ""]
    target.write_text("\n".join(lines), encoding="utf-8")


def fit(folder: Path) -> dict[str, dict[str, Any]]:
    """Return all figures, by table."""
    parts: list[Callable[[Path], dict[str, Any]]] = [market_figures, stock_figures]
    tables = {name: table for part in parts for name, table in part(folder).items()}
    return {
        "minute": minute_figures(folder),
        "quantiles": {"at": list(QUANTILES)},
        **tables,
        "option": option_figures(folder),
        "size": sizes(folder),
    }


if __name__ == "__main__":
    beside = Path(__file__).with_name("calibration.toml")
    write(fit(Path(sys.argv[1])), Path(sys.argv[2]) if sys.argv[2:] else beside)
