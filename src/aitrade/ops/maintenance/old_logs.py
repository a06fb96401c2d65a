"""Logs past their term: archived (compressed, sealed, read back) and only then removed, by `aitrade.ops.archive`."""

from aitrade.compliance.retention import Kept, Retention
from aitrade.ops.maintenance.task import Done, Ground

LOGS = "logs"
"""The class of data in the dated retention facts; its term is there."""


class OldLogs:
    """Removes no file that is not in an archive that was read back; whatever fails, nothing was removed."""

    name = "cleanup_old_logs"

    def plan(self, ground: Ground) -> list[str]:
        """Say how many go, and how long they were kept."""
        past, term = _past(ground), Retention(ground.home, ground.today).days[LOGS]
        names = f", such as {past[0].name}" if past else ""
        return [f"Archive and remove {len(past)} logs older than {term} days{names}."]

    def run(self, ground: Ground) -> Done:
        """Archive and remove."""
        from aitrade.ops.archive import expire

        with ground.step("archive and remove what is past its term"):
            archived = expire(ground.home, now=ground.now, classes=(LOGS,))
        if archived is None:
            return Done("No log is past its term.", {"removed": 0})
        measured = {"removed": len(archived.files), "archive": archived.id, "bytes": archived.size}
        return Done(f"{len(archived.files)} logs went into archive {archived.id} and were removed.", measured)


def _past(ground: Ground) -> list[Kept]:
    return [kept for kept in Retention(ground.home, ground.today).past() if kept.data_class == LOGS]
