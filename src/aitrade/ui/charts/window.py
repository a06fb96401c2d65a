"""What one view of a chart gets: the visible bars, thinned to what a screen can show, and its studies on them.

The answer is binary: a 4-byte little-endian length, a JSON header, padding to 8 bytes, then float64 columns one after
another in the order that the header names, each of `header.rows` values.
"""

import struct
from dataclasses import dataclass

import msgspec
import numpy as np

from aitrade.core.clock import DAY, MINUTE, ist_date
from aitrade.core.errors import Refused
from aitrade.ui.charts.bars import DAY_FRAME, TIME_FRAMES, Bars, Ints, ist_days, last_of_groups, thin
from aitrade.ui.charts.indicators import Floats, Input, Study, compute, parse_studies, reach
from aitrade.ui.charts.series import Series

_MOST_BARS = 200_000
_MOST_DRAWN = 2_000


class Ask(msgspec.Struct, frozen=True, kw_only=True, rename={"left": "from", "right": "to"}):
    """What a view asks for. With `to` the bars x from..to; else `count` bars up to ns `end` (0: now)."""

    instrument: str
    minutes: int = 1
    count: int = 150
    end: int = 0
    left: int | None = None
    right: int | None = None
    limit: int = 1_100
    """How many candles to draw at most."""
    studies: str = ""
    at: str = ""
    """ns times, comma-separated, whose x is wanted (for drawings)."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the columns are; x numbers are as `Series` counts them, times ns UTC."""

    instrument: str
    minutes: int
    origin: int
    first: int
    """x of the oldest bar that is held."""
    last: int
    more: bool
    """Older bars may exist."""
    size: int
    """How many bars one candle holds."""
    rows: int
    forming: bool
    """The last bar of the series is not closed yet."""
    last_start: int
    last_end: int
    session_close: int
    columns: list[str]
    at: list[float]


@dataclass(frozen=True, slots=True)
class _Cut:
    """The visible part of a time frame."""

    bars: Bars
    x: Ints
    shown: slice


async def window(series: Series, ask: Ask, now: int) -> bytes:
    """Return the answer to `ask`; raise Refused for what cannot be drawn, Unreachable without the engine."""
    studies = _checked(ask)
    async with series.lock:
        await _load(series, ask, reach(studies))
        _not_finer(series, ask)
        cut = _cut(series, ask)
        if not len(cut.bars):
            raise Refused(
                f"There are no bars of {ask.instrument} yet; choose another symbol or wait for its first trade."
            )
        thinned, x, size = thin(cut.bars.part(cut.shown), cut.x[cut.shown], ask.limit)
        columns = {"x": x, **_prices(thinned), **_lines(series, ask, cut, studies, size)}
        return _pack(_header(series, ask, cut, now, size, columns), columns)


def _checked(ask: Ask) -> tuple[Study, ...]:
    if ask.minutes not in TIME_FRAMES:
        raise Refused(f"{ask.minutes} minutes is not a time frame; choose one of {', '.join(map(str, TIME_FRAMES))}.")
    bars = ask.right - ask.left + 1 if ask.right is not None and ask.left is not None else ask.count
    if not 0 < bars <= _MOST_BARS:
        raise Refused(f"{bars} bars cannot be shown at once; ask for 1 to {_MOST_BARS}.")
    if not 1 < ask.limit <= _MOST_DRAWN:
        raise Refused(f"{ask.limit} candles cannot be drawn at once; ask for 2 to {_MOST_DRAWN}.")
    _times(ask.at)
    return parse_studies(ask.studies)


def _times(text: str) -> list[int]:
    try:
        return [int(float(ts)) for ts in text.split(",") if ts]
    except (ValueError, OverflowError):
        raise Refused(f"“{text}” is not a list of times; write ns UTC with commas between.") from None


