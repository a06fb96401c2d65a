"""Bokeh documents of a chart: bare plots whose data, ranges and colours the page's view sets.

A document is made once per set of studies; what changes (symbol, view, live bar) never passes through here. Prices are
in paise; axes, grid, crosshair and what moves are the view's own layer, so that a tick never repaints the candles.
"""

from typing import Any

import msgspec
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, Glyph, GlyphRenderer, Line, Plot, Range1d, Scatter, Segment, VBar

from aitrade.ui.charts.indicators import Indicator, Study, indicator_of, numbers_of

_SIDES = ("up", "down")


class PlotItem(msgspec.Struct, frozen=True, kw_only=True):
    """One plot of a chart: the price plot first, then one for each study with a pane of its own."""

    item: dict[str, Any]
    """What Bokeh.embed.embed_item takes."""
    studies: list[int]


class StudyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A study as the view needs it: its legend, its lines and how to write its numbers."""

    name: str
    label: str
    overlay: bool
    unit: str
    lines: list[str]
    levels: list[float]
    anchored: bool
    """It begins anew each session: its line is not drawn across the night."""
    parameters: list[str]
    numbers: list[float]


class ChartDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the view builds a chart from."""

    plots: list[PlotItem]
    studies: list[StudyInfo]


def chart_document(studies: tuple[Study, ...]) -> ChartDocument:
    """Return the documents of a chart with these studies."""
    known = [indicator_of(study) for study in studies]
    overlays = [number for number, one in enumerate(known) if one.overlay]
    own = [number for number, one in enumerate(known) if not one.overlay]
    plots = [PlotItem(item=_item(_price_plot(overlays, known)), studies=overlays)]
    plots += [PlotItem(item=_item(_study_plot(number, known[number])), studies=[number]) for number in own]
    return ChartDocument(plots=plots, studies=[study_info(study) for study in studies])


def study_info(study: Study) -> StudyInfo:
    """Return how a study is named and written."""
    known, numbers = indicator_of(study), numbers_of(study)
    return StudyInfo(
        name=study.name,
        label=" ".join([known.short, *(f"{number:g}" for number in numbers)]),
        overlay=known.overlay,
        unit=known.unit,
        lines=list(known.lines),
        levels=list(known.levels),
        anchored=known.anchored,
        parameters=[parameter.name for parameter in known.parameters],
        numbers=list(numbers),
    )


def _price_plot(overlays: list[int], known: list[Indicator]) -> Plot:
    plot = _plot()
    plot.extra_y_ranges = {"volume": Range1d(0, 1, name="volume-range")}
    for side in _SIDES:
        source = ColumnDataSource({name: [] for name in ("x", "open", "high", "low", "close", "volume")}, name=side)
        body = VBar(x="x", top="close", bottom="open", width=0.7, line_width=1)
        bars = VBar(x="x", top="volume", bottom=0, width=0.7, line_color=None, fill_alpha=0.28)
        _draw(plot, source, bars, f"{side}-volume", y_range_name="volume")
        _draw(plot, source, Segment(x0="x", x1="x", y0="low", y1="high"), f"{side}-wick")
        _draw(plot, source, body, f"{side}-body")
    for number in overlays:
        _draw_study(plot, number, known[number])
    return plot


def _study_plot(number: int, known: Indicator) -> Plot:
    plot = _plot()
    _draw_study(plot, number, known)
    return plot


def _draw_study(plot: Plot, number: int, known: Indicator) -> None:
    columns = [f"s{number}_{line}" for line in range(len(known.lines))]
    source = ColumnDataSource({"x": [], **{column: [] for column in columns}}, name=f"study{number}")
    for column, line in zip(columns, known.lines, strict=True):
        _draw(plot, source, _glyph(column, line), column)


def _glyph(column: str, line: str) -> Glyph:
    if line == "=":
        return VBar(x="x", top=column, bottom=0, width=0.6, line_color=None, fill_alpha=0.5)
    if line == ".":
        return Scatter(x="x", y=column, size=3, marker="circle", line_color=None)
    return Line(x="x", y=column, line_width=1.4, line_join="round")


def _draw(plot: Plot, source: ColumnDataSource, glyph: Glyph, name: str, **more: str) -> None:
    plot.renderers.append(GlyphRenderer(data_source=source, glyph=glyph, name=name, **more))


def _plot() -> Plot:
    return Plot(
        x_range=Range1d(0, 1, name="x"),
        y_range=Range1d(0, 1, name="y"),
        name="plot",
        width=300,
        height=150,
        min_border=0,
        toolbar_location=None,
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        output_backend="canvas",
        lod_threshold=None,
        tools=[],
        match_aspect=False,
    )


def _item(plot: Plot) -> dict[str, Any]:
    return dict(json_item(plot))
