"""Checks of the checklist's section Monitoring."""

from aitrade.ops.preflight.check import Item

ITEMS: tuple[Item, ...] = ()
