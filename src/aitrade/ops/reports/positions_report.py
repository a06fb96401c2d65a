"""Positions and limits: what a book held when its day closed, what that is worth, and how near a limit it came."""

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Self

import msgspec

from aitrade.core.money import format_rupees
from aitrade.market.rules import Rules
from aitrade.ops.ledger import Day
from aitrade.ops.reports.charts import Bars
from aitrade.ops.reports.closing import Closing, closing
from aitrade.ops.reports.exposure import Exposure, exposures
from aitrade.ops.reports.pieces import Figures, Notice, Pieces, Table, table
from aitrade.ops.reports.positions import PositionRow, index_limits, position_rows, stock_limits
from aitrade.ops.reports.span import newest, standing
from aitrade.ops.reports.subject import Totals, amount, cover, headline, home


class Positions(msgspec.Struct):
    """A day's close, ready to be shown."""

    day: Day
    asked: str
    folder: Path
    rules: Rules
    rows: list[PositionRow] = []
    exposed: list[Exposure] = []
    """Open positions and holdings."""
    traded: list[Exposure] = []
    """The same, and what the day closed."""

    @classmethod
    def of(cls, book: str, day: str) -> Self:
        """Read the book's newest day up to `day`, and what its market closed at."""
        folder = home()
        found, rules = newest(folder, book, day), Rules.load(folder)
        report = cls(found, day, folder, rules)
        if found.records:
            market: Closing = closing(folder, found, rules)
            report.rows = position_rows(found, market)
            report.exposed = exposures(found.close, market)
            report.traded = exposures(found.close, market, flat=True)
        return report

    def cover(self) -> Pieces:
        """Return where the figures come from."""
        about = cover(self.day, self.folder, counted="positions", number=len(self.rows))
        return Pieces([*standing(self.day, self.asked), *about.parts, *self._disagreement()])

    def summary(self) -> Figures:
        """Return the close in eight figures."""
        values = [row.value for row in self.exposed]
        return Figures(
            [
                headline("Open positions", len(self.day.close.open)),
                headline("Holdings", len(self.day.close.holdings)),
                amount("Worth, bought", sum(value for value in values if value > 0)),
                amount("Worth, sold short", -sum(value for value in values if value < 0)),
                amount("Unrealised", self.unrealised, sign=True),
                amount("Realised on the day", self.day.close.day_realised, "before charges", sign=True),
                amount("Charges of the day", sum(self.day.close.day_charges)),
                amount("Equity", self.worth, "cash and all that is open"),
            ],
            how="A position is worth its units at the day's close. Unrealised is worth less cost, at average cost; "
            "equity is money put in, plus all that was realised, less all charges, plus unrealised.",
        )

    def table(self) -> Table:
        """Return every position and holding of the day."""
        rows = [
            (
                row.instrument, row.product, row.opening, row.bought, row.sold, row.moved, row.closing,
                row.cost if row.closing else None, row.last, row.value if row.closing else None,
                row.unrealised if row.closing else None, row.realised or None, row.charges or None,
            )
            for row in self.rows
        ]  # fmt: skip
        sums = [sum(row[index] or 0 for row in rows) for index in (7, 9, 10, 11, 12)]
        return table(
            "Instrument:code, Product, Opening:count, Bought:count, Sold:count, Moved:count, Closing:count, "
            "Cost:rupees, Close:rupees, Worth:rupees, Unrealised:signed, Realised:signed, Charges:rupees",
            rows,
            total=("All", "", None, None, None, None, None, sums[0], None, *sums[1:]) if rows else (),
            empty="The book held nothing and traded nothing.",
            how="Opening + bought - sold + moved = closing, in units. Moved are conversions between products, and "
            "units that a delivery sale took out of the holding. Cost is at average; a future's is what it was marked "
            "to last. HOLDING are shares carried over night, those of T+1 among them.",
        )

    def by_underlying(self) -> Bars:
        """Return what the book is worth in each underlying, options by their delta."""
        sums: dict[str, float] = defaultdict(float)
        for row in self.exposed:
            sums[row.underlying] += row.delta_value
        names = sorted(sums, key=lambda name: -abs(sums[name]))[:20]
        return Bars(
            "Exposure by underlying, in delta terms", [name.partition(":")[2] for name in names],
            [round(sums[name]) for name in names], "rupees",
            "Units times delta times the forward: a share and a future count in full, an option by its Black-76 delta "
            "at the volatility that its own close implies. Below the line is short. The twenty largest are drawn.",
        )  # fmt: skip

    def index_limits(self) -> Table:
        """Return the use of each limit on index options."""
        rows = [
            (
                row.underlying, row.what, row.used, row.limit, row.share, "M" if row.modelled else "",
                f"{row.source} ({row.confidence})",
            )
            for row in index_limits(self.traded, self.day, self.rules)
        ]  # fmt: skip
        return table(
            "Index:code, Limit, Used:rupees, Allowed:rupees, Share:percent, Mark, Source (confidence)",
            rows,
            empty="No index options were held or traded.",
            how="In delta terms, options alone: bought calls and sold puts are long, sold calls and bought puts short; "
            "net is their difference. M: within the day the most that stood after any fill, at the close's deltas and "
            "forwards, because the exchange's own snapshots are not known to a book. Confidence A: two sources, "
            "B: one, M: from memory.",
        )

    def stock_limits(self) -> Pieces:
        """Return the derivatives on stocks, and what of their limits is not known."""
        found = stock_limits(self.exposed, date.fromisoformat(self.day.day), self.rules)
        rows = [(row.underlying, row.net, row.part, f"{row.source} ({row.confidence})") for row in found]
        unknown = (
            "Not reconciled: the market-wide position limit of a stock (MWPL) and the list of stocks in the ban period "
            "are published by the exchange and are not in this book's data. Compare the shares below with them."
        )
        return Pieces(
            [
                *([Notice(unknown, "warn")] if rows else []),
                table(
                    "Stock:code, Shares held in delta terms:count, One person may hold of MWPL:percent, "
                    "Source (confidence)",
                    rows,
                    empty="No derivatives on stocks are open.",
                    how="Units times delta of all futures and options on the stock, without sign.",
                ),
            ]
        )

    def night(self) -> Table:
        """Return what moved after the close: expiry, settlement, corporate actions."""
        rows = [
            (
                move.why,
                move.instrument,
                move.product,
                move.quantity or None,
                move.settled or None,
                move.amount,
                move.note,
            )
            for move in (row.body for row in self.day.night)
        ]
        return table(
            "What, Instrument:code, Product, Units:count, Delivered or carried:count, Amount:signed, Note",
            rows,
            empty="Nothing moved in the night, or it has not come yet.",
            how="Journal records after the closing mark: they change what the next day opens with, not this close.",
        )

    def totals(self) -> Totals:
        """Return the control totals; the difference to the engine's own closing mark must be nothing."""
        return Totals(
            {
                "positions_open": len(self.day.close.open),
                "holdings": len(self.day.close.holdings),
                "units_closing": sum(row.closing for row in self.rows),
                "worth_paise": sum(row.value for row in self.exposed),
                "unrealised_paise": self.unrealised,
                "realised_paise": self.day.close.day_realised,
                "charges_paise": sum(self.day.close.day_charges),
                "equity_paise": self.worth,
                "difference_to_closing_mark_paise": self.difference,
            }
        )

    @property
    def unrealised(self) -> int:
        """Of all that is open, paise."""
        return sum(row.unrealised for row in self.exposed)

    @property
    def worth(self) -> int:
        """What the book is worth by this report, paise."""
        return self.day.close.cash + self.unrealised

    @property
    def difference(self) -> int:
        """This report's equity less the engine's closing mark, paise; 0 where the day has not ended."""
        return self.worth - self.day.equity if self.day.ended else 0

    def _disagreement(self) -> list[Notice]:
        if not self.difference:
            return []
        sentence = (
            f"The engine marked this close at {format_rupees(self.day.equity)}, this report finds "
            f"{format_rupees(self.worth)}: the market data were changed since. Find out why before relying on either."
        )
        return [Notice(sentence, "bad")]
