"""The watcher as the supervisor starts it."""

from pathlib import Path

import msgspec

from aitrade.ops.alerts.settings import Channel
from aitrade.ops.children import Child


class WatcherSettings(msgspec.Struct, frozen=True):
    """What the watcher is told."""

    home: str
    channels: list[Channel] = []
    """In a drill: in place of those of alerts.toml."""


class Ready(msgspec.Struct, frozen=True):
    """What it writes when it watches."""

    pid: int


def watcher(home: Path, channels: list[Channel] | None = None) -> Child:
    """Return the watcher; a start does not wait for it, and trading does not need it."""
    settings = msgspec.json.encode(WatcherSettings(str(home), channels or []))
    return Child("alerts", "aitrade.ops.alerts.process", settings, lambda pid: watches(home, pid), needed=False)


def ready_path(home: Path) -> Path:
    """Return where a watcher says that it watches."""
    return home / "run" / "alerts.json"


def watches(home: Path, pid: int) -> bool:
    """Return whether the watcher with this process id watches."""
    try:
        return msgspec.json.decode(ready_path(home).read_bytes(), type=Ready).pid == pid
    except (FileNotFoundError, msgspec.DecodeError):
        return False
