"""The page's kernel: one widget a tab, told to the page by name."""

from importlib import import_module
from importlib.util import find_spec

from ipywidgets import Widget

from aitrade.ui.desk import Desk

TABS = ("dashboard", "charts", "fno", "btst", "portfolio", "system")


def build(desk: Desk) -> dict[str, Widget]:
    """Return the widget of every tab that there is."""
    there = [name for name in TABS if find_spec(f"aitrade.ui.tabs.{name}") is not None]
    return {name: import_module(f"aitrade.ui.tabs.{name}").build(desk) for name in there}


def show() -> None:
    """Display every tab's widget; the page puts each where it belongs."""
    from IPython.display import display

    for name, widget in build(Desk()).items():
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        data = {"application/vnd.jupyter.widget-view+json": view, "application/vnd.aitrade.tab+json": {"tab": name}}
        display(data, raw=True)
