"""Charges of a day: as booked, as the dated rates give them again, and as the broker's contract note has them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Self

import msgspec

from aitrade.core.events import CashMove
from aitrade.core.instruments import Exchange, Instrument, Kind, derivative_terms
from aitrade.core.orders import CHARGE_COMPONENTS, Fill, Product, Side
from aitrade.market.charges import ChargeBook
from aitrade.ops.ledger import Day
from aitrade.ops.reports import contract_note
from aitrade.ops.reports.canonical import file_hash
from aitrade.ops.reports.charts import Bars
from aitrade.ops.reports.contract_note import ContractNote, Difference, Traded
from aitrade.ops.reports.pieces import Figures, Listing, Notice, Piece, Pieces, Table, table
from aitrade.ops.reports.subject import CHARGES_IN_WORDS, Totals, amount, cover, day_of, headline, home, segment

NOT_RECONCILED = "not reconciled"
_LETTERS = frozenset({"stt", "sebi", "ipft", "gst", "dp"})
_Sums = tuple[int, ...]


class ChargesPaid(msgspec.Struct):
    """A day's charges and, where there is one, the contract note beside them."""

    day: Day
    folder: Path
    plan: str
    file: Path
    note: ContractNote | None
    tolerance: int
    again: dict[str, _Sums]
    """Charges by order id as the dated rates give them again."""

    @classmethod
    def of(cls, book: str, day: str, file: str, tolerance: int) -> Self:
        """Read a book's day and its contract note: `file`, else contract-notes/BOOK-DAY.csv in the data folder."""
        folder, found = home(), day_of(home(), book, day)
        path = Path(file) if file else folder / "contract-notes" / f"{book}-{day}.csv"
        note = contract_note.read(path) if path.is_file() else None
        plan = str(found.setup.configuration.get("plan", "zerodha")) if found.setup else "zerodha"
        return cls(found, folder, plan, path, note, tolerance, _again(found, folder, plan))

    def cover(self) -> Pieces:
        """Return where the figures come from."""
        rates = ChargeBook.load(self.folder).assumed(date.fromisoformat(self.day.day))
        sentences = [f"The broker's plan is {self.plan}.", *(f"ASSUMED: {sentence}" for sentence in rates)]
        return Pieces([*cover(self.day, self.folder).parts, Listing("What the charges rest on", sentences)])

    def verdict(self) -> Pieces:
        """Return whether the contract note agrees, and the day in figures."""
        figures = Figures(
            [
                amount("Charges booked", sum(self.booked)),
                amount("Those of conversions", sum(self.of_conversions)),
                amount("Those of trades computed again", sum(map(sum, self.again.values()))),
                headline("Orders that differ", len(self.recomputed), mood="bad" if self.recomputed else "good"),
                headline("Trades", len(self.fills)),
            ],
            how="Booked with trades and conversions; those of trades are computed again from the dated rates, and the "
            "tables below have both.",
        )
        return Pieces([self._reconciled(), figures])

    def chart(self) -> Bars:
        """Return the booked charges, a bar a component that cost anything."""
        paid = [(name, ours) for name, ours in zip(CHARGE_COMPONENTS, self.booked, strict=True) if ours]
        names = [name.upper() if name in _LETTERS else name.capitalize() for name, _ in paid]
        how = "Trades and conversions together, from the table below."
        return Bars("Charges by component", names, [ours for _, ours in paid], "rupees", how)

    def components(self) -> Table:
        """Return each component: booked, computed again, on the note."""
        again = [sum(sums[index] for sums in self.again.values()) for index in range(len(CHARGE_COMPONENTS))]
        noted = [self.note.charges.get(name, 0) if self.note else None for name in CHARGE_COMPONENTS]
        columns = (CHARGE_COMPONENTS, _summed(self.fills), again, self.of_conversions, noted, self.booked)
        rows = [
            (CHARGES_IN_WORDS[name], ours, fresh, converted, theirs, None if theirs is None else theirs - whole)
            for name, ours, fresh, converted, theirs, whole in zip(*columns, strict=True)
        ]
        sums = [sum(row[index] for row in rows) for index in (1, 2, 3)]
        note = None if self.note is None else sum(self.note.charges.values())
        return table(
            "Component, Booked with trades:rupees, Computed again:rupees, Conversions:rupees, Contract note:rupees, "
            "Difference:signed",
            rows,
            total=("All", *sums, note, None if note is None else note - sum(self.booked)),
            how="Booked: summed over the day's trades. Computed again: for each order, value and quantity of all its "
            "trades times the rates that are in force on the day, each component rounded once, half-up; GST on the "
            "unrounded parts. Conversions: what charges changed by when units changed product, at their average cost; "
            "not computed again. Contract note: as the broker's file says; the difference is to trades and conversions "
            "together. Brokers may round the transaction tax to the rupee.",
        )

    def by_segment(self) -> Table:
        """Return the charges of each exchange segment and product."""
        groups: dict[tuple[str, str], list[Fill]] = defaultdict(list)
        converted: dict[tuple[str, str], int] = defaultdict(int)
        for fill in self.fills:
            groups[segment(fill.instrument), str(fill.product)].append(fill)
        for row in self.day.charged:
            converted[segment(row.body.instrument), row.body.product] += sum(row.body.charges)
        rows = []
        for key in sorted(groups.keys() | converted.keys()):
            fills = groups[key]
            value = sum(fill.quantity * fill.price for fill in fills)
            paid = sum(sum(fill.charges) for fill in fills) + converted[key]
            rows.append((*key, len(fills), value, paid, paid / value if value else None))
        return table(
            "Segment, Product, Trades:count, Turnover:rupees, Charges:rupees, Share of turnover:percent", rows,
            empty="No trades.",
            how="Sums over the trades of each segment and product; a conversion's charges stand with the product that "
            "its units became.",
        )  # fmt: skip

    def recomputation(self) -> Table:
        """Return the orders whose booked charges are not what the rates give."""
        rows = [
            (order, sum(ours), sum(fresh), sum(fresh) - sum(ours)) for order, (ours, fresh) in self.recomputed.items()
        ]
        return table(
            "Order:code, Booked:rupees, Computed again:rupees, Difference:signed", rows,
            empty=f"All {len(self.again)} orders that traded have the charges that the rates give, to the paisa.",
            how="An independent computation from the trades and the dated rates, order by order.",
        )  # fmt: skip

    def trades(self) -> Piece:
        """Return the trades on which book and contract note differ."""
        if self.note is None:
            return self._reconciled()
        rows = [(one.number, *_cells(one.ours), *_cells(one.theirs)) for one in self.differences]
        return table(
            "Trade:code, Our instrument:code, Side, Units:count, Price:rupees, Note's instrument:code, Side, "
            "Units:count, Price:rupees",
            rows,
            empty=f"All {len(self.note.trades)} trades are the same in both.",
            how="Trades are matched by the exchange's trade number; instrument, side, units and price have to be "
            "equal.",
        )

    def totals(self) -> Totals:
        """Return the control totals."""
        parts = {f"{name}_paise": paid for name, paid in zip(CHARGE_COMPONENTS, self.booked, strict=True)}
        reconciled = int(self.note is not None and not self.differences and not self.off)
        return Totals(
            {
                "trades": len(self.fills),
                "charges_paise": sum(self.booked),
                **parts,
                "recomputed_differences": len(self.recomputed),
                "reconciled": reconciled,
            }
        )

    @property
    def fills(self) -> list[Fill]:
        """The day's executions."""
        return [row.body for row in self.day.fills]

    @property
    def booked(self) -> _Sums:
        """Charges by component, summed over trades and conversions."""
        return self.day.charges

    @property
    def of_conversions(self) -> _Sums:
        """Those of conversions alone, by component."""
        return _summed([row.body for row in self.day.charged])

    @property
    def recomputed(self) -> dict[str, tuple[_Sums, _Sums]]:
        """Booked and fresh charges of the orders on which they differ."""
        pairs = {order: (_summed(self.day.stories[order].fills), fresh) for order, fresh in self.again.items()}
        return {order: pair for order, pair in pairs.items() if pair[0] != pair[1]}

    @property
    def differences(self) -> list[Difference]:
        """Trades that the note has differently."""
        return contract_note.differences(self.fills, self.note) if self.note else []

    @property
    def off(self) -> list[str]:
        """Components that differ from the note's by more than the tolerance."""
        theirs = self.note.charges if self.note else {}
        pairs = zip(CHARGE_COMPONENTS, self.booked, strict=True)
        return [name for name, ours in pairs if abs(theirs.get(name, 0) - ours) > self.tolerance]

    def _reconciled(self) -> Notice:
        if self.note is None:
            return Notice(
                f"{NOT_RECONCILED.capitalize()}: no contract note. Put it as contract-notes/{self.file.name} into "
                "the data folder, or give its path as the parameter note.",
                "warn",
            )
        named = f"{self.file.name} (SHA-256 {file_hash(self.file)[:16]})"
        if self.differences or self.off:
            parts = ", ".join(CHARGES_IN_WORDS[name] for name in self.off) or "no charge"
            text = f"{NOT_RECONCILED.capitalize()}: {len(self.differences)} trades and {parts} differ from {named}."
            return Notice(text, "bad")
        return Notice(f"Reconciled: trades and charges agree with {named}, within {self.tolerance} paise each.", "good")


