"""The monthly compliance pack: a month of a book against what an inspection asks about algo trading and its records."""

from collections import Counter
from datetime import date
from typing import Self

import msgspec

from aitrade.compliance.operations import Noted
from aitrade.core.clock import at
from aitrade.market.rules import Rules
from aitrade.ops import incidents
from aitrade.ops.incidents import Incident
from aitrade.ops.limits_in_force import LimitChange, limit_changes
from aitrade.ops.preflight.record import Run
from aitrade.ops.reports.charts import Bars
from aitrade.ops.reports.month import Month
from aitrade.ops.reports.pieces import Figure, Figures, Notice, Piece, Pieces, Table, short_day, table
from aitrade.ops.reports.subject import NIL, Totals, amount, basis, headline, home

DRILLS = ("drill", "restore", "preflight")


class _Commit(msgspec.Struct):
    """What is read of a recorded change of the configuration: its commit; records of before the history have none."""

    id: str = ""


class CompliancePack(msgspec.Struct):
    """A month, ready to be shown."""

    month: Month
    rules: Rules
    incidents: list[Incident]
    limit_changes: list[LimitChange]

    @classmethod
    def of(cls, book: str, day: str) -> Self:
        """Read a book's month up to a day, and what was done to the system in it."""
        folder = home()
        rules = Rules.load(folder)
        month = Month.of(folder, book, day, rules.order_rate(date.fromisoformat(day)))
        known = {one.seq for one in month.done(incidents.WHAT)}
        begun = range(at(month.first, "00:00"), at(month.last, "24:00"))
        found = [one for one in incidents.IncidentBook(folder).all() if one.id in known or one.began in begun]
        changed = {one.detail(_Commit).id for one in month.done("configuration")}
        return cls(month, rules, found, limit_changes(folder, changed))

    def cover(self) -> Pieces:
        """Return which month this is and what it rests on."""
        month, parts = self.month, []
        if not self._sum("orders") and not self._sum("refusals"):
            parts.append(Notice(f"{NIL}: book {month.book} had no orders from {month.first} to {month.last}."))
        sentences = [
            f"Book {month.book} alone, from {month.first} to {month.last}: {len(month.days)} market days.",
            "What was done to the system counts when it was done in the month, or while a day of the month was traded.",
            "A simulated or replayed day is traded at another time than its own.",
        ]
        return Pieces([*parts, basis(sentences)])

    def summary(self) -> Figures:
        """Return the month in figures."""
        month, traffic = self.month, self.month.traffic
        busiest = max(((one.peak, name) for name, one in traffic.items()), default=(0, "no segment"))
        over, messages = sum(one.over for one in traffic.values()), sum(one.messages for one in traffic.values())
        gaps = self._sum("gaps")
        return Figures(
            [
                headline("Orders", self._sum("orders"), f"{self._sum('refusals')} requests refused before sending"),
                amount("Turnover", self._sum("turnover"), f"{self._sum('trades')} trades"),
                headline("Busiest second", busiest[0], busiest[1], "bad" if over else "good"),
                Figure("Order-to-trade ratio", f"{messages / max(self._sum('trades'), 1):.2f}", "all segments"),
                headline("Untagged orders", len(month.untagged), mood="bad" if month.untagged else "good"),
                headline("Things missing in the trail", gaps, mood="bad" if gaps else "good"),
                headline("Incidents", len(self.incidents), mood="warn" if self.incidents else ""),
                headline("Drills and scans", len(month.done(*DRILLS, "scan"))),
            ],
            how="Sums over the market days of the month; what each figure is made of stands in the sections below.",
        )

    def peaks(self) -> Table:
        """Return the busiest second of each segment."""
        limit = self.rules.order_rate(date.fromisoformat(self.month.last))
        rows = [
            (name, one.peak, one.peak_at, limit, one.over, one.messages) for name, one in self.month.traffic.items()
        ]
        return table(
            "Segment, Peak a second:count, At (IST):moment, Threshold:count, Seconds above it:count, Messages:count",
            rows,
            empty="Nothing was sent.",
            how="Orders, changes and cancellations in each calendar second of market time, by exchange segment. "
            "Above the threshold (SEBI circular of 4 February 2025 and the exchanges' standards) an algo has to be "
            "registered.",
        )  # fmt: skip

    def ratios(self) -> Table:
        """Return the order-to-trade ratio of each segment."""
        rows = [
            (name, one.orders, one.changes, one.cancellations, one.trades, one.turnover, one.ratio)
            for name, one in self.month.traffic.items()
        ]
        return table(
            "Segment, Orders:count, Changes:count, Cancellations:count, Trades:count, Turnover:rupees, Ratio:figure",
            rows,
            empty="Nothing was sent.",
            how="Orders, changes and cancellations divided by trades. Exchanges leave out orders near the last price "
            "(0.75 % in equity and futures; 40 % of the premium or ₹20 in options); this count leaves none out, so "
            "it is an upper bound of theirs.",
        )  # fmt: skip

    def daily(self) -> Pieces:
        """Return the month day by day."""
        rows = [
            (one.day, one.orders, one.refusals, one.trades, one.turnover, one.charges, one.pnl, one.gaps)
            for one in self.month.days
        ]
        total = (
            "All", self._sum("orders"), self._sum("refusals"), self._sum("trades"), self._sum("turnover"),
            self._sum("charges"), self._sum("pnl"), self._sum("gaps"),
        )  # fmt: skip
        days = table(
            "Market day, Orders:count, Refused:count, Trades:count, Turnover:rupees, Charges:rupees, P&L:signed, "
            "Missing in the trail:count",
            rows,
            total=total if rows else (),
            empty="The book did not trade.",
            how="From the journal of each day. P&L is the day's last mark, after charges.",
        )
        names = [short_day(one.day) for one in self.month.days]
        orders = [one.orders for one in self.month.days]
        return Pieces([days, Bars("Orders a day", names, orders, how="The Orders column of the table above.")])

    def untagged(self) -> Pieces:
        """Return the orders that lack a tag, and the algos with theirs."""
        day = date.fromisoformat(self.month.last)
        rule = self.rules.retail_algo(day)
        words = (
            f"On {day} every order that goes to an exchange by an API has to carry an algo id ({rule.source})."
            if rule is not None and rule.algo_id_on_every_order
            else f"On {day} the rule that asks for an algo id on every API order was not in force yet."
        )
        rows = [(one.day, one.order, one.whose, one.missing) for one in self.month.untagged]
        lacking = table(
            "Market day, Order:code, For, What is missing", rows, empty="Every order carries its tags.",
            how="Client and who asked on every order; algo id and code hash on every order of an algo. Orders that a "
            "person enters carry no algo id here: paper orders leave the machine by no API.",
        )  # fmt: skip
        algos = table(
            "Algo, Algo id, Code:code, Orders:count",
            [(name, tag, code[:16], number) for (name, tag, code), number in sorted(self.month.algos.items())],
            caption="Algos of the month", empty="No algo sent an order.",
            how="Orders sent, by strategy, algo id and the beginning of the SHA-256 of its code.",
        )  # fmt: skip
        return Pieces([Notice(words), lacking, algos])

    def limits(self) -> Pieces:
        """Return changes of limits and settings, and of the trading state."""
        limits = table(
            "Time (IST):moment, By, Limit, Before:words, After:words",
            [(one.at, one.who, one.name, one.before, one.after) for one in self.limit_changes],
            caption="Limits", empty="No limit was changed.",
            how="limits.toml of each change of the configuration's history, compared with the one before it; amounts "
            "in rupees. An engine counts a limit from its next start on.",
        )  # fmt: skip
        kept = table(
            "Time (IST):moment, By, Files:words, Outcome",
            [
                (one.at, one.actor, one.operation.name, one.operation.outcome)
                for one in self.month.done("configuration")
            ],
            caption="Configuration files (limits.toml among them)", empty="No change was recorded.",
            how="Each change that the configuration's history recorded; the history itself has every line.",
        )  # fmt: skip
        settings = table(
            "Time (IST):moment, Setting, Before, After", self.month.settings,
            caption="Settings that differ from one start to the next", empty="None differ.",
            how="The settings that each start of the engine recorded, compared with the start before it.",
        )  # fmt: skip
        states = table(
            "Time (IST):moment, State, By, Role, Reason:words", self.month.states,
            caption="Changes of the trading state", empty="The trading state did not change.",
            how="Records of the book's journal: ACTIVE, REDUCING (exits alone pass), HALTED; who asked and why.",
        )  # fmt: skip
        return Pieces([limits, kept, settings, states])

    def refusals(self) -> Table:
        """Return how often each rule refused."""
        return table(
            "Rule, Refusals:count", self.month.rules.most_common(), empty="Nothing was refused.",
            how="Each rule that a refused request broke; a request may break several.",
        )  # fmt: skip

    def incident_list(self) -> Table:
        """Return the incidents of the month with what they owe."""
        rows = [
            (
                one.began, one.id, one.kind, one.title, one.owner or "nobody yet", one.cause or "not known yet",
                _owed(one), one.closed,
            )
            for one in self.incidents
        ]  # fmt: skip
        return table(
            "Began (IST):moment, No.:count, Kind, What:words, Owner, Cause:words, Reports owed:words, Closed "
            "(IST):moment",
            rows,
            empty="NIL: no incident was opened.",
            how="An outage in market hours as long as the dated facts say (five minutes) opens an incident by "
            "itself; people open others. Deadlines come from dated facts; this is not legal advice.",
        )

    def drills(self) -> Pieces:
        """Return drills, restores, preflight runs, scans, signatures and waivers."""
        parts: list[Piece] = []
        for caption, whats in (
            ("Drills and restores", ("drill", "restore")),
            ("Scans", ("scan",)),
            ("Preflight runs, signatures and waivers", ("preflight", "signature", "waiver")),
        ):
            rows = [
                (one.at, one.operation.name, one.operation.outcome, one.actor, _said(one))
                for one in self.month.done(*whats)
            ]
            columns = "Time (IST):moment, Name, Outcome, By, What it says:words"
            how = f"Records of the operations journal of the kinds {', '.join(whats)}."
            parts.append(table(columns, rows, caption=caption, empty="None.", how=how))
        return Pieces(parts)

    def alerts(self) -> Table:
        """Return the alerts of the month by rule."""
        raised = Counter(one.operation.name for one in self.month.done("alert") if one.operation.outcome == "raised")
        return table(
            "Rule, Raised:count", raised.most_common(), empty="No alert was raised.",
            how="Alerts that were raised; one that was raised again while it stood counts once.",
        )  # fmt: skip

    def totals(self) -> Totals:
        """Return the control totals."""
        traffic = self.month.traffic.values()
        return Totals(
            {
                "market_days": len(self.month.days),
                "orders": self._sum("orders"),
                "refusals": self._sum("refusals"),
                "changes_asked": sum(one.changes for one in traffic),
                "cancellations_asked": sum(one.cancellations for one in traffic),
                "trades": self._sum("trades"),
                "turnover_paise": self._sum("turnover"),
                "charges_paise": self._sum("charges"),
                "untagged": len(self.month.untagged),
                "limits_changed": len(self.limit_changes),
                "gaps": self._sum("gaps"),
                "incidents": len(self.incidents),
            }
        )

    def _sum(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.month.days)


def _owed(incident: Incident) -> str:
    now = at(date(9999, 12, 31), "00:00")
    late = {due.step for due in incident.overdue(now)}
    return "; ".join(f"{due.step} to {due.to}: {'open' if due.step in late else 'made'}" for due in incident.deadlines)


def _said(one: Noted) -> str:
    """Return what a record says, in a few words."""
    if one.operation.what == "preflight":
        run = one.detail(Run)
        return f"{len(run.items) - len(run.failed)} of {len(run.items)} items did not fail"
    return one.reason
