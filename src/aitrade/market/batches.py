"""A market minute's ticks and the digest that the journal keeps of them."""

import hashlib
from collections.abc import Sequence

import msgspec

from aitrade.core.quotes import Tick

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
