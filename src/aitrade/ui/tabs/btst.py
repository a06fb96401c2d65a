"""The BTST tab: a view that asks the engine for the list; the kernel only says from which score one may send."""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from aitrade.intelligence.btst import SENDABLE, STRATEGY

_HERE = Path(__file__).parent


class BtstView(anywidget.AnyWidget):
    """A countdown until the list opens, then the ranked list with its factors and its verdict."""

    _esm = _HERE / "btst.js"
    _css = _HERE / "btst.css"
    sendable_from = traitlets.Float(SENDABLE).tag(sync=True)
    strategy = traitlets.Unicode(STRATEGY).tag(sync=True)


def build(_desk: Any) -> BtstView:
    """Return the tab's widget; the list comes straight from the engine."""
    return BtstView()
