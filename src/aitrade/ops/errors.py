"""What went wrong in any of our processes: errors grouped by what they are, with first and last time and count."""

from pathlib import Path

from aitrade.core.error_groups import ErrorGroup, read

__all__ = ["ErrorGroup", "errors"]


def errors(home: Path, *, since: int = 0) -> list[ErrorGroup]:
    """Return the groups of a data folder that were last seen at or after `since` (ns UTC), the newest first."""
    return [group for group in read(home) if group.last >= since]
