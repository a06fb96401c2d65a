"""The performance tear sheet of a book, ready to be shown; its figures are worked out by `research.tear_sheet`.

A notebook brings the two together, because reports and research do not know each other:
`report.sheet = book_sheet(report.days, report.trips)`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol, Self

import msgspec

from aitrade.core.clock import at
from aitrade.market.tax import Taxes
from aitrade.ops.ledger import Day, Standing
from aitrade.ops.reports.charts import Bars, Line, Lines
from aitrade.ops.reports.pieces import Figure, Figures, Notice, Piece, Pieces, Table, table
from aitrade.ops.reports.profit_and_tax import Closed, Statement, statement
from aitrade.ops.reports.span import bounds, until
from aitrade.ops.reports.subject import Totals, amount, headline, home

_BEST = 10
MADE = tuple[str, int, int, int]
"""A day: ISO, what it began with, P&L and charges, paise; `research.tear_sheet.DayMade` in this order."""
TRIP = tuple[int, int, int]
"""A closed lot: gain, net of charges, days held; `research.tear_sheet.Trip` in this order."""


class Sheet(Protocol):
    """What this report reads of `research.tear_sheet.BookSheet`, which documents it."""

    total_return: float
    yearly_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    drawdown: float
    drawdown_from: str
    drawdown_to: str
    winning_days: int
    winners: int
    profit_factor: float | None
    expectancy: int
    held_days: float


class Owner(msgspec.Struct, frozen=True):
    """What a strategy (or persons, with an empty name) realised in the span, before and of charges, paise."""

    name: str
    realised: int
    charges: int
    trades: int


class Performance(msgspec.Struct):
    """A book's days up to one, ready to be shown."""

    book: str
    made: Statement
    owners: list[Owner]

    @classmethod
    def of(cls, book: str, day: str, span: str) -> Self:
        """Read the book's days since it began."""
        folder: Path = home()
        first, last = bounds(span, day)
        seen = _Ends(first)
        found = statement(seen.over(until(folder, book, day)), first, last, Taxes.load(folder))
        return cls(book, found, owners(seen.begin, seen.end))

    @property
    def days(self) -> list[MADE]:
        """The span's days for the tear sheet, each with the night before it: a day begins at the close before."""
        return [(one.day, one.begins - one.night, one.pnl + one.night, one.charges) for one in self.made.days]

    @property
    def trips(self) -> list[TRIP]:
        """The span's closed lots, for the tear sheet; all charges are taken off."""
        return [(one.match.gain, one.match.gain - sum(one.match.charges), _held(one)) for one in self.made.closed]

    def cover(self) -> Pieces:
        """Return what the sheet is of."""
        made, count_ = self.made, len(self.made.days)
        parts: list[Piece] = []
        if not count_:
            parts.append(Notice(f"NIL report: book {self.book} did not trade in this span."))
        first = made.days[0].day if count_ else made.last
        words = f"{count_} market days, {first} to {made.last}. Book {self.book}, {made.mode or 'no'} prices."
        parts.append(Notice(words))
        if made.modelled:
            parts.append(Notice(f"{made.modelled} of {len(made.closed)} closed lots have MODELLED prices.", "warn"))
        return Pieces(parts)

    def summary(self, sheet: Sheet) -> Figures:
        """Return the span in nine figures."""
        made = self.made.days
        fall = f"{sheet.drawdown_from or 'the beginning'} to {sheet.drawdown_to}" if sheet.drawdown else "never"
        return Figures(
            [
                amount("P&L", sum(pnl for _, _, pnl, _ in self.days), "charges taken off", sign=True),
                Figure("Return", _percent(sheet.total_return), "daily returns chained"),
                Figure("A year", _percent(sheet.yearly_return), "at this pace"),
                Figure("Volatility", _percent(sheet.volatility), "a year"),
                Figure("Sharpe ratio", _figure(sheet.sharpe), "risk-free rate 0"),
                Figure("Sortino ratio", _figure(sheet.sortino), "risk-free rate 0"),
                Figure("Deepest fall", _percent(sheet.drawdown), fall),
                Figure("Winning days", f"{sheet.winning_days} of {len(made)}"),
                amount("Charges", sum(day.charges for day in made)),
            ],
            how="A day's return is its P&L, dividends and what else the night before it brought included, over the "
            "equity of the book's day before; days are those that the book traded. A year has 250 market days; fewer "
            "than 20 days give no yearly figure. The interest that money would have earned is left out (risk-free "
            "rate 0), which flatters both ratios. Volatility is the sample deviation of daily returns times the root "
            "of 250; Sharpe is their mean over it, Sortino their mean over the deviation below nothing, both for a "
            "year. The fall is from the highest point of the chained returns so far.",
        )

    def curve(self) -> Lines:
        """Return the equity at each close."""
        points = [(at(day.day, "00:00"), float(day.equity)) for day in self.made.days]
        how = "What the engine marked at each close: money, less charges, and all that was open at its last price."
        return Lines("Equity at each close", [Line("Equity", points)], format="%d %b %y", how=how)

    def fall(self, below: Sequence[float]) -> Lines:
        """Return how far the book stood below its highest point, per day; `below` of `research.tear_sheet.falls`."""
        days = [at(day.day, "00:00") for day in self.made.days]
        points = [(ts, -one) for ts, one in zip(days, below, strict=True)]
        how = "How far the chained returns stand below the highest that they had reached by then."
        return Lines("Below the highest point so far", [Line("Fall", points)], "percent", "%d %b %y", how)

    def months(self) -> Table:
        """Return each month's P&L and return."""
        names = sorted({day.day[:7] for day in self.made.days})
        rows = []
        for name in names:
            own = [day for day in self.days if day[0].startswith(name)]
            pnl, begins = sum(made for _, _, made, _ in own), own[0][1]
            trades = sum(day.fills for day in self.made.days if day.day.startswith(name))
            rows.append((name, len(own), trades, pnl, pnl / begins if begins else None))
        return table(
            "Month, Days:count, Trades:count, P&L:signed, Of its begin:percent", rows, empty="No market days.",
            how="The P&L of a month's days, the nights before them included, over the equity that the first began at.",
        )  # fmt: skip

    def lots(self, sheet: Sheet) -> Figures:
        """Return the closed lots in five figures."""
        closed = self.made.closed
        return Figures(
            [
                headline("Closed lots", len(closed)),
                Figure("With a gain", f"{sheet.winners} of {len(closed)}"),
                Figure("Profit factor", _figure(sheet.profit_factor), "gains over losses"),
                amount("Mean of a lot", sheet.expectancy, "charges taken off", sign=True),
                Figure("Held", f"{sheet.held_days:.1f} days", "mean"),
            ],
            how="A lot is a purchase and the sale that used it up, first in first out; all its charges are taken off.",
        )

    def extremes(self) -> Table:
        """Return the best and the worst closed lots."""
        ordered = sorted(self.made.closed, key=_net)
        chosen = ordered if len(ordered) <= 2 * _BEST else [*ordered[:_BEST], *ordered[-_BEST:]]
        rows = [
            (one.match.instrument, one.match.quantity, one.match.opened, one.match.closed, one.match.gain, _net(one))
            for one in reversed(chosen)
        ]
        return table(
            "Instrument:code, Units:count, Opened, Closed, Gain:signed, Net:signed", rows, empty="Nothing was closed.",
            how=f"The {_BEST} best and the {_BEST} worst by net, best first.",
        )  # fmt: skip

    def by_owner(self) -> Pieces:
        """Return what each strategy realised."""
        rows = [
            (owner.name or "persons", owner.trades, owner.realised, owner.charges, owner.realised - owner.charges)
            for owner in self.owners
        ]
        return Pieces(
            [
                Bars(
                    "Realised by strategy, charges taken off", [str(row[0]) for row in rows], [row[4] for row in rows],
                    "rupees", "The Net column of the table below.",
                ),
                table(
                    "Strategy, Trades:count, Realised:signed, Charges:rupees, Net:signed", rows, empty="Nobody traded.",
                    how="Each strategy's own lots at average cost, as the engine keeps them; what is open is left out.",
                ),
            ]
        )  # fmt: skip

    def totals(self) -> Totals:
        """Return the control totals."""
        days = self.made.days
        return Totals(
            {
                "days": len(days),
                "trades": sum(day.fills for day in days),
                "pnl_paise": sum(day.pnl for day in days),
                "nights_paise": sum(day.night for day in days),
                "charges_paise": sum(day.charges for day in days),
                "closed_lots": len(self.made.closed),
                "net_of_lots_paise": sum(_net(one) for one in self.made.closed),
                "difference_to_ledger_paise": self.made.difference,
            }
        )


