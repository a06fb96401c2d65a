"""Market rules other than sessions: ticks, lots, freeze, expiries, square-off, order rate, margins, limits, retention.

Dated rows with sources in `facts/rules.toml`; a file of that name in the data folder's `facts/` replaces it. A date
before the first row of a kind uses that row and is ASSUMED, which `assumed` says in words.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from aitrade.core.errors import UnknownDate
from aitrade.core.instruments import Exchange, Kind
from aitrade.core.money import PAISE
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.dated import facts

_INDICES = frozenset({"NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "SENSEX", "BANKEX"})


class _Dated(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "data_class": "class"}):
    source: str
    confidence: str
    start: date = date.min


class _Tick(_Dated, frozen=True, kw_only=True):
    kinds: list[str]
    steps: list[tuple[float, float]]


class _Lot(_Dated, frozen=True, kw_only=True):
    base: str
    lot: int


class _Freeze(_Dated, frozen=True, kw_only=True):
    base: str
    units: int


class _Expiry(_Dated, frozen=True, kw_only=True):
    exchange: Exchange
    weekday: int
    weekly: list[str]


class _SquareOff(_Dated, frozen=True, kw_only=True):
    segments: list[Segment]
    minutes_before_close: int


class _OrderRate(_Dated, frozen=True, kw_only=True):
    per_second: int


class MarginRates(_Dated, frozen=True, kw_only=True):
    """One row of margin rates, parts per million of value."""

    index_scan: int
    stock_scan: int
    index_exposure: int
    stock_exposure: int
    expiry_elm: int
    intraday: int
    delivery: int


class PositionLimit(_Dated, frozen=True, kw_only=True):
    """Index-option limits of one entity in delta terms, crores of rupees."""

    net_end_of_day: int
    gross_end_of_day: int
    net_intraday: int
    gross_intraday: int


class Retention(_Dated, frozen=True, kw_only=True):
    """How long a class of data lives, days."""

    data_class: str
    days: int


class _Facts(msgspec.Struct, frozen=True):
    tick: list[_Tick]
    lot: list[_Lot]
    freeze: list[_Freeze]
    expiry: list[_Expiry]
    square_off: list[_SquareOff]
    order_rate: list[_OrderRate]
    margin: list[MarginRates]
    position_limit: list[PositionLimit]
    retention: list[Retention]


R = TypeVar("R", bound=_Dated)


def _in_force(rows: Iterable[R], day: date) -> R | None:
    """Return the row that holds on `day`; before the first, the first; None of none."""
    ordered = sorted(rows, key=lambda row: row.start)
    holding = [row for row in ordered if row.start <= day]
    return (holding or ordered or [None])[-1 if holding else 0]


class Rules:
    """The dated rules. Answers are looked up by date each time; ask once a day, not once a tick."""

    def __init__(self, facts_: _Facts, calendar: Calendar) -> None:
        self._facts = facts_
        self._calendar = calendar

    @classmethod
    def load(cls, folder: Path | None = None) -> "Rules":
        """Return the rules of the package, with the facts that `folder` replaces; raise Refused when damaged."""
        return cls(facts("rules.toml", folder, _Facts), Calendar.load(folder))

    def tick(self, day: date, kind: Kind, exchange: Exchange, price: int, base: str = "") -> int:  # noqa: ARG002 - BSE's own grid below 100 rupees is not in the facts
        """Return the tick of an instrument at `price`, both paise; `base` tells an index future from a stock's."""
        name = "INDEX_FUTURE" if kind is Kind.FUTURE and base in _INDICES else kind
        row = _in_force((row for row in self._facts.tick if name in row.kinds), day)
        steps = row.steps if row else [(0.0, 0.05)]
        tick = [step for begin, step in steps if begin * PAISE <= price][-1]
        return round(tick * PAISE)

    def lot(self, day: date, base: str) -> int | None:
        """Return the units in a lot of contracts on `base`, None where it is not known."""
        row = _in_force((row for row in self._facts.lot if row.base == base), day)
        return row.lot if row else None

    def freeze(self, day: date, base: str) -> int | None:
        """Return the freeze quantity of contracts on `base` in units, None where it is not known."""
        row = _in_force((row for row in self._facts.freeze if row.base == base), day)
        return row.units if row else None

    def square_off(self, day: date, segment: Segment) -> str:
        """Return when intraday positions of a segment are squared off on `day`, IST HH:MM."""
        from aitrade.core.clock import MINUTE, ist

        row = _in_force((row for row in self._facts.square_off if segment in row.segments), day)
        close = self._calendar.session(day, segment).close
        return f"{ist(close - (row.minutes_before_close if row else 10) * MINUTE):%H:%M}"

    def order_rate(self, day: date) -> int:
        """Return the orders a second that an unregistered algo may send per exchange and segment."""
        return self._row(self._facts.order_rate, day).per_second

    def margin(self, day: date) -> MarginRates:
        """Return the day's margin rates."""
        return self._row(self._facts.margin, day)

    def position_limit(self, day: date) -> PositionLimit:
        """Return the day's index-option limits."""
        return self._row(self._facts.position_limit, day)

    def retention(self) -> dict[str, int]:
        """Return the days for which each class of data is kept."""
        return {row.data_class: row.days for row in self._facts.retention}

    def is_index(self, base: str) -> bool:
        """Return whether `base` is an index with derivatives."""
        return base in _INDICES

    def expiries(self, day: date, base: str, exchange: Exchange, count: int) -> list[date]:
        """Return the next `count` expiries of contracts on `base` from `day` on: weekly where they are, or monthly.

        A holiday moves an expiry to the trading day before. Raises UnknownDate beyond what is published.
        """
        found: list[date] = []
        at = day
        while len(found) < count:
            row = _in_force((row for row in self._facts.expiry if row.exchange is exchange), at)
            if row is None:
                raise UnknownDate(f"No expiry rule for {exchange}.")
            if at.weekday() == row.weekday and (base in row.weekly or (at + timedelta(7)).month != at.month):
                expiry = self._traded_on_or_before(at)
                if expiry >= day and expiry not in found:
                    found.append(expiry)
            at += timedelta(1)
        return found

    def assumed(self, day: date) -> list[str]:
        """Return what is ASSUMED on `day`, a sentence each: kinds of rules whose first row begins later."""
        sentences = []
        for name in ("order_rate", "margin", "position_limit"):
            rows: list[_Dated] = getattr(self._facts, name)
            first = min(row.start for row in rows)
            if first > day:
                what = name.replace("_", " ")
                sentences.append(
                    f"ASSUMED: the {what} of {first} is used for {day}; earlier ones are not in the facts."
                )
        if self._calendar.is_trading_day(day, Segment.CASH) and self._calendar.session(day, Segment.CASH).assumed:
            sentences.append(
                f"ASSUMED: the holidays of {day.year} are not in the facts; weekdays count as trading days."
            )
        return sentences

    def _row(self, rows: list[R], day: date) -> R:
        row = _in_force(rows, day)
        if row is None:
            raise UnknownDate(f"The facts have no row of this kind for {day}.")
        return row

    def _traded_on_or_before(self, day: date) -> date:
        if self._calendar.is_trading_day(day, Segment.DERIVATIVES):
            return day
        return self._calendar.previous_trading_day(day, Segment.DERIVATIVES)
