"""What the market of a book's day closed at: the same feed that the book traded on, asked again.

Closing prices, the day's contract master and the closes of the days before. Nothing of it is in the journal; a journal
together with its feed (a seed, or the imported data) gives the same figures every time.
"""

from datetime import date
from pathlib import Path

from aitrade.core.clock import ist_date
from aitrade.core.errors import Refused
from aitrade.core.instruments import Instrument
from aitrade.engine.recovery import feed_for
from aitrade.engine.settings import EngineSettings
from aitrade.market.bars import DAY_MINUTES
from aitrade.market.feeds import Feed
from aitrade.market.rules import Rules
from aitrade.ops.ledger import Day

FEEDS = ("simulated", "replay")
"""Modes whose market can be asked again."""


class Closing:
    """One market day's end; prices in paise."""

    def __init__(self, feed: Feed) -> None:
        self.day = feed.day
        self.source = feed.source
        self.assumed = feed.assumed
        self.instruments: dict[str, Instrument] = {row.key: row for row in feed.instruments()}
        self._feed = feed
        self._last: dict[str, int] = {}

    def last(self, key: str) -> int:
        """Return the day's close of an instrument, its previous close where it did not trade, 0 where it is unknown."""
        if key not in self._last:
            self._last[key] = self._found(key)
        return self._last[key]

    def past(self, key: str, count: int) -> dict[date, int]:
        """Return up to `count` closes by day, this one's among them, oldest first; none for an unknown instrument."""
        if key not in self.instruments:
            return {}
        bars = self._feed.history(key, DAY_MINUTES, count, self._feed.end)
        return {ist_date(bar.start): bar.close for bar in bars}

    def _found(self, key: str) -> int:
        today = self.past(key, 1).get(self.day)
        row = self.instruments.get(key)
        return today or (row.previous_close if row else 0)


def closing(home: Path, day: Day, rules: Rules) -> Closing:
    """Return the close of a ledger's day.

    Raises Refused where the journal does not say which market it was, or its imported data are gone.
    """
    if day.setup is None:
        raise Refused(f"The journal of {day.book} does not say on which market {day.day} was traded; restore it whole.")
    if day.setup.mode not in FEEDS:
        raise Refused(f"What the market of a {day.setup.mode} book closed at is not kept: no feed can be asked again.")
    settings = EngineSettings(home=str(home), mode=day.setup.mode, book=day.book, seed=day.setup.seed)
    return Closing(feed_for(settings, rules.calendar, rules, date.fromisoformat(day.day)))
