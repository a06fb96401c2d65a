"""The book of alerts: what stands, read from the operations journal; every change is written there first."""

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from aitrade.compliance.operations import Follower, Noted, note
from aitrade.core.clock import MINUTE
from aitrade.core.errors import Refused
from aitrade.ops.alerts.alert import Alert, Change, Severity

WHAT = "alert"
REPEAT_NS = 10 * MINUTE
"""A standing alert that is raised again is recorded again after this long, not each time."""
KEPT = 500
"""Alerts that are over and still remembered."""


class AlertBook:
    """The alerts of a data folder, up to date at each call."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._follower = Follower(home)
        self._lock = threading.RLock()
        self._alerts: dict[int, Alert] = {}
        self.last_sent: dict[tuple[str, str], int] = {}
        """(rule, subject) to when a message about it last went out."""

    def all(self) -> list[Alert]:
        """Return the alerts that are remembered, oldest first; raise JournalBroken for a damaged journal."""
        with self._lock:
            for noted in self._follower.new():
                if noted.operation.what == WHAT:
                    self._take(noted)
            self._forget()
            return list(self._alerts.values())

    def standing(self) -> list[Alert]:
        """Return what stands, the worst first and of the same severity the newest."""
        found = [alert for alert in self.all() if alert.stands]
        return sorted(found, key=lambda alert: (-alert.severity.rank, -alert.raised))

    def find(self, number: int) -> Alert:
        """Return an alert by its number; raise Refused when there is none."""
        self.all()
        if number not in self._alerts:
            raise Refused(f"There is no alert {number}; `aitrade alerts list` shows those that stand.")
        return self._alerts[number]

    def raised(self, rule: str, subject: str) -> Alert | None:
        """Return the alert of a rule about a subject that stands, or None."""
        return next((one for one in self.all() if one.stands and (one.rule, one.subject) == (rule, subject)), None)

    def note(
        self, alert: Alert, outcome: str, *, at: int = 0, actor: str = "", reason: str = "", **more: object
    ) -> None:
        """Record what happened to an alert."""
        change = Change(alert.id, alert.subject, alert.severity, **more)  # type: ignore[arg-type]
        note(self._home, WHAT, alert.rule, outcome, change, at=at, actor=actor, reason=reason)

    def _take(self, noted: Noted) -> None:
        outcome = noted.operation.outcome
        if outcome == "raised":
            self._raise(noted, noted.detail(Change))
        elif happened := _HAPPENED.get(outcome):
            change = noted.detail(Change)
            if (alert := self._alerts.get(change.alert)) is not None:
                happened(alert, noted, change)
                self.last_sent |= {(alert.rule, alert.subject): noted.at} if change.channels else {}

    def _raise(self, noted: Noted, change: Change) -> None:
        rule = noted.operation.name
        for alert in self._alerts.values():
            if alert.stands and (alert.rule, alert.subject) == (rule, change.subject):
                _repeated(alert, noted, change)
                return
        self._alerts[noted.seq] = Alert(
            noted.seq, rule, change.subject, change.severity, change.text, noted.at, change.lasting, noted=noted.at
        )

    def _forget(self) -> None:
        over = [number for number, alert in self._alerts.items() if not alert.stands]
        for number in over[: max(0, len(over) - KEPT)]:
            del self._alerts[number]


def _repeated(alert: Alert, noted: Noted, change: Change) -> None:
    alert.count += 1
    alert.noted = noted.at
    alert.text = change.text or alert.text


def _sent(alert: Alert, noted: Noted, change: Change) -> None:
    alert.sent = tuple(dict.fromkeys(alert.sent + change.channels))
    alert.sent_at = noted.at if change.channels else alert.sent_at
    alert.failed = {name: why for name, why in (alert.failed | change.failed).items() if name not in alert.sent}
    alert.tries, alert.tried_at = alert.tries + 1, noted.at


def _escalated(alert: Alert, noted: Noted, change: Change) -> None:
    _sent(alert, noted, change)
    alert.escalations += 1
    alert.sent_at = noted.at


def _acknowledged(alert: Alert, noted: Noted, _change: Change) -> None:
    alert.acknowledged, alert.acknowledged_by = noted.at, noted.actor


def _resolved(alert: Alert, noted: Noted, _change: Change) -> None:
    alert.resolved = noted.at


def _told(alert: Alert, _noted: Noted, _change: Change) -> None:
    alert.told = True


_HAPPENED: dict[str, Callable[[Alert, Noted, Change], None]] = {
    "repeated": _repeated,
    "sent": _sent,
    "not sent": _sent,
    "escalated": _escalated,
    "acknowledged": _acknowledged,
    "resolved": _resolved,
    "told": _told,
}
"""Outcome of a record to what it does to its alert."""


@cache
def book_of(home: Path) -> AlertBook:
    """Return this process's book of a data folder."""
    return AlertBook(home)


def record(home: Path, rule: str, severity: Severity, text: str, *, subject: str, lasting: bool, at: int = 0) -> Alert:
    """Record that an alert is raised, or raised again, and return it as it stands."""
    book = book_of(home)
    standing = book.raised(rule, subject)
    if standing is None:
        change = Change(subject=subject, severity=severity, text=text, lasting=lasting)
        note(home, WHAT, rule, "raised", change, at=at, role="system")
        standing = book.raised(rule, subject)
        assert standing is not None, "what was recorded is read back"
    elif _now(at) - standing.noted >= REPEAT_NS:
        book.note(standing, "repeated", at=at, text=text)
    return standing


def standing(home: Path) -> list[Alert]:
    """Return the alerts that stand, the worst first; raise JournalBroken when the operations journal is damaged."""
    return book_of(home).standing()


def acknowledge(home: Path, number: int, *, actor: str = "", reason: str = "") -> Alert:
    """Record that a person saw an alert; raise Refused when it is not there or was seen before."""
    book = book_of(home)
    alert = book.find(number)
    if alert.acknowledged:
        raise Refused(f"Alert {number} was acknowledged by {alert.acknowledged_by} already; nothing is left to do.")
    if not alert.stands:
        raise Refused(f"Alert {number} is over by itself; `aitrade alerts list` shows those that stand.")
    book.note(alert, "acknowledged", actor=actor, reason=reason)
    return book.find(number)


def resolve(home: Path, rule: str, subject: str = "", *, at: int = 0) -> bool:
    """Record that what an alert told of is over; return whether one stood."""
    book = book_of(home)
    alert = book.raised(rule, subject)
    if alert is not None:
        book.note(alert, "resolved", at=at)
    return alert is not None


def _now(at: int) -> int:
    import time

    return at or time.time_ns()