def owners(begin: Standing | None, end: Standing | None) -> list[Owner]:
    """Return what each owner realised between two standings, most first."""
    before, after = _owned(begin), _owned(end)
    rows = [
        Owner(name, *(now - earlier for now, earlier in zip(sums, before.get(name, (0, 0, 0)), strict=True)))
        for name, sums in after.items()
    ]
    return sorted((row for row in rows if row.trades or row.realised), key=lambda row: row.charges - row.realised)


class _Ends:
    """Lets days pass and keeps the standing that a span began and ended with."""

    def __init__(self, first: str) -> None:
        self._first = first
        self.begin: Standing | None = None
        self.end: Standing | None = None

    def over(self, days: Iterable[Day]) -> Iterator[Day]:
        for day in days:
            if day.day >= self._first:
                self.begin = self.begin or day.before
                self.end = day.after
            yield day


def _owned(standing: Standing | None) -> dict[str, tuple[int, int, int]]:
    """Return (realised, charges, trades) by strategy."""
    sums: dict[str, tuple[int, int, int]] = {}
    for key, lot in (standing.owned if standing else {}).items():
        name = key.split("|", 1)[0]
        realised, charges, trades = sums.get(name, (0, 0, 0))
        sums[name] = (realised + lot.realised, charges + lot.charges, trades + lot.trades)
    return sums


def _net(one: Closed) -> int:
    return one.match.gain - sum(one.match.charges)


def _held(one: Closed) -> int:
    return (date.fromisoformat(one.match.closed) - date.fromisoformat(one.match.opened)).days


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.2f} %"


def _figure(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f}"
