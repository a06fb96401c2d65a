"""Items of parts that prove themselves: they fail with one sentence until the part registers its drill."""

from typing import NamedTuple

from aitrade.core.drills import Drilled, registered
from aitrade.ops.preflight.check import Finding, Section, Source, Status
from aitrade.ops.preflight.ground import Ground


class Awaited(NamedTuple):
    """An item whose drill `package` registers in its `DRILLS` (core/drills.py); `missing` is said until it does."""

    id: str
    section: Section
    words: str
    package: str
    missing: str
    seconds: float = 60.0

    def examine(self, ground: Ground) -> Finding:
        """Run the part's own drill; registering it passes nothing."""
        drill = registered(self.package, self.id)
        if drill is None:
            return Finding(Status.FAIL, self.missing, {}, Source.SYSTEM, 0)
        folder = ground.scratch / self.id
        folder.mkdir(parents=True, exist_ok=True)
        return of_drill(drill(folder))


def of_drill(drilled: Drilled) -> Finding:
    """Return a drill's outcome as a check's."""
    return Finding(
        Status.of(drilled.passed), drilled.evidence, drilled.measured, Source(drilled.source), drilled.examined
    )
