"""A market day as it comes to the engine: what a feed is, and the feeds that there are."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Protocol

from aitrade.core.instruments import Instrument
from aitrade.core.quotes import Bar, Depth, Tick
from aitrade.market.batches import Batch, digest
from aitrade.market.replay import ReplayFeed
from aitrade.market.simulated.feed import SimulatedFeed

__all__ = ["Batch", "Feed", "ReplayFeed", "SimulatedFeed", "digest"]


class Feed(Protocol):
    """One market day. Two feeds made with the same arguments give the same batches, to the byte."""

    day: date
    source: str
    """SIMULATED, or the names of the imported sets."""
    assumed: list[str]
    """What is ASSUMED or MODELLED in it, a sentence each."""
    start: int
    end: int
    """The market's first and last moment of this day, ns UTC."""
    indices: list[str]
    watchlist: list[str]
    """Keys that a page shows first."""
    silence: float
    """Seconds without any price in continuous trading, at the market's own speed, after which prices are old."""

    @property
    def corporate_actions(self) -> Sequence[Any]:
        """What goes ex on this day: rows with `symbol` and the exchange's `subject`."""
        ...

    def actions_since(self, instrument: str, first: date) -> Sequence[Any]:
        """Return what a share went ex on from `first` to this day: rows with `ex_day` (ISO) and `subject`."""
        ...

    def instruments(self) -> list[Instrument]:
        """Return the day's contract master, with bands and previous closes."""
        ...

    def opening(self) -> Batch | None:
        """Return the minute of the pre-open auction's prints, before `start`; None where the feed has none."""
        ...

    def batches(self, after: int = 0) -> Iterator[Batch]:
        """Yield the day's minutes in order, from the one that contains `after` (ns UTC; 0: the first) on, whole."""
        ...

    def history(self, instrument: str, minutes: int, count: int, before: int) -> list[Bar]:
        """Return up to `count` closed bars of `minutes` (1440: days) that end at or before `before`, oldest first."""
        ...

    def depth(self, tick: Tick, instrument: Instrument) -> Depth:
        """Return the book's levels at a print."""
        ...

    def next_day(self) -> "Feed":
        """Return the feed of the next market day, which continues from this one's close; raise Refused without one."""
        ...


def whole_day(feed: Feed, after: int) -> Iterator[Batch]:
    """Yield a feed's batches from the minute that contains `after` (ns UTC) on, the pre-open auction's first."""
    opening = feed.opening()
    if opening is not None and after < opening.end:
        yield opening
    yield from feed.batches(after)
