"""What the market of a book's day closed at: the same feed that the book traded on, asked again.

Closing prices, the day's contract master and the closes of the days before. Nothing of it is in the journal; a journal
together with its feed (a seed, or the imported data) gives the same figures every time. Closes from before a split or a
bonus are restated, so that it is no move of the price.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from aitrade.core.clock import ist_date
from aitrade.core.errors import Refused
from aitrade.core.instruments import Instrument
from aitrade.core.money import half_up
from aitrade.engine.recovery import feed_for
from aitrade.engine.settings import EngineSettings
from aitrade.market.bars import DAY_MINUTES
from aitrade.market.corporate_actions import apply, parse_subject
from aitrade.market.feeds import Feed
from aitrade.market.rules import Rules
from aitrade.ops.ledger import Day

FEEDS = ("simulated", "replay")
"""Modes whose market can be asked again."""
_WHOLE = 1_000_000


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
        """Return up to `count` closes by day, this one's among them, oldest first; none for an unknown instrument.

        They are those of today's shares: closes from before a split or bonus are restated.
        """
        if key not in self.instruments:
            return {}
        bars = self._feed.history(key, DAY_MINUTES, count, self._feed.end)
        closes = {ist_date(bar.start): bar.close for bar in bars}
        rows = self._feed.actions_since(key, min(closes)) if len(closes) > 1 else ()
        return restated(closes, [(date.fromisoformat(row.ex_day), row.subject) for row in rows])

    def _found(self, key: str) -> int:
        today = self.past(key, 1).get(self.day)
        row = self.instruments.get(key)
        return today or (row.previous_close if row else 0)


def restated(closes: dict[date, int], actions: Iterable[tuple[date, str]]) -> dict[date, int]:
    """Return closes (paise, by day, oldest first) in the shares of the last day; `actions` are (ex-day, subject).

    A close is restated only where the ex-day's own close says that it is due: imported prices may be adjusted already.
    """
    for ex_day, subject in sorted(actions):
        shares = _shares(subject)
        before = [day for day in closes if day < ex_day]
        after = [day for day in closes if day >= ex_day]
        if shares == _WHOLE or not before or not after:
            continue
        last, first = closes[before[-1]], closes[after[0]]
        if abs(first - half_up(last * _WHOLE, shares)) < abs(first - last):
            closes = closes | {day: half_up(closes[day] * _WHOLE, shares) for day in before}
    return closes


def _shares(subject: str) -> int:
    """Return what `_WHOLE` shares become by an action."""
    shares = _WHOLE
    for each in parse_subject(subject):
        shares = apply(each, shares, 0).quantity
    return shares


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
