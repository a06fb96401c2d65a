"""What the monitors look at: memory of the heavy services and how it grows, venues, latency, the engine's answer."""

import time
from collections import deque
from pathlib import Path

import msgspec

from aitrade.core.clock import MINUTE, Clock
from aitrade.core.errors import AitradeError
from aitrade.core.orders import OrderState
from aitrade.engine.messages import Health
from aitrade.ops import doors
from aitrade.ops.maintenance.engine_state import ask, engine_address

GROWTH_NS = 60 * MINUTE
WARM_NS = 10 * MINUTE
"""A service's growth counts from this long after it began: it fills its caches first."""
_MEBIBYTE = 1 << 20


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """One look; a figure that could not be taken is None, and trips nothing."""

    service_mib: float | None = None
    """What the largest heavy service holds, its children with it."""
    growth_mib: float | None = None
    """The most that a heavy service has grown within an hour."""
    venues_down: float | None = None
    """Venues that do not say that they are connected, and orders in doubt."""
    order_p99_ms: float | None = None
    """p99 of an order's way to the venue, where orders came since the last look."""
    answer_s: float | None = None
    """How long the engine took to say how it is."""


class Pulse:
    """Takes vitals of one data folder, one look after another."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._held: dict[tuple[str, int], deque[tuple[int, float]]] = {}
        self._began: dict[tuple[str, int], int] = {}
        self._orders = 0

    def take(self) -> Vitals:
        """Return the vitals now."""
        held = self._services()
        growth = [rows[-1][1] - min(mib for _at, mib in rows) for rows in self._held.values() if rows]
        return msgspec.structs.replace(
            self._engine(), service_mib=max(held, default=None), growth_mib=max(growth, default=None)
        )

    def _services(self) -> list[float]:
        now, found = self._clock.now(), []
        living = {(name, pid) for name in doors.RESTARTABLE if (pid := doors.process_of(self._home, name))}
        self._held = {one: self._held.get(one, deque()) for one in living}
        self._began = {one: self._began.get(one, now) for one in living}
        for one, rows in self._held.items():
            mib = doors.resident(one[1]) / _MEBIBYTE
            found.append(mib)
            if now - self._began[one] >= WARM_NS:
                rows.append((now, mib))
            while rows and now - rows[0][0] > GROWTH_NS:
                rows.popleft()
        return found

    def _engine(self) -> Vitals:
        if engine_address(self._home) is None:
            return Vitals()
        began = time.monotonic()
        try:
            with ask(self._home) as engine:
                health = engine.health()
                answer = time.monotonic() - began
                doubtful = sum(row.state == OrderState.IN_DOUBT for row in engine.orders())
        except AitradeError:
            return Vitals(answer_s=time.monotonic() - began)
        down = sum("connected" not in words.split() for words in health.venues.values())
        return Vitals(venues_down=float(down + doubtful), order_p99_ms=self._latency(health), answer_s=answer)

    def _latency(self, health: Health) -> float | None:
        total = health.latency["total"]
        came, self._orders = total.count - self._orders, total.count
        return total.p99 / 1000 if came > 0 else None
