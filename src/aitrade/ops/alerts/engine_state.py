"""What the engine last said, followed on its stream without the prices: enough to judge it by."""

import asyncio
import contextlib
import time
from pathlib import Path

import aiohttp
import msgspec

from aitrade.core.clock import MINUTE
from aitrade.core.orders import OrderState
from aitrade.engine.client import Address
from aitrade.engine.messages import Health, Time, World
from aitrade.market.calendar import Calendar, PhaseName, Segment

RETRY_S = 0.5
HEARD_S = 5.0
"""A stream that says nothing for so long is joined anew; the engine's clock comes four times a second."""
REJECTED_NS = 5 * MINUTE
STARTING_S = 60.0
"""How long an engine that was never heard may take to start: as long as the supervisor waits for it."""
SHOWN_S = 60.0
"""How long a line of the engine's log counts as present."""


class _Order(msgspec.Struct):
    id: str
    state: str
    updated: int


class _Event(msgspec.Struct):
    id: int
    level: str
    text: str
    source: str


class _Funds(msgspec.Struct):
    day_pnl: int
    loss_limit: int


class _Type(msgspec.Struct):
    type: str


class _Orders(msgspec.Struct):
    rows: list[_Order]


class _Events(msgspec.Struct):
    rows: list[_Event]


class _Snapshot(msgspec.Struct):
    world: World
    time: Time
    health: Health
    funds: _Funds
    orders: list[_Order]
    events: list[_Event]


_SHAPES: dict[str, msgspec.json.Decoder[msgspec.Struct]] = {
    name: msgspec.json.Decoder(shape)
    for name, shape in {
        "snapshot": _Snapshot, "health": Health, "time": Time, "world": World, "funds": _Funds, "orders": _Orders,
        "events": _Events,
    }.items()
}  # fmt: skip
_type_of = msgspec.json.Decoder(_Type).decode


class EngineState:
    """The parts of the engine's state that rules look at; `heard` and times of doubt are monotonic seconds."""

    def __init__(self, facts: Path | None = None) -> None:
        """Begin with nothing heard; `facts` is the data folder whose market facts go over the package's."""
        self.heard = time.monotonic() + STARTING_S
        self.health: Health | None = None
        self.time: Time | None = None
        self.world: World | None = None
        self.funds: _Funds | None = None
        self.doubtful: dict[str, float] = {}
        self.rejected: dict[str, int] = {}
        self.said: dict[str, tuple[float, str]] = {}
        self._last_event = 0
        self._calendar = Calendar.load(facts)

    @property
    def silent_s(self) -> float:
        """Seconds since the engine was heard, 0 while one that was never heard may still start."""
        return max(time.monotonic() - self.heard, 0.0)

    def trading(self, at: int) -> bool:
        """Return whether the market trades at `at` (ns UTC): by the engine's clock where it makes its own time."""
        if self.time is None or self.world is None or self.world.mode in ("live", "paper"):
            return any(self._calendar.phase_at(at, one).name is PhaseName.CONTINUOUS for one in Segment)
        return self.time.phase == PhaseName.CONTINUOUS and not (self.time.paused or self.time.done)

    def rejections(self) -> int:
        """Return how many orders were rejected in the last five minutes of market time."""
        now = self.time.now if self.time else 0
        self.rejected = {order: at for order, at in self.rejected.items() if now - at < REJECTED_NS}
        return len(self.rejected)

    def alerts(self) -> dict[str, str]:
        """Return what the engine's log said at level alert in the last minute, by source."""
        limit = time.monotonic() - SHOWN_S
        return {source: text for source, (at, text) in self.said.items() if at >= limit}

    def take(self, frame: bytes | str) -> None:
        """Take a frame of the stream; raise msgspec.DecodeError for one that is not understood."""
        self.heard = time.monotonic()
        kind = _type_of(frame).type
        if (shape := _SHAPES.get(kind)) is None:
            return
        body = shape.decode(frame)
        if isinstance(body, _Snapshot):
            self._begin(body)
        elif isinstance(body, _Orders):
            self._orders(body.rows)
        elif isinstance(body, _Events):
            self._events(body.rows)
        else:
            setattr(self, kind, body)

    def _begin(self, snapshot: _Snapshot) -> None:
        """A snapshot tells all orders; of its log only what is new since this watcher began counts as said now."""
        self.world, self.time, self.health, self.funds = (
            snapshot.world, snapshot.time, snapshot.health, snapshot.funds,
        )  # fmt: skip
        present = {row.id for row in snapshot.orders}
        self.doubtful = {order: since for order, since in self.doubtful.items() if order in present}
        self._orders(snapshot.orders)
        newest = max((row.id for row in snapshot.events), default=0)
        if self._last_event and newest >= self._last_event:
            self._events(snapshot.events)
        self._last_event = newest

    def _orders(self, rows: list[_Order]) -> None:
        for row in rows:
            if row.state == OrderState.IN_DOUBT:
                self.doubtful.setdefault(row.id, time.monotonic())
            else:
                self.doubtful.pop(row.id, None)
            if row.state == OrderState.REJECTED:
                self.rejected[row.id] = row.updated

    def _events(self, rows: list[_Event]) -> None:
        for row in rows:
            if row.id > self._last_event and row.level == "alert":
                self.said[row.source or "engine"] = (time.monotonic(), row.text)
            self._last_event = max(self._last_event, row.id)


async def follow(home: Path, state: EngineState) -> None:
    """Keep `state` up to date for ever, through restarts of the engine."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError, LookupError):
                await _read(session, home, state)
            await asyncio.sleep(RETRY_S)


async def _read(session: aiohttp.ClientSession, home: Path, state: EngineState) -> None:
    address = msgspec.json.decode((home / "run" / "engine.json").read_bytes(), type=Address)
    headers = {"Authorization": f"Bearer {(home / 'run' / 'token').read_text()}"}
    url = f"http://127.0.0.1:{address.port}/stream?without=ticks"
    async with session.ws_connect(url, headers=headers, max_msg_size=0) as stream:
        while True:
            message = await stream.receive(timeout=HEARD_S)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            state.take(message.data)
