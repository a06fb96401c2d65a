"""The scheduler as a child of the supervisor. Neither trading nor the page waits for it to start."""

from pathlib import Path

import msgspec

from aitrade.ops.children import Child


def scheduler_child(home: Path) -> Child:
    """Return the scheduler's process on a data folder."""
    settings = msgspec.json.encode({"home": str(home)})
    return Child(
        "maintenance", "aitrade.ops.maintenance.process", settings, ready=lambda _pid: True, needed=False, tied=True
    )
