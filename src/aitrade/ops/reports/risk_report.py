"""The risk report: value at risk, stress and limit use of a book at its day's close."""

from itertools import pairwise
from pathlib import Path
from typing import Self

import msgspec
import numpy as np

from aitrade.core.clock import ist_date
from aitrade.core.money import format_rupees
from aitrade.market.rules import Rules
from aitrade.ops.ledger import Day
from aitrade.ops.limits_in_force import InForce, limits_in_force
from aitrade.ops.reports.charts import Bars, Line, Lines
from aitrade.ops.reports.closing import closing
from aitrade.ops.reports.exposure import Exposure, exposures, revalued
from aitrade.ops.reports.limit_use import Use, limit_use, refusals_by_rule
from aitrade.ops.reports.pieces import WAYS, Figure, Figures, Notice, Pieces, Table, count, table
from aitrade.ops.reports.risk import (
    INDEX,
    SCENARIOS,
    Moves,
    Stress,
    ValueAtRisk,
    betas,
    historical,
    moves,
    of_own_days,
    parametric,
    stressed,
)
from aitrade.ops.reports.span import newest, standing
from aitrade.ops.reports.subject import Totals, amount, cover, home

_BINS = 24
_NEAR = 0.8
"""From this share of a limit on a use is marked."""


class Risk(msgspec.Struct):
    """A day's risk, ready to be shown."""

    day: Day
    asked: str
    folder: Path
    rules: Rules
    in_force: InForce
    confidence: float
    rows: list[Exposure] = []
    past: Moves = msgspec.field(default_factory=lambda: Moves([], [], np.empty((0, 0)), []))

    @classmethod
    def of(cls, book: str, day: str, confidence: float, window: int) -> Self:
        """Read the book's newest day up to `day`, value it, and fetch its underlyings' last `window` days."""
        folder = home()
        found, rules = newest(folder, book, day), Rules.load(folder)
        report = cls(found, day, folder, rules, limits_in_force(folder, found), confidence)
        if found.records:
            market = closing(folder, found, rules)
            report.rows = exposures(found.close, market)
            report.past = moves(report.rows, market, window)
        return report

    def cover(self) -> Pieces:
        """Return where the figures come from, and what they cannot say."""
        about = cover(self.day, self.folder, counted="open positions", number=len(self.rows))
        return Pieces([*standing(self.day, self.asked), *about.parts, *self._doubts()])

    def summary(self) -> Figures:
        """Return the risk in six figures."""
        worst = min(self.stresses, key=lambda one: one.total)
        found = max(self.uses, key=lambda use: use.share or 0.0)
        return Figures(
            [
                amount("Equity", self.day.equity),
                self._headline(historical(self.rows, self.past, self.confidence), "Value at risk, historical"),
                self._headline(parametric(self.rows, self.past, self.confidence), "Value at risk, parametric"),
                amount("Worst scenario", worst.total, worst.scenario.name, sign=True),
                amount("Deepest loss of the day", self.uses[0].used, f"limit {format_rupees(self.uses[0].limit)}"),
                Figure(
                    "Nearest limit", f"{(found.share or 0) * 100:.0f} %", found.words,
                    "warn" if (found.share or 0) >= _NEAR else "",
                ),
            ],
            how=f"Value at risk: the loss of one day that is exceeded with a probability of "
            f"{(1 - self.confidence) * 100:.3g} %, at the close's positions. The sections below say how each is found.",
        )  # fmt: skip

    def exposure(self) -> Table:
        """Return every position with its sensitivity."""
        rows = [
            (
                row.key, row.units, row.last, row.value, row.volatility or None if row.is_option else None, row.delta,
                round(row.delta_value), round(row.vega * row.units) if row.is_option else None,
                "M" if row.modelled else "",
            )
            for row in self.rows
        ]  # fmt: skip
        return table(
            "Instrument:code, Units:count, Close:rupees, Worth:rupees, Volatility:percent, Delta:figure, "
            "In delta terms:rupees, Vega:rupees, Mark",
            rows,
            total=(
                "All", None, None, sum(row.value for row in self.rows), None, None,
                round(sum(row.delta_value for row in self.rows)), round(sum(row.vega * row.units for row in self.rows)),
                "",
            ) if rows else (),
            empty="Nothing is open.",
            how="Black-76 on the forward that put-call parity gives near the money, at the volatility that the close "
            "implies; rate 0, days to expiry over 365. In delta terms: units x delta x forward. Vega: for one "
            "percentage point of volatility. M: the contract's prices are modelled.",
        )  # fmt: skip

    def value_at_risk(self) -> Table:
        """Return every value at risk, with what it rests on."""
        levels = sorted({0.95, self.confidence})
        found: list[ValueAtRisk] = []
        for level in levels:
            found += [historical(self.rows, self.past, level), parametric(self.rows, self.past, level)]
            found += of_own_days(self.own_days, level)
        rows = [(one.of, one.method, one.confidence, one.loss, one.shortfall, one.window, one.missing) for one in found]
        return table(
            "Of, Method, Confidence:percent, Value at risk:rupees, Expected shortfall:rupees, Data window, Not told",
            rows,
            how="Historical: of n outcomes the loss that floor((1 - confidence) n) days exceeded; expected shortfall "
            "is the mean of the worst (1 - confidence) n, the last by its part. Positions are revalued in full under "
            "each past day's move of their underlyings, with today's volatilities. Parametric: z times the deviation "
            "of delta values by the sample covariance, around nothing. The book's own days are the changes of its "
            "closing equity. A loss is above zero.",
        )

    def outcomes(self) -> Bars:
        """Return how often each outcome of the historical simulation came."""
        made = revalued(self.rows, self.past.of(self.rows)).sum(axis=1) if self.rows else np.zeros(0)
        if not len(made):
            return Bars("Outcomes of the historical simulation", [], [])
        number, edges = np.histogram(made, bins=_BINS)
        middles = [format_rupees(round((low + high) / 200) * 100) for low, high in pairwise(edges)]
        return Bars(
            "Outcomes of the historical simulation: days by P&L", [word.partition(".")[0] for word in middles],
            [int(one) for one in number], "count",
            f"What {len(made)} past days would have made of today's positions, in {_BINS} classes of equal width, "
            "named by their middle.",
        )  # fmt: skip

    def stress(self) -> Pieces:
        """Return what each scenario makes."""
        names = sorted({row.underlying for row in self.rows})
        moved = [one for one in self.stresses if one.scenario.volatility == 1]
        rows = [(one.scenario.name, one.total, _share(one.total, self.day.equity)) for one in self.stresses]
        by_name = [(name, *(one.parts.get(name, 0) for one in moved), self.beta.get(name, 1.0)) for name in names]
        heads = ", ".join(f"{one.scenario.short}:signed" for one in moved)
        return Pieces(
            [
                table("Scenario, P&L:signed, Of equity:percent", rows, how="The sums of the table by underlying."),
                Bars(
                    "P&L by scenario", [one.scenario.short for one in self.stresses],
                    [one.total for one in self.stresses], "rupees",
                    "A move of the index; v1.5 says that implied volatilities are one and a half times as high.",
                ),
                table(
                    f"Underlying:code, {heads}, Beta:figure", by_name, caption="By underlying",
                    empty="Nothing is open.",
                    how="A sudden move, before anyone can trade: indices move by the scenario, shares by their beta "
                    f"to {INDEX} times it (covariance over variance of daily moves in the same window; 1 where there "
                    "is no past). Options are priced anew in full, at their implied volatility times the scenario's.",
                ),
            ]
        )  # fmt: skip

    def the_day(self) -> Lines:
        """Return the day's P&L, minute by minute, and the loss at which only exits pass."""
        marks = [(row.at.ts, row.body.day_pnl) for row in self.day.marks]
        lines = [Line("P&L", marks)]
        allowed = self.in_force.limits.day_loss
        if allowed and marks:
            lines.append(Line("Loss limit", [(marks[0][0], -allowed), (marks[-1][0], -allowed)]))
        return Lines(
            "P&L of the day (IST)", lines,
            how="Realised and unrealised, charges taken off, as the engine marked it each market minute.",
        )  # fmt: skip

    def limit_use(self) -> Table:
        """Return the use of each limit."""
        rows = [
            (
                use.words, WAYS[use.way](use.used), WAYS[use.way](use.limit) if use.limit else "no limit", use.share,
                use.of, "near" if (use.share or 0) >= _NEAR else "",
            )
            for use in self.uses
        ]  # fmt: skip
        return table(
            "What, Used, Allowed, Share:percent, By:code, Mark",
            rows,
            how=f"Used is what was sent, refused orders apart. Allowed: {self.in_force.words}; and the exchange's "
            "order rate for unregistered algos. An order without a price counts at what it filled for; a begun lot is "
            "a lot.",
        )

    def refusals(self) -> Table:
        """Return how many orders each rule refused."""
        rows = list(refusals_by_rule(self.day).items())
        return table(
            "Rule, Refusals:count", rows, caption="Refusals", empty="No order was refused.",
            how=f"{count(len(self.day.refusals))} orders were refused; one that broke several rules counts for each.",
        )  # fmt: skip

    def totals(self) -> Totals:
        """Return the control totals."""
        told = historical(self.rows, self.past, self.confidence)
        found = {} if told.loss is None else {"value_at_risk_paise": told.loss}
        return Totals(
            {
                "positions": len(self.rows),
                "past_days": len(self.past.days),
                "worth_paise": sum(row.value for row in self.rows),
                "delta_value_paise": round(sum(row.delta_value for row in self.rows)),
                **found,
                "worst_scenario_paise": min(one.total for one in self.stresses),
                "refusals": len(self.day.refusals),
            }
        )

    @property
    def beta(self) -> dict[str, float]:
        """Each underlying's move for a move of one of the index."""
        indices = [row.underlying for row in self.rows if self.rules.is_index(row.underlying.partition(":")[2])]
        return betas(self.rows, self.past, indices)

    @property
    def stresses(self) -> list[Stress]:
        """What each scenario makes."""
        return stressed(self.rows, self.beta, SCENARIOS)

    @property
    def uses(self) -> list[Use]:
        """The use of each limit."""
        return limit_use(self.day, self.in_force.limits, self.rules)

    @property
    def own_days(self) -> list[tuple[str, int]]:
        """The changes of the book's closing equity, by day."""
        closes = [(0, self.day.close.money), *self.day.close.closings]
        return [(str(ist_date(ts)), now - before) for (_, before), (ts, now) in pairwise(closes)]

    def _headline(self, told: ValueAtRisk, words: str) -> Figure:
        value = "–" if told.loss is None else format_rupees(told.loss)
        return Figure(words, value, told.missing or f"{self.confidence * 100:g} %, one day, {told.window}")

    def _doubts(self) -> list[Notice]:
        parts = []
        silent = [name for name in self.past.missing if name != INDEX]
        if silent:
            parts.append(Notice(f"No past closes of {', '.join(silent)}: taken to move with the index.", "warn"))
        if INDEX in self.past.missing and self.rows:
            parts.append(Notice(f"No past closes of {INDEX}: every share has a beta of 1 in the scenarios.", "warn"))
        flat = [row.key for row in self.rows if row.is_option and not row.volatility and row.years > 0]
        if flat:
            parts.append(
                Notice(f"The closes of {', '.join(flat)} imply no volatility: they count at intrinsic value.", "warn")
            )
        return parts


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
