"""The Portfolio: what is held and where, exposure, the book's P&L and drawdown, charges paid, who earned what."""

from pathlib import Path
from typing import Any

import anywidget

_HERE = Path(__file__).parent


class PortfolioView(anywidget.AnyWidget):
    """One view over the engine's stream and its /performance."""

    _esm = _HERE / "portfolio.js"
    _css = _HERE / "portfolio.css"


def build(_desk: Any) -> PortfolioView:
    """Return the tab's widget; the book's record comes straight from the engine."""
    return PortfolioView()
