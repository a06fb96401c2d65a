"""A store of minutes for benches of charts: three made-up symbols over more sessions than a chart shows."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from aitrade.core.clock import IST
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore

SYMBOLS = ("BENCHA", "BENCHB", "BENCHC")
SESSIONS, MINUTES = 270, 375
_LAST = date(2025, 3, 28)
_HEAD = "date,time,open,high,low,close,volume,oi,exchangecode,symbolcode,expiry"


def last_day() -> date:
    """Return the newest day of the store."""
    return _LAST


def store_of_minutes(home: Path, symbols: Sequence[str] = SYMBOLS, sessions: int = SESSIONS) -> None:
    """Import a seeded walk of each symbol into the store of the data folder `home`."""
    days = _sessions(sessions)
    store = InputStore(home / "market")
    for number, symbol in enumerate(symbols):
        path = home / "made" / symbol / f"{_LAST:%d-%m-%Y}.csv"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join([_HEAD, *_rows(days, number)]) + "\n")
        import_path(path, store)


def _sessions(count: int) -> list[date]:
    calendar, days = Calendar.load(), [_LAST]
    while len(days) < count:
        days.append(calendar.previous_trading_day(days[-1], Segment.CASH))
    return days[::-1]


def _rows(days: list[date], seed: int) -> list[str]:
    generator = np.random.default_rng(seed)
    moves = generator.integers(-40, 41, len(days) * MINUTES) * 5
    closes = np.abs(100_000 + np.cumsum(moves)) + 5_000
    opens = np.concatenate(([100_000], closes[:-1]))
    highs, lows = np.maximum(opens, closes) + 10, np.minimum(opens, closes) - 10
    moments = [
        datetime(day.year, day.month, day.day, 9, 15, tzinfo=IST) + timedelta(minutes=m)
        for day in days
        for m in range(MINUTES)
    ]
    columns = zip(moments, *(column / 100 for column in (opens, highs, lows, closes)), strict=True)
    return [
        f"{m:%d-%m-%Y},{m:%H:%M:%S},{o:.2f},{h:.2f},{low:.2f},{c:.2f},9000,0,1,1,01-01-0001 00:00:00"
        for m, o, h, low, c in columns
    ]
