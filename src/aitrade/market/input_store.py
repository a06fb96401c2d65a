"""Imported market data: partitioned Parquet, and one manifest a source file that says what of it is there.

A part counts only when a manifest names it, so that an import that was cut off has changed nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby, product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from aitrade.core.clock import DAY, at
from aitrade.core.instruments import OPTIONS, Exchange, Instrument, Kind
from aitrade.core.quotes import Bar, Tick
from aitrade.market import input_rows as rows
from aitrade.market.input_files import Row, read_manifest, read_part, replace_file, write_part
from aitrade.market.input_tables import (
    DAILY,
    SCHEMA,
    TABLES,
    Aside,
    Basis,
    ImportedSet,
    Part,
    Source,
    identity,
    iso,
    merge,
    minutes_of,
)
from aitrade.market.symbols import kind_of


class InputStore:
    """The imported data in `folder`; readers see what was imported when they first asked, until `refresh`."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    @cached_property
    def sources(self) -> list[Source]:
        """The manifests, earliest import first. Raises DataRefused for one that cannot be read."""
        found = [read_manifest(path) for path in sorted((self.folder / "sources").glob("*.json"))]
        return sorted((source for source in found if source.schema == SCHEMA), key=lambda s: (s.imported, s.sha256))

    def refresh(self) -> None:
        """Forget what was read, so that the next question sees new imports."""
        for name in ("sources", "_merged", "_by_subject"):
            self.__dict__.pop(name, None)

    def has(self, sha256: str) -> bool:
        """True where the file with this hash was imported under the present schema."""
        path = self.folder / "sources" / f"{sha256}.json"
        return path.exists() and read_manifest(path).schema == SCHEMA

    def sets(self) -> list[ImportedSet]:
        """Return what is imported, one set a (table, subject, bar length, basis), merged over files."""
        return list(self._merged)

    def days(self, minutes: int = 1) -> dict[date, list[str]]:
        """Return the days that have bars of `minutes`, oldest first, with what of them could be traded."""
        found: dict[str, set[str]] = {}
        for one in self._merged:
            if (one.table, one.minutes) == ("bars", minutes) and one.tradable:
                for day in one.days:
                    found.setdefault(day, set()).add(one.subject)
        return {date.fromisoformat(day): sorted(found[day]) for day in sorted(found)}

    def bars(self, instrument: str, minutes: int, start: int, end: int, basis: Basis | None = None) -> list[Bar]:
        """Return bars that start in [start, end) ns UTC, in time order.

        Bases are never mixed in one answer: `basis`, or the first of raw, unknown, adjusted that has any. Where files
        overlap, the one imported first counts.
        """
        for wanted in [basis] if basis else list(Basis):
            parts = self._parts("bars", instrument, iso(start), iso(end - 1), minutes, wanted)
            found = {bar.start: bar for bar in self._rows(Bar, reversed(parts)) if start <= bar.start < end}
            if found:
                return [found[at_] for at_ in sorted(found)]
        return []

    def depth_ticks(self, instrument: str, day: date) -> list[rows.DepthTick]:
        """Return the ticks of `day` with the levels of the book that the source had, in time order."""
        parts = self._parts("ticks", instrument, day.isoformat(), day.isoformat())
        return sorted(self._rows(rows.DepthTick, parts[:1]), key=lambda tick: tick.ts)

    def ticks(self, instrument: str, day: date) -> list[Tick]:
        """Return the ticks of `day` in time order."""
        return [
            Tick(t.instrument, t.ts, t.price, t.quantity, t.bid, t.ask, t.bid_quantity, t.ask_quantity, t.volume, t.oi)
            for t in self.depth_ticks(instrument, day)
        ]

    def end_of_day(self, exchange: Exchange, day: date) -> list[rows.EndOfDay]:
        """Return the bhavcopy of an exchange segment, keys in order; where files overlap, the first imported counts."""
        parts = self._parts("eod", str(exchange), day.isoformat(), day.isoformat())
        found = {row.key: row for row in self._rows(rows.EndOfDay, reversed(parts))}
        return [found[key] for key in sorted(found)]

    def chain(self, underlying: str, day: date) -> list[rows.EndOfDay]:
        """Return the end-of-day option chain of `underlying` (NSE:NIFTY), by expiry, strike and side."""
        segment = Exchange.BFO if underlying.startswith("BSE:") else Exchange.NFO
        symbol = underlying.split(":", 1)[1]
        chosen = [r for r in self.end_of_day(segment, day) if r.symbol == symbol and r.kind in OPTIONS]
        return sorted(chosen, key=lambda r: (r.expiry, r.strike, r.kind))

    def snapshots(self, underlying: str) -> list[rows.ChainQuote]:
        """Return every imported chain snapshot of `underlying`, by moment, expiry, strike and side."""
        found = self._rows(rows.ChainQuote, self._parts("chain", underlying))
        return sorted(found, key=lambda r: (r.ts, r.expiry, r.strike, r.kind))

    def listings(self, source: str) -> list[rows.Listing]:
        """Return a broker's contract master as imported."""
        return list(self._rows(rows.Listing, self._parts("listings", source)))

    def lots(self) -> list[rows.LotSize]:
        """Return the imported lot sizes."""
        return list(self._rows(rows.LotSize, self._parts("lots", "NSE")))

    def corporate_actions(self, symbol: str = "", start: str = "", end: str = "9") -> list[rows.CorporateAction]:
        """Return corporate actions with ex-day in [start, end], ISO, of `symbol` or of all, by ex-day."""
        found = self._rows(rows.CorporateAction, self._parts("actions", "NSE"))
        chosen = [r for r in found if start <= r.ex_day <= end and symbol in ("", r.symbol)]
        return sorted(chosen, key=lambda r: (r.ex_day, r.symbol))

    def scan_ranges(self, index: str) -> list[rows.ScanRange]:
        """Return the SPAN scan ranges of an index (NSE:NIFTY), by day."""
        return sorted(self._rows(rows.ScanRange, self._parts("span", index)), key=lambda r: (r.day, r.expiry))

    def volatilities(self, index: str) -> list[rows.DailyVolatility]:
        """Return the exchange's daily volatilities of an index (NSE:NIFTY), by day."""
        return sorted(self._rows(rows.DailyVolatility, self._parts("volatility", index)), key=lambda r: r.day)

    def pre_open(self, day: date) -> list[rows.PreOpen]:
        """Return what the pre-open auctions of `day` came to."""
        return list(self._rows(rows.PreOpen, self._parts("preopen", "NSE", day.isoformat(), day.isoformat())))

    def set_aside(self, sha256: str) -> list[Aside]:
        """Return the rows of a source file that were set aside, in the file's order."""
        parts = [part for source in self.sources if source.sha256 == sha256 for part in source.parts]
        return list(self._rows(Aside, [part for part in parts if part.table == "aside"]))

    def previous_close(self, instrument: str, day: date) -> int:
        """Return the last price known before `day` in paise: the bhavcopy's of a stock, else the last bar's; or 0.

        The bhavcopy's is the official one (a volume-weighted half hour, or the auction), a bar's close its last trade.
        """
        return self._official_close(instrument, day) or self._last_close(instrument, day)

    def instruments(self, day: date) -> list[Instrument]:
        """Return what has minute bars or ticks on `day` that could be traded, with its previous close."""
        iso = day.isoformat()
        keys = {s.subject for s in self._merged if _intraday(s) and s.tradable and iso in s.days}
        return [self._instrument(key, day) for key in sorted(keys)]

    def commit(self, source: Source, held: Iterable[tuple[Basis, list[Any]]]) -> Source:
        """Store rows of any tables and then the manifest that makes them count; all of it or nothing."""
        written: list[Part] = []
        try:
            for basis, items in held:
                written.extend(self._write(source, basis, items))
            whole = msgspec.structs.replace(source, parts=tuple(written))
            path = self.folder / "sources" / f"{source.sha256}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, lambda temporary: temporary.write_bytes(msgspec.json.encode(whole)))
        except BaseException:
            for part in written:
                (self.folder / part.path).unlink(missing_ok=True)
            raise
        self.refresh()
        return whole

    @cached_property
    def _merged(self) -> list[ImportedSet]:
        every = sorted((s for source in self.sources for s in source.sets), key=identity)
        return [merge(list(group)) for _, group in groupby(every, key=identity)]

    def _instrument(self, key: str, day: date) -> Instrument:
        exchange, symbol = key.split(":", 1)
        kind = kind_of(key) if exchange in {"NSE", "BSE"} else Kind.FUTURE
        close = self.previous_close(key, day)
        return Instrument(key=key, exchange=Exchange(exchange), symbol=symbol, kind=kind, previous_close=close)

    def _official_close(self, instrument: str, day: date) -> int:
        """Close of the bhavcopy before `day`, at most a week back, or the previous close in the day's own."""
        week_ago = (day - timedelta(days=7)).isoformat()
        parts = self._parts("eod", instrument.split(":", 1)[0], week_ago, day.isoformat())
        for part in sorted(parts, key=lambda part: part.last, reverse=True):
            row = next((row for row in self._rows(rows.EndOfDay, [part]) if row.key == instrument), None)
            if row:
                return row.previous_close if row.day == day.isoformat() else row.close
        return 0

    def _last_close(self, instrument: str, day: date) -> int:
        before = at(day, "00:00")
        for minutes, basis in product((1, 5, 60, DAILY), (Basis.RAW, Basis.UNKNOWN)):
            if bars := self.bars(instrument, minutes, before - 7 * DAY, before, basis):
                return bars[-1].close
        return 0

    @cached_property
    def _by_subject(self) -> dict[tuple[str, str], list[Part]]:
        found: dict[tuple[str, str], list[Part]] = {}
        for source in self.sources:
            for part in source.parts:
                found.setdefault((part.table, part.subject), []).append(part)
        return found

    def _subjects(self, table: str, subject: str) -> list[Part]:
        return self._by_subject.get((table, subject), [])

    def _parts(
        self, table: str, subject: str, first: str = "", last: str = "9", minutes: int = 0, basis: Basis | None = None
    ) -> list[Part]:
        return [
            part
            for part in self._subjects(table, subject)
            if part.minutes == minutes and part.last >= first and part.first <= last and basis in (None, part.basis)
        ]

    def _rows(self, row: type[Row], parts: Iterable[Part]) -> Iterator[Row]:
        for part in parts:
            yield from read_part(self.folder / part.path, row)

    def _write(self, source: Source, basis: Basis, items: list[Any]) -> Iterator[Part]:
        """Write `items` of one table into their folders and yield the parts."""
        table = TABLES[type(items[0])]
        placed: dict[tuple[str, tuple[str, ...]], list[Any]] = {}
        for item in items:
            placed.setdefault((table.subject(item), table.folders(item)), []).append(item)
        for (subject, folders), group in placed.items():
            path = Path(table.name, *folders, f"{source.sha256[:16]}-{quote(subject, safe='')}-{basis}.parquet")
            write_part(self.folder / path, table, group, source.sha256)
            days = sorted(table.day(item) for item in group)
            yield Part(
                path=path.as_posix(),
                table=table.name,
                subject=subject,
                minutes=minutes_of(group[0]),
                basis=basis,
                first=days[0],
                last=days[-1],
                rows=len(group),
            )


def _intraday(one: ImportedSet) -> bool:
    return one.table == "ticks" or (one.table, one.minutes) == ("bars", 1)
