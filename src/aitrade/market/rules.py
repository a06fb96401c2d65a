"""Market rules other than sessions: ticks, lots, freeze, expiries, square-off, order rate, margins, limits, retention.

Dated rows with sources in `facts/rules.toml`; a file of that name in a data folder's `facts/` goes over them. A date
before the first row of a kind uses that row and is ASSUMED, which `assumed` says in words.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from aitrade.core.clock import MINUTE, ist_time
from aitrade.core.errors import UnknownDate
from aitrade.core.instruments import Exchange, Kind
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.charges import ChargeBook
from aitrade.market.dated import Row, Through, by, facts

_DAY, _WEEK = timedelta(1), timedelta(7)
_FEW = 8
_EQUITY = (Segment.CASH, Segment.CASH_FNO, Segment.DERIVATIVES)


_Share = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
"""A share order never ties more than its value: risk counts on it."""


class _Tick(Row, frozen=True, kw_only=True):
    kinds: list[str]
    exchanges: list[Exchange]
    steps: list[tuple[int, int]]


class _Units(Row, frozen=True, kw_only=True):
    units: dict[str, int]


class _Expiry(Row, frozen=True, kw_only=True):
    exchange: Exchange
    weekday: int
    weekly: list[str]

    def falls_on(self, day: date, base: str) -> bool:
        """Return whether contracts on `base` are due on `day`, holidays aside."""
        last_of_month = (day + _WEEK).month != day.month
        return day.weekday() == self.weekday and (base in self.weekly or last_of_month)


class _SquareOff(Row, frozen=True, kw_only=True):
    segments: list[Segment]
    minutes_before_close: int


class _OrderRate(Row, frozen=True, kw_only=True):
    per_second: int


class RetailAlgo(Row, frozen=True, kw_only=True):
    """What a retail client that trades by an API is held to (SEBI circular of 4 February 2025)."""

    static_addresses: int
    """A primary and a secondary address that orders may come from."""
    address_change_days: int
    algo_id_on_every_order: bool
    daily_logout: bool
    two_factor: bool
    market_protection: bool
    """A market order by API must carry a protection percentage."""
    log_years: int


class MarginRates(Row, frozen=True, kw_only=True):
    """One row of margin rates, parts per million of value."""

    index_scan: int
    stock_scan: int
    index_exposure: int
    stock_exposure: int
    expiry_elm: int
    """On short index options on the day they expire."""
    intraday: _Share
    delivery: _Share


class PositionLimit(Row, frozen=True, kw_only=True):
    """Index-option limits of one entity in delta terms, crores of rupees; 0 where there is none."""

    net_end_of_day: int
    gross_end_of_day: int
    net_intraday: int = 0
    gross_intraday: int = 0


class StockLimit(Row, frozen=True, kw_only=True):
    """Limits in single-stock derivatives, parts per million of the stock's market-wide position limit."""

    ban_above: int
    """Above it only trades that reduce open interest are allowed, until it is back below `ban_until_below`."""
    ban_until_below: int
    individual: int
    proprietary: int
    foreign_and_broker: int


class Retention(Row, frozen=True, kw_only=True, rename={"data_class": "class", "start": "from"}):
    """How long a class of data is kept, days."""

    data_class: str
    days: int


class AuditTrail(Row, frozen=True, kw_only=True):
    """What a record has to have, by what it tells: names of its fields, dotted ones within its body."""

    sent: list[str]
    accepted: list[str]
    traded: list[str]
    refused: list[str]


class _Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    indices: list[str]
    tick: list[_Tick]
    lot: list[_Units]
    freeze: list[_Units]
    expiry: list[_Expiry]
    square_off: list[_SquareOff]
    order_rate: list[_OrderRate]
    retail_algo: list[RetailAlgo]
    margin: list[MarginRates]
    position_limit: list[PositionLimit]
    stock_limit: list[StockLimit]
    retention: list[Retention]
    audit_trail: list[AuditTrail]


