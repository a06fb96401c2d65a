"""Who is told what and when: first message, retry, quiet hours, escalation, and that it is over."""

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from aitrade.core.clock import SECOND, ist_time
from aitrade.core.errors import Conflict
from aitrade.core.files import FileLock
from aitrade.ops.alerts.alert import Alert, Severity
from aitrade.ops.alerts.book import book_of
from aitrade.ops.alerts.channels import here, send
from aitrade.ops.alerts.settings import AlertSettings, Channel

RETRY_NS = 30 * SECOND
MOST_TRIES = 6
"""A channel that does not take a message is tried again after 30 s, 1, 2, 4 and 8 minutes."""
UNRECORDED_NS = 600 * SECOND
AT_ONCE = 8
_ESCALATED = "Not acknowledged: "
_OVER = "Over: "


class Due(NamedTuple):
    """A message that is to go out: which outcome it will be, to whom, and how its title begins."""

    outcome: str
    channels: list[Channel]
    begins: str = ""


class Courier:
    """Sends what is due, several alerts at once: a slow channel delays no alert but its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="courier")
        self._jobs: dict[int, tuple[Future[None], int]] = {}
        """The last job of an alert, and when it was begun: under way, or not recorded."""

    def send_due(self, settings: AlertSettings, now: int) -> int:
        """Begin to send every message that is due at `now` (ns UTC); return how many alerts have one.

        What was sent and could not be recorded is not sent again at each look, but after ten minutes.
        """
        self._jobs = {number: job for number, job in self._jobs.items() if _counts(*job, now)}
        book, begun = book_of(self._home), 0
        for alert in book.all():
            message = message_due(settings, alert, book.last_sent.get((alert.rule, alert.subject), 0), now)
            if message and alert.id not in self._jobs:
                self._jobs[alert.id] = (self._pool.submit(self._send, alert, message, now), now)
                begun += 1
        return begun

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown()

    def _send(self, alert: Alert, due: Due, now: int) -> None:
        title = due.begins + f"aitrade {alert.severity}: {alert.rule.replace('-', ' ')}"
        taken, failed = spread(self._home, due.channels, title, _body(alert), alert.severity)
        outcome = "not sent" if due.outcome == "sent" and not taken else due.outcome
        channels = taken if due.outcome != "told" else ()
        book_of(self._home).note(alert, outcome, at=now, channels=channels, failed=failed)


def _counts(job: "Future[None]", begun: int, now: int) -> bool:
    return not job.done() or (job.exception() is not None and now - begun < UNRECORDED_NS)


def lock_path(home: Path) -> Path:
    """Return the file that whoever delivers holds."""
    return home / "run" / "alerts.lock"


def deliver_unless_watched(home: Path) -> None:
    """Send what is due, unless a watcher runs on the data folder, which does it within a second."""
    try:
        with FileLock(lock_path(home)):
            deliver(home, AlertSettings.in_force(home)[0], time.time_ns())
    except Conflict:
        return


def deliver(home: Path, settings: AlertSettings, now: int) -> int:
    """Send every message that is due at `now` and wait for it; return how many alerts had one. Hold the lock."""
    courier = Courier(home)
    try:
        return courier.send_due(settings, now)
    finally:
        courier.close()


def message_due(settings: AlertSettings, alert: Alert, last: int, now: int) -> Due | None:
    """Return the message about an alert that is to go out now; `last` is when its like was last sent."""
    if settings.quiet.holds(alert.severity, now):
        return None
    if alert.resolved:
        told = [] if alert.told else [one for one in settings.channel if one.name in alert.sent]
        return Due("told", told, _OVER) if told else None
    if channels := first_message(settings, alert, last, now):
        return Due("sent", channels)
    channels = escalated_to(settings, alert, now)
    return Due("escalated", channels, _ESCALATED) if channels else None


def first_message(settings: AlertSettings, alert: Alert, last: int, now: int) -> list[Channel]:
    """Return the channels that have not heard of an alert and are told now; `last` is when its like was last sent."""
    waits = last + settings.again if not alert.tries else alert.tried_at + RETRY_NS * 2 ** (alert.tries - 1)
    if not alert.stands or alert.acknowledged or alert.tries >= MOST_TRIES or ((last or alert.tries) and now < waits):
        return []
    return [one for one in _fitting(settings, alert) if not one.escalation and one.name not in alert.sent]


def escalated_to(settings: AlertSettings, alert: Alert, now: int) -> list[Channel]:
    """Return the channels that hear of an alert because nobody has acknowledged it."""
    rule, since = settings.escalation, max(alert.raised, alert.sent_at)
    over = alert.acknowledged or not alert.stands or alert.escalations >= rule.times
    if over or alert.severity.rank < rule.severity.rank or now - since < rule.after:
        return []
    return list(_fitting(settings, alert))


def _fitting(settings: AlertSettings, alert: Alert) -> Iterable[Channel]:
    return (one for one in settings.channel if alert.severity.rank >= one.severity.rank and here(one))


def spread(
    home: Path, channels: list[Channel], title: str, body: str, severity: Severity
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Send to all channels at once; return the names of those who took it, and why the others did not."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="channel") as pool:
        jobs = {one.name: pool.submit(send, home, one, title, body, severity) for one in channels}
        answers = {name: job.result() for name, job in jobs.items()}
    return tuple(name for name, why in answers.items() if not why), {n: why for n, why in answers.items() if why}


def _body(alert: Alert) -> str:
    times = f", {alert.count} times" if alert.count > 1 else ""
    ending = "" if alert.resolved else f" Acknowledge it on the System tab or by `aitrade alerts ack {alert.id}`."
    return f"{alert.text}\n\nAlert {alert.id}, raised at {ist_time(alert.raised)} IST{times}.{ending}"
