"""The page's kernel: one widget a tab, told to the page by name."""

import html
from importlib import import_module
from importlib.util import find_spec

from ipywidgets import HTML, Widget

from aitrade.core import logs
from aitrade.ui.desk import Desk
from aitrade.ui.server import bundle_is_there

_log = logs.get(__name__)
TABS = ("dashboard", "charts", "fno", "btst", "portfolio", "system")


def build(desk: Desk) -> dict[str, Widget]:
    """Return the widget of every tab that there is; one that fails says so in its place and leaves the others be."""
    there = [name for name in TABS if find_spec(f"aitrade.ui.tabs.{name}") is not None]
    return {name: _build(name, desk) for name in there}


def show() -> None:
    """Display every tab's widget, and the page puts each where it belongs; without a bundle, one plain page."""
    from IPython.display import display

    desk = Desk()
    logs.configure("kernels", desk.home / "logs")
    if not bundle_is_there():
        from aitrade.ui.plain import PlainPage

        display(PlainPage(desk).start())
        return
    for name, widget in build(desk).items():
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        data = {"application/vnd.jupyter.widget-view+json": view, "application/vnd.aitrade.tab+json": {"tab": name}}
        display(data, raw=True)


def _build(name: str, desk: Desk) -> Widget:
    try:
        tab: Widget = import_module(f"aitrade.ui.tabs.{name}").build(desk)
    except Exception as error:
        _log.exception("tab could not be built", tab=name)
        return HTML(f"<p class='empty'>This tab could not be built: {html.escape(str(error))}</p>")
    return tab
