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
from aitrade.market.simulated.expiries import last_trade

if TYPE_CHECKING:
    from aitrade.engine.commands import Commands
    from aitrade.engine.loop import Engine

Group = tuple[Segment, bool]
"""What stops trading at one time: a segment, and apart from it an index's contracts that stop earlier on expiry day."""
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
        self._squared_off: set[Group] = set()
        self._missed: set[str] = set()
        self._due: dict[Group, int] = {}
        self._closes: dict[Group, int] = {}
        for segment in Segment:
            if calendar.is_trading_day(day, segment):
                self._note_times(segment)

    def on_minute(self, ts: int) -> None:
        """Do what is due: square off what may not see the night, and mark what did not get out in time."""
        for group, due in self._due.items():
            if due <= ts and group not in self._squared_off:
                self._square_off(group)
            elif due <= ts < self._closes[group]:
                self._square_off_again(group)
        for group, close in self._closes.items():
            if close <= ts:
                self._mark_missed(group)

    def close(self) -> None:
        """The day's data have ended: note the equity."""
        for group in self._closes:
            self._mark_missed(group)
        self._engine.mark(closing=True)

    def _note_times(self, segment: Segment) -> None:
        """Note when a segment is squared off and closes; contracts that stop earlier, as long before their stop."""
        close = self._calendar.session(self.day, segment).close
        due = at(self.day, self._rules.square_off(self.day, segment))
        self._due[segment, False], self._closes[segment, False] = due, close
        stop = last_trade(self._calendar, self.day, index=True) if segment is Segment.DERIVATIVES else close
        if stop < close:
            self._due[segment, True], self._closes[segment, True] = stop - (close - due), stop

    def _square_off(self, group: Group) -> None:
        self._squared_off.add(group)
        keys = self._due_out(group)
        for key in dict.fromkeys([*keys, *self._ordered(group)]):
            self._commands.exit_or_say(key, SQUARE_OFF)
        if keys:
            self._say_sent(len(keys), group[0])

    def _square_off_again(self, group: Group) -> None:
        """Try what nothing works on any more: another leg's exit may have freed the margin that one was refused for."""
        for key in self._due_out(group):
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

    def _mark_missed(self, group: Group) -> None:
        for key in self._due_out(group):
            if key not in self._missed:
                self._missed.add(key)
                self._engine.note(key, "square-off missed: close it by hand")
                self._engine.say("alert", f"{key} did not get out before the close; close it by hand.", "square-off")

    def _due_out(self, group: Group) -> list[str]:
        """Return the open positions that may not see the night, shorts first: a hedge goes behind what it hedges."""
        positions = self._engine.book.state.positions
        found = [key for key, lot in positions.items() if lot.quantity and self._ends_today(key, group)]
        return sorted(found, key=lambda key: positions[key].quantity > 0)

    def _ends_today(self, key: str, group: Group) -> bool:
        """Whether a position is intraday, or a stock's contract on the day on which it would settle in shares."""
        instrument, product = key.rsplit("|", 1)
        row = self._engine.instruments.get(instrument)
        if row is None or self._group(row) != group:
            return False
        return product == Product.MIS or (row.expiry == self.day.isoformat() and is_physical(row, self._rules))

    def _ordered(self, group: Group) -> list[str]:
        """Intraday orders still on their way: what fills before its cancellation arrives has to go out too."""
        rows = self._engine.instruments
        intraday = [o.request for o in self._engine.book.working_orders() if o.request.product is Product.MIS]
        listed = [request.instrument for request in intraday if request.instrument in rows]
        return [f"{key}|{Product.MIS}" for key in listed if self._group(rows[key]) == group]

    def _group(self, row: Instrument) -> Group:
        """Return what an instrument stops trading with."""
        segment = segment_of(row)
        early = (segment, True) in self._due and row.expiry == self.day.isoformat()
        return segment, early and not is_physical(row, self._rules)
