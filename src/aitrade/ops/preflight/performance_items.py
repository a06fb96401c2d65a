"""Checks of the checklist's section Performance."""

from aitrade.ops.preflight.awaited import Awaited
from aitrade.ops.preflight.check import Item, Section

ITEMS: tuple[Item, ...] = (
    Awaited(
        "npu", Section.PERFORMANCE, "NPU utilisation > 90 % efficiency", "aitrade.npu",
        "not built: no model session is registered that an accelerator could run.",
    ),
)  # fmt: skip
