"""Charts of a report as SVG: bars and lines, drawn here so that the same data give the same bytes."""

from collections.abc import Sequence
from html import escape
from math import floor, log10

import msgspec

from aitrade.core.clock import ist
from aitrade.ops.reports.pieces import WAYS, Piece, explained

WIDTH, HEIGHT = 760, 220
LEFT, RIGHT, TOP, BOTTOM = 92, 34, 14, 30
_WIDEST = 72
"""No bar is wider, however few there are."""
_INKS = ("#1f5fa8", "#b3561a", "#0f6f66", "#7a4fa3", "#8a6d00", "#55606b")


class Bars(msgspec.Struct, Piece):
    """A bar a name, upwards or downwards from zero; `way` is how values are written, one of `pieces.WAYS`."""

    title: str
    names: Sequence[str]
    values: Sequence[float]
    way: str = "count"
    how: str = ""

    def html(self) -> str:
        """Return the chart as SVG in a figure."""
        if not self.values:
            return _framed(self.title, "", self.how)
        low, high = _bounds(self.values)
        step = (WIDTH - LEFT - RIGHT) / len(self.values)
        wide = min(step * 0.76, _WIDEST)
        zero = _height(0, low, high)
        every = max(1, -(-len(self.names) * 9 // 110))
        parts = [_scale(low, high, self.way)]
        for index, (name, value) in enumerate(zip(self.names, self.values, strict=True)):
            left, top = LEFT + index * step, _height(value, low, high)
            ink = _INKS[0] if value >= 0 else _INKS[1]
            parts.append(
                f'<rect x="{left + (step - wide) / 2:.1f}" y="{min(top, zero):.1f}" width="{wide:.1f}" '
                f'height="{max(abs(zero - top), 0.5):.1f}" fill="{ink}"><title>{escape(name)}: '
                f"{escape(self._word(value))}</title></rect>"
            )
            if index % every == 0:
                parts.append(_label(left + step / 2, name))
        return _framed(self.title, "".join(parts), self.how)

    def text(self) -> str:
        """Return a line a bar."""
        lines = (f"{name}: {self._word(value)}" for name, value in zip(self.names, self.values, strict=True))
        return "\n".join([self.title, *lines])

    def _word(self, value: float) -> str:
        return WAYS[self.way](value)


class Line(msgspec.Struct, frozen=True):
    """One line: its name and its points (x, y), x rising."""

    name: str
    points: Sequence[tuple[int, float]]


class Lines(msgspec.Struct, Piece):
    """Lines over time (ns UTC, shown as IST in `format`) or over plain numbers where `format` is empty."""

    title: str
    lines: Sequence[Line]
    way: str = "rupees"
    format: str = "%H:%M"
    how: str = ""

    def html(self) -> str:
        """Return the chart as SVG in a figure."""
        values = [y for line in self.lines for _, y in line.points]
        if not values:
            return _framed(self.title, "", self.how)
        times = [x for line in self.lines for x, _ in line.points]
        low, high = _bounds(values, zero=False)
        first, last = min(times), max(times)
        parts = [_scale(low, high, self.way)]
        for index, line in enumerate(self.lines):
            drawn = " ".join(f"{_across(x, first, last):.1f},{_height(y, low, high):.1f}" for x, y in line.points)
            ink = _INKS[index % len(_INKS)]
            parts.append(f'<polyline points="{drawn}" fill="none" stroke="{ink}" stroke-width="1.6"/>')
            if len(self.lines) > 1:
                parts.append(_key(index, line.name, ink))
        said = {self._when(x): x for x in reversed(_spread(first, last))}  # each day or minute once, where it begins
        parts += [_label(_across(x, first, last), word) for word, x in said.items()]
        return _framed(self.title, "".join(parts), self.how)

    def text(self) -> str:
        """Return a line's name and how many points it has."""
        return "\n".join([self.title, *(f"{line.name}: {len(line.points)} points" for line in self.lines)])

    def _when(self, x: int) -> str:
        return ist(x).strftime(self.format) if self.format else str(x)


def _framed(title: str, inside: str, how: str) -> str:
    drawn = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{inside}</svg>'
    shown = drawn if inside else '<p class="nil">Nothing to draw.</p>'
    return f"<figure><figcaption>{escape(title)}</figcaption>{shown}{explained(how)}</figure>"


def _bounds(values: Sequence[float], *, zero: bool = True) -> tuple[float, float]:
    """Return a range around the values whose quarters are round numbers."""
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0), max(high, 0)
    if high <= low:
        return low - 1, high + 1
    size = 10.0 ** floor(log10((high - low) / 4))
    steps = (size * factor for factor in (1, 2, 3, 4, 5, 6, 8, 10, 20))
    ranges = ((floor(low / step + 1e-9) * step, step) for step in steps)
    return next((begin, begin + 4 * step) for begin, step in ranges if begin + 4 * step >= high - 1e-9 * step)


def _height(value: float, low: float, high: float) -> float:
    return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _across(x: int, first: int, last: int) -> float:
    return LEFT + (x - first) / max(last - first, 1) * (WIDTH - LEFT - RIGHT)


def _scale(low: float, high: float, way: str) -> str:
    whole = way in ("count", "rupees", "signed")
    parts = []
    for index in range(5):
        value = low + (high - low) * index / 4
        y = _height(value, low, high)
        word = WAYS[way](round(value) if whole else value)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d5dbe1"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(word)}</text>'
        )
    return "".join(parts)


def _label(x: float, word: str) -> str:
    return f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(word)}</text>'


def _key(index: int, name: str, ink: str) -> str:
    x = LEFT + 8 + index * 150
    return f'<text x="{x}" y="{TOP - 3}" style="fill:{ink};font-weight:600">{escape(name)}</text>'


def _spread(first: int, last: int) -> list[int]:
    return [first + (last - first) * index // 6 for index in range(7)] if last > first else [first]
