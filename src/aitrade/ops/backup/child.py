"""The copying of the journals as a child of the supervisor. Neither trading nor the page waits for it to start."""

from pathlib import Path

import msgspec

from aitrade.ops.children import Child


def copier(home: Path) -> Child:
    """Return the process that copies a data folder's journals."""
    settings = msgspec.json.encode({"home": str(home)})
    return Child("backup", "aitrade.ops.backup.process", settings, ready=lambda _pid: True, needed=False, tied=True)
