"""Monitors: a figure that stays above its limit asks for an emergency, not again before its cool-down is over."""

from collections.abc import Callable, Mapping

from aitrade.core.clock import SECOND, Clock
from aitrade.ops.maintenance.schedule import Planned
from aitrade.ops.maintenance.timetable import Monitor
from aitrade.ops.maintenance.vitals import Vitals

Rows = Callable[[], Mapping[str, Planned]]
"""The schedule's rows: an emergency's last run, by whoever it was asked for, begins its cool-down."""


class Monitors:
    """Judges looks by the table's rules; keeps since when each figure is above its limit."""

    def __init__(self, rules: list[Monitor], clock: Clock, rows: Rows) -> None:
        self._rules = rules
        self._clock = clock
        self._rows = rows
        self._since: dict[tuple[str, str], int] = {}

    def tripped(self, vitals: Vitals) -> dict[str, str]:
        """Return the emergencies that are asked for now, each with its reason in a sentence."""
        now, found = self._clock.now(), {}
        for rule in self._rules:
            value = getattr(vitals, rule.watches)
            key = (rule.issue, rule.watches)
            if value is None or value <= rule.above:
                self._since.pop(key, None)
                continue
            since = self._since.setdefault(key, now)
            if now - since >= rule.for_s * SECOND and self._cool(rule, now):
                found[rule.issue] = f"{rule.watches} is {value:.6g}, above {rule.above:g} for {rule.for_s:g} s."
        return found

    def _cool(self, rule: Monitor, now: int) -> bool:
        last = self._rows().get(rule.issue)
        return last is None or now - last.last_run >= rule.cool_down_s * SECOND
