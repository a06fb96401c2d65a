"""The daily trade register: every execution of a book's day, with what it cost and whose it was."""

from collections import defaultdict
from pathlib import Path
from typing import Self

import msgspec

from aitrade.core.clock import MINUTE, ist_time
from aitrade.core.money import format_rupees
from aitrade.core.orders import CHARGE_COMPONENTS, Fill, Side
from aitrade.ops.ledger import Day
from aitrade.ops.reports.charts import Bars
from aitrade.ops.reports.pieces import Figures, Pieces, Table, table
from aitrade.ops.reports.subject import CHARGES_IN_WORDS, Totals, amount, cover, day_of, headline, home, segment, who

_SLOT = 30 * MINUTE


class TradeRegister(msgspec.Struct):
    """A day's trades, ready to be shown."""

    day: Day
    folder: Path

    @classmethod
    def of(cls, book: str, day: str) -> Self:
        """Read a book's day from its journal."""
        return cls(day_of(home(), book, day), home())

    def cover(self) -> Pieces:
        """Return where the figures come from."""
        return cover(self.day, self.folder)

    def summary(self) -> Figures:
        """Return the day in six figures."""
        fills = self.fills
        bought = sum(_value(fill) for fill in fills if fill.side is Side.BUY)
        sold = sum(_value(fill) for fill in fills if fill.side is Side.SELL)
        return Figures(
            [
                headline("Trades", len(fills), f"{len({fill.order_id for fill in fills})} orders"),
                headline("Instruments", len({fill.instrument for fill in fills})),
                amount("Bought", bought),
                amount("Sold", sold),
                amount("Turnover", bought + sold),
                amount("Charges", sum(self.day.charges), "conversions included" if self.day.charged else ""),
            ],
            how="A trade is one execution as the venue reported it. Its value is quantity times price; turnover is "
            "bought plus sold; charges are those booked with each trade and conversion, of all components.",
        )

    def by_time(self) -> Bars:
        """Return the turnover of each half hour."""
        slots: dict[int, int] = defaultdict(int)
        for fill in self.fills:
            slots[fill.ts // _SLOT * _SLOT] += _value(fill)
        names = [ist_time(slot)[:5] for slot in sorted(slots)]
        return Bars(
            "Turnover by half hour (IST)", names, [slots[slot] for slot in sorted(slots)], "rupees",
            "The values of the trades whose time of execution lies in the half hour that begins at the time shown.",
        )  # fmt: skip

    def by_instrument(self) -> Table:
        """Return what was bought and sold of each instrument and product."""
        groups: dict[tuple[str, str], list[Fill]] = defaultdict(list)
        for fill in self.fills:
            groups[fill.instrument, fill.product].append(fill)
        rows = [(segment(key), key, product, *_sums(fills)) for (key, product), fills in sorted(groups.items())]
        return table(
            "Segment, Instrument:code, Product, Trades:count, Bought units:count, Bought:rupees, Sold units:count, "
            "Sold:rupees, Charges:rupees",
            rows,
            total=("", "All", "", *_sums(self.fills)) if rows else (),
            empty="No trades.",
            how="Sums over the trades of the register below, charges too: those of conversions are in the section "
            "after this one. Units are shares or units of a contract, not lots.",
        )

    def charges(self) -> Table:
        """Return the day's charges by component."""
        sums = self.day.charges
        rows = [(CHARGES_IN_WORDS[name], paid) for name, paid in zip(CHARGE_COMPONENTS, sums, strict=True) if paid]
        return table(
            "Component, Amount:rupees", rows, total=("All", sum(sums)), empty="No charges.",
            how="Each order's charges are worked out over all its trades, each component rounded once, half-up to the "
            f"paisa; a trade carries what it added.{_converted(self.day)}",
        )  # fmt: skip

    def register(self) -> Table:
        """Return every trade."""
        rows = []
        for number, row in enumerate(self.day.fills, 1):
            fill, story = row.body, self.day.stories[row.body.order_id]
            request = story.order.request
            rows.append(
                (
                    number, fill.ts, fill.id, fill.order_id, row.at.exchange_order_id, fill.instrument, fill.side,
                    fill.product, fill.quantity, fill.price, _value(fill), sum(fill.charges),
                    who(request.strategy, request.actor or (story.sent.actor if story.sent else "")),
                    "M" if fill.modelled else "",
                )
            )  # fmt: skip
        return table(
            "No.:count, Time (IST):clock, Trade:code, Order:code, Exchange order:code, Instrument:code, Side, Product, "
            "Quantity:count, Price:rupees, Value:rupees, Charges:rupees, For, Mark",
            rows,
            empty="No trades.",
            how="One row for each execution record of the journal, in its order. M marks a trade at a MODELLED price.",
        )

    def totals(self) -> Totals:
        """Return the control totals."""
        fills = self.fills
        return Totals(
            {
                "trades": len(fills),
                "units_bought": sum(fill.quantity for fill in fills if fill.side is Side.BUY),
                "units_sold": sum(fill.quantity for fill in fills if fill.side is Side.SELL),
                "turnover_paise": sum(_value(fill) for fill in fills),
                "charges_paise": sum(self.day.charges),
            }
        )

    @property
    def fills(self) -> list[Fill]:
        """The day's executions."""
        return [row.body for row in self.day.fills]


def _converted(day: Day) -> str:
    """Return what conversions are in a day's charges, or nothing."""
    if not day.charged:
        return ""
    paid = format_rupees(sum(sum(row.body.charges) for row in day.charged), sign=True)
    return f" Conversions between products are in these sums with {paid}, in no row of the register."


def _value(fill: Fill) -> int:
    return fill.quantity * fill.price


def _sums(fills: list[Fill]) -> tuple[int, int, int, int, int, int]:
    bought = [fill for fill in fills if fill.side is Side.BUY]
    sold = [fill for fill in fills if fill.side is Side.SELL]
    return (
        len(fills), sum(fill.quantity for fill in bought), sum(map(_value, bought)),
        sum(fill.quantity for fill in sold), sum(map(_value, sold)), sum(sum(fill.charges) for fill in fills),
    )  # fmt: skip
