"""Incidents: an outage with an owner, a cause, deadlines and an end. Every step is a record in the operations journal.

An outage in market hours as long as `facts/incidents.toml` says (five minutes) opens one by itself; a person may open
one too. Deadlines come from the same dated facts. What the file says a market participant owes is not legal advice.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import msgspec

from aitrade.compliance.operations import Follower, Noted, note
from aitrade.core.clock import MINUTE, SECOND, at, ist_date, ist_time
from aitrade.core.errors import Refused
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.dated import Row, Through, by, facts
from aitrade.ops.alerts.alert import Alert
from aitrade.ops.alerts.book import standing
from aitrade.ops.alerts.observation import Observation
from aitrade.ops.alerts.settings import AlertSettings

WHAT = "incident"
GLITCH = "technical-glitch"
KINDS = (GLITCH, "cyber", "other")
_HOUR = 60 * MINUTE


class _Outage(Row, frozen=True, kw_only=True):
    minutes: int


class _Deadline(Row, frozen=True, kw_only=True):
    kind: str
    step: str
    to: str
    hours: int = 0
    days: int = 0
    trading_days: int = 0


class _Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    outage: list[_Outage]
    deadline: list[_Deadline]


class Due(msgspec.Struct):
    """A report that is owed; times are ns UTC."""

    step: str
    to: str
    by: int
    source: str
    confidence: str
    note: str = ""
    done: int = 0
    done_by: str = ""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an incident's record holds beside kind and outcome."""

    incident: int = 0
    """The number of the record that opened it; 0 in that record itself."""
    text: str = ""
    """Title, owner, cause or step, as the outcome says."""
    began: int = 0
    alert: int = 0
    deadlines: list[Due] = []


class Incident(msgspec.Struct):
    """One incident as it stands; times are ns UTC, 0 where it has not happened."""

    id: int
    kind: str
    title: str
    began: int
    opened: int
    opened_by: str
    deadlines: list[Due]
    alert: int = 0
    """The alert that opened it; 0 where a person did."""
    ended: int = 0
    """When the outage was over."""
    owner: str = ""
    cause: str = ""
    closed: int = 0
    closed_by: str = ""
    closing: str = ""

    def overdue(self, now: int) -> list[Due]:
        """Return the reports whose time is over and which nobody marked as made."""
        return [due for due in self.deadlines if not due.done and due.by < now]


class IncidentBook:
    """The incidents of a data folder, up to date at each call."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._follower = Follower(home)
        self._lock = threading.Lock()
        self._incidents: dict[int, Incident] = {}

    def all(self) -> list[Incident]:
        """Return all incidents, oldest first; raise JournalBroken for a damaged journal."""
        with self._lock:
            for noted in self._follower.new():
                if noted.operation.what == WHAT:
                    self._take(noted, noted.detail(Step))
            return list(self._incidents.values())

    def find(self, number: int) -> Incident:
        """Return an incident by its number; raise Refused when there is none."""
        self.all()
        if number not in self._incidents:
            raise Refused(f"There is no incident {number}; `aitrade incident list --all` shows them.")
        return self._incidents[number]

    def _take(self, noted: Noted, step: Step) -> None:
        if noted.operation.outcome == "opened":
            self._incidents[noted.seq] = Incident(
                noted.seq, noted.operation.name, step.text, step.began, noted.at, noted.actor, step.deadlines,
                alert=step.alert,
            )  # fmt: skip
        elif step.incident in self._incidents:
            _HAPPENED[noted.operation.outcome](self._incidents[step.incident], noted, step)


def _reported(incident: Incident, noted: Noted, step: Step) -> None:
    for due in incident.deadlines:
        if due.step == step.text:
            due.done, due.done_by = noted.at, noted.actor


def _closed(incident: Incident, noted: Noted, step: Step) -> None:
    incident.closed, incident.closed_by, incident.closing = noted.at, noted.actor, step.text


_HAPPENED: dict[str, Callable[[Incident, Noted, Step], None]] = {
    "assigned": lambda incident, _noted, step: setattr(incident, "owner", step.text),
    "explained": lambda incident, _noted, step: setattr(incident, "cause", step.text),
    "ended": lambda incident, noted, _step: setattr(incident, "ended", noted.at),
    "reported": _reported,
    "closed": _closed,
}
"""Outcome of a record to what it does to its incident."""


@cache
def book_of(home: Path) -> IncidentBook:
    """Return this process's book of a data folder."""
    return IncidentBook(home)


def outage_minutes(home: Path, moment: int) -> int:
    """Return how long an outage must last to be an incident, by the facts of that day."""
    facts_ = facts("incidents.toml", home, _Facts)
    return int(Through(facts_.outage).at(ist_date(moment)).minutes)


