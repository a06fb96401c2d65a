"""Two lists of trades side by side: the same by hash, or every difference in words."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

import msgspec

from aitrade.core.clock import MINUTE, ist
from aitrade.core.money import format_rupees
from aitrade.core.orders import Fill, Side
from aitrade.core.parity import order_list_hash

Trade = tuple[str, Side, int, int, int]
"""Instrument, side, quantity in units, price in paise, ts in ns UTC."""


class Difference(msgspec.Struct, frozen=True):
    """A minute of an instrument in which one list has what the other has not."""

    instrument: str
    ts: int
    first: Trade | None
    second: Trade | None

    def what(self, names: tuple[str, str]) -> str:
        """Return in words what differs."""
        if self.first is None or self.second is None:
            return f"only in {names[self.first is None]}"
        parts = zip(("side", "quantity", "price"), self.first[1:4], self.second[1:4], strict=True)
        return ", ".join(name for name, one, two in parts if one != two)


class Comparison(msgspec.Struct, frozen=True):
    """What `compare` found; `same` counts by `parity.order_list_hash`."""

    names: tuple[str, str]
    counts: tuple[int, int]
    hashes: tuple[str, str]
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """True where both lists have the same trades in the same order."""
        return self.hashes[0] == self.hashes[1]

    def text(self) -> str:
        """Return the outcome as one sentence."""
        if self.same:
            return f"{self.names[0]} and {self.names[1]} made the same {self.counts[0]} trades."
        found = f"{len(self.differences)} differences" if len(self.differences) != 1 else "1 difference"
        counts = " and ".join(f"{name} {count}" for name, count in zip(self.names, self.counts, strict=True))
        return f"{found}: {counts} trades." if self.differences else "The same trades, in another order."

    def frame(self) -> Any:
        """Return a pandas frame of the differences, a row each, with prices in rupees."""
        import pandas as pd

        rows = [
            (_minute(one.ts), one.instrument, one.what(self.names), _said(one.first), _said(one.second))
            for one in self.differences
        ]
        return pd.DataFrame(rows, columns=["minute", "instrument", "difference", *self.names])


def compare(
    first: Iterable[Trade], second: Iterable[Trade], names: tuple[str, str] = ("first", "second")
) -> Comparison:
    """Compare two lists of trades minute by minute."""
    one, two = list(first), list(second)
    return Comparison(
        names=names,
        counts=(len(one), len(two)),
        hashes=(order_list_hash(one), order_list_hash(two)),
        differences=tuple(_differences(_by_minute(one), _by_minute(two))),
    )


def trades_of(fills: Iterable[Fill]) -> list[Trade]:
    """Return fills as trades."""
    return [(fill.instrument, fill.side, fill.quantity, fill.price, fill.ts) for fill in fills]


def trades_frame(trades: Iterable[Trade]) -> Any:
    """Return a pandas frame of trades, a row each, with prices and values in rupees."""
    import pandas as pd

    rows = [
        (_minute(ts), instrument, side.name, units, format_rupees(paise), format_rupees(units * paise))
        for instrument, side, units, paise, ts in trades
    ]
    return pd.DataFrame(rows, columns=["minute", "instrument", "side", "quantity", "price", "value"])


Minutes = dict[tuple[int, str], list[Trade]]


def _by_minute(trades: list[Trade]) -> Minutes:
    found: Minutes = defaultdict(list)
    for trade in trades:
        found[trade[4] // MINUTE, trade[0]].append(trade)
    return found


def _differences(one: Minutes, two: Minutes) -> Iterable[Difference]:
    for minute, instrument in sorted(one.keys() | two.keys()):
        key = (minute, instrument)
        for left, right in zip_longest(one.get(key, []), two.get(key, [])):
            if left is None or right is None or left[:4] != right[:4]:
                yield Difference(instrument, minute * MINUTE, left, right)


def _said(trade: Trade | None) -> str:
    return "–" if trade is None else f"{trade[1].name} {trade[2]} @ {format_rupees(trade[3])}"


def _minute(ts: int) -> str:
    return ist(ts).strftime("%Y-%m-%d %H:%M")