class Rules:
    """The dated rules; an answer costs a look-up by date."""

    def __init__(self, facts_: _Facts, calendar: Calendar, charges: ChargeBook) -> None:
        self.calendar = calendar
        self.charges = charges
        self._indices = frozenset(facts_.indices)
        self._ticks = _by_kind(facts_.tick)
        self._lots = _by_base(facts_.lot)
        self._freezes = _by_base(facts_.freeze)
        self._expiries = by(facts_.expiry, "exchange")
        self._square_offs = {one: Through(row for row in facts_.square_off if one in row.segments) for one in Segment}
        self._order_rate = Through(facts_.order_rate)
        self._retail_algo = Through(facts_.retail_algo)
        self._margin = Through(facts_.margin)
        self._position_limit = Through(facts_.position_limit)
        self._stock_limit = Through(facts_.stock_limit)
        self._retention = by(facts_.retention, "data_class")
        self._audit_trail = Through(facts_.audit_trail)

    @classmethod
    def load(cls, folder: Path | None = None) -> "Rules":
        """Return the rules of the package, with the facts of `folder` over them; raise DataRefused when damaged."""
        return cls(facts("rules.toml", folder, _Facts), Calendar.load(folder), ChargeBook.load(folder))

    def tick(self, day: date, kind: Kind, exchange: Exchange, price: int, base: str = "") -> int:
        """Return the tick of an instrument at `price`, both paise; `base` tells an index future from a stock's.

        The exchange takes the last close of the month before as `price`; futures and options may be asked by their
        own exchange or by that of the underlying.
        """
        derivative = kind in {Kind.FUTURE, Kind.CALL, Kind.PUT}
        where = _DERIVATIVES_OF.get(exchange, exchange) if derivative else exchange
        name = "INDEX_FUTURE" if kind is Kind.FUTURE and base in self._indices else kind
        steps = self._ticks[name, where].at(day).steps
        return next(tick for begin, tick in reversed(steps) if begin <= price or not begin)

    def lot(self, day: date, base: str) -> int | None:
        """Return the units in a lot of contracts on `base` that are listed on `day`, None where it is not known."""
        return _units(self._lots, day, base)

    def freeze(self, day: date, base: str) -> int | None:
        """Return the largest quantity of one order in contracts on `base`, units; None where it is not known."""
        return _units(self._freezes, day, base)

    def largest_order(self, day: date, base: str) -> int | None:
        """Return the largest whole number of lots within the freeze quantity, units; None where it is not known."""
        lot, freeze = self.lot(day, base), self.freeze(day, base)
        return freeze // lot * lot if lot and freeze else None

    def square_off(self, day: date, segment: Segment) -> str:
        """Return when intraday positions of a segment are squared off on `day`, IST HH:MM; raises as `session` does."""
        row = self._square_offs[segment].at(day)
        close = self.calendar.session(day, segment).close
        return ist_time(close - row.minutes_before_close * MINUTE)[:5]

    def order_rate(self, day: date) -> int:
        """Return the orders a second that an unregistered algo may send per exchange and segment."""
        return self._order_rate.at(day).per_second

    def retail_algo(self, day: date) -> RetailAlgo | None:
        """Return what the retail algo framework asks for, None before it was in force."""
        row = self._retail_algo.at(day)
        return row if row.start <= day else None

    def margin(self, day: date) -> MarginRates:
        """Return the day's margin rates."""
        return self._margin.at(day)

    def position_limit(self, day: date) -> PositionLimit:
        """Return the day's index-option limits."""
        return self._position_limit.at(day)

    def stock_limit(self, day: date) -> StockLimit:
        """Return the day's single-stock limits."""
        return self._stock_limit.at(day)

    def retention(self, day: date) -> dict[str, int]:
        """Return the days for which each class of data is kept, by the rules of `day`."""
        return {name: rows.at(day).days for name, rows in self._retention.items()}

    def audit_trail(self, day: date) -> AuditTrail:
        """Return what the records of an order have to have."""
        return self._audit_trail.at(day)

    def is_index(self, base: str) -> bool:
        """Return whether `base` is an index with derivatives."""
        return base in self._indices

    def expiry(self, day: date, base: str, exchange: Exchange) -> date:
        """Return the next expiry of contracts on `base` from `day` on; raises as `expiries` does."""
        return self.expiries(day, base, exchange, 1)[0]

    def expiries(self, day: date, base: str, exchange: Exchange, count: int) -> list[date]:
        """Return the next `count` expiries of contracts on `base` from `day` on: weekly where they are, or monthly.

        A holiday moves an expiry to the trading day before. Raises UnknownDate beyond what is published.
        """
        if exchange not in self._expiries:
            raise UnknownDate(f"No expiry days are known for {exchange}; its contract master has them.")
        found: list[date] = []
        due = self._due(day, base, self._expiries[exchange])
        while len(found) < count:
            expiry = next(due)
            if expiry >= day and expiry not in found:
                found.append(expiry)
        return found

    def assumed(self, day: date) -> list[str]:
        """Return what is ASSUMED on `day`, or rests on one source, a sentence each."""
        sentences = [
            *_doubts("orders a second", {"": self._order_rate}, day),
            *_doubts("margin rates", {"": self._margin}, day),
            *_doubts("position limits of index options", {"": self._position_limit}, day),
            *_doubts("lots of", self._lots, day),
            *_doubts("freeze quantities of", self._freezes, day),
            *_doubts("expiry days of", self._expiries, day),
            *self.charges.assumed(day),
        ]
        sentences += self._notes(day)
        return [f"ASSUMED: {sentence}" for sentence in sentences]

    def _notes(self, day: date) -> list[str]:
        """Return what is to be said of the day's equity sessions, each once."""
        try:
            traded = [one for one in _EQUITY if self.calendar.is_trading_day(day, one)]
        except UnknownDate as unknown:
            return [str(unknown)]
        return list(dict.fromkeys(note for one in traded if (note := self.calendar.session(day, one).note)))

    def _due(self, day: date, base: str, rows: Through[_Expiry]) -> Iterator[date]:
        """Yield expiries without end, from the first that may lie on or after `day`."""
        while True:
            if rows.at(day).falls_on(day, base):
                trades = self.calendar.is_trading_day(day, Segment.DERIVATIVES)
                yield day if trades else self.calendar.previous_trading_day(day, Segment.DERIVATIVES)
            day += _DAY


