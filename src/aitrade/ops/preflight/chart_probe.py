"""Switches between symbols on a page's charts, each timed until all charts of the layout have drawn the new one."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from aitrade.ops.visit import READY

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAUSE_MS = 60
LINKS = {"symbol": True, "frame": False, "time": False, "crosshair": False}
"""All charts of a layout change together."""


class Shape(NamedTuple):
    """A layout of `grid` charts with so many bars in sight, and how often it is switched."""

    name: str
    grid: int
    bars: int
    switches: int


SHAPES = (Shape("375", 1, 375, 24), Shape("100k", 1, 100_000, 20), Shape("six", 6, 375, 24))


class Switched(msgspec.Struct, frozen=True):
    """What a layout's switches took, ms, and the fewest bars that a chart had drawn."""

    shape: Shape
    took: list[float]
    fewest: int


def probe(page: "Page", keys: Sequence[str], shapes: Sequence[Shape] = SHAPES) -> Iterator[Switched]:
    """Yield what each layout's switches between `keys` took; each layout is opened on a page that is loaded anew."""
    for shape in shapes:
        cell = {"instrument": keys[0], "minutes": 1, "count": shape.bars, "studies": ""}
        wanted = {"grid": shape.grid, "cells": [cell] * shape.grid, "links": LINKS}
        page.evaluate("wanted => preflight.layout(wanted)", wanted)
        page.reload()
        page.wait_for_function(READY)
        page.evaluate("aitrade.go('charts')")
        page.wait_for_function("charts => document.querySelectorAll('.chart-bokeh').length >= charts", arg=shape.grid)
        asked = [list(keys), shape.switches, shape.grid, PAUSE_MS]
        found = page.evaluate("([keys, times, charts, pause]) => preflight.switches(keys, times, charts, pause)", asked)
        yield Switched(shape, [ms for ms, _bars in found], min(bars for _ms, bars in found))
