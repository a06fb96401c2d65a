"""A store of minutes for benches of charts: three made-up symbols over more sessions than a chart shows."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from aitrade.core.clock import MINUTE, LiveClock, at
from aitrade.core.quotes import Bar
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import Basis, ImportedSet, Source

SYMBOLS = ("BENCHA", "BENCHB", "BENCHC")
SESSIONS, MINUTES, VOLUME = 270, 375, 9_000
FORMAT = "made-up minutes"
_LAST = date(2025, 3, 28)


def last_day() -> date:
    """Return the newest day of the store."""
    return _LAST


def store_of_minutes(home: Path, symbols: Sequence[str] = SYMBOLS, sessions: int = SESSIONS) -> None:
    """Put a seeded walk of each symbol into the store of the data folder `home`."""
    days = _sessions(sessions)
    bars = {f"NSE:{symbol}": list(_bars(f"NSE:{symbol}", days, seed)) for seed, symbol in enumerate(symbols)}
    name = f"{','.join(symbols)} over {sessions} sessions"
    source = Source(
        sha256=hashlib.sha256(name.encode()).hexdigest(), file=name, size=0, imported=LiveClock().now(),
        formats=(FORMAT,), parts=(), sets=tuple(_set(key, days) for key in bars),
    )  # fmt: skip
    InputStore(home / "market").commit(source, ((Basis.RAW, one) for one in bars.values()))


def _set(key: str, days: list[date]) -> ImportedSet:
    return ImportedSet(
        table="bars", subject=key, minutes=1, basis=Basis.RAW, format=FORMAT, first=days[0].isoformat(),
        last=days[-1].isoformat(), rows=len(days) * MINUTES, days={day.isoformat(): MINUTES for day in days},
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
