"""The trading thread: takes commands and market events in order of time and hands them to the engine."""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from aitrade.core.clock import MINUTE, ReplayClock
from aitrade.core.errors import AitradeError
from aitrade.engine.pace import Pace
from aitrade.market.feeds import Batch, Feed

if TYPE_CHECKING:
    from aitrade.brokers.venue import SimulatedVenue
    from aitrade.core.quotes import Tick
    from aitrade.engine.day import MarketDay
    from aitrade.engine.loop import Engine

Command = Callable[[], None]
FRAME_NS = 50_000_000
SHED_FRAME_NS = 250_000_000
"""The pages' frames while load is shed: four a second instead of twenty, each with the newest of everything."""
"""Frames go out at most every 50 ms."""
_RACE_EVENTS = 128
"""Events between looks at the inbox while racing."""
_NEVER = 1 << 62


YOUNG_OBJECTS = 50_000
"""Allocations between two looks of the garbage collector at young objects."""


def calm_the_collector() -> None:
    """Keep garbage collection off the order path: what is there stays, young objects are looked at seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)


class Prefetch:
    """Makes the next batch on a thread of its own while the present one is traded."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._ready: SimpleQueue[Batch | BaseException | None] = SimpleQueue()
        self._wanted = threading.Semaphore(2)
        self._done = False
        threading.Thread(target=self._make, name="feed", daemon=True).start()

    def next(self) -> Batch | None:
        """Return the next batch, None when there are no more; raise what the feed raised."""
        if self._done:
            return None
        batch = self._ready.get()
        self._wanted.release()
        if isinstance(batch, BaseException):
            self._done = True
            raise batch
        self._done = batch is None
        return batch

    def _make(self) -> None:
        try:
            for batch in self._batches:
                self._wanted.acquire()
                self._ready.put(batch)
        except BaseException as error:
            self._ready.put(error)
            return
        self._ready.put(None)


def _unseen(_tick: "Tick") -> None:
    """Take no notice."""


class Driver:
    """Drives an engine through a feed's day at a pace."""

    def __init__(
        self, engine: "Engine", venue: "SimulatedVenue", clock: ReplayClock, pace: Pace, publish: Callable[[], None]
    ) -> None:
        self.engine = engine
        self.pace = pace
        self.done = False
        self.failure = ""
        self.inbox: SimpleQueue[Command] = SimpleQueue()
        self._venue = venue
        self._clock = clock
        self._publish = publish
        self._published = 0
        self._shed_until = 0
        self._stopping = False
        self._batches: Prefetch | None = None
        self._ticks: list[Tick] = []
        self._position = 0
        self._minute = _NEVER
        self._day: MarketDay | None = None
        self._give: Callable[[Tick], None] = engine.on_tick

    def play(self, feed: Feed, day: "MarketDay", after: int) -> None:
        """Go on with `feed` behind market time `after`; what lies before is taken in without being traded on."""
        self._day = day
        self._batches = Prefetch(feed.batches(after))
        self._ticks, self._position, self.done = [], 0, False
        self._minute = after // MINUTE * MINUTE + MINUTE
        self._load()
        while self._position < len(self._ticks) and self._ticks[self._position].ts <= after:
            self.engine.take_in(self._ticks[self._position])
            self._position += 1

    def call(self, command: Command) -> None:
        """Have `command` run on the trading thread; safe from any thread."""
        self.inbox.put(command)

    def shed(self, seconds: float) -> None:
        """Send pages fewer frames for a while; orders, market data and risk keep their pace."""
        self._shed_until = time.monotonic_ns() + round(seconds * 1e9)

    def mute(self, *, muted: bool) -> None:
        """Let prices pass by unseen, as if the feed had stopped, or take them again; on the trading thread."""
        self._give = _unseen if muted else self.engine.on_tick

    def stop(self) -> None:
        """End `run` after the present event; safe from any thread."""
        self.inbox.put(self._stop)

    def run(self) -> None:
        """Trade until `stop` is called."""
        calm_the_collector()
        while not self._stopping:
            ts = self._next_due()
            wait = self.pace.wait(ts, time.monotonic_ns()) if ts < _NEVER else float("inf")
            if wait > 0:
                self._wait(min(wait, FRAME_NS / 1e9))
            else:
                self._race() if self.pace.racing else self._event(ts)
            self._frame()

    def run_to_end(self) -> None:
        """Play the whole day without commands, frames or waiting: research and benches."""
        while (ts := self._next_due()) < _NEVER:
            self._event(ts)

    def run_until(self, until: int) -> None:
        """Play up to market time `until`, in the same way."""
        while (ts := self._next_due()) <= until:
            self._event(ts)

    def _stop(self) -> None:
        self._stopping = True

    def _wait(self, seconds: float) -> None:
        try:
            command = self.inbox.get(timeout=seconds)
        except Empty:
            return
        self._command(command)

    def _command(self, command: Command) -> None:
        self._clock.advance(self.pace.market_at(time.monotonic_ns()))
        command()
        while not self.inbox.empty() and not self._stopping:
            self.inbox.get()()

    def _race(self) -> None:
        """Run a stretch of events as fast as they go, up to the race's end."""
        for _ in range(_RACE_EVENTS):
            ts = self._next_due()
            if ts >= _NEVER or not self.pace.racing:
                break
            self._event(ts)
            self.pace.reached(ts, time.monotonic_ns())
        if not self.inbox.empty():
            self._command(self.inbox.get())

    def _next_due(self) -> int:
        """Return the market time of whatever comes next, or never."""
        if self._position >= len(self._ticks) and not self.done:
            self._load()
        tick = self._ticks[self._position].ts if self._position < len(self._ticks) else _NEVER
        due = self._venue.next_due()
        minute = self._minute if not self.done else _NEVER
        if self.engine.paced:
            minute = min(minute, self.engine.paced_due())
        return min(tick, minute, _NEVER if due is None else due)

    def _event(self, ts: int) -> None:
        self._clock.advance(ts)
        if self.engine.paced:
            self.engine.send_paced()
        due = self._venue.next_due()
        if due is not None and due <= ts:
            self._venue.advance(ts)
        if self._minute <= ts and not self.done:
            self._on_minute()
        elif self._position < len(self._ticks) and self._ticks[self._position].ts <= ts:
            tick = self._ticks[self._position]
            self._position += 1
            self._give(tick)

    def _on_minute(self) -> None:
        minute, self._minute = self._minute, self._minute + MINUTE
        self.engine.on_minute(minute)
        if self._day is not None:
            self._day.on_minute(minute)
        gc.collect(0)

    def _load(self) -> None:
        """Take the next batch; at the feed's end, close the day."""
        batch = self._next_batch()
        if batch is None:
            self._end()
            return
        self.engine.on_batch(batch)
        self._ticks, self._position = batch.ticks, 0

    def _next_batch(self) -> Batch | None:
        if self._batches is None:
            return None
        try:
            return self._batches.next()
        except Exception as error:
            self.failure = str(error) if isinstance(error, AitradeError) else f"{type(error).__name__}: {error}"
            text = f"The feed stopped, no price comes any more: {self.failure}; look at the data, then restart."
            self.engine.say("alert", text, "feed")
            return None

    def _end(self) -> None:
        """The feed has no more: close the last minute's bars and the day."""
        self._ticks, self._position = [], 0
        if self._day is not None and not self.done and not self.failure:
            self._on_minute()
            self._day.close()
        self.done = True

    def _frame(self) -> None:
        now = time.monotonic_ns()
        if now - self._published >= (FRAME_NS if now >= self._shed_until else SHED_FRAME_NS):
            self._published = now
            self._publish()
