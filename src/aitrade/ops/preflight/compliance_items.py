"""Checks of the checklist's section Compliance."""

from aitrade.core.drills import registered
from aitrade.ops.preflight.awaited import finding
from aitrade.ops.preflight.check import Finding, Item, Section, Source, Status
from aitrade.ops.preflight.ground import Ground


class PositionLimits:
    """An order beyond SEBI's limits is refused for that reason; `aitrade.risk` registers the drill once it is."""

    id = "position-limits"
    section = Section.COMPLIANCE
    words = "Position limits enforced"
    seconds = 60.0

    def examine(self, ground: Ground) -> Finding:
        """Run the drill that the risk rules registered; without one, probe an engine and say what is missing."""
        folder = ground.scratch / self.id
        ground.own_rules(folder)
        drill = registered("aitrade.risk", self.id)
        if drill is not None:
            return finding(drill(folder))
        from aitrade.ops.preflight.position_limits import probe

        found = probe(folder)
        status = Status.PASS if found.enforced else Status.FAIL
        measured: dict[str, int | float | str] = {
            "units": found.units, "delta_value_paise": found.value, "limit_crore": found.limit,
            "rules_broken": ", ".join(found.broken), "one_lot_accepted": str(found.accepted).lower(),
        }  # fmt: skip
        return Finding(status, found.sentence, measured, Source.SIMULATED, 2)


ITEMS: tuple[Item, ...] = (PositionLimits(),)
