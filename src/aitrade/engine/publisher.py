"""Turns what changed into frames for the stream: built on the trading thread, sent by the API's."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from aitrade.core import logs
from aitrade.engine.views import Views, event_row, order_row, trade_row

if TYPE_CHECKING:
    from aitrade.engine.loop import Engine

Send = Callable[[list[bytes]], None]
TIME_NS = 250_000_000
HEALTH_NS = 1_000_000_000
_WHOLE = {"holdings", "strategies", "alerts"}
"""Sent with all their rows when one changed, and empty when the last one went."""


class Publisher:
    """Collects marks of change from an engine and hands encoded frames to `send`."""

    def __init__(
        self, engine: "Engine", send: Send, now: Callable[[], Any], health: Callable[[], Any], whole: Callable[[], Any]
    ) -> None:
        self._engine = engine
        self._views = Views(engine)
        self._send = send
        self._now = now
        self._health = health
        self._whole = whole
        self._day = engine.book.state.day.day
        self._encode = msgspec.json.Encoder().encode
        self._time_sent = 0
        self._health_sent = 0
        self._points = 0
        """Place in the day's curve of the newest point that was sent."""
        self.listeners = 0
        """How many streams are open; without any, changes are only forgotten."""

    def publish(self) -> None:
        """Send frames of everything that changed since the last time, clock and health when they are due.

        A new market day changes everything: streams are sent a snapshot, and begin again from it.
        """
        rows = self._changes()
        for event in rows["events"]:
            logs.later(event.level, event.text, event.source, {"market": event.ts, "number": event.id})
        before, self._day = self._day, self._engine.book.state.day.day
        if not self.listeners:
            return
        if self._day != before:
            self._points = 0
            self._send([self._encode(self._whole())])
            return
        stamp = time.time_ns()
        frames = [
            self._encode({"type": name, "rows": found, "sent": stamp})
            for name, found in rows.items()
            if found or name in _WHOLE
        ]
        frames += self._singles(bool(rows["positions"] or rows["trades"]))
        if frames:
            self._send(frames)

    def _changes(self) -> dict[str, list[Any]]:
        book, views = self._engine.book, self._views
        held = self._held_and_moved() | book.changed_positions
        rows: dict[str, list[Any]] = {
            "ticks": [self._engine.quotes.row(key) for key in self._engine.quotes.take_changed()],
            "orders": [order_row(book.state.orders[i]) for i in book.changed_orders if i in book.state.orders],
            "trades": [trade_row(fill, self._engine.venue.name) for fill in book.new_fills],
            "positions": [views.position(key) for key in held if key in book.state.positions],
            "events": [event_row(event) for event in book.new_events],
        }
        for name in _WHOLE & book.changed:
            rows[name] = getattr(views, name)()
        book.changed_orders.clear()
        book.changed_positions.clear()
        book.new_fills.clear()
        book.new_events.clear()
        book.changed.clear()
        return rows

    def _held_and_moved(self) -> set[str]:
        """A position's P&L moves with its price."""
        if not self.listeners:
            return set()
        moved = self._engine.quotes.changed
        positions = self._engine.book.state.positions
        return {key for key, lot in positions.items() if lot.quantity and key.rsplit("|", 1)[0] in moved}

    def _singles(self, money_moved: bool) -> list[bytes]:
        frames, now = [], time.monotonic_ns()
        if now - self._time_sent >= TIME_NS:
            self._time_sent = now
            frames.append(self._single("time", self._now()))
        if now - self._health_sent >= HEALTH_NS:
            self._health_sent = now
            frames.append(self._single("health", self._health()))
            money_moved = True
            frames.append(self._encode({"type": "strategies", "rows": self._views.strategies()}))
        if money_moved:
            frames.append(self._single("funds", self._views.funds(since=self._points)))
            self._points = max(len(self._engine.book.state.day.curve) - 1, 0)
        return frames

    def _single(self, name: str, struct: msgspec.Struct) -> bytes:
        return self._encode({"type": name, **msgspec.structs.asdict(struct)})
