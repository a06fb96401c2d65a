"""A market day as it comes to the engine, one market minute at a time: what a feed is."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

import msgspec

from aitrade.core.instruments import Instrument
from aitrade.core.quotes import Bar, Tick

_encoder = msgspec.msgpack.Encoder()


def digest(ticks: Sequence[Tick]) -> bytes:
    """Return SHA-256 over the canonical bytes of `ticks`: their MessagePack, fields in order, as an array of arrays."""
    return hashlib.sha256(_encoder.encode(ticks)).digest()


class Batch(msgspec.Struct, frozen=True):
    """The ticks of one market minute in time order; `start` (inclusive) and `end` (exclusive) in ns UTC."""

    start: int
    end: int
    ticks: list[Tick]
    digest: bytes


def batch(start: int, end: int, ticks: list[Tick]) -> Batch:
    """Return the batch of `ticks`, which are in time order, with its digest."""
    return Batch(start, end, ticks, digest(ticks))


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

    def instruments(self) -> list[Instrument]:
        """Return the day's contract master, with bands and previous closes."""
        ...

    def batches(self, after: int = 0) -> Iterator[Batch]:
        """Yield the day's minutes in order, from the one that contains `after` (ns UTC; 0: the first) on, whole."""
        ...

    def history(self, instrument: str, minutes: int, count: int, before: int) -> list[Bar]:
        """Return up to `count` closed bars of `minutes` (1440: days) that end at or before `before`, oldest first."""
        ...

    def next_day(self) -> "Feed | None":
        """Return the feed of the next trading day, which continues from this one's close; None where there is none."""
        ...
