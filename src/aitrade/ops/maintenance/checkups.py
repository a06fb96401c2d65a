"""Looks at the whole system: each day how every part is, each month whether its records are whole."""

from aitrade.compliance.journal import verify
from aitrade.compliance.operations import journal_folder, noted
from aitrade.core.errors import AitradeError
from aitrade.ops.maintenance.reporting import make, month_before
from aitrade.ops.maintenance.task import Done, Ground


class SystemHealthCheck:
    """Looks at every part, the journals' chains with them; what is wrong fails the task and so alerts."""

    name = "validate_system_health"

    def plan(self, ground: Ground) -> list[str]:  # noqa: ARG002 - every plan is asked so
        """Say what is looked at."""
        return ["Look at engine, page, chart worker, supervisor, feed, disk, clock, journals, database and backup."]

    def run(self, ground: Ground) -> Done:
        """Look; only reads."""
        from aitrade.ops.health import health

        with ground.step("look at every part"):
            found = health(ground.home, deep=True, at=ground.now)
        if not found.ok:
            ground.at_step = "look at every part"
            raise AitradeError(" ".join(found.reasons))
        states = {part.name: str(part.state) for part in found.components}
        unknown = sum(state == "unknown" for state in states.values())
        return Done(f"{len(states)} parts were looked at and none is degraded; {unknown} are unknown.", {**states})


class SystemAudit:
    """Verifies every journal from its first record, counts failed tasks, and makes the audit's report."""

    name = "audit_system"

    def plan(self, ground: Ground) -> list[str]:
        """Name the journals and the report."""
        books = len(list(ground.home.glob("books/*/journal")))
        return [f"Verify {books} books and the operations journal; make the system audit of {month_before(ground)}."]

    def run(self, ground: Ground) -> Done:
        """Verify first: a report over a broken chain would prove nothing."""
        records = 0
        folders = [*sorted(ground.home.glob("books/*/journal")), journal_folder(ground.home)]
        for folder in folders:
            with ground.step(f"verify {folder.parent.name}"):
                records += verify(folder).records if folder.exists() else 0
        nothing = Done("no book has traded yet, so there is no system audit to make.")
        made = make(ground, "system-audit", month_before(ground)) if len(folders) > 1 else nothing
        since = ground.now - 31 * 24 * 3600 * 10**9
        failed = sum(
            one.operation.outcome in ("failed", "late") for one in noted(ground.home, "task") if one.at >= since
        )
        measured = {"journals": len(folders), "records": records, "failed_tasks": failed, **made.measured}
        return Done(f"{records} records in {len(folders)} journals verify; {made.says}", measured)
