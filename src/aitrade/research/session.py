"""A market session for notebooks: imported where there is one, simulated otherwise."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from aitrade.core.clock import IST, LiveClock, ist_date
from aitrade.core.config import Configuration, load
from aitrade.core.errors import Refused
from aitrade.core.instruments import Instrument, Kind
from aitrade.core.money import PAISE
from aitrade.core.orders import Product
from aitrade.core.quotes import Bar
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.charges import ChargeBook
from aitrade.market.feeds import Feed, ReplayFeed, SimulatedFeed
from aitrade.market.input_store import InputStore
from aitrade.market.rules import Rules
from aitrade.market.symbols import kind_of
from aitrade.research.replay import Charged

_LONGEST_DAY = 24 * 60


class Session:
    """One market day: bars for running, frames for reading, charges for counting."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.day, self.source = feed.day, feed.source
        self.instruments = list(feed.watchlist)
        self._master = {one.key: one for one in feed.instruments()}

    def bars(self, instrument: str) -> list[Bar]:
        """Return the day's minute bars, paise; raise Refused for an instrument that the session does not have."""
        self.instrument(instrument)
        found = self.feed.history(instrument, 1, _LONGEST_DAY, self.feed.end)
        return [bar for bar in found if bar.start >= self.feed.start]

    def frame(self, instrument: str) -> Any:
        """Return the day's minute bars as a pandas frame in rupees, by IST time."""
        return frame(self.bars(instrument))

    def instrument(self, key: str) -> Instrument:
        """Return an instrument of the day; raise Refused for one that there is not."""
        if key not in self._master:
            some = ", ".join(self.instruments[:10])
            raise Refused(f"{key} is not in the session of {self.day}; there are: {some}.")
        return self._master[key]

    def charges(self, instrument: str, product: Product = Product.MIS, plan: str = "zerodha") -> Charged:
        """Return what trades in `instrument` cost on this day."""
        return Charged(ChargeBook.load().rates(self.day, self.instrument(instrument), product, plan))


def frame(bars: Sequence[Bar]) -> Any:
    """Return bars as a pandas frame, a bar a row by IST time, prices in rupees."""
    import pandas as pd

    index = pd.to_datetime([bar.start for bar in bars], utc=True).tz_convert(IST).tz_localize(None)
    prices = {f"{name} ₹": [getattr(bar, name) / PAISE for bar in bars] for name in ("open", "high", "low", "close")}
    return pd.DataFrame({**prices, "volume": [bar.volume for bar in bars]}, index=index.rename("time (IST)"))


def load_session(day: date | str | None = None, home: Path | str | None = None, *, simulated: bool = False) -> Session:
    """Return the imported session of `day`, by default the latest; without any import, or if asked, the simulated one.

    `home` is the data folder. Raises DataRefused for a day that is not among the imported ones, Refused on a holiday.
    """
    wanted = date.fromisoformat(day) if isinstance(day, str) else day
    configuration = load(home=home)
    store = InputStore(configuration.market_folder)
    days = [one for one, keys in store.days().items() if any(kind_of(key) is not Kind.INDEX for key in keys)]
    calendar, rules = Calendar.load(), Rules.load()
    if simulated or not days:
        return Session(_simulated(wanted, configuration, calendar, rules))
    return Session(ReplayFeed(store, wanted or days[-1], calendar, rules))


def _simulated(day: date | None, configuration: Configuration, calendar: Calendar, rules: Rules) -> Feed:
    """Return the simulated market's `day`, by default the latest trading day that is over."""
    latest = day or calendar.previous_trading_day(ist_date(LiveClock().now()), Segment.CASH_FNO)
    return SimulatedFeed(latest, configuration.seed, calendar, rules)
