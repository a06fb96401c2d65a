"""The Charts tab: one view that draws with BokehJS what the chart worker sends, never through a kernel."""

from pathlib import Path
from typing import Any

import anywidget

_HERE = Path(__file__).parent


class ChartsView(anywidget.AnyWidget):
    """The grid of charts; its modules and BokehJS come from the chart worker on the page's own origin."""

    _esm = _HERE / "charts.js"
    _css = _HERE / "charts.css"


def build(_desk: Any) -> ChartsView:
    """Return the tab's widget; charts need nothing of the kernel."""
    return ChartsView()
