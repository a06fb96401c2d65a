"""Tests for `ui.plain` and `ui.page`: what is served when something could not be built."""

from contextlib import closing

from aitrade.core import logs
from aitrade.engine.client import EngineClient
from aitrade.ops.errors import errors
from aitrade.ui import page as pages
from aitrade.ui.desk import Desk
from aitrade.ui.plain import PlainPage
from aitrade.ui.tabs import charts


def texts(widget):
    """Every text on the plain page."""
    return [child.value for child in widget.children if hasattr(child, "value")]


def button(widget, name):
    """The button of that name, wherever it stands."""
    rows = [widget, *widget.children]
    return next(one for row in rows for one in getattr(row, "children", ()) if getattr(one, "description", "") == name)


def test_the_plain_page_trades_and_stops(trading):
    """It says what it is, shows the engine's words, places an order and stops everything, asked twice."""
    desk = Desk(trading.home)
    plain = PlainPage(desk)
    widget = plain.widget()
    plain.refresh()
    assert "plain page" in texts(widget)[0]
    assert "PAPER · SIMULATED" in texts(widget)[1]
    button(widget, "Send order").click()
    assert "Order" in texts(widget)[2]
    button(widget, "Emergency stop").click()
    with closing(EngineClient.of(trading.home)) as client:
        assert client.health().state == "ACTIVE"
        plain._sure.value = True
        button(widget, "Emergency stop").click()
        assert client.health().state == "HALTED"
        button(widget, "Resume trading").click()
        assert client.health().state == "ACTIVE"


def test_the_plain_page_without_an_engine_says_so(tmp_path):
    """What it shows is called old, with what to do."""
    plain = PlainPage(Desk(tmp_path))
    plain.refresh()
    assert "old" in plain._status.value
    assert "aitrade up" in plain._status.value


def test_a_tab_that_cannot_be_built_leaves_the_others(tmp_path, monkeypatch):
    """In its place stands why, and in the log; all other tabs are there."""

    def fail(_desk):
        raise ValueError("no <disk>")

    monkeypatch.setattr(charts, "build", fail)
    logs.configure("kernels", tmp_path / "logs")
    built = pages.build(Desk(tmp_path))
    logs.shut()
    assert [(one.type, one.text) for one in errors(tmp_path)] == [("ValueError", "no <disk>")]
    assert "no &lt;disk&gt;" in built["charts"].value
    assert "no &lt;disk&gt;" not in str(getattr(built["dashboard"], "value", ""))
    assert len(built) > 1
