"""The life of an alert, as the operations journal tells it."""

import pytest

from aitrade.compliance.operations import noted
from aitrade.core.clock import MINUTE
from aitrade.core.errors import Refused
from aitrade.ops.alerts import Severity, acknowledge, raise_alert, resolve, standing
from aitrade.ops.alerts.book import REPEAT_NS, AlertBook, record


def outcomes(home):
    """What was recorded, in order."""
    return [one.operation.outcome for one in noted(home, "alert")]


def test_an_alert_stands_until_a_person_acknowledges_it(tmp_path):
    """Raised, it stands; acknowledged with a name, it is over; both are records."""
    alert = raise_alert(tmp_path, "backup-failed", "critical", "No space for the backup; free some.")
    assert [one.id for one in standing(tmp_path)] == [alert.id]
    seen = acknowledge(tmp_path, alert.id, actor="asha", reason="freed 20 GB")
    assert (seen.acknowledged_by, standing(tmp_path)) == ("asha", [])
    assert outcomes(tmp_path) == ["raised", "acknowledged"]
    assert [one.reason for one in noted(tmp_path, "alert")][-1] == "freed 20 GB"


def test_the_same_alert_again_is_the_same_alert(tmp_path):
    """Raised three times within minutes it is one alert and one record; later it is recorded as repeated."""
    first = record(tmp_path, "disk", Severity.WARNING, "a", subject="", lasting=True, at=1)
    assert record(tmp_path, "disk", Severity.WARNING, "b", subject="", lasting=True, at=MINUTE).id == first.id
    record(tmp_path, "disk", Severity.WARNING, "c", subject="", lasting=True, at=REPEAT_NS + 1)
    (alert,) = standing(tmp_path)
    assert (alert.id, alert.count, alert.text) == (first.id, 2, "c")
    assert outcomes(tmp_path) == ["raised", "repeated"]


def test_subjects_of_one_rule_are_alerts_of_their_own(tmp_path):
    """Two orders in doubt are two alerts, the newest first."""
    for order in ("A", "B"):
        raise_alert(tmp_path, "order-in-doubt", "critical", f"Order {order}", subject=order)
    assert [one.subject for one in standing(tmp_path)] == ["B", "A"]


def test_the_worst_comes_first(tmp_path):
    """A critical alert stands above a newer warning."""
    raise_alert(tmp_path, "a", "critical", "bad")
    raise_alert(tmp_path, "b", "warning", "less bad")
    assert [one.rule for one in standing(tmp_path)] == ["a", "b"]


def test_a_lasting_alert_outlives_its_acknowledgement(tmp_path):
    """While its condition holds it stands, acknowledged; it ends when the condition does, and may come again."""
    first = record(tmp_path, "disk", Severity.WARNING, "full", subject="", lasting=True)
    acknowledge(tmp_path, first.id, actor="asha")
    assert [one.acknowledged_by for one in standing(tmp_path)] == ["asha"]
    assert resolve(tmp_path, "disk")
    assert not resolve(tmp_path, "disk")
    again = record(tmp_path, "disk", Severity.WARNING, "full", subject="", lasting=True)
    assert again.id != first.id
    assert not again.acknowledged


def test_what_cannot_be_acknowledged_is_refused_kindly(tmp_path):
    """An unknown alert, one that was seen, and one that is over each say so."""
    with pytest.raises(Refused, match="no alert 7"):
        acknowledge(tmp_path, 7)
    one = record(tmp_path, "disk", Severity.WARNING, "full", subject="", lasting=True)
    acknowledge(tmp_path, one.id, actor="asha")
    with pytest.raises(Refused, match="acknowledged by asha"):
        acknowledge(tmp_path, one.id, actor="ravi")
    other = record(tmp_path, "clock", Severity.WARNING, "off", subject="", lasting=True)
    resolve(tmp_path, "clock")
    with pytest.raises(Refused, match="over by itself"):
        acknowledge(tmp_path, other.id)


def test_another_process_sees_the_same_book(tmp_path):
    """A book that is read from the start says what one that followed along says."""
    raise_alert(tmp_path, "a", "critical", "bad")
    acknowledge(tmp_path, raise_alert(tmp_path, "b", "warning", "less bad").id, actor="asha")
    assert AlertBook(tmp_path).all() == AlertBook(tmp_path).all()
    assert [one.rule for one in AlertBook(tmp_path).standing()] == ["a"]
