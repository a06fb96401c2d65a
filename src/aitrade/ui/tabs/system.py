"""The System tab in two views: operations (health, alerts, incidents, preflight, upkeep, backup), and the engine.

The second has latency, rate-limit use, the journal, the event log, settings and limits in force, and the trading state.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from ipywidgets import Box, Widget

from aitrade.core.config import Configuration
from aitrade.risk import limits

_HERE = Path(__file__).parent
_COMMENTED = re.compile(r"^(\w+) = [^#]*# (.+)$", re.MULTILINE)
BY_COMMAND = {
    "mode": "simulated, or replay of an imported day: --session",
    "book": "Book that is traded on: --book",
    "day": "Market day to play; – is the latest that there is: --session",
    "start": "Market time that a new day begins at; – is just before the open: --start",
}
"""Settings that only the command line gives, and by which option."""
_RENAMED = {"strategies": "strategy", "projection": "database"}


@cache
def descriptions() -> dict[str, str]:
    """Return what each setting and limit is, by name: from the configuration's fields and the limits' comments."""
    settings = {name: field.description or "" for name, field in Configuration.model_fields.items()}
    text = Path(limits.__file__).with_name(limits.FILE).read_text(encoding="utf-8")
    renamed = {name: settings[source] for name, source in _RENAMED.items()}
    return settings | renamed | BY_COMMAND | dict(_COMMENTED.findall(text))


class OperationsView(anywidget.AnyWidget):
    """What the page server says of operations, and the choice between the two views."""

    _esm = _HERE / "system_operations.js"
    _css = _HERE / "system_operations.css"


class SystemView(anywidget.AnyWidget):
    """One view over the engine's health frames, its event log and its /settings. `says` describes settings by name."""

    _esm = _HERE / "system.js"
    _css = _HERE / "system.css"
    says = traitlets.Dict().tag(sync=True)
    by_command = traitlets.List().tag(sync=True)


def build(_desk: Any) -> Widget:
    """Return the tab's widget; what it shows comes straight from the engine and the page server."""
    tab = Box([OperationsView(), SystemView(says=descriptions(), by_command=list(BY_COMMAND))])
    tab.add_class("system")
    return tab