def _again(day: Day, folder: Path, plan: str) -> dict[str, _Sums]:
    """Return each traded order's charges from the dated rates; the depository takes its fee once a security and day."""
    book, when = ChargeBook.load(folder), date.fromisoformat(day.day)
    sales: dict[str, str] = {}
    for row in day.fills:
        if row.body.side is Side.SELL and row.body.product is Product.CNC:
            sales.setdefault(row.body.instrument, row.body.order_id)
    found = {}
    for order, fills in ((story.order.id, story.fills) for story in day.stories.values() if story.fills):
        rates = book.rates(when, _instrument(fills[0].instrument), fills[0].product, plan)
        value, units = sum(fill.quantity * fill.price for fill in fills), sum(fill.quantity for fill in fills)
        leg = rates.leg(fills[0].side, value, units, dp_due=sales.get(fills[0].instrument, order) == order)
        found[order] = tuple(getattr(leg, name) for name in CHARGE_COMPONENTS)
    return found


def _instrument(key: str) -> Instrument:
    """Return what a key says of an instrument: enough for its charges, special series of shares apart."""
    terms = derivative_terms(key)
    exchange, _, symbol = key.partition(":")
    if terms is None:
        return Instrument(key=key, exchange=Exchange(exchange), symbol=symbol, kind=Kind.EQUITY)
    return Instrument(
        key=key, exchange=terms.exchange, symbol=symbol, kind=terms.kind, underlying=terms.base, expiry=terms.expiry
    )


def _summed(charged_: Sequence[Fill | CashMove]) -> _Sums:
    charged = [one.charges for one in charged_ if one.charges]
    return tuple(sum(paid[index] for paid in charged) for index in range(len(CHARGE_COMPONENTS)))


def _cells(traded: Traded | None) -> tuple[str | None, str | None, int | None, int | None]:
    return (None,) * 4 if traded is None else (traded.instrument, traded.side, traded.quantity, traded.price)
