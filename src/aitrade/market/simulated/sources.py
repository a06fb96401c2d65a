"""Reads the sets of real data that the simulated session is fitted to."""

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

Floats = npt.NDArray[np.float64]
Row = dict[str, str]
MINUTES = 375


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
