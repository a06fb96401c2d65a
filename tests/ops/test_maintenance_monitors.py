"""Tests for the monitors: how long, how much, and the cool-down between two emergencies."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import MINUTE, SECOND, ReplayClock, at
from aitrade.ops import doors
from aitrade.ops.alerts import standing
from aitrade.ops.maintenance import vitals as vitals_module
from aitrade.ops.maintenance.job import perform
from aitrade.ops.maintenance.monitors import Monitors
from aitrade.ops.maintenance.process import Watch
from aitrade.ops.maintenance.schedule import Planned, schedule_of
from aitrade.ops.maintenance.timetable import Monitor, load
from aitrade.ops.maintenance.vitals import Pulse, Vitals

NOW = at("2026-11-25", "11:00")
RULE = Monitor(issue="api_failure", watches="venues_down", above=0, for_s=15, cool_down_s=300)
DOWN, UP = Vitals(venues_down=1.0), Vitals(venues_down=0.0)


@pytest.fixture
def clock():
    """Eleven on a trading day."""
    return ReplayClock(NOW)


def later(clock, seconds):
    """Let seconds pass."""
    clock.advance(clock.now() + seconds * SECOND)


def test_a_figure_has_to_stay_above_its_limit(clock):
    """A moment of failure asks for nothing; fifteen seconds of it do, with the figure in the reason."""
    monitors = Monitors([RULE], clock, dict)
    assert monitors.tripped(DOWN) == {}
    later(clock, 14)
    assert monitors.tripped(DOWN) == {}
    later(clock, 1)
    assert monitors.tripped(DOWN) == {"api_failure": "venues_down is 1, above 0 for 15 s."}


def test_a_good_look_between_begins_the_time_anew(clock):
    """What is well again is forgotten; so is what could not be measured."""
    monitors = Monitors([RULE], clock, dict)
    for good in (UP, Vitals()):
        monitors.tripped(DOWN)
        later(clock, 14)
        monitors.tripped(good)
        later(clock, 14)
        assert monitors.tripped(DOWN) == {}
        monitors.tripped(UP)


@given(st.lists(st.integers(1, 120), min_size=1, max_size=60))
def test_two_emergencies_are_never_closer_than_the_cool_down(steps):
    """However often it is looked, whatever a monitor asks for waits until the last run has cooled."""
    clock, rows, ran = ReplayClock(NOW), {}, []
    monitors = Monitors([RULE], clock, lambda: rows)
    for seconds in steps:
        later(clock, seconds)
        for issue in monitors.tripped(DOWN):
            rows[issue] = Planned(issue, last_run=clock.now())
            ran.append(clock.now())
    assert all(second - first >= 300 * SECOND for first, second in pairwise(ran))
    assert ran or sum(steps[1:]) < 15


def test_a_persons_emergency_begins_the_cool_down_too(clock, tmp_path):
    """What was just done by hand is not done again by itself."""
    with schedule_of(tmp_path, clock, load(tmp_path)) as schedule:
        schedule.keep(Planned("api_failure", last_run=clock.now()))
        monitors = Monitors([RULE], clock, schedule.rows)
        monitors.tripped(DOWN)
        later(clock, 60)
        assert monitors.tripped(DOWN) == {}


def test_growth_counts_after_the_service_is_warm(clock, tmp_path, monkeypatch):
    """Filling caches is no leak; what comes after ten minutes is; a new process begins anew."""
    held = {"charts": (11, 200), "page": (12, 100)}
    monkeypatch.setattr(doors, "process_of", lambda _home, name: held[name][0])
    monkeypatch.setattr(doors, "resident", lambda pid: dict(held.values())[pid] * vitals_module._MEBIBYTE)
    pulse = Pulse(tmp_path, clock)
    pulse.take()
    held["page"] = (12, 900)
    clock.advance(NOW + 11 * MINUTE)
    assert pulse.take() == Vitals(service_mib=900, growth_mib=0)
    held["page"] = (12, 1500)
    clock.advance(NOW + 30 * MINUTE)
    assert pulse.take().growth_mib == 600
    held["page"] = (13, 150)
    assert pulse.take().growth_mib == 0


def test_a_monitor_runs_its_emergency_tells_people_and_cools(clock, tmp_path):
    """Without an engine the emergency fails, and says so: nobody is left to believe that it worked."""
    with schedule_of(tmp_path, clock, load(tmp_path)) as schedule:
        watch = Watch(tmp_path, clock, schedule, perform=lambda job, _seconds: perform(job))
        outcome = watch.act("api_failure", "venues_down is 1, above 0 for 15 s.")
        assert outcome.status == "failed"
        assert schedule.rows()["api_failure"].last_run == clock.now()
    rules = {alert.rule: alert.text for alert in standing(tmp_path)}
    assert "No engine runs" in rules["maintenance-failed"]
    assert "A monitor asked for api_failure: venues_down" in rules["emergency-maintenance"]


def test_every_monitor_watches_a_figure_and_asks_for_an_emergency_that_there_is(tmp_path):
    """The table cannot name what is not measured or not known."""
    table = load(tmp_path)
    emergencies = {row.name for row in table.of("emergency")}
    assert {one.issue for one in table.monitor} == emergencies
    assert {one.watches for one in table.monitor} <= set(Vitals.__struct_fields__)
    assert all(one.cool_down_s > one.for_s for one in table.monitor)
