"""Tests for `ui.tabs.btst`: what the view is told by the kernel."""

from aitrade.intelligence.btst import SENDABLE, STRATEGY
from aitrade.ui.desk import Desk
from aitrade.ui.tabs import btst


def test_the_view_knows_the_bar_and_the_gate_from_their_one_definition(tmp_path):
    """From which score one may send, and by which name an order passes BTST's gate, come from the scorer's room."""
    state = btst.build(Desk(tmp_path)).get_state()
    assert state["sendable_from"] == SENDABLE
    assert state["strategy"] == STRATEGY


def test_the_view_needs_no_engine_to_be_built(tmp_path):
    """A kernel waits for its page before anybody knows of an engine."""
    assert "render" in btst.build(Desk(tmp_path / "nothing here")).get_state()["_esm"]
