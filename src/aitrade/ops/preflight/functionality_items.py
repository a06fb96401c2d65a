"""Checks of the checklist's section Functionality."""

from aitrade.engine.service import Service
from aitrade.ops.preflight import btst_sweep, risk_probes, tabs_probe
from aitrade.ops.preflight.awaited import Awaited
from aitrade.ops.preflight.check import Finding, Item, Measured, Section, Source, finding
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.probed_market import Make, Market


class SixTabs:
    """A browser opens each tab: it shows the engine's answer, fresh, and says within 5 s that the feed has stopped."""

    id, section, words, seconds = "six-tabs", Section.FUNCTIONALITY, "All six tabs work on real-time data", 120.0

    def examine(self, ground: Ground) -> Finding:
        """Look at every tab of the scratch page, then stop the feed of its engine, which lives on."""
        looked = tabs_probe.look(ground)
        compared = sum(len(tab.told) for tab in looked.tabs)
        oldest = max(tab.age for tab in looked.tabs)
        measured = {
            **{f"{tab.name}_values": len(tab.told) for tab in looked.tabs},
            "oldest_price_s": round(oldest, 3), "marked_old_s": round(looked.marked_old, 3),
            "engine_went_on_s": round(looked.lived, 3),
        }  # fmt: skip
        text = (
            f"{len(looked.tabs)} tabs show the engine's answer in all {compared} values; the oldest newest price was "
            f"{oldest:.1f} s of market time old; the feed was stopped under a living engine, whose clock went on for "
            f"{looked.lived:.1f} s: every tab was marked old after {looked.marked_old:.1f} s."
        )
        return finding(looked.wrong, text, measured, Source.SIMULATED, compared)


class RiskControls:
    """One probe for each rule is refused by that rule, with accepted orders beside it, under the limits in force."""

    id, section, words, seconds = "risk-controls", Section.FUNCTIONALITY, "Risk controls active", 60.0

    def examine(self, ground: Ground) -> Finding:
        """Send every probe to a scratch market on the installation's limits."""
        ground.own_rules(ground.scratch / self.id)
        market = Market(ground.scratch / self.id, risk_probes.PRE_OPEN)
        try:
            answers = risk_probes.probe(market)
        finally:
            market.close()
        count = len(risk_probes.PROBES)
        measured = {"probes": count, "refused": count - len(answers.silent), "accepted": answers.accepted}
        return Finding(answers.status, answers.words(count), measured, Source.SIMULATED, count + answers.sound)


class BtstGate:
    """BTST shows and sends nothing one nanosecond before 14:15:00, and a list at 14:15:00."""

    id, section, words, seconds = "btst", Section.FUNCTIONALITY, "BTST active after 14:15 only", 60.0

    def __init__(self, make: Make = Service) -> None:
        self._make = make

    def examine(self, ground: Ground) -> Finding:
        """Sweep a scratch market's clock over the boundary."""
        ground.own_rules(ground.scratch / self.id)
        market = Market(ground.scratch / self.id, btst_sweep.START, self._make)
        try:
            asked = list(btst_sweep.sweep(market))
        finally:
            market.close()
        wrong = [one.wrong for one in asked if one.wrong]
        shares = len(next((one.listed.candidates for one in asked if one.before <= 0), []))
        closed = [one for one in asked if one.before > 0]
        nearest = min((one.before for one in closed), default=0)
        wrong += [] if nearest == 1 else ["nothing was asked one nanosecond before 14:15:00"]
        measured: Measured = {
            "moments": len(asked),
            "wrong": len(wrong),
            "nearest_before_ns": nearest,
            "shares": shares,
        }
        text = (
            f"Nothing was shown or sent at {len(closed)} moments up to {nearest} ns before 14:15:00; "
            f"at 14:15:00 a list of {shares} shares was there."
        )
        return finding(wrong, text, measured, Source.SIMULATED, len(asked))


ITEMS: tuple[Item, ...] = (
    SixTabs(),
    RiskControls(),
    BtstGate(),
    Awaited(
        "failover", Section.FUNCTIONALITY, "Multi-API failover works", "aitrade.brokers",
        "not built: no broker adapter is registered.",
    ),
    Awaited(
        "paper-is-live", Section.FUNCTIONALITY, "Paper trading identical to live", "aitrade.brokers",
        "not built: no broker adapter is registered, so there is nothing to rehearse paper against.",
    ),
    Awaited(
        "learning", Section.FUNCTIONALITY, "Learning features present", "aitrade.learn",
        "not built: no learning feature is registered.",
    ),
)  # fmt: skip
