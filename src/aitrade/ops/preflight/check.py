"""What an item of the deployment checklist is: words, a check that does the thing, and what it found."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, Self

import msgspec

from aitrade.ops.preflight.ground import Ground


class Section(StrEnum):
    """The sections of the checklist, in its order."""

    SECURITY = "Security"
    PERFORMANCE = "Performance"
    FUNCTIONALITY = "Functionality"
    COMPLIANCE = "Compliance"
    MONITORING = "Monitoring"
    ENVIRONMENT = "Environment"


class Status(StrEnum):
    """A verdict."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    NOT_PROVABLE = "not_provable_here"

    @classmethod
    def of(cls, passed: bool) -> Self:
        """Return pass or fail."""
        return cls("pass" if passed else "fail")


class Source(StrEnum):
    """Where evidence comes from."""

    SIMULATED = "SIMULATED"
    REPLAY = "REPLAY"
    PAPER = "PAPER"
    LIVE = "LIVE"
    SYSTEM = "SYSTEM"
    """The machine, the installation and its files; no market is in it."""


Measured = dict[str, int | float | str]


class Finding(msgspec.Struct, frozen=True):
    """What a check found. `evidence` is one or two sentences for a person; `measured` has every figure behind it.

    `examined` counts what was looked at (orders, files, credentials, widgets); nothing examined is a fail.
    """

    status: Status
    evidence: str
    measured: Measured
    source: Source
    examined: int


def finding(wrong: Sequence[str], right: str, measured: Measured, source: Source, examined: int) -> Finding:
    """Return a pass with the sentence `right`, or a fail with all that is `wrong`, in words without full stops."""
    text = f"{'; '.join(wrong)}." if wrong else right
    return Finding(Status.of(not wrong), text, measured, source, examined)


class Item(Protocol):
    """One item of the checklist."""

    id: str
    section: Section
    words: str
    """The item's words, as the checklist has them."""
    seconds: float
    """How long the check may take; longer is a fail."""

    def examine(self, ground: Ground) -> Finding:
        """Do the thing and say what was found; an exception is a fail that names itself."""
        ...
