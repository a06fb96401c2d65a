"""Which limits a day was traded under: `limits.toml` as the configuration's history has it when the engine started."""

import tempfile
from pathlib import Path

import msgspec

from aitrade.core.clock import ist
from aitrade.ops.configuration_history import at_change, changes
from aitrade.ops.ledger import Day
from aitrade.risk.limits import FILE, Limits


class InForce(msgspec.Struct, frozen=True):
    """The limits, and where they were read, in words."""

    limits: Limits
    words: str
    kept: bool
    """They are from the history; otherwise they are as the file is now, which may have changed since."""


def limits_in_force(home: Path, day: Day) -> InForce:
    """Return the limits that the engine of a day had read when it started.

    A limit counts from the engine's start on: it reads the file once. Without a history that reaches back so far the
    file as it is now is returned, and `words` says so. Raises DataRefused where the file does not fit.
    """
    found = next((one for one in changes(home) if one.at <= day.set_up_at), None) if day.set_up_at else None
    if found is None:
        words = "limits.toml as it is now: no history of it reaches back to the engine's start"
        return InForce(Limits.load(home), words, kept=False)
    with tempfile.TemporaryDirectory() as folder:
        text = at_change(home, found.id).get(FILE)
        if text is not None:
            (Path(folder) / FILE).write_bytes(text)
        limits = Limits.load(Path(folder))
    kept = f"limits.toml as kept on {ist(found.at):%Y-%m-%d %H:%M:%S} IST, before the engine started"
    return InForce(limits, kept if text is not None else "the limits that ship, no limits.toml was there", kept=True)
