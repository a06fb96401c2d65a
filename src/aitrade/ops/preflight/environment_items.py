"""Checks of the checklist's section Environment."""

from aitrade.ops.preflight.check import Item

ITEMS: tuple[Item, ...] = ()
