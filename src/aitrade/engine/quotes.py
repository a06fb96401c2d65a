"""The latest price of everything, and what the day has been: what marks positions and fills pages."""

from collections.abc import Iterable

from aitrade.core.instruments import Instrument
from aitrade.core.quotes import Bar, Tick

QuoteRow = list[str | int | bool]
"""The columns of `messages.QUOTE_FIELDS`."""


class Quote:
    """The last tick of an instrument with the day's open, high and low, paise."""

    __slots__ = ("day_high", "day_low", "day_open", "first_oi", "previous_close", "tick")

    def __init__(self, previous_close: int, previous_oi: int = 0) -> None:
        self.previous_close = previous_close
        self.day_open = self.day_high = self.day_low = 0
        self.first_oi = previous_oi
        self.tick: Tick | None = None


class Quotes:
    """Quotes by instrument key. Updated tick by tick on the trading thread only."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._quotes = {
            instrument.key: Quote(instrument.previous_close, instrument.previous_oi) for instrument in instruments
        }
        self.changed: set[str] = set()

    def on_tick(self, tick: Tick) -> None:
        """Take a tick; one of an instrument that the day does not know is kept too."""
        quote = self._quotes.get(tick.instrument)
        if quote is None:
            quote = self._quotes[tick.instrument] = Quote(tick.price)
        price = tick.price
        if not quote.day_open:
            quote.day_open = quote.day_high = quote.day_low = price
            quote.first_oi = quote.first_oi or tick.oi
        elif price > quote.day_high:
            quote.day_high = price
        elif price < quote.day_low:
            quote.day_low = price
        quote.tick = tick
        self.changed.add(tick.instrument)

    def seed(self, bars: Iterable[Bar]) -> None:
        """Take an earlier part of the day from its bars, oldest first: what a restart has missed."""
        volume = 0
        for bar in bars:
            volume += bar.volume
            for price in (bar.open, bar.high, bar.low, bar.close):
                self.on_tick(Tick(bar.instrument, bar.end - 1, price, volume=volume, oi=bar.oi, modelled=True))

    def last(self, instrument: str) -> int:
        """Return the last price, yesterday's close before the first, 0 when nothing is known; paise."""
        quote = self._quotes.get(instrument)
        if quote is None:
            return 0
        return quote.tick.price if quote.tick else quote.previous_close

    def quoted(self, instrument: str) -> tuple[int, int]:
        """Return `last`, and when it printed, ns UTC: 0 before the day's first print."""
        quote = self._quotes.get(instrument)
        if quote is None:
            return 0, 0
        tick = quote.tick
        return (tick.price, tick.ts) if tick is not None else (quote.previous_close, 0)

    def tick(self, instrument: str) -> Tick | None:
        """Return the last tick, or None before the first."""
        quote = self._quotes.get(instrument)
        return quote.tick if quote else None

    def oi_change(self, instrument: str) -> int:
        """Return the open interest less that of the evening before, or else of the day's first price, units."""
        quote = self._quotes.get(instrument)
        return quote.tick.oi - quote.first_oi if quote and quote.tick else 0

    def row(self, instrument: str) -> QuoteRow:
        """Return the quote as a row of `messages.QUOTE_FIELDS`."""
        quote = self._quotes.get(instrument) or Quote(0)
        tick = quote.tick
        if tick is None:
            close = quote.previous_close
            return [instrument, 0, close, 0, 0, 0, 0, 0, 0, close, 0, 0, 0, False]
        return [
            instrument, tick.ts, tick.price, tick.bid, tick.ask, tick.bid_quantity, tick.ask_quantity, tick.volume,
            tick.oi, quote.previous_close, quote.day_open, quote.day_high, quote.day_low, tick.modelled,
        ]  # fmt: skip

    def take_changed(self) -> list[str]:
        """Return the keys that moved since this was last asked."""
        changed = list(self.changed)
        self.changed.clear()
        return changed
