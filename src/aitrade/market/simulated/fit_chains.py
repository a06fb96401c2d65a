"""Fits the smile, and where open interest and volume of index derivatives lie."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from aitrade.market.premium import premium
from aitrade.market.simulated.sources import Floats, Row, bhavcopies, vix_history

MONEYNESS = tuple(x / 2 for x in range(-8, 9))
"""ln(strike / forward) in standard deviations to expiry."""
CHEAPEST = 1.0
"""Premiums below a rupee are all tick size: nothing can be read from them."""
LONGEST = 65
"""Days to the farthest expiry that is listed here: the next month's."""
FAR = 3.0
"""Deviations beyond which a smile is not fitted."""


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
