"""Tiny synthetic files, each with the traps of its kind; no row of them is real."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from aitrade.core.clock import IST, at
from aitrade.market.importing import FileResult, Outcome, import_path
from aitrade.market.input_store import InputStore

DAY = date(2025, 3, 28)
NEXT = date(2025, 4, 1)
BOM = b"\xef\xbb\xbf"


def minutes(day: date, start: str, count: int, step: int = 1) -> list[datetime]:
    """Return `count` IST moments from `start` ("09:15") on, `step` minutes apart."""
    hour, minute = map(int, start.split(":"))
    first = datetime(day.year, day.month, day.day, hour, minute, tzinfo=IST)
    return [first + timedelta(minutes=step * i) for i in range(count)]


def stock_csv(moments: Iterable[datetime], price: str = "100.05") -> bytes:
    """Return a 1-minute stock file: BOM, IST, DD-MM-YYYY."""
    lines = ["date,time,open,high,low,close,volume,oi,exchangecode,symbolcode,expiry"]
    lines += [
        f"{m:%d-%m-%Y},{m:%H:%M:%S},{price},101.5,99,100.4,{10 + i},0,1,999999,01-01-0001 00:00:00"
        for i, m in enumerate(moments)
    ]
    return BOM + "\n".join(lines).encode() + b"\n"


def index_csv(moments: Iterable[datetime]) -> bytes:
    """Return a 1-minute index file whose Instrument column says NIFTY whatever it holds."""
    lines = ["Instrument,Date,Time,Open,High,Low,Close"]
    lines += [f"NIFTY,{m:%Y%m%d},{m:%H:%M},20000.10,20010.00,19990.00,20001.15" for m in moments]
    return "\n".join(lines).encode() + b"\n"


def place(folder: Path, name: str, content: bytes | str) -> Path:
    """Write a file below `folder` and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def take(store: InputStore, path: Path) -> FileResult:
    """Import one file that must be understood, and return what became of it."""
    report = import_path(path, store)
    assert [one.outcome for one in report.files] == [Outcome.IMPORTED], report.files
    return report.files[0]


def refusal(store: InputStore, path: Path) -> str:
    """Import one file that must be refused, and return the reason."""
    (one,) = import_path(path, store).files
    assert one.outcome is Outcome.REFUSED, one
    return one.text


def real(folder: Path | None, *parts: str) -> Path:
    """Return a path below the real data, or skip where they are not on this machine."""
    if folder is None or not folder.exists():
        pytest.skip("no real market data on this machine; AITRADE_REAL_DATA names their folder")
    return folder.joinpath(*parts)


def day_bounds(day: date) -> tuple[int, int]:
    """Return the ns of IST midnight of `day` and of the next day."""
    return at(day, "00:00"), at(day + timedelta(days=1), "00:00")
