"""Alerts: rules on what engine and machine say, one life for each alert, and the channels that carry it to people.

`raise_alert` is how every other part raises one; `standing` is what stands.
"""

from pathlib import Path

from aitrade.ops.alerts.alert import Alert, Severity
from aitrade.ops.alerts.book import acknowledge, record, resolve, standing

__all__ = ["Alert", "Severity", "acknowledge", "raise_alert", "resolve", "standing"]


def raise_alert(home: Path, rule: str, severity: Severity | str, text: str, *, subject: str = "") -> Alert:
    """Record an alert; return it as it stands.

    `rule` names its kind (`backup-failed`), `text` is a sentence for a person with what to do next, `subject` tells two
    alerts of the same rule apart. The same rule and subject while one stands is the same alert, raised once more. It
    stands until a person acknowledges it, or `resolve` is called.
    """
    from aitrade.ops.alerts.delivery import deliver_unless_watched

    alert = record(home, rule, Severity(severity), text, subject=subject, lasting=False)
    deliver_unless_watched(home)
    return alert
