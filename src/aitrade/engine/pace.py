"""How market time runs against the wall: a speed, a pause, a jump. Simulated and replayed worlds only."""

from aitrade.core.clock import SECOND

FASTEST = 0
SPEEDS = (1, 10, 60, FASTEST)


class Pace:
    """Turns wall time into market time. Times in ns; `wall` is a monotonic counter."""

    def __init__(self, market: int, wall: int, speed: int) -> None:
        self._market = market
        self._wall = wall
        self.speed = speed
        self.paused = False
        self.stalled = False
        """No price comes: what runs as fast as prices come runs at the wall's pace."""
        self.jump_to = 0
        """Run everything up to here as fast as it goes, then at `speed`."""

    def market_at(self, wall: int) -> int:
        """Return the market time that the wall's `wall` stands for; while racing, the newest event's time."""
        if self.paused or self.racing:
            return self._market
        return self._market + (wall - self._wall) * (self.speed or 1)

    @property
    def racing(self) -> bool:
        """Everything runs as fast as it goes now."""
        return not self.paused and ((self.speed == FASTEST and not self.stalled) or self._market < self.jump_to)

    def wait(self, ts: int, wall: int) -> float:
        """Return seconds until the event at market time `ts` is due; 0.0 when it is, infinite while paused."""
        if self.paused:
            return float("inf")
        if self.racing:
            return 0.0
        return max(ts - self.market_at(wall), 0) / (self.speed or 1) / SECOND

    def reached(self, ts: int, wall: int) -> None:
        """Tell that the event at `ts` has been processed; a race that ends re-anchors the pace."""
        if self.racing:
            self._market, self._wall = max(ts, self._market), wall

    def anchor(self, market: int, wall: int) -> None:
        """Go on from market time `market`, now."""
        self._market, self._wall = market, wall

    def set(self, wall: int, *, speed: int | None = None, paused: bool | None = None) -> None:
        """Change speed or pause from now on."""
        self._market, self._wall = self.market_at(wall), wall
        self.speed = self.speed if speed is None else speed
        self.paused = self.paused if paused is None else paused

    def stall(self, wall: int, *, stalled: bool) -> None:
        """Take in that prices stop, which ends a jump, or come again."""
        self.set(wall)
        self.stalled, self.jump_to = stalled, 0 if stalled else self.jump_to

    def jump(self, ts: int, wall: int) -> None:
        """Race forward to market time `ts`; one that is past changes nothing. A pause ends."""
        self.set(wall, paused=False)
        self.jump_to = max(ts, self._market)
