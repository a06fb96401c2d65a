"""Which limits a day was traded under, and how they changed: `limits.toml` as the configuration's history has it."""

import tempfile
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path

import msgspec

from aitrade.core.clock import ist
from aitrade.core.errors import DataRefused
from aitrade.ops.configuration_history import Change, at_change, changes
from aitrade.ops.ledger import Day
from aitrade.risk.limits import FILE, Limits


class InForce(msgspec.Struct, frozen=True):
    """The limits, and where they were read, in words."""

    limits: Limits
    words: str
    kept: bool
    """They are from the history; otherwise they are as the file is now, which may have changed since."""


class LimitChange(msgspec.Struct, frozen=True):
    """What a change of the configuration made of one limit, as text; `at` is ns UTC, `who` the machine's user."""

    at: int
    who: str
    name: str
    before: str
    after: str


def limits_in_force(home: Path, day: Day) -> InForce:
    """Return the limits that the engine of a day had read when it started.

    A limit counts from the engine's start on: it reads the file once. Without a history that reaches back so far the
    file as it is now is returned, and `words` says so. Raises DataRefused where the file does not fit.
    """
    found = next((one for one in changes(home) if one.at <= day.set_up_at), None) if day.set_up_at else None
    if found is None:
        words = "limits.toml as it is now: no history of it reaches back to the engine's start"
        return InForce(Limits.load(home), words, kept=False)
    limits, shipped = _kept(home, found.id)
    kept = f"limits.toml as kept on {ist(found.at):%Y-%m-%d %H:%M:%S} IST, before the engine started"
    return InForce(limits, "the limits that ship, no limits.toml was there" if shipped else kept, kept=True)


def limit_changes(home: Path, ids: Collection[str]) -> list[LimitChange]:
    """Return what each of these changes of the configuration made of a limit, oldest first.

    Where nothing older is kept, the limits that ship are what stood before. A file that does not fit is told in words.
    """
    every = [one for one in changes(home) if FILE in one.files]
    found = []
    for older, newer in pairwise([None, *reversed(every)]):
        if newer and newer.id in ids:
            before, after = _values(home, older), _values(home, newer)
            names = [name for name in before | after if before.get(name) != after.get(name)]
            found += [
                LimitChange(newer.at, newer.who, name, before.get(name, "–"), after.get(name, "–")) for name in names
            ]
    return found


def _values(home: Path, change: Change | None) -> dict[str, str]:
    try:
        limits = _kept(home, change.id)[0] if change else Limits.load()
    except DataRefused as refused:
        return {FILE: str(refused)}
    return {name: str(value) for name, value in msgspec.structs.asdict(limits).items()}


def _kept(home: Path, id_: str) -> tuple[Limits, bool]:
    """Return the limits of a change, and whether they are those that ship, since it has no file of them."""
    text = at_change(home, id_).get(FILE)
    with tempfile.TemporaryDirectory() as folder:
        if text is not None:
            (Path(folder) / FILE).write_bytes(text)
        return Limits.load(Path(folder)), text is None