_DERIVATIVES_OF = {Exchange.NSE: Exchange.NFO, Exchange.BSE: Exchange.BFO}


def _by_kind(rows: Iterable[_Tick]) -> dict[tuple[str, Exchange], Through[_Tick]]:
    groups: dict[tuple[str, Exchange], list[_Tick]] = {}
    for row in rows:
        for kind in row.kinds:
            for exchange in row.exchanges:
                groups.setdefault((kind, exchange), []).append(row)
    return {key: Through(members) for key, members in groups.items()}


def _by_base(rows: Iterable[_Units]) -> dict[str, Through[_Units]]:
    groups: dict[str, list[_Units]] = {}
    for row in rows:
        for base in row.units:
            groups.setdefault(base, []).append(row)
    return {base: Through(members) for base, members in groups.items()}


def _units(rows: dict[str, Through[_Units]], day: date, base: str) -> int | None:
    known = rows.get(base)
    return known.at(day).units[base] if known else None


def _doubts(what: str, named: Mapping[Any, Through[Any]], day: date) -> list[str]:
    """Return one sentence on what of `named` is not certain on `day`, or none."""
    names = [name for name, rows in named.items() if rows.assumed(day)]
    if not names:
        return []
    subject = f"{what} {', '.join(names) if len(names) <= _FEW else f'{len(names)} underlyings'}".strip()
    return [f"{subject}: not published for {day}, the nearest that is known holds."]
