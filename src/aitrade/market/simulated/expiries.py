"""The next expiries of an index or a stock, as the rules date them, and when a contract stops on its last day."""

from datetime import date
from functools import cache

import msgspec

from aitrade.core.clock import at
from aitrade.core.errors import UnknownDate
from aitrade.core.instruments import Exchange
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.dated import Row, Through, facts
from aitrade.market.rules import Rules

_ANY_STOCK = "RELIANCE"
"""Stocks have monthly contracts only: one stands for all monthly expiries, an index's too."""


def next_expiries(rules: Rules, day: date, base: str, weekly: int, monthly: int) -> list[date]:
    """Return the next `weekly` expiries on `base` and `monthly` month ends from `day` on, ascending, each once.

    Fewer where the calendar ends before them: a contract whose expiry nobody knows yet is not listed.
    """
    return sorted({*_known(rules, day, base, weekly), *_known(rules, day, _ANY_STOCK, monthly)})


def _known(rules: Rules, day: date, base: str, count: int) -> list[date]:
    for fewer in range(count, 0, -1):
        try:
            return rules.expiries(day, base, Exchange.NFO, fewer)
        except UnknownDate:
            continue
    return []


class _Stop(Row, frozen=True, kw_only=True):
    last_trade: str


class _Stops(msgspec.Struct, frozen=True):
    expiring_index: list[_Stop]


@cache
def _stops() -> Through[_Stop]:
    return Through(facts("exchange.toml", None, _Stops).expiring_index)


def last_trade(calendar: Calendar, expiry: date, *, index: bool) -> int:
    """Return when contracts that expire on `expiry` stop, ns UTC: with the session, or earlier where an index's do.

    Raises UnknownDate beyond the calendar.
    """
    close = calendar.session(expiry, Segment.DERIVATIVES).close
    row = next((row for row in reversed(_stops().rows) if row.start <= expiry), None)
    return min(close, at(expiry, row.last_trade)) if index and row else close
