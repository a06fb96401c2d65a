"""Checks of the checklist's section Security."""

from aitrade.ops.preflight.check import Item

ITEMS: tuple[Item, ...] = ()
