"""Supervision of the processes that make a running system, and its upkeep."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aitrade.ops.maintenance.office import MaintenanceManager

__all__ = ["MaintenanceManager"]


def __getattr__(name: str) -> Any:
    """Import the manager when it is asked for: the supervisor starts without it."""
    if name == "MaintenanceManager":
        from aitrade.ops.maintenance.office import MaintenanceManager

        return MaintenanceManager
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
