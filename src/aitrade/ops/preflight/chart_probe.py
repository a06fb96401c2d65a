"""Switches between symbols on a page's charts, each timed until all charts of the layout have drawn the new one."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin

import msgspec

from aitrade.core.errors import Refused
from aitrade.ops.preflight.load import Load, heard, listen
from aitrade.ops.visit import READY

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAUSE_MS = 20
LINKS = {"symbol": True, "frame": False, "time": False, "crosshair": False}
"""All charts of a layout change together."""


class Shape(NamedTuple):
    """A layout of `grid` charts with so many bars in sight, and how often it is switched."""

    name: str
    grid: int
    bars: int
    switches: int


SHAPES = (Shape("375", 1, 375, 50), Shape("100k", 1, 100_000, 50), Shape("six", 6, 375, 50))


class Switched(msgspec.Struct, frozen=True):
    """What a layout's switches took, ms, the fewest bars that a chart had drawn, and the load beside them."""

    shape: Shape
    took: list[float]
    fewest: int
    load: Load


def probe(
    page: "Page", keys: Sequence[str], shapes: Sequence[Shape], settled: Callable[[], object]
) -> Iterator[Switched]:
    """Yield what each layout's switches between `keys` took; each layout is opened on a page that is loaded anew.

    `settled` returns once the server has started the kernel that waits for the next page in this one's place.
    """
    where = page.url
    for shape in shapes:
        cell = {"instrument": keys[0], "minutes": 1, "count": shape.bars, "studies": ""}
        wanted = {"grid": shape.grid, "cells": [cell] * shape.grid, "links": LINKS}
        _lay_out(page, where, wanted)
        page.wait_for_function(READY)
        page.evaluate("aitrade.go('charts')")
        page.wait_for_function("charts => document.querySelectorAll('.chart-bokeh').length >= charts", arg=shape.grid)
        settled()
        asked = [list(keys), shape.switches, shape.grid, PAUSE_MS]
        listen(page)
        found = page.evaluate("([keys, times, charts, pause]) => preflight.switches(keys, times, charts, pause)", asked)
        yield Switched(shape, [ms for ms, _bars in found], min(bars for _ms, bars in found), heard(page))


def _lay_out(page: "Page", where: str, wanted: dict[str, Any]) -> None:
    """Leave the page, so that its own saving does not come after; save the layout and come back."""
    page.goto("about:blank")
    context, path = page.context, urljoin(where, "/aitrade/chart/workspace/layout?name=Default")
    token = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "_xsrf")
    answer = context.request.put(path, data=wanted, headers={"X-XSRFToken": token})
    if not answer.ok:
        raise Refused(f"The page did not take a layout of charts: {answer.status} {answer.text()}")
    page.goto(where)
