"""Holds the rules against what is observed: what breaks one long enough raises an alert, what holds again ends it."""

from pathlib import Path

from aitrade.core.clock import SECOND
from aitrade.ops.alerts.book import book_of, record, resolve
from aitrade.ops.alerts.observation import Observation, Reading, readings
from aitrade.ops.alerts.settings import AlertSettings, Rule

Key = tuple[str, str]


class Watch:
    """Remembers since when which rule is broken, by rule and subject."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._since: dict[Key, int] = {}

    def look(self, settings: AlertSettings, seen: Observation) -> None:
        """Raise and resolve alerts as the observation says."""
        for name, rule in settings.rules.items():
            found = readings(seen, rule.watches)
            if found is not None:
                broken = _broken(rule, found, seen) if rule.on else {}
                for subject in self._due(name, rule, broken, seen.at):
                    self._raise(name, rule, subject, broken[subject], seen)
                self._end(name, broken, seen.at)

    def _due(self, name: str, rule: Rule, broken: dict[str, Reading], at: int) -> list[str]:
        """Return the subjects for which the rule has been broken long enough."""
        for key in [key for key in self._since if key[0] == name and key[1] not in broken]:
            del self._since[key]
        return [one for one in broken if at - self._since.setdefault((name, one), at) >= rule.for_s * SECOND]

    def _raise(self, name: str, rule: Rule, subject: str, reading: Reading, seen: Observation) -> None:
        words = rule.words(subject, reading.value, reading.text)
        record(self._home, name, rule.severity, words, subject=subject, lasting=True, at=seen.at)

    def _end(self, name: str, broken: dict[str, Reading], at: int) -> None:
        for alert in book_of(self._home).standing():
            if alert.rule == name and alert.lasting and alert.subject not in broken:
                resolve(self._home, name, alert.subject, at=at)


def _broken(rule: Rule, found: dict[str, Reading], seen: Observation) -> dict[str, Reading]:
    if rule.when == "market" and not seen.market:
        return {}
    return {subject: reading for subject, reading in found.items() if rule.broken_by(reading.value)}
