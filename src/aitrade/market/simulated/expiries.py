"""The next expiries of an index or a stock, as the rules date them."""

from datetime import date

from aitrade.core.errors import UnknownDate
from aitrade.core.instruments import Exchange
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