def deadlines(home: Path, kind: str, began: int) -> list[Due]:
    """Return what is owed for an incident of a kind that began at `began`, the first deadline first."""
    facts_ = facts("incidents.toml", home, _Facts)
    day = ist_date(began)
    steps = by([row for row in facts_.deadline if row.kind == kind], "step").values()
    rows = [through.at(day) for through in steps]
    found = [Due(row.step, row.to, _due(home, row, began), row.source, row.confidence, row.note) for row in rows]
    return sorted(found, key=lambda due: due.by)


def _due(home: Path, row: _Deadline, began: int) -> int:
    """Hours count from the beginning; days end at midnight IST."""
    if row.hours:
        return began + row.hours * _HOUR
    day = ist_date(began) + timedelta(row.days)
    calendar = Calendar.load(home)
    for _ in range(row.trading_days):
        day = calendar.next_trading_day(day, Segment.CASH)
    return at(day + timedelta(1), "00:00") - SECOND


def open_incident(home: Path, kind: str, title: str, *, began: int = 0, alert: int = 0, actor: str = "") -> Incident:
    """Open an incident; raise Refused for a kind that there is not or without a title."""
    if kind not in KINDS:
        raise Refused(f"There is no kind {kind}; there are: {', '.join(KINDS)}.")
    if not title.strip():
        raise Refused("Say in a few words what happened; the title is what reports show.")
    now = time.time_ns()
    step = Step(text=title, began=began or now, alert=alert, deadlines=deadlines(home, kind, began or now))
    number = note(home, WHAT, kind, "opened", step, actor=actor, role="system" if alert else "operator")
    return book_of(home).find(number)


def assign(home: Path, number: int, owner: str, *, actor: str = "") -> Incident:
    """Name who owns an incident."""
    return _step(home, number, "assigned", owner, actor)


def explain(home: Path, number: int, cause: str, *, actor: str = "") -> Incident:
    """Say what caused an incident."""
    return _step(home, number, "explained", cause, actor)


def report(home: Path, number: int, step: str, *, actor: str = "") -> Incident:
    """Mark a report as made; raise Refused for one that is not owed."""
    steps = [due.step for due in book_of(home).find(number).deadlines]
    if step not in steps:
        raise Refused(f"Incident {number} owes no {step!r}; it owes: {', '.join(steps) or 'nothing'}.")
    return _step(home, number, "reported", step, actor)


def close(home: Path, number: int, words: str, *, actor: str = "") -> Incident:
    """Close an incident; raise Refused while it has no owner or cause, still lasts, or owes a report."""
    incident = book_of(home).find(number)
    missing = [
        words_
        for words_, is_missing in (
            ("an owner (`aitrade incident assign`)", not incident.owner),
            ("a cause (`aitrade incident cause`)", not incident.cause),
            ("its end: the outage still lasts", bool(incident.alert) and not incident.ended),
            ("a word on how it ended", not words.strip()),
            *((f"its {due.step} (`aitrade incident reported`)", not due.done) for due in incident.deadlines),
        )
        if is_missing
    ]
    if missing:
        raise Refused(f"Incident {number} is not closed; it lacks {'; '.join(missing)}.")
    return _step(home, number, "closed", words, actor)


def open_incidents(home: Path) -> list[Incident]:
    """Return the incidents that are not closed, the newest first."""
    return [one for one in reversed(book_of(home).all()) if not one.closed]


def _step(home: Path, number: int, outcome: str, text: str, actor: str) -> Incident:
    incident = book_of(home).find(number)
    if incident.closed:
        raise Refused(f"Incident {number} was closed by {incident.closed_by}; open another one.")
    if not text.strip():
        raise Refused("An empty word is not recorded; say who, or what.")
    note(home, WHAT, incident.kind, outcome, Step(incident.id, text), actor=actor)
    return book_of(home).find(number)


class Outages:
    """Opens an incident for an alert of an outage that lasts long enough in market hours, and notes its end."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._open_since = 0
        self._closed = False

    def look(self, settings: AlertSettings, seen: Observation) -> None:
        """Look at the alerts that stand."""
        self._open_since = seen.at if seen.market and self._closed else self._open_since
        self._closed = not seen.market
        lasting = [alert for alert in standing(self._home) if _is_outage(settings, alert)]
        known = {one.alert: one for one in open_incidents(self._home) if one.alert}
        for alert in lasting if seen.market else ():
            began = max(alert.raised, self._open_since)
            if alert.id not in known and seen.at - began >= outage_minutes(self._home, seen.at) * MINUTE:
                self._open(alert, began)
        for incident in known.values():
            if incident.alert not in {alert.id for alert in lasting} and not incident.ended:
                note(self._home, WHAT, incident.kind, "ended", Step(incident.id), role="system")

    def _open(self, alert: Alert, began: int) -> None:
        title = f"{alert.rule.replace('-', ' ')} since {ist_time(began)} IST: {alert.text}"
        open_incident(self._home, GLITCH, title, began=began, alert=alert.id)


def _is_outage(settings: AlertSettings, alert: Alert) -> bool:
    rule = settings.rules.get(alert.rule)
    return rule is not None and rule.outage