async def _load(series: Series, ask: Ask, before: int) -> None:
    await series.refresh()
    if ask.right is None:
        await series.reach_back(ask.minutes, ask.count + before, ask.end)
        return
    await series.reach_back(ask.minutes, 1, 0)
    x = series.x(ask.minutes)
    wanted = len(x) + (int(x[0]) if len(x) else 0) - (ask.left or 0) + before
    await series.reach_back(ask.minutes, min(wanted, _MOST_BARS + before), 0)


def _not_finer(series: Series, ask: Ask) -> None:
    if ask.minutes < series.finest:
        raise Refused(f"{ask.instrument} is known in bars of {series.finest} minutes; choose {series.finest} or more.")


def _cut(series: Series, ask: Ask) -> _Cut:
    bars, x = series.frame(ask.minutes), series.x(ask.minutes)
    if ask.right is not None:
        return _Cut(bars, x, slice(*np.searchsorted(x, (ask.left or 0, ask.right + 1)).tolist()))
    stop = int(np.searchsorted(bars.start, ask.end, side="right")) if ask.end else len(bars)
    return _Cut(bars, x, slice(max(0, stop - ask.count), stop))


def _prices(bars: Bars) -> dict[str, Ints]:
    return {name: getattr(bars, name) for name in ("start", "open", "high", "low", "close", "volume")}


def _lines(series: Series, ask: Ask, cut: _Cut, studies: tuple[Study, ...], size: int) -> dict[str, Floats]:
    """Each study's lines at the close of each candle, computed from its reach before the first one on."""
    if not studies:
        return {}
    anchor = _anchors(cut.bars, ask.minutes)
    first = max(0, cut.shown.start - reach(studies))
    first = int(np.searchsorted(anchor, anchor[first]))
    whole = first == 0 and series.is_whole(ask.minutes)
    data = Input.of(
        cut.bars.part(slice(first, cut.shown.stop)), anchor[first : cut.shown.stop], ask.minutes < DAY_FRAME
    )
    picked = cut.shown.start - first + last_of_groups(cut.x[cut.shown], size)
    return {
        f"s{number}_{line}": values[picked]
        for number, study in enumerate(studies)
        for line, values in enumerate(compute(study, data, whole))
    }


def _anchors(bars: Bars, minutes: int) -> Ints:
    """The session of each bar; of days, its year."""
    days = ist_days(bars.start)
    if minutes < DAY_FRAME:
        return days
    return np.array([ist_date(int(day) * DAY).year for day in days], dtype=np.int64)


def _header(series: Series, ask: Ask, cut: _Cut, now: int, size: int, columns: dict[str, Floats | Ints]) -> Header:
    last = int(cut.bars.end[-1])
    return Header(
        instrument=ask.instrument,
        minutes=ask.minutes,
        origin=series.origin,
        first=int(cut.x[0]),
        last=int(cut.x[-1]),
        more=not series.is_whole(ask.minutes),
        size=size,
        rows=len(columns["x"]),
        forming=now < last,
        last_start=int(cut.bars.start[-1]),
        last_end=last,
        session_close=series.close_of(int(cut.bars.start[-1])),
        columns=list(columns),
        at=[_x_at(cut, ts, ask.minutes) for ts in _times(ask.at)],
    )


def _x_at(cut: _Cut, ts: int, minutes: int) -> float:
    """The x of a time: its bar's, or counted on in whole bars beyond the last one."""
    position = int(np.searchsorted(cut.bars.start, ts, side="right")) - 1
    if position == len(cut.x) - 1:
        ahead = max(0, ts - int(cut.bars.start[-1])) // (minutes * MINUTE if minutes < DAY_FRAME else DAY)
        return float(cut.x[-1] + ahead)
    return float(cut.x[max(0, position)])


def _pack(header: Header, columns: dict[str, Floats | Ints]) -> bytes:
    text = msgspec.json.encode(header)
    text += b" " * (-(len(text) + 4) % 8)
    body = b"".join(column.astype("<f8").tobytes() for column in columns.values())
    return struct.pack("<I", len(text)) + text + body
