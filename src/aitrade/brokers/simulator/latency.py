"""Seeded latency: how long a message takes from us to the exchange, the same every time that it is replayed."""

from zlib import crc32

import msgspec

MILLISECOND = 1_000_000


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Uniform between `low` and `high` ns of market time; a pure function of seed, order id and kind of message."""

    seed: int = 0
    low: int = 5 * MILLISECOND
    high: int = 40 * MILLISECOND

    def of(self, order_id: str, message: int) -> int:
        """Return ns of latency for the order's message: 0 place, 1 modify, 2 cancel."""
        return self.low + crc32(order_id.encode(), self.seed + message & 0xFFFFFFFF) % (self.high - self.low + 1)
