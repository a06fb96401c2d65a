"""The trading thread: takes commands and market events in order of time and hands them to the engine."""

import gc
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from aitrade.core.clock import MINUTE, ReplayClock, ist_time
from aitrade.engine.pace import Pace
from aitrade.engine.supply import Supply
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
_LATE_S = 0.02
"""How long a look at a late feed may hold commands up."""
_FIRST_S = 5.0
"""How long a day's beginning waits for its first prices; later ones are taken when they come."""
_NEVER = 1 << 62
Missed = Callable[[int], None]
"""Called when prices come again after a gap, with the market time up to which all were read."""


YOUNG_OBJECTS = 50_000
"""Allocations between two looks of the garbage collector at young objects."""


def calm_the_collector() -> None:
    """Keep garbage collection off the order path: what is there stays, young objects are looked at seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)


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
        self.inbox: SimpleQueue[Command] = SimpleQueue()
        self._venue = venue
        self._clock = clock
        self._publish = publish
        self._published = 0
        self._shed_until = 0
        self._stopping = self._late = False
        self._supply: Supply | None = None
        self._missed: Missed = _nobody
        self._ticks: list[Tick] = []
        self._position = 0
        self._minute = _NEVER
        self._day: MarketDay | None = None
        self._give: Callable[[Tick], None] = engine.on_tick

    def play(self, feed: Feed, day: "MarketDay", after: int, missed: Missed | None = None) -> None:
        """Go on with `feed` behind market time `after`; what lies before is taken in without being traded on."""
        self.close()
        self._day, self._missed = day, missed or _nobody
        self._supply = Supply(feed, after, self.engine.settings.feed_seconds)
        self._ticks, self._position, self.done = [], 0, False
        self._minute = after // MINUTE * MINUTE + MINUTE
        until = time.monotonic() + _FIRST_S
        while self._wants_batch() and not self._load() and self._supply.late and time.monotonic() < until:
            pass

    def close(self) -> None:
        """Let the feed go."""
        self._priced()
        if self._supply is not None:
            self._supply.close()

    def rest(self) -> None:
        """Play nothing: the day is over, and there is no other."""
        self.done = True

    @property
    def failure(self) -> str:
        """Why no price comes, or nothing."""
        return self._supply.trouble() if self._supply is not None and not self.done else ""

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
                self._wait(0.0 if self._late else min(wait, FRAME_NS / 1e9))
            else:
                self._race() if self.pace.racing else self._event(ts)
            self._frame()

    def run_to_end(self) -> None:
        """Play the whole day without commands, frames or waiting: research and benches."""
        while (ts := self._settled_due()) < _NEVER:
            self._event(ts)

    def run_until(self, until: int) -> None:
        """Play up to market time `until`, in the same way."""
        while (ts := self._settled_due()) <= until:
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
        """Return the market time of whatever comes next; never while that depends on a batch that is late."""
        if self._wants_batch():
            self._load()
        self._late = self._wants_batch() and self._supply is not None and self._supply.late
        if self._late:
            return _NEVER
        tick = self._ticks[self._position].ts if self._position < len(self._ticks) else _NEVER
        due = self._venue.next_due()
        minute = self._minute if not self.done else _NEVER
        if self.engine.paced:
            minute = min(minute, self.engine.paced_due())
        return min(tick, minute, _NEVER if due is None else due)

    def _settled_due(self) -> int:
        """Return the same, however late a batch is."""
        while (ts := self._next_due()) >= _NEVER and self._late:
            pass
        return ts

    def _wants_batch(self) -> bool:
        """Whether what was read is used up: its ticks are gone, and the clock has come to its end."""
        if self.done or self._supply is None or self._position < len(self._ticks):
            return False
        return self._minute >= self._supply.read_to

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

    def _load(self) -> Batch | None:
        """Take the next batch, if it is there; at the feed's end, close the day."""
        supply = self._supply
        if supply is None:
            return None
        was_down, read_to, failed = supply.down_since, supply.read_to, supply.reason
        batch = supply.take(self._clock.now(), _LATE_S)
        if batch is not None:
            self._begin(batch, read_to, was_down)
        elif supply.down_since and not was_down:
            self._unpriced(supply.down_since, supply.reason)
        elif supply.ended or (was_down and self._minute > supply.end):
            self._end()
        elif supply.late and supply.reason != failed:
            self.engine.say("warning", f"The feed failed and is opened again: {supply.reason}.", "feed")
        return batch

    def _begin(self, batch: Batch, read_to: int, was_down: int) -> None:
        """Trade on a batch; of one that comes after the feed was down, only on what is not past."""
        if was_down:
            self._priced()
            text = f"The feed is back, it was down since {ist_time(was_down)}: prices are fresh again."
            self.engine.say("warning", text, "feed")
            self._missed(read_to)
        self.engine.on_batch(batch)
        self._ticks, self._position = batch.ticks, 0
        past = self._clock.now() if was_down or batch.start < read_to else 0
        if batch.end <= past:
            self._ticks = []
        while self._position < len(self._ticks) and self._ticks[self._position].ts <= past:
            self.engine.take_in(self._ticks[self._position])
            self._position += 1

    def _unpriced(self, since: int, reason: str) -> None:
        """No price comes: say so once, and let the clock go on at the wall's pace."""
        words = f"The feed is down since {ist_time(since)}: {reason}."
        self.engine.unpriced = words
        self._venue.priced(f"{words} The order waits for the next price; it can be cancelled.")
        self.pace.stall(time.monotonic_ns(), stalled=True)
        text = (
            f"{words} Prices are old; cancelling works, orders wait for the next price, the square-off comes at its "
            "time. The feed is opened again by itself; look at its data."
        )
        self.engine.say("alert", text, "feed")

    def _priced(self) -> None:
        if self.engine.unpriced:
            self.engine.unpriced = ""
            self._venue.priced("")
            self.pace.stall(time.monotonic_ns(), stalled=False)

    def _end(self) -> None:
        """The feed has no more: close the last minute's bars and the day."""
        self._ticks, self._position = [], 0
        if self._day is not None and not self.done:
            if self.engine.unpriced and self._supply is not None:
                self._missed(self._supply.read_to)
                self.engine.say("alert", f"{self.engine.unpriced} The day closes at the last prices known.", "feed")
            else:
                self._on_minute()
            self._day.close()
        self.done = True
        self._priced()

    def _frame(self) -> None:
        now = time.monotonic_ns()
        if now - self._published >= (FRAME_NS if now >= self._shed_until else SHED_FRAME_NS):
            self._published = now
            self._publish()


def _nobody(_read_to: int) -> None:
    """Catch nothing up."""
