"""The daily summary: how a book's day went, and what happened to the system while it did."""

from collections import Counter
from pathlib import Path
from typing import Self

import msgspec

from aitrade.compliance.operations import Noted
from aitrade.ops import trail
from aitrade.ops.ledger import Day
from aitrade.ops.reports.charts import Line, Lines
from aitrade.ops.reports.month import done_between, walls
from aitrade.ops.reports.pieces import Figures, Pieces, Table, table
from aitrade.ops.reports.subject import Totals, amount, cover, day_of, headline, home


class DailySummary(msgspec.Struct):
    """A day, ready to be shown."""

    day: Day
    folder: Path
    acts: list[Noted]

    @classmethod
    def of(cls, book: str, day: str) -> Self:
        """Read a book's day and what was done to the system on it."""
        folder = home()
        found = day_of(folder, book, day)
        return cls(found, folder, done_between(folder, day, day, [walls(found)]))

    def cover(self) -> Pieces:
        """Return where the figures come from."""
        return cover(self.day, self.folder)

    def summary(self) -> Figures:
        """Return the day in figures."""
        day, gaps = self.day, len(trail.gaps(self.day))
        alerts = sum(one.operation.what == "alert" and one.operation.outcome == "raised" for one in self.acts)
        return Figures(
            [
                amount("Day's P&L", day.pnl, "after charges", sign=True),
                amount("Equity", day.equity),
                amount("Charges", sum(day.charges), "conversions included" if day.charged else ""),
                headline("Orders", len(day.stories), f"{len(day.refusals)} refused before sending"),
                headline("Trades", len(day.fills)),
                headline("Positions left open", len(day.close.open)),
                headline("Alerts", alerts, mood="warn" if alerts else "good"),
                headline("Things missing in the trail", gaps, mood="bad" if gaps else "good"),
            ],
            how="P&L and equity are the day's last mark: realised and unrealised, less charges, carried positions "
            "from the close before. The others are counted over the day's records.",
        )

    def curve(self) -> Lines:
        """Return the day's P&L minute by minute."""
        points = [(row.at.ts, row.body.day_pnl) for row in self.day.marks]
        return Lines("The day's P&L (IST)", [Line("P&L", points)] if points else [], how="Each minute's mark.")

    def orders(self) -> Table:
        """Return how the orders of each owner ended."""
        states = Counter(
            (story.order.request.strategy or "people", str(story.order.state)) for story in self.day.stories.values()
        )
        rows = [(owner, state, number) for (owner, state), number in sorted(states.items())]
        return table("Owner, State, Orders:count", rows, empty="No orders.", how="As the day left them.")

    def positions(self) -> Table:
        """Return what was held as trading ended."""
        rows = [(*key.split("|"), lot.quantity, lot.average) for key, lot in sorted(self.day.close.open.items())]
        return table(
            "Instrument:code, Product, Units:count, Average:rupees",
            [(one, product, units, round(average)) for one, product, units, average in rows],
            empty="Nothing was left open.",
            how="Positions at the closing mark; shares of earlier days are holdings and not in this table.",
        )

    def system(self) -> Table:
        """Return what was done to the system."""
        rows = [
            (one.at, one.operation.what, one.operation.name, one.operation.outcome, one.actor, one.reason)
            for one in self.acts
        ]
        return table(
            "Time (IST):moment, Kind, Name:words, Outcome, By, Why:words", rows, empty="Nothing was recorded.",
            how="Records of the operations journal of the day, or made while the day was traded; reports and "
            "maintenance tasks apart.",
        )  # fmt: skip

    def totals(self) -> Totals:
        """Return the control totals."""
        return Totals(
            {
                "orders": sum(story.sent is not None for story in self.day.stories.values()),
                "refusals": len(self.day.refusals),
                "trades": len(self.day.fills),
                "charges_paise": sum(self.day.charges),
                "pnl_paise": self.day.pnl,
                "acts": len(self.acts),
            }
        )
