"""A store of made-up prices for charts under test: symbols over more sessions than a chart shows, and busy ones."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from aitrade.core.clock import MINUTE, SECOND, LiveClock, at
from aitrade.core.quotes import Bar
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.input_rows import DepthTick
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import Basis, ImportedSet, Source

SYMBOLS = ("BENCHA", "BENCHB", "BENCHC")
SESSIONS, MINUTES, VOLUME = 270, 375, 9_000
TICK_NS, APART_NS = 40_000_000, 500_000
"""Between two ticks of a symbol, shorter than a frame so that each has one of every symbol; and of two symbols."""
FORMAT = "made-up prices"
_LAST = date(2025, 3, 28)


def last_day() -> date:
    """Return the newest day of the store."""
    return _LAST


def store_of_minutes(home: Path, symbols: Sequence[str] = SYMBOLS, sessions: int = SESSIONS) -> None:
    """Put a seeded walk of each symbol into the store of the data folder `home`."""
    days = _sessions(sessions)
    keys = [f"NSE:{symbol}" for symbol in symbols]
    bars = ((Basis.RAW, list(_bars(key, days, seed))) for seed, key in enumerate(keys))
    _commit(home, f"{sessions} sessions of minutes", [_set("bars", key, 1, days, MINUTES) for key in keys], bars)


def store_of_ticks(home: Path, symbols: Sequence[str], seconds: int) -> None:
    """Put ticks of each symbol into it: 25 a second, all through so many seconds from the last day's open on."""
    keys, count = [f"NSE:{symbol}" for symbol in symbols], seconds * SECOND // TICK_NS
    ticks = ((Basis.RAW, list(_ticks(key, count, seed))) for seed, key in enumerate(keys))
    _commit(home, f"{seconds} s of ticks", [_set("ticks", key, 0, [_LAST], count) for key in keys], ticks)


def _commit(home: Path, what: str, sets: list[ImportedSet], held: Iterable[tuple[Basis, list[Any]]]) -> None:
    name = f"{what} of {','.join(one.subject for one in sets)}"
    source = Source(
        sha256=hashlib.sha256(name.encode()).hexdigest(), file=name, size=0, imported=LiveClock().now(),
        formats=(FORMAT,), parts=(), sets=tuple(sets),
    )  # fmt: skip
    InputStore(home / "market").commit(source, held)


def _set(table: str, key: str, minutes: int, days: list[date], rows: int) -> ImportedSet:
    return ImportedSet(
        table=table, subject=key, minutes=minutes, basis=Basis.RAW, format=FORMAT, first=days[0].isoformat(),
        last=days[-1].isoformat(), rows=len(days) * rows, days={day.isoformat(): rows for day in days},
    )  # fmt: skip


def _sessions(count: int) -> list[date]:
    calendar, days = Calendar.load(), [_LAST]
    while len(days) < count:
        days.append(calendar.previous_trading_day(days[-1], Segment.CASH))
    return days[::-1]


def _bars(key: str, days: list[date], seed: int) -> Iterator[Bar]:
    generator = np.random.default_rng(seed)
    moves = generator.integers(-40, 41, len(days) * MINUTES) * 5
    closes = np.abs(100_000 + np.cumsum(moves)) + 5_000
    opens = np.concatenate(([100_000], closes[:-1]))
    highs, lows = np.maximum(opens, closes) + 10, np.minimum(opens, closes) - 10
    starts = [at(day, "09:15") + minute * MINUTE for day in days for minute in range(MINUTES)]
    columns = zip(starts, *(column.tolist() for column in (opens, highs, lows, closes)), strict=True)
    for start, *prices in columns:
        yield Bar(key, start, start + MINUTE, *prices, VOLUME)


def _ticks(key: str, count: int, seed: int) -> Iterator[DepthTick]:
    """Yield prints apart from the other symbols', a few ticks about one price."""
    generator = np.random.default_rng(seed)
    prices = (100_000 + generator.integers(-20, 21, count) * 5).tolist()
    first = at(_LAST, "09:15") + seed * APART_NS
    for number, price in enumerate(prices):
        yield DepthTick(
            key, first + number * TICK_NS, price, 10, price - 5, price + 5, 500, 500, volume=10 * (number + 1)
        )
