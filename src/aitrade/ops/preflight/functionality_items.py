"""Checks of the checklist's section Functionality."""

from aitrade.ops.preflight.awaited import Awaited
from aitrade.ops.preflight.check import Item, Section

ITEMS: tuple[Item, ...] = (
    Awaited(
        "failover", Section.FUNCTIONALITY, "Multi-API failover works", "aitrade.brokers",
        "not built: no broker adapter is registered.",
    ),
    Awaited(
        "paper-is-live", Section.FUNCTIONALITY, "Paper trading identical to live", "aitrade.brokers",
        "not built: no broker adapter is registered, so there is nothing to rehearse paper against.",
    ),
    Awaited(
        "learning", Section.FUNCTIONALITY, "Learning features present", "aitrade.learn",
        "not built: no learning feature is registered.",
    ),
)  # fmt: skip
