"""Checks of the checklist's section Monitoring."""

import time

from aitrade.ops.preflight.check import Finding, Item, Measured, Section, Source, finding
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.observing import ErrorsTracked, HealthMonitoring, MetricsCollected

SEEN_SECONDS = 5.0
"""Within this an alert has to be received."""


class AlertsTested:
    """An alert with a nonce and one of a broken rule come back on a loopback webhook; each channel's proof is named."""

    id = "alerts"
    section = Section.MONITORING
    words = "Alerts configured and tested"
    seconds = 60.0

    def examine(self, ground: Ground) -> Finding:
        """Run the drill by the installation's rules; raise when an alert does not come back or alerts.toml is wrong."""
        from aitrade.ops.alerts.drill import drill
        from aitrade.ops.alerts.proof import State, proofs
        from aitrade.ops.alerts.settings import AlertSettings, shipped_rules

        settings = AlertSettings.load(ground.home)
        off = [name for name in shipped_rules() if not settings.rules[name].on]
        done = drill(ground.scratch / "alerts", ground.home)
        channels = proofs(ground.home, settings, time.time_ns())
        confirmed = [one.channel for one in channels if one.external and one.state is State.CONFIRMED]
        wrong = [f"the rule {name} is switched off" for name in off]
        wrong += [
            f"{what} took {seconds:.1f} s to arrive, more than {SEEN_SECONDS:g} s"
            for what, seconds in (("the alert with a nonce", done.nonce_s), ("a damaged journal's", done.rule_s))
            if seconds > SEEN_SECONDS
        ]
        words = (
            f"An alert with nonce {done.nonce} came back on a loopback webhook after {done.nonce_s:.2f} s",
            f"a damaged journal's after {done.rule_s:.2f} s",
            f"channels: {', '.join(f'{one.channel} {one.state}' for one in channels) or 'none'}",
            "a person elsewhere is reached" if confirmed else "nobody elsewhere is reached: the desktop does not count",
        )
        measured: Measured = {
            "nonce_s": round(done.nonce_s, 3), "rule_s": round(done.rule_s, 3), "rules": len(settings.rules),
            "rules_off": len(off), "channels": len(channels), "external_confirmed": len(confirmed),
            "unconfirmed": ", ".join(one.channel for one in channels if one.state is not State.CONFIRMED),
        }  # fmt: skip
        return finding(wrong, f"{'; '.join(words)}.", measured, Source.SYSTEM, 2 + len(channels))


ITEMS: tuple[Item, ...] = (HealthMonitoring(), MetricsCollected(), AlertsTested(), ErrorsTracked())
