"""A day's supply of market data: read ahead on a thread of its own, opened again when it fails.

A feed that raises or ends early is opened again at once; what fails once more, or stays silent, is down, and is tried
again after 1, 2, 4 … seconds, a minute at the most. While it is down the market's clock goes on without it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from aitrade.core.clock import ist_time
from aitrade.core.errors import AitradeError
from aitrade.market.feeds import Batch, Feed, whole_day

LONGEST_PAUSE = 60.0
_AHEAD = 2
"""Batches that are read ahead."""
_HUNG = 4
"""Silent readers that are left behind at the most: nothing can end a thread that hangs in a feed."""


class Reader:
    """Reads a feed's batches ahead on a thread of its own."""

    def __init__(self, batches: Callable[[], Iterator[Batch]]) -> None:
        self._batches = batches
        self._ready: SimpleQueue[Batch | Exception | None] = SimpleQueue()
        self._wanted = threading.Semaphore(_AHEAD)
        self._closed = False
        self._thread = threading.Thread(target=self._read, name="feed", daemon=True)
        self._thread.start()

    def next(self, seconds: float) -> Batch | None:
        """Return the next batch, None at the feed's end; raise Empty when none comes in time, or what the feed raised.

        Nothing comes after an end or an error.
        """
        found = self._ready.get(timeout=seconds)
        self._wanted.release()
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        """Let the thread end; one that hangs in the feed ends when the feed answers."""
        self._closed = True
        self._wanted.release()

    @property
    def alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    def _read(self) -> None:
        try:
            for batch in self._batches():
                self._wanted.acquire()
                if self._closed:
                    return
                self._ready.put(batch)
        except Exception as error:
            self._ready.put(error)
        else:
            self._ready.put(None)


class Supply:
    """The batches of one feed's day from market time `after` on; `silence` is how long one may take, seconds."""

    def __init__(self, feed: Feed, after: int, silence: float, wall: Callable[[], float] = time.monotonic) -> None:
        self._feed = feed
        self._silence = silence
        self._wall = wall
        self._failures = 0
        self._try_at = wall()
        self._waits_since = 0.0
        self._hung: list[Reader] = []
        self._reader: Reader | None = None
        self.read_to = after
        """Everything before this market time was read."""
        self.ended = False
        self.reason = ""
        """Why it failed last."""
        self.down_since = 0
        """Market time at which it went down; 0 while prices come."""
        self._open(after)

    @property
    def late(self) -> bool:
        """The next batch is on its way: the market waits for it."""
        return not self.ended and not self.down_since

    @property
    def end(self) -> int:
        """When the feed's day ends, ns UTC."""
        return self._feed.end

    def trouble(self) -> str:
        """Return why no price comes and when it is tried again; "" while prices come."""
        if not self.down_since:
            return ""
        again = max(self._try_at - self._wall(), 0.0)
        return (
            f"The feed is down since {ist_time(self.down_since)}: {self.reason}; it is opened again in {again:.0f} s."
        )

    def take(self, now: int, seconds: float) -> Batch | None:
        """Return the next batch; None while there is none within `seconds`, or none any more. `now` is market time."""
        if self._reader is None and not self._opens(now):
            return None
        try:
            batch = self._reader.next(0.0 if self.down_since else seconds) if self._reader else None
        except Empty:
            self._check_silence(now)
            return None
        except Exception as error:
            self._failed(now, str(error) if isinstance(error, AitradeError) else f"{type(error).__name__}: {error}")
            return None
        return self._took(batch, now)

    def close(self) -> None:
        """Read no more."""
        if self._reader is not None:
            self._reader.close()

    def _took(self, batch: Batch | None, now: int) -> Batch | None:
        if batch is not None:
            self.read_to, self._failures, self.down_since, self._waits_since = batch.end, 0, 0, 0.0
        elif max(self.read_to, now) >= self.end:
            self.ended = True
        else:
            self._failed(now, f"it ended at {ist_time(self.read_to)}, the market trades until {ist_time(self.end)}")
        return batch

    def _open(self, after: int) -> None:
        self._waits_since = 0.0
        self._reader = Reader(lambda: whole_day(self._feed, after))

    def _opens(self, now: int) -> bool:
        """Open the feed again when it is time for it, behind `now` if the market went on without; return whether."""
        self._hung = [reader for reader in self._hung if reader.alive]
        if self._wall() < self._try_at or len(self._hung) >= _HUNG:
            return False
        self._open(max(now, self.read_to) if self.down_since else self.read_to)
        return True

    def _check_silence(self, now: int) -> None:
        self._waits_since = self._waits_since or self._wall()
        if self._wall() - self._waits_since >= self._silence and self._reader is not None:
            self._hung.append(self._reader)
            self._failures += 1
            self._failed(now, f"it has been silent for {self._silence:g} s")

    def _failed(self, now: int, reason: str) -> None:
        self.close()
        self._reader, self.reason = None, reason.rstrip(".")
        self._failures += 1
        self._try_at = self._wall()
        if self._failures > 1:
            self.down_since = self.down_since or now
            self._try_at += min(2.0 ** (self._failures - 2), LONGEST_PAUSE)
