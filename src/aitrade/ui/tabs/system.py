"""The System tab: health with reasons, latency, rate-limit use, journal, event log, settings, trading state."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

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


class SystemView(anywidget.AnyWidget):
    """One view over the engine's health frames, its event log and its /settings. `says` describes settings by name."""

    _esm = _HERE / "system.js"
    _css = _HERE / "system.css"
    says = traitlets.Dict().tag(sync=True)
    by_command = traitlets.List().tag(sync=True)


def build(_desk: Any) -> SystemView:
    """Return the tab's widget; what it shows comes straight from the engine."""
    return SystemView(says=descriptions(), by_command=list(BY_COMMAND))
