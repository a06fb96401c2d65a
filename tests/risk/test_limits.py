"""Tests for `risk.limits`, `risk.slicing` and `risk.trading_state`."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import at
from aitrade.core.errors import DataRefused
from aitrade.risk.limits import Limits
from aitrade.risk.slicing import slice_quantity
from aitrade.risk.trading_state import TradingState, crashed_too_often


def test_the_packages_limits_hold_without_a_file(tmp_path):
    """A data folder without limits.toml changes nothing."""
    assert Limits.load(tmp_path) == Limits.load()
    assert Limits.load().day_loss == Limits.load().day_loss_rupees * 100


def test_a_line_overrides_one_limit(tmp_path):
    """What the file leaves out stays."""
    (tmp_path / "limits.toml").write_text("day_loss_rupees = 7_000\n")
    assert Limits.load(tmp_path) == msgspec.structs.replace(Limits.load(), day_loss_rupees=7_000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\nday_orders = -1", "line 2: day_orders"),
        ("\n\nday_ordres = 1", "line 3: day_ordres"),
        ('day_orders = "many"', "line 1: day_orders"),
        ("trade_for_trade = [1]", "line 1: trade_for_trade"),
        ("crashes_to_halt = 0", "line 1: crashes_to_halt"),
        ("day_orders = = 1", "at line 1"),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path, text, says):
    """File, line and field are in the refusal."""
    (tmp_path / "limits.toml").write_text(text)
    with pytest.raises(DataRefused, match=says) as caught:
        Limits.load(tmp_path)
    assert str(tmp_path / "limits.toml") in str(caught.value)


@pytest.mark.parametrize(
    ("quantity", "freeze", "lot", "slices"),
    [
        (1800, 1800, 65, [1800]),
        (1820, 1800, 65, [1755, 65]),
        (3510, 1800, 65, [1755, 1755]),
        (600, 600, 30, [600]),
        (9000, 0, 75, [9000]),
        (90, 50, 75, [90]),
    ],
)
def test_slices(quantity, freeze, lot, slices):
    """Whole lots of at most the freeze quantity; where a lot is larger than that, no slice is legal."""
    assert slice_quantity(quantity, freeze, lot) == slices


@given(st.integers(1, 500), st.integers(1, 200), st.integers(1, 40))
def test_slices_add_up(lots, lot, freeze_lots):
    """No unit is lost, and none is over the limit."""
    freeze = freeze_lots * lot + lot // 2
    slices = slice_quantity(lots * lot, freeze, lot)
    assert sum(slices) == lots * lot
    assert all(0 < size <= freeze and size % lot == 0 for size in slices)


@pytest.mark.parametrize(
    ("state", "person_exits", "strategy_exits", "person_opens", "strategy_opens"),
    [
        (TradingState.ACTIVE, True, True, True, True),
        (TradingState.REDUCING, True, True, False, False),
        (TradingState.HALTED, True, False, False, False),
    ],
)
def test_who_may_send_what(state, person_exits, strategy_exits, person_opens, strategy_opens):
    """The table of the three trading states."""
    assert state.allows(is_exit=True, by_person=True) is person_exits
    assert state.allows(is_exit=True, by_person=False) is strategy_exits
    assert state.allows(is_exit=False, by_person=True) is person_opens
    assert state.allows(is_exit=False, by_person=False) is strategy_opens


def test_a_states_refusal_says_why_and_what_passes():
    """The reason that was given when trading was halted is in it."""
    text = TradingState.HALTED.refusal("emergency stop by asha")
    assert "emergency stop by asha" in text
    assert "resume" in text


@pytest.mark.parametrize(
    ("crashes", "halts"),
    [(["00:10", "11:00", "12:00"], True), (["11:00", "12:00"], False), ([], False)],
)
def test_three_crashes_in_a_day_halt(crashes, halts):
    """Crashes of the same IST day count; yesterday's do not."""
    now = at("2025-03-28", "12:30")
    yesterday = [at("2025-03-27", "23:50")] * 2
    assert crashed_too_often([*yesterday, *(at("2025-03-28", time) for time in crashes)], now, 3) is halts
