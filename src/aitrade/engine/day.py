"""A market day of a book: how it begins, what is done at set times in it, and how it ends."""

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from aitrade.brokers.simulator.clearing import is_physical
from aitrade.core.clock import MINUTE, at, ist_time
from aitrade.core.errors import OrderRefused
from aitrade.core.instruments import Instrument
from aitrade.core.orders import Product
from aitrade.engine.settings import SQUARE_OFF
from aitrade.market.calendar import Calendar, Segment, segment_of
from aitrade.market.rules import Rules

if TYPE_CHECKING:
    from aitrade.engine.commands import Commands
    from aitrade.engine.loop import Engine

SILENT = MINUTE
"""Market time without any price after which an exit is told to wait."""


class MarketDay:
    """The day that is being traded. Times in ns UTC."""

    def __init__(self, engine: "Engine", commands: "Commands", calendar: Calendar, rules: Rules, day: date) -> None:
        self._engine = engine
        self._commands = commands
        self._calendar = calendar
        self._rules = rules
        self.day = day
        self._squared_off: set[Segment] = set()
        self._missed: set[str] = set()
        self._due = self._square_off_times()
        self._closes = {segment: self._close_of(segment) for segment in Segment}

    def on_minute(self, ts: int) -> None:
        """Do what is due: square off what may not see the night, and mark what did not get out in time."""
        for segment, due in self._due.items():
            if due <= ts and segment not in self._squared_off:
                self._square_off(segment)
            elif due <= ts < self._closes[segment]:
                self._square_off_again(segment)
        for segment, close in self._closes.items():
            if close <= ts:
                self._mark_missed(segment)

    def close(self) -> None:
        """The day's data have ended: note the equity."""
        for segment in Segment:
            self._mark_missed(segment)
        self._engine.mark(closing=True)

    def _square_off_times(self) -> dict[Segment, int]:
        return {
            segment: at(self.day, self._rules.square_off(self.day, segment))
            for segment in Segment
            if self._calendar.is_trading_day(self.day, segment)
        }

    def _close_of(self, segment: Segment) -> int:
        if not self._calendar.is_trading_day(self.day, segment):
            return 0
        return self._calendar.session(self.day, segment).close

    def _square_off(self, segment: Segment) -> None:
        self._squared_off.add(segment)
        keys = self._due_out(segment)
        for key in dict.fromkeys([*keys, *self._ordered(segment)]):
            self._commands.exit_or_say(key, SQUARE_OFF)
        if keys:
            self._say_sent(len(keys), segment)

    def _square_off_again(self, segment: Segment) -> None:
        """Try what nothing works on any more: another leg's exit may have freed the margin that one was refused for."""
        for key in self._due_out(segment):
            if not self._engine.working_on(key):
                with suppress(OrderRefused):
                    self._commands.exit(key, SQUARE_OFF)
                    self._engine.note(key, "")

    def _say_sent(self, count: int, segment: Segment) -> None:
        text, unpriced = f"Square-off of {count} positions sent ({segment}).", self._unpriced()
        if unpriced:
            text += f" {unpriced} It fills when prices come again; else close them by hand."
        self._engine.say("alert" if unpriced else "warning", text, "square-off")

    def _unpriced(self) -> str:
        """Return why an exit would wait: the feed is down, or it gives nothing; "" while prices come."""
        newest = self._engine.newest_tick
        if self._engine.unpriced or self._engine.clock.now() - newest <= SILENT or not newest:
            return self._engine.unpriced
        return f"No price has come since {ist_time(newest)}."

    def _mark_missed(self, segment: Segment) -> None:
        for key in self._due_out(segment):
            if key not in self._missed:
                self._missed.add(key)
                self._engine.note(key, "square-off missed: close it by hand")
                self._engine.say("alert", f"{key} did not get out before the close; close it by hand.", "square-off")

    def _due_out(self, segment: Segment) -> list[str]:
        """Return the open positions that may not see the night, shorts first: a hedge goes behind what it hedges."""
        positions = self._engine.book.state.positions
        found = [key for key, lot in positions.items() if lot.quantity and self._ends_today(key, segment)]
        return sorted(found, key=lambda key: positions[key].quantity > 0)

    def _ends_today(self, key: str, segment: Segment) -> bool:
        """Whether a position is intraday, or a stock's contract on the day on which it would settle in shares."""
        instrument, product = key.rsplit("|", 1)
        row = self._engine.instruments.get(instrument)
        if row is None or segment_of(row) is not segment:
            return False
        return product == Product.MIS or (row.expiry == self.day.isoformat() and is_physical(row, self._rules))

    def _ordered(self, segment: Segment) -> list[str]:
        """Intraday orders still on their way: what fills before its cancellation arrives has to go out too."""
        requests = [order.request for order in self._engine.book.working_orders()]
        intraday = (request for request in requests if request.product is Product.MIS)
        return [f"{r.instrument}|{Product.MIS}" for r in intraday if self._segment(r.instrument) is segment]

    def _segment(self, instrument: str) -> Segment | None:
        row: Instrument | None = self._engine.instruments.get(instrument)
        return segment_of(row) if row else None
