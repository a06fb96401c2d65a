"""Tests for `engine.pace`."""

from aitrade.core.clock import MINUTE, SECOND
from aitrade.engine.pace import FASTEST, Pace


def test_market_time_runs_at_the_speed():
    """Ten seconds of wall at speed 60 are ten market minutes."""
    pace = Pace(1000, 0, 60)
    assert pace.market_at(10 * SECOND) == 1000 + 10 * MINUTE
    assert pace.wait(1000 + 20 * MINUTE, 10 * SECOND) == 10.0


def test_a_pause_stops_it_and_the_speed_goes_on_from_there():
    """While paused nothing is due; afterwards no time is missing or doubled."""
    pace = Pace(0, 0, 1)
    pace.set(5 * SECOND, paused=True)
    assert pace.market_at(100 * SECOND) == 5 * SECOND
    assert pace.wait(5 * SECOND, 100 * SECOND) == float("inf")
    pace.set(100 * SECOND, paused=False, speed=10)
    assert pace.market_at(101 * SECOND) == 15 * SECOND


def test_a_jump_races_and_then_keeps_the_speed():
    """Everything up to the target is due at once; behind it the old pace holds."""
    pace = Pace(0, 0, 1)
    pace.jump(10 * MINUTE, 0)
    assert pace.racing
    assert pace.wait(9 * MINUTE, 0) == 0.0
    pace.reached(10 * MINUTE, 3 * SECOND)
    assert not pace.racing
    assert pace.market_at(4 * SECOND) == 10 * MINUTE + SECOND


def test_the_fastest_speed_has_no_waiting():
    """Speed 0 races from event to event; market time is the newest event's."""
    pace = Pace(0, 0, FASTEST)
    pace.reached(7 * MINUTE, SECOND)
    assert pace.market_at(99 * SECOND) == 7 * MINUTE


def test_without_prices_a_race_becomes_the_walls_pace():
    """A jump ends and full speed is one second a second, until prices come again; a new jump may go on without them."""
    pace = Pace(0, 0, FASTEST)
    pace.jump(10 * MINUTE, 0)
    pace.reached(MINUTE, SECOND)
    pace.stall(2 * SECOND, stalled=True)
    assert not pace.racing
    assert pace.market_at(5 * SECOND) == MINUTE + 3 * SECOND
    assert pace.wait(MINUTE + 4 * SECOND, 5 * SECOND) == 1.0
    pace.jump(2 * MINUTE, 5 * SECOND)
    assert pace.racing
    pace.reached(2 * MINUTE, 6 * SECOND)
    assert not pace.racing
    pace.stall(7 * SECOND, stalled=False)
    assert pace.racing
