"""What trades earned: the tear sheet of one instrument's trades, and that of a whole book's days, in paise."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from aitrade.core.money import format_rupees, half_up
from aitrade.research.compare import Trade
from aitrade.research.replay import Leg


class TearSheet(msgspec.Struct, frozen=True):
    """Figures of one instrument's trades; money in paise. A round trip ends when the position is flat or turns."""

    trades: int
    turnover: int
    gross: int
    """Profit before charges, an open position counted at the last price."""
    charges: int
    round_trips: int
    winners: int
    best: int
    worst: int
    """Of the round trips, before charges; 0 without any."""
    drawdown: int
    """Deepest fall of the realised profit after charges from its highest point so far, 0 or more."""
    position: int
    """Units that stay open."""

    @property
    def net(self) -> int:
        """Profit after charges."""
        return self.gross - self.charges

    def frame(self) -> Any:
        """Return a pandas frame, a figure a row, money in rupees."""
        import pandas as pd

        rows = {
            "trades": f"{self.trades}",
            "turnover": format_rupees(self.turnover),
            "profit before charges": format_rupees(self.gross, sign=True),
            "charges": format_rupees(self.charges),
            "profit after charges": format_rupees(self.net, sign=True),
            "round trips": f"{self.round_trips}, {self.winners} of them with a profit",
            "best round trip": format_rupees(self.best, sign=True),
            "worst round trip": format_rupees(self.worst, sign=True),
            "deepest fall": format_rupees(self.drawdown),
            "still open": f"{self.position} units",
        }
        return pd.DataFrame({"figure": rows.keys(), "value": rows.values()}).set_index("figure")


def tear_sheet(trades: Sequence[Trade], charged: Leg, last: int) -> TearSheet:
    """Return the figures of one instrument's `trades`; what stays open counts at `last`, paise."""
    held = cash = charges = deepest = top = 0
    trips: list[int] = []
    banked = 0
    for _, side, quantity, price, _ in trades:
        charges += charged.total(side, quantity * price, quantity)
        before, held = held, held + side.sign * quantity
        cash -= side.sign * quantity * price
        if before and before * held <= 0:
            now = cash + held * price
            trips.append(now - banked)
            banked = now
        top = max(top, banked - charges)
        deepest = max(deepest, top - (banked - charges))
    return TearSheet(
        trades=len(trades),
        turnover=sum(quantity * price for _, _, quantity, price, _ in trades),
        gross=cash + held * last,
        charges=charges,
        round_trips=len(trips),
        winners=sum(trip > 0 for trip in trips),
        best=max(trips, default=0),
        worst=min(trips, default=0),
        drawdown=deepest,
        position=held,
    )


class DayMade(NamedTuple):
    """One market day of a book, paise: what it began with and what it made, charges taken off."""

    day: str
    begins: int
    pnl: int
    charges: int


class Trip(NamedTuple):
    """A closed lot, paise: what it made before and after charges, and how many days it was held."""

    gain: int
    net: int
    days: int


class BookSheet(msgspec.Struct, frozen=True):
    """Figures of a book's days and closed lots: paise, returns as fractions, None where too few say nothing."""

    days: int
    first: str
    last: str
    pnl: int
    charges: int
    total_return: float
    """Of the daily returns, one after the other."""
    yearly_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    drawdown: float
    """Deepest fall of the chained returns from their highest point so far, 0 or more."""
    drawdown_from: str
    drawdown_to: str
    winning_days: int
    best_day: int
    worst_day: int
    trips: int
    winners: int
    profit_factor: float | None
    """Gains over losses of closed lots, after charges; None without a loss."""
    expectancy: int
    """Mean of the closed lots, after charges."""
    held_days: float
    """Mean, of closed lots."""


YEAR_DAYS = 250
"""Market days that a year is taken to have."""
FEWEST_DAYS = 20
"""Fewer days than this give no yearly figure."""


def book_sheet(days: Sequence[DayMade], trips: Sequence[Trip]) -> BookSheet:
    """Return the tear sheet of a book's days and closed lots.

    A day's return is its P&L over what it began with. Yearly figures take `YEAR_DAYS` days; the interest that money
    would have earned is left out (the risk-free rate is taken as nothing), which flatters Sharpe and Sortino ratios.
    W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994); F. A. Sortino and L. N. Price,
    "Performance Measurement in a Downside Risk Framework", Journal of Investing 3 (1994).
    """
    returns = [one.pnl / one.begins if one.begins else 0.0 for one in days]
    grown, fall = _grown(returns), _fall(days, returns)
    enough = len(returns) >= FEWEST_DAYS
    mean, deviation, downside = _spread(returns) if enough else (0.0, 0.0, 0.0)
    gains = sum(trip.net for trip in trips if trip.net > 0)
    losses = -sum(trip.net for trip in trips if trip.net < 0)
    return BookSheet(
        days=len(days),
        first=days[0].day if days else "",
        last=days[-1].day if days else "",
        pnl=sum(one.pnl for one in days),
        charges=sum(one.charges for one in days),
        total_return=grown - 1,
        yearly_return=grown ** (YEAR_DAYS / len(returns)) - 1 if enough and grown > 0 else None,
        volatility=deviation * math.sqrt(YEAR_DAYS) if enough else None,
        sharpe=mean / deviation * math.sqrt(YEAR_DAYS) if deviation else None,
        sortino=mean / downside * math.sqrt(YEAR_DAYS) if downside else None,
        drawdown=fall[0],
        drawdown_from=fall[1],
        drawdown_to=fall[2],
        winning_days=sum(one.pnl > 0 for one in days),
        best_day=max((one.pnl for one in days), default=0),
        worst_day=min((one.pnl for one in days), default=0),
        trips=len(trips),
        winners=sum(trip.net > 0 for trip in trips),
        profit_factor=gains / losses if losses else None,
        expectancy=half_up(gains - losses, len(trips)) if trips else 0,
        held_days=sum(trip.days for trip in trips) / len(trips) if trips else 0.0,
    )


def falls(returns: Sequence[float]) -> list[float]:
    """Return after each return how far the chain stands below its highest point so far, 0 or more."""
    level = top = 1.0
    below = []
    for one in returns:
        level *= 1 + one
        top = max(top, level)
        below.append(1 - level / top)
    return below


def _grown(returns: Sequence[float]) -> float:
    return math.prod(1 + one for one in returns)


def _fall(days: Sequence[DayMade], returns: Sequence[float]) -> tuple[float, str, str]:
    """Return the deepest fall, the last day at the top before it ("" where it fell from its begin), and its bottom."""
    below = falls(returns)
    deepest = max(below, default=0.0)
    if not deepest:
        return 0.0, "", ""
    bottom = below.index(deepest)
    tops = [days[index].day for index in range(bottom) if not below[index]]
    return deepest, tops[-1] if tops else "", days[bottom].day


def _spread(returns: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, sample deviation, and deviation below nothing, of daily returns."""
    mean = math.fsum(returns) / len(returns)
    deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in returns) / (len(returns) - 1))
    downside = math.sqrt(math.fsum(min(one, 0.0) ** 2 for one in returns) / len(returns))
    return mean, deviation, downside
