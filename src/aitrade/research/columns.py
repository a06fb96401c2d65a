"""Bars as columns of integers: what compiled code and vectorbt take."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from aitrade.core.clock import MINUTE, ist_date
from aitrade.core.quotes import Bar
from aitrade.market.bars import day_open

Ints = npt.NDArray[np.int64]


class Columns(msgspec.Struct, frozen=True):
    """Bars of one instrument, a bar a row, int64; prices in paise, quantities in units, times in ns UTC."""

    instrument: str
    start: Ints
    end: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    minute: Ints
    """Minutes since the day's open."""

    def __len__(self) -> int:
        """Return how many bars there are."""
        return len(self.start)


def columns(bars: Sequence[Bar]) -> Columns:
    """Return minute bars of one instrument, in time order, as columns."""
    fields = np.array([msgspec.structs.astuple(bar)[1:8] for bar in bars], np.int64).reshape(-1, 7).T
    start, end, open_, high, low, close, volume = (np.ascontiguousarray(field) for field in fields)
    opens: dict[object, int] = {}
    for bar in bars:
        opens.setdefault(ist_date(bar.start), day_open(bar.start))
    opened = np.array([opens[ist_date(bar.start)] for bar in bars], np.int64)
    name = bars[0].instrument if bars else ""
    return Columns(name, start, end, open_, high, low, close, volume, (start - opened) // MINUTE)
