"""The Dashboard: watchlist and depth, positions and books, the day's money, strategies and alerts, order ticket.

Its views read the engine's stream in the browser and speak to the engine by the page's relay; the kernel only lays out.
"""

from pathlib import Path
from typing import Any

import anywidget
from ipywidgets import GridBox, Widget

from aitrade.ui.tabs.ticket import build_ticket

_HERE = Path(__file__).parent


class WatchView(anywidget.AnyWidget):
    """Search, watchlist with live prices, depth of the chosen instrument."""

    _esm = _HERE / "dashboard_watch.js"
    _css = _HERE / "dashboard.css"


class BooksView(anywidget.AnyWidget):
    """Positions with Exit and Convert, order book, trade book."""

    _esm = _HERE / "dashboard_books.js"


class MoneyView(anywidget.AnyWidget):
    """The day's P&L and funds, strategies, price alerts."""

    _esm = _HERE / "dashboard_money.js"


def build(_desk: Any) -> Widget:
    """Return the tab's widget."""
    tab = GridBox([WatchView(), BooksView(), MoneyView(), build_ticket()])
    tab.add_class("dashboard")
    return tab
