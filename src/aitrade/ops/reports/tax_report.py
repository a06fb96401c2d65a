"""The P&L and tax statement, ready to be shown."""

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Self

import msgspec

from aitrade.core.clock import at
from aitrade.core.money import PAISE, format_rupees
from aitrade.core.orders import CHARGE_COMPONENTS
from aitrade.market.tax import Rule, Taxes, assumed
from aitrade.ops.reports.charts import Bars, Line, Lines
from aitrade.ops.reports.lots import Match
from aitrade.ops.reports.pieces import Figure, Figures, Notice, Piece, Pieces, Table, short_day, table
from aitrade.ops.reports.profit_and_tax import CAPITAL, Closed, Head, HeadTotal, Statement, statement
from aitrade.ops.reports.span import bounds, until
from aitrade.ops.reports.subject import CHARGES_IN_WORDS, Totals, amount, headline, home

MOST_LOTS = 20_000
"""More closed lots than this are not printed one by one."""
_HEADS = list(Head)
_CONFIDENCE = {
    "A": "two sources",
    "B": "one source",
    "C": "a page without a law",
    "M": "from memory: check it",
}


class Tax(msgspec.Struct):
    """The statement of a span that ends on a day."""

    folder: Path
    book: str
    day: str
    made: Statement

    @classmethod
    def of(cls, book: str, day: str, span: str) -> Self:
        """Read the book's days since it began, and match every sale with its purchase."""
        folder = home()
        first, last = bounds(span, day)
        return cls(folder, book, day, statement(until(folder, book, day), first, last, Taxes.load(folder)))

    def cover(self) -> Pieces:
        """Return what the statement is of, and what it rests on."""
        made = self.made
        first = made.first if made.first > "1900" else "the book's first day"
        parts: list[Piece] = [Notice(f"From {first} to {made.last}. Book {self.book}, {made.mode or 'no'} prices.")]
        if not made.closed and not made.income:
            parts.insert(0, Notice(f"NIL report: book {self.book} closed nothing and received nothing in this span."))
        if made.mode in ("simulated", "replay", "paper"):
            parts.append(Notice("No real money: these figures show how a statement of such trades would read.", "warn"))
        if made.modelled:
            parts.append(
                Notice(f"{made.modelled} of {len(made.closed)} closed lots were filled at MODELLED prices.", "warn")
            )
        if made.funds:
            names = ", ".join(made.funds)
            parts.append(Notice(f"Funds taken as equity-oriented: {names}. Gold and debt funds are not.", "warn"))
        if made.grandfathered:
            names = ", ".join(made.grandfathered)
            words = (
                f"{names}: held since before 1 February 2018. Their cost here is what was paid; the market value of "
                "31 January 2018, which the law lets them take instead, is not known to this book."
            )
            parts.append(Notice(words, "warn"))
        if made.closed and self._unsettled:
            words = "; ".join(rule.decides for rule in self._unsettled)
            parts.append(Notice(f"No law was found for how these are decided: {words}. See the rules below.", "warn"))
        if any(one.assumed for one in made.rates):
            parts.append(Notice("ASSUMED: a rate is used for sales of days that it is not published for.", "warn"))
        if made.difference:
            words = f"Lots and ledger differ by {format_rupees(made.difference)}: do not use this statement."
            parts.append(Notice(words, "bad"))
        return Pieces(parts)

    def summary(self) -> Figures:
        """Return the span in six figures."""
        heads = {total.head: total for total in self.made.heads}
        tiles = [self._tile(heads[head]) for head in Head]
        return Figures(
            [
                amount(
                    "P&L of the days", sum(day.pnl for day in self.made.days), "marked, charges taken off", sign=True
                ),
                *tiles,
                amount("Charges", sum(self.made.charges), "of the days' trades"),
            ],
            how="P&L of the days is what the engine marked at each close, open positions included. The heads count "
            "closed lots alone, when they were closed, after the charges that the head takes off.",
        )

    def by_day(self) -> Pieces:
        """Return each day, and the equity over them."""
        rows = [
            (
                day.day, day.orders, day.fills, day.night, day.begins, day.realised, day.charges, day.pnl, day.equity,
                "" if day.ended else "not ended",
            )
            for day in self.made.days
        ]  # fmt: skip
        sums = [sum(row[index] for row in rows) for index in range(1, 9)]
        total = ("All", sums[0], sums[1], sums[2], None, sums[4], sums[5], sums[6], None, "")
        points = [(at(day.day, "00:00"), float(day.equity)) for day in self.made.days]
        return Pieces(
            [
                Bars(
                    "P&L of each day, charges taken off", [short_day(row[0]) for row in rows], [row[7] for row in rows],
                    "rupees", "The P&L column of the table below.",
                ),
                Lines(
                    "Equity at each close", [Line("Equity", points)], format="%d %b",
                    how="The Equity column of the table below.",
                ),
                table(
                    "Day, Orders:count, Trades:count, Night before:signed, Begins with:rupees, Realised:signed, "
                    "Charges:rupees, P&L:signed, Equity:rupees, Mark",
                    rows,
                    total=total if rows else (),
                    empty="The book did not trade in this span.",
                    how="Begins with + money put in + P&L = equity. Realised is at average cost, before charges. Night "
                    "before is what came since the equity of the book's day before: dividends, expiry, the move from "
                    "its mark to the official close, and what happened on days that the book did not trade.",
                ),
            ]
        )  # fmt: skip

    def heads(self) -> Table:
        """Return the sums of each head."""
        rows = [
            (
                total.head, total.closed, total.bought, total.sold, total.gain, total.charges,
                total.not_deducted or None, total.net, total.turnover,
            )
            for total in self.made.heads
        ]  # fmt: skip
        sums = [sum(row[index] or 0 for row in rows) for index in range(1, 8)]
        return table(
            "Head, Lots:count, Bought:rupees, Sold:rupees, Gain:signed, Charges:rupees, STT not taken off:rupees, "
            "Net:signed, Turnover:rupees",
            rows,
            total=("All", *sums, None),
            how="Gain is sold less bought. Net is gain less charges; a capital gain does not take off the securities "
            "transaction tax (section 48), so that is added back. Turnover of the business heads is the sum of the "
            "differences of closed lots without their sign (ICAI Guidance Note on Tax Audit, 8th edition 2022); of "
            "capital gains it is the sale value, which is no business turnover.",
        )

    def turnover(self) -> Table:
        """Return the turnover of the business heads by both editions of the guidance note, and the audit's bounds."""
        audit = Taxes.load(self.folder).audit(date.fromisoformat(self.made.last))
        rows = [
            (total.head, total.turnover, total.premium or None, total.turnover + total.premium)
            for total in self.made.heads
            if total.head not in CAPITAL
        ]
        sums = [sum(row[index] or 0 for row in rows) for index in (1, 2, 3)]
        least, most = (format_rupees(amount_ * PAISE) for amount_ in (audit.rupees, audit.rupees_without_cash))
        bounds_ = f"{least} ({audit.law}), or {most} where at most 5 % is in cash"
        return table(
            "Head, Turnover 2022:rupees, Premium of options sold:rupees, Turnover 2014:rupees",
            rows,
            total=("All", *sums),
            how="The edition of 2014 adds the premium of options sold; that of 2022 does not where the premium is in "
            f"the difference already, as it is here. Audit from {bounds_}; {_CONFIDENCE[audit.confidence]}: ask an "
            "accountant.",
        )

    def rates(self) -> Table:
        """Return capital gains at each dated rate."""
        made = self.made
        rows = [
            (
                f"{'Long' if one.rate.held == 'long' else 'Short'}-term", one.rate.law, str(one.rate.start),
                one.rate.rate / 1_000_000, one.net, one.tax, "ASSUMED" if one.assumed else "",
                f"{one.rate.source} ({one.rate.confidence})",
            )
            for one in made.rates
        ]  # fmt: skip
        return table(
            "Gains, Law, Sales from, Rate:percent, Net:signed, Tax at the rate:rupees, Mark, Source (confidence):words",
            rows,
            total=("All", "", "", None, sum(row[4] for row in rows), sum(row[5] for row in rows), "", "")
            if rows
            else (),
            empty="No capital gains in this span.",
            how="The net gain times the rate, nothing for a loss: before setting losses off, before the exemption of "
            f"{format_rupees(made.exemption.amount)} of long-term gains that one person has in a tax year over all "
            "accounts, before surcharge and cess. Business heads are taxed at the person's own rates. Held for more "
            "than twelve months is long-term; bonus shares cost nothing and are held from the market day after the "
            "record that brought them.",
        )

    def losses(self) -> Table:
        """Return what the heads lost, what it may be set against, and how long."""
        rows = [
            (one.head, one.loss, one.rule.against, one.rule.years, one.last_year, one.rule.law,
             _CONFIDENCE[one.rule.confidence])
            for one in self.made.losses
        ]  # fmt: skip
        return table(
            "Head, Loss:rupees, May be set against:words, Tax years:count, Last one, Law:words, How sure",
            rows,
            empty="No head lost in this span.",
            how="The net of a head of this book alone, before anything is set off; a loss is above zero. It is carried "
            "on only where the return came in time. Losses of earlier years are not known to a book.",
        )

    def rules(self) -> Table:
        """Return every rule that the statement takes for given, with its source and how sure it is."""
        day = date.fromisoformat(self.made.last)
        rows = [
            (
                rule.decides, rule.words, rule.law, str(rule.start), rule.source, _CONFIDENCE[rule.confidence],
                "ASSUMED" if assumed(rule, day) else "",
            )
            for rule in self._rules
        ]  # fmt: skip
        return table(
            "What it decides:words, Rule:words, Law:words, Since, Source:words, How sure, Mark",
            rows,
            how="The rows of market/facts/tax.toml that hold on the last day of the span; a file of that name in the "
            "data folder's facts goes over them. ASSUMED: from memory, or used beyond the days it is published for.",
        )

    def by_instrument(self) -> Table:
        """Return the closed lots of each instrument under each head."""
        groups: dict[tuple[int, str], list[Closed]] = defaultdict(list)
        for one in self.made.closed:
            groups[_HEADS.index(one.head), one.match.instrument].append(one)
        rows = [
            (
                _SHORT[_HEADS[head]], instrument, len(own), sum(one.match.bought for one in own),
                sum(one.match.sold for one in own), sum(one.match.gain for one in own),
                sum(sum(one.match.charges) for one in own), sum(one.net for one in own),
            )
            for (head, instrument), own in sorted(groups.items())
        ]  # fmt: skip
        sums = [sum(row[index] for row in rows) for index in range(2, 8)]
        return table(
            "Head, Instrument:code, Lots:count, Bought:rupees, Sold:rupees, Gain:signed, Charges:rupees, Net:signed",
            rows,
            total=("All", "", *sums) if rows else (),
            empty="Nothing was closed in this span.",
            how="Sums over the closed lots below.",
        )

    def lots(self) -> Piece:
        """Return every closed lot, where they can be read."""
        if len(self.made.closed) > MOST_LOTS:
            words = f"{len(self.made.closed):,} closed lots are too many for a page: make the statement of each month."
            return Notice(words, "warn")
        rows = [
            (
                one.match.instrument, _SHORT[one.head], one.match.quantity, one.match.opened, one.match.closed,
                one.match.bought, one.match.sold, one.match.gain, sum(one.match.charges), one.net,
                " ".join(_marks(one.match)),
            )
            for one in sorted(self.made.closed, key=lambda one: (_HEADS.index(one.head), one.match.closed))
        ]  # fmt: skip
        return table(
            "Instrument:code, Head, Units:count, Opened, Closed, Bought:rupees, Sold:rupees, Gain:signed, "
            "Charges:rupees, Net:signed, Mark",
            rows,
            empty="Nothing was closed in this span.",
            how="First in, first out. Shares bought and sold on one day meet each other first, whatever their product; "
            "what is over is delivered and meets the oldest lot (section 45(2A); CBDT circular 768 of 24 June 1998). "
            "Derivatives meet oldest first over days. S: sold first. B: bonus. E: closed by expiry. C: closed out for "
            "short delivery. M: a MODELLED price. A part of a lot takes its part of the charges, to the paisa.",
        )

    def open_lots(self) -> Table:
        """Return what nothing has closed yet, with its purchase."""
        rows = [
            (one.instrument, one.opened, one.quantity, one.cost, one.charges, one.long_from, "B" if one.bonus else "")
            for one in self.made.open_lots
        ]
        return table(
            "Instrument:code, Opened, Units:count, Cost:rupees, Charges:rupees, Long-term from, Mark",
            rows,
            total=("All", "", None, sum(row[3] for row in rows), sum(row[4] for row in rows), "", "") if rows else (),
            empty="No lot is open.",
            how="As the last day of the span left them, its night included. Cost is first in first out; a short lot's "
            "is below zero; a future's is its own price, not what it was marked to. B: bonus.",
        )

    def income(self) -> Table:
        """Return dividends and other money."""
        rows = [(one.day, one.why, one.instrument, one.amount) for one in self.made.income]
        return table(
            "Day, What, Instrument:code, Amount:signed", rows,
            total=("All", "", "", sum(row[3] for row in rows)) if rows else (), empty="None in this span.",
            how="Money that no trade brought. Dividends are income from other sources, at the person's own rates.",
        )  # fmt: skip

    def charges(self) -> Table:
        """Return the span's charges by component."""
        named = zip(CHARGE_COMPONENTS, self.made.charges, strict=True)
        rows = [(CHARGES_IN_WORDS[name], paid) for name, paid in named if paid]
        return table(
            "Component, Amount:rupees", rows, total=("All", sum(self.made.charges)) if rows else (),
            empty="No charges.", how="Of all trades of the span, whether their lots are closed or open.",
        )  # fmt: skip

    def reconciliation(self) -> Table:
        """Return that lots and ledger are one sum."""
        rows = [(line.words, line.amount) for line in self.made.reconciliation]
        return table(
            "Since the book began, Amount:signed", rows[:-1], total=rows[-1],
            how="The lots of this statement and the engine's own ledger count the same trades in two ways: first in "
            "first out, and average cost. Both are the money that trades brought in less what is still held cost, so "
            "they must agree to the paisa.",
        )  # fmt: skip

    def totals(self) -> Totals:
        """Return the control totals."""
        heads = {total.head: total.net for total in self.made.heads}
        return Totals(
            {
                "days": len(self.made.days),
                "closed_lots": len(self.made.closed),
                "profit_of_days_paise": sum(day.pnl for day in self.made.days),
                "speculative_paise": heads[Head.SPECULATIVE],
                "derivatives_paise": heads[Head.DERIVATIVES],
                "short_term_paise": heads[Head.SHORT],
                "long_term_paise": heads[Head.LONG],
                "income_paise": sum(one.amount for one in self.made.income),
                "charges_paise": sum(self.made.charges),
                "difference_to_ledger_paise": self.made.difference,
            }
        )

    @property
    def _rules(self) -> list[Rule]:
        return Taxes.load(self.folder).rules(date.fromisoformat(self.made.last))

    @property
    def _unsettled(self) -> list[Rule]:
        return [rule for rule in self._rules if rule.confidence in ("C", "M")]

    def _tile(self, total: HeadTotal) -> Figure:
        return Figure(
            total.head.partition(":")[0], format_rupees(total.net, sign=True),
            headline("", total.closed).value + (" lots" if total.closed != 1 else " lot"),
        )  # fmt: skip


def _marks(match: Match) -> list[str]:
    """Return the letters that say what is special about a closed lot."""
    told = {
        "S": match.short,
        "B": match.bonus,
        "E": match.how == "expiry",
        "C": match.how == "settlement",
        "M": match.modelled,
    }
    return [letter for letter, holds in told.items() if holds]


_SHORT = {
    Head.SPECULATIVE: "Speculative",
    Head.DERIVATIVES: "F&O",
    Head.SHORT: "STCG",
    Head.LONG: "LTCG",
}
