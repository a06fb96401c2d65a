"""Checks of the checklist's section Compliance."""

from aitrade.ops.preflight.check import Item

ITEMS: tuple[Item, ...] = ()
