"""Checks of the checklist's section Compliance."""

from collections.abc import Iterable

from aitrade.core.drills import registered
from aitrade.ops.preflight.awaited import of_drill
from aitrade.ops.preflight.check import Finding, Item, Measured, Section, Source, Status, finding
from aitrade.ops.preflight.ground import Ground


def weakest(modes: Iterable[str]) -> Source:
    """Return the source of evidence that rests on books of these modes: the least real one, SIMULATED without any."""
    named = {Source(mode.upper()) for mode in modes if mode.upper() in Source.__members__}
    return next((source for source in Source if source in named), Source.SIMULATED)


class PositionLimits:
    """An order beyond SEBI's limits is refused for that reason; `aitrade.risk` registers the drill once it is."""

    id = "position-limits"
    section = Section.COMPLIANCE
    words = "Position limits enforced"
    seconds = 60.0

    def examine(self, ground: Ground) -> Finding:
        """Run the drill that the risk rules registered; without one, probe an engine and say what is missing."""
        folder = ground.scratch / self.id
        ground.own_rules(folder)
        drill = registered("aitrade.risk", self.id)
        if drill is not None:
            return of_drill(drill(folder))
        from aitrade.ops.preflight.position_limits import probe

        found = probe(folder)
        measured: Measured = {
            "units": found.units, "delta_value_paise": found.value, "limit_crore": found.limit,
            "rules_broken": ", ".join(found.broken), "one_lot_accepted": str(found.accepted).lower(),
        }  # fmt: skip
        return Finding(Status.of(found.enforced), found.sentence, measured, Source.SIMULATED, 2)


class SebiTrail:
    """Every order since the last pass has its whole story, counted against the venue; a tampered copy is caught."""

    id = "sebi-trail"
    section = Section.COMPLIANCE
    words = "SEBI audit trail complete"
    seconds = 90.0

    def examine(self, ground: Ground) -> Finding:
        """Examine the installation's orders, then drill on a scratch engine."""
        from aitrade.market.rules import Rules
        from aitrade.ops.preflight.trail_drill import against_running, drill, unasked, unpassed
        from aitrade.ops.trail import examined, gaps

        rules = Rules.load(ground.home)
        own, missing, at_venue, modes = 0, [], 0, []
        for day in unpassed(ground.home, self.id):
            compared, differ = against_running(ground.home, day)
            own, at_venue = own + examined(day), at_venue + compared
            missing += [*gaps(day), *unasked(ground.home, day, rules), *differ]
            modes.append(day.mode)
        done = drill(ground.scratch / "drill", rules)
        wrong = [f"{gap.order}: {gap.what}" for gap in (*missing, *done.gaps)]
        wrong += [f"{name} verified in a copy" for name in done.unnoticed]
        wrong += [] if done.probe_found else ["the probe order is not in the journal"]
        measured: Measured = {
            "orders": own, "days": len(modes), "orders_at_running_venue": at_venue, "drill_orders": done.ours,
            "drill_orders_at_venue": done.theirs, "missing": len(wrong), "first_missing": wrong[0] if wrong else "",
        }  # fmt: skip
        told = (
            f"{own} orders and refusals of {len(modes)} market days since the last pass, and {done.ours} of a drill "
            f"({done.theirs} in its venue's book)"
        )
        text = (
            f"{told}: each story is complete, each record has every field that the rules file asks for, the probe was "
            "found, three ways of tampering with a copy were caught."
        )
        if wrong:
            text = f"Of {told}, {len(wrong)} are wrong; first {wrong[0]}."
        return Finding(Status.of(not wrong), text, measured, weakest(modes), own + done.ours)


class RegulatoryReports:
    """Each regulatory report is made for the last day with orders, and its totals are those of an independent count."""

    id = "regulatory-reports"
    section = Section.COMPLIANCE
    words = "Regulatory reports produced"
    seconds = 110.0

    def examine(self, ground: Ground) -> Finding:
        """Make the reports on a copy; an installation without an order is examined on a scratch engine's day."""
        from aitrade.ops.preflight.report_sums import compare, last_traded
        from aitrade.ops.preflight.trail_drill import traded_book

        home = ground.home
        book, day = last_traded(home)
        whose = f"book {book}"
        if not day:
            home = traded_book(ground.scratch / "drill")
            book, day = last_traded(home)
            whose = "a scratch engine, since the installation has no order yet"
        ground.own_rules(ground.scratch / "reports")
        found = compare(home, ground.scratch / "reports", book, day)
        measured: Measured = {
            "reports": len(found.made), "totals_compared": found.compared, "totals_of_another_kind": found.others,
            "orders": found.orders, "book": book, "day": day, "wrong": len(found.wrong),
            "first_wrong": found.wrong[0] if found.wrong else "",
        }  # fmt: skip
        text = (
            f"{len(found.made)} reports were made for {day}, {found.orders} orders of {whose}; {found.compared} totals "
            f"equal a count of the journal's records, {found.others} are no sum of records: {', '.join(found.made)}."
        )
        if found.wrong:
            text = f"{len(found.wrong)} things are wrong with the reports of {day}: {found.wrong[0]}."
        return Finding(Status.of(not found.wrong), text, measured, weakest([found.mode]), found.orders)


class RetentionInForce:
    """Nothing under its term is missing, and a removal is refused until it is over and archived first after it."""

    id = "retention"
    section = Section.COMPLIANCE
    words = "Retention policies in force"
    seconds = 60.0

    def examine(self, ground: Ground) -> Finding:
        """Look at the installation's journals, and try removals in a data folder with the installation's rules."""
        from aitrade.ops.backup.completeness import look
        from aitrade.ops.reports import gone
        from aitrade.ops.retention_drill import drill, wrong_terms

        folder = ground.scratch / self.id
        ground.own_rules(folder)
        looked, drilled = look(ground.home), drill(folder)
        missing = [*looked.missing, *(f"{name} was made and is gone" for name in gone(ground.home))]
        wrong = [*missing, *drilled.wrong, *wrong_terms(ground.configuration)]
        terms = ", ".join(f"{name} {days:,} days" for name, days in sorted(drilled.terms.items()))
        right = (
            f"{looked.segments} journal segments and {looked.heads} backed-up books are whole; {drilled.refused} "
            f"removals on the last day of the term were refused, {drilled.archived} on the day after archived first; "
            f"terms: {terms}."
        )
        measured: Measured = {
            "segments": looked.segments, "backed_up_books": looked.heads, "missing": len(missing),
            "refused": drilled.refused, "archived": drilled.archived, **drilled.terms,
        }  # fmt: skip
        return finding(wrong, right, measured, Source.SYSTEM, looked.segments)


ITEMS: tuple[Item, ...] = (SebiTrail(), PositionLimits(), RegulatoryReports(), RetentionInForce())
