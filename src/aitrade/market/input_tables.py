"""How imported data is laid out: the tables, their folders, and the manifest of a source file."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import msgspec

from aitrade.core.clock import DAY, MINUTE, ist_date
from aitrade.core.quotes import Bar
from aitrade.market import input_rows as rows

SCHEMA = 1
"""Version of the layout below; a manifest of another version is not read."""
DAILY = DAY // MINUTE
"""Minutes of a daily bar: it starts at midnight IST and is known at the next."""


class Basis(StrEnum):
    """Whether prices are as they were printed, restated for splits and bonuses, or nobody said."""

    RAW = "raw"
    UNKNOWN = "unknown"
    ADJUSTED = "adjusted"


ADJUSTED = "adjusted prices, at which nobody traded"


class Aside(msgspec.Struct, frozen=True):
    """A row that was understood and is no market data, kept as it stood; `line` counts from 1."""

    line: int
    reason: str
    text: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One Parquet file; `path` is relative to the store's folder, days are ISO."""

    path: str
    table: str
    subject: str
    minutes: int
    basis: Basis
    first: str
    last: str
    rows: int


class ImportedSet(msgspec.Struct, frozen=True, kw_only=True):
    """What one source file gave about one subject: an instrument, an exchange's day, a broker's master.

    `days` counts the rows of each ISO day, of bars and ticks; `aside` the rows set aside, by reason.
    """

    table: str
    subject: str
    minutes: int
    basis: Basis
    format: str
    first: str
    last: str
    rows: int
    zone: str = "IST"
    untradable: str = ""
    """Why this series cannot be traded (a splice of contracts, say); empty for one that can."""
    days: dict[str, int] = {}
    aside: dict[str, int] = {}
    remarks: dict[str, int] = {}
    """What is odd about rows that are stored all the same."""
    duplicates: int = 0
    assumed: tuple[str, ...] = ()
    """Days whose session hours the calendar does not know."""

    @property
    def tradable(self) -> bool:
        """True where the prices are those of one thing that could be bought at them."""
        return not self.why_untradable

    @property
    def why_untradable(self) -> str:
        """Why nobody could have traded at these prices, or ""."""
        return self.untradable or (ADJUSTED if self.basis is Basis.ADJUSTED else "")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of one imported file."""

    schema: int = SCHEMA
    sha256: str
    file: str
    size: int
    imported: int
    formats: tuple[str, ...]
    parts: tuple[Part, ...]
    sets: tuple[ImportedSet, ...]
    aside: dict[str, int] = {}
    """Rows of the file that were set aside, by reason."""
    notes: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """How rows of one kind are named, dated and laid into folders."""

    name: str
    row: type[msgspec.Struct]
    subject: Callable[[Any], str]
    day: Callable[[Any], str]
    """ISO day, or "" for rows that have none."""
    folders: Callable[[Any], tuple[str, ...]]


def iso(ts: int) -> str:
    """Return the IST day of `ts` as ISO text, "" for no moment."""
    return ist_date(ts).isoformat() if ts else ""


def minutes_of(row: Any) -> int:
    """Return a bar's length in minutes, 0 for rows of other kinds."""
    return (row.end - row.start) // MINUTE if isinstance(row, Bar) else 0


def _bar_folders(bar: Bar) -> tuple[str, ...]:
    minutes, day = minutes_of(bar), iso(bar.start)
    period = f"year={day[:4]}" if minutes >= DAILY else f"month={day[:7]}" if minutes > 1 else f"day={day}"
    return (f"minutes={minutes}", f"instrument={quote(bar.instrument, safe='')}", period)


TABLES = {
    table.row: table
    for table in (
        Table("bars", Bar, lambda r: r.instrument, lambda r: iso(r.start), _bar_folders),
        Table(
            "ticks",
            rows.DepthTick,
            lambda r: r.instrument,
            lambda r: iso(r.ts),
            lambda r: (f"instrument={quote(r.instrument, safe='')}", f"day={iso(r.ts)}"),
        ),
        Table(
            "eod",
            rows.EndOfDay,
            lambda r: str(r.exchange),
            lambda r: r.day,
            lambda r: (f"exchange={r.exchange}", f"day={r.day}"),
        ),
        Table(
            "chain",
            rows.ChainQuote,
            lambda r: r.underlying,
            lambda r: iso(r.ts),
            lambda r: (f"underlying={quote(r.underlying, safe='')}", f"day={iso(r.ts) or 'unknown'}"),
        ),
        Table(
            "listings",
            rows.Listing,
            lambda r: r.source,
            lambda r: r.as_of,
            lambda r: (f"source={quote(r.source, safe='')}",),
        ),
        Table("lots", rows.LotSize, lambda _: "NSE", lambda r: r.month, lambda _: ()),
        Table("actions", rows.CorporateAction, lambda _: "NSE", lambda r: r.ex_day, lambda _: ()),
        Table("span", rows.ScanRange, lambda r: f"NSE:{r.symbol}", lambda r: r.day, lambda _: ()),
        Table("volatility", rows.DailyVolatility, lambda r: f"NSE:{r.symbol}", lambda r: r.day, lambda _: ()),
        Table("preopen", rows.PreOpen, lambda _: "NSE", lambda r: iso(r.ts), lambda r: (f"day={iso(r.ts)}",)),
        Table("aside", Aside, lambda _: "", lambda _: "", lambda _: ()),
    )
}
"""Row type to table; every row that a format yields is one of these."""


def identity(one: ImportedSet) -> tuple[str, str, int, str]:
    """What makes two sets of different files one."""
    return one.table, one.subject, one.minutes, one.basis


def merge(sets: list[ImportedSet]) -> ImportedSet:
    """Return one set for several of the same identity; a day that two files have keeps the larger count."""
    days: dict[str, int] = {}
    aside: dict[str, int] = {}
    remarks: dict[str, int] = {}
    for one in sets:
        days |= {day: max(count, days.get(day, 0)) for day, count in one.days.items()}
        aside |= {reason: count + aside.get(reason, 0) for reason, count in one.aside.items()}
        remarks |= {what: count + remarks.get(what, 0) for what, count in one.remarks.items()}
    return msgspec.structs.replace(
        sets[0],
        first=min(one.first for one in sets),
        last=max(one.last for one in sets),
        rows=sum(one.rows for one in sets),
        days=dict(sorted(days.items())),
        untradable=next((one.untradable for one in sets if one.untradable), ""),
        aside=aside,
        remarks=remarks,
        duplicates=sum(one.duplicates for one in sets),
        format=", ".join(sorted({one.format for one in sets})),
        assumed=tuple(sorted({day for one in sets for day in one.assumed})),
    )
