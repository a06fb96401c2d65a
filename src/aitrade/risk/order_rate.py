"""Orders per second on one exchange segment: placing, changing and cancelling all count.

The exchanges count a calendar second (NSE and BSE, retail algo framework); any second is counted here, which is
stricter. New exposure keeps a reserve free, so that exits and cancellations are paced by it, never refused.
"""

from aitrade.core.clock import SECOND


class OrderRate:
    """The last messages of one exchange segment, in a ring: constant work and no allocation."""

    __slots__ = ("_at", "_next", "limit", "reserve")

    def __init__(self, limit: int, reserve: int) -> None:
        """Allow `limit` messages in any second, of which the last `reserve` only to exits and cancellations."""
        self.limit = limit
        self.reserve = min(reserve, limit - 1)
        self._at = [-SECOND] * limit
        self._next = 0

    def count(self, now: int) -> None:
        """Take in a message that was sent at `now`."""
        self._at[self._next] = now
        self._next = (self._next + 1) % self.limit

    def room(self, now: int, messages: int = 1) -> bool:
        """Return whether `messages` orders that open exposure may go at `now`."""
        back = self.limit - self.reserve - messages + 1
        return back > 0 and now - self._at[self._next - back] >= SECOND

    def wait(self, now: int) -> int:
        """Return how long an exit or a cancellation has to wait at `now`, ns; 0 almost always."""
        return max(0, self._at[self._next] + SECOND - now)

    def used(self, now: int) -> int:
        """Return the messages of the last second."""
        return sum(now - at < SECOND for at in self._at)
