"""How a part of the product registers the drill that proves it: a table `DRILLS` in its package.

DRILLS = {"failover": "aitrade.brokers.failover:drill"}   # checklist item: where the drill lives

A drill takes a folder of its own and returns what it found. Registering passes nothing; the drill does.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import msgspec


class Drilled(msgspec.Struct, frozen=True, kw_only=True):
    """What a drill found: whether the part held, in a sentence and in figures, and how much was looked at."""

    passed: bool
    evidence: str
    measured: dict[str, int | float | str]
    source: str
    """SIMULATED, REPLAY, PAPER, LIVE or SYSTEM."""
    examined: int


Drill = Callable[[Path], Drilled]


def registered(package: str, item: str) -> Drill | None:
    """Return the drill that a package registered for a checklist item; None where the package or the drill is not."""
    try:
        table: dict[str, str] = getattr(import_module(package), "DRILLS", {})
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        return None
    if item not in table:
        return None
    module, name = table[item].split(":")
    drill: Drill = getattr(import_module(module), name)
    return drill
