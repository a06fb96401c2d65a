"""Incidents: outages that open one, deadlines by dated facts, and what must stand before one is closed."""

from datetime import date

import pytest

from aitrade.compliance.operations import noted
from aitrade.core.clock import MINUTE, at, ist_date
from aitrade.core.errors import DataRefused, Refused
from aitrade.ops import incidents
from aitrade.ops.alerts import resolve, standing
from aitrade.ops.alerts.observation import Observation
from aitrade.ops.alerts.rules import Watch
from aitrade.ops.alerts.settings import AlertSettings
from aitrade.ops.incidents import GLITCH, Outages, deadlines, open_incident, open_incidents

SETTINGS = AlertSettings.load()
BEGAN = at("2026-11-20", "11:00")


class Day:
    """A day on which the engine is silent, looked at minute by minute."""

    def __init__(self, home):
        self.home = home
        self._watch, self._outages = Watch(home), Outages(home)

    def minute(self, number, *, market=True, silent=60.0):
        """Look once."""
        seen = Observation(at=BEGAN + number * MINUTE, market=market, engine_silent_s=silent)
        self._watch.look(SETTINGS, seen)
        self._outages.look(SETTINGS, seen)
        return len(open_incidents(self.home))


def test_five_minutes_of_silence_in_market_hours_open_one_incident(tmp_path):
    """Four minutes open none; the fifth opens one, and only one; it begins with the outage."""
    day = Day(tmp_path)
    assert [day.minute(number) for number in range(8)] == [0, 0, 0, 0, 0, 1, 1, 1]
    (incident,) = open_incidents(tmp_path)
    assert (incident.kind, incident.began, incident.alert) == (GLITCH, BEGAN, standing(tmp_path)[0].id)
    assert "engine silent since 11:00:00 IST" in incident.title
    assert (incident.deadlines[0].step, incident.deadlines[0].by) == ("first report", BEGAN + 120 * MINUTE)


def test_silence_outside_market_hours_opens_none(tmp_path):
    """A night of silence is no incident; its minutes before the open do not count."""
    day = Day(tmp_path)
    assert [day.minute(number, market=False) for number in range(20)] == [0] * 20
    assert [day.minute(number) for number in range(20, 27)] == [0, 0, 0, 0, 0, 1, 1]


def test_an_outage_that_ends_in_time_opens_none(tmp_path):
    """Contiguous means contiguous: two outages of three minutes are not one of six."""
    day = Day(tmp_path)
    for number in range(10):
        assert day.minute(number, silent=0.1 if number in (3, 7) else 60.0) == 0


def test_the_end_of_the_outage_is_noted_and_the_incident_stays(tmp_path):
    """When the engine is back the incident says so, and waits for a person."""
    day = Day(tmp_path)
    for number in range(6):
        day.minute(number)
    assert day.minute(6, silent=0.1) == 1
    assert open_incidents(tmp_path)[0].ended
    assert [one.operation.outcome for one in noted(tmp_path, "incident")] == ["opened", "ended"]


def test_deadlines_come_from_the_facts_of_the_day(tmp_path):
    """One hour until 2026-01-08, two from the 9th; the preliminary report by the next trading day, over the weekend."""
    before, after = deadlines(tmp_path, GLITCH, at("2026-01-08", "10:00")), deadlines(tmp_path, GLITCH, BEGAN)
    assert before[0].by == at("2026-01-08", "11:00")
    assert after[0].by == at("2026-11-20", "13:00")
    assert [due.step for due in after] == ["first report", "preliminary report", "root cause analysis"]
    assert ist_date(after[1].by) == date(2026, 11, 23)
    assert ist_date(after[2].by) == date(2026, 12, 4)
    assert [due.confidence for due in after] == ["A", "A", "B"]
    (cyber,) = deadlines(tmp_path, "cyber", BEGAN)
    assert (cyber.by, cyber.to.startswith("CERT-In")) == (at("2026-11-20", "17:00"), True)
    assert deadlines(tmp_path, "other", BEGAN) == []


def test_a_data_folder_may_correct_a_deadline(tmp_path):
    """A row of its own goes over the package's; one that does not fit is refused."""
    facts = tmp_path / "facts" / "incidents.toml"
    facts.parent.mkdir()
    row = '[[deadline]]\nfrom = 2026-01-09\nkind = "cyber"\nstep = "first report"\nto = "SEBI"\nhours = {}\n'
    row += 'source = "a letter"\nconfidence = "A"\n'
    facts.write_text(row.format(4))
    (due,) = deadlines(tmp_path, "cyber", BEGAN)
    assert (due.to, due.by) == ("SEBI", BEGAN + 240 * MINUTE)
    facts.write_text(row.format("'soon'"))
    with pytest.raises(DataRefused, match="does not fit"):
        deadlines(tmp_path, "cyber", BEGAN)


def test_an_incident_is_closed_only_when_all_is_said(tmp_path):
    """Owner, cause, each report and a word: the refusal lists what lacks; closed, nothing more is written."""
    number = open_incident(tmp_path, "cyber", "A stranger logged in", began=BEGAN, actor="asha").id
    with pytest.raises(Refused, match=r"an owner.*a cause.*its first report"):
        incidents.close(tmp_path, number, "done")
    incidents.assign(tmp_path, number, "Ravi", actor="asha")
    incidents.explain(tmp_path, number, "A password was reused.", actor="ravi")
    with pytest.raises(Refused, match="owes no 'poem'; it owes: first report"):
        incidents.report(tmp_path, number, "poem")
    assert [due.step for due in open_incidents(tmp_path)[0].overdue(BEGAN + 361 * MINUTE)] == ["first report"]
    incidents.report(tmp_path, number, "first report", actor="ravi")
    closed = incidents.close(tmp_path, number, "Passwords were changed.", actor="asha")
    assert (closed.owner, closed.closed_by, closed.closing) == ("Ravi", "asha", "Passwords were changed.")
    assert closed.overdue(BEGAN + 361 * MINUTE) == []
    assert open_incidents(tmp_path) == []
    with pytest.raises(Refused, match="was closed by asha"):
        incidents.assign(tmp_path, number, "Asha")


def test_an_incident_that_lasts_is_not_closed(tmp_path):
    """While the alert behind it stands, closing is refused."""
    day = Day(tmp_path)
    for number in range(6):
        day.minute(number)
    number = open_incidents(tmp_path)[0].id
    with pytest.raises(Refused, match="the outage still lasts"):
        incidents.close(tmp_path, number, "done")
    assert resolve(tmp_path, "engine-silent")


def test_what_is_no_incident_is_refused(tmp_path):
    """A kind that there is not, no title, a number that there is not, an empty owner."""
    with pytest.raises(Refused, match="no kind flood; there are: technical-glitch"):
        open_incident(tmp_path, "flood", "wet")
    with pytest.raises(Refused, match="few words"):
        open_incident(tmp_path, "other", " ")
    with pytest.raises(Refused, match="no incident 9"):
        incidents.assign(tmp_path, 9, "Ravi")
    number = open_incident(tmp_path, "other", "A cable fell").id
    with pytest.raises(Refused, match="empty word"):
        incidents.assign(tmp_path, number, "")
