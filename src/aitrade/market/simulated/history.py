"""What the simulated market did before: closed bars of earlier days, and of the day played."""

from functools import lru_cache

import numpy as np

from aitrade.core.clock import MINUTE
from aitrade.core.errors import Refused
from aitrade.core.quotes import Bar
from aitrade.market.bars import DAY_MINUTES, resample
from aitrade.market.simulated.contracts import Contracts, only
from aitrade.market.simulated.derive import minute_bars
from aitrade.market.simulated.market import Market

MINUTE_DAYS = 10
"""Earlier days whose minutes can be asked for."""
_YEAR = 250
"""Earlier days whose day bars can be asked for."""
_CONTRACT_DAYS = 60
"""The same of a future or option: none is listed for longer here."""


class History:
    """Closed bars up to a day of the market."""

    def __init__(self, market: Market, row: int, contracts: Contracts) -> None:
        self._market, self._row = market, row
        self._cash = {key: place for place, key in enumerate(market.names)}
        self._contracts = {one.key: place for place, one in enumerate(contracts.instruments)}
        self._all = contracts
        self._day_minutes = lru_cache(maxsize=256)(self._minutes_of)
        self._cash_days = lru_cache(maxsize=_YEAR + 2)(self._make_cash_days)

    def minutes(self, instrument: str, length: int, count: int, before: int) -> list[Bar]:
        """Return up to `count` bars of `length` minutes, closed at `before` or earlier, oldest first."""
        found: list[Bar] = []
        for row in range(self._row, self._row - MINUTE_DAYS - 1, -1):
            closed = [bar for bar in resample(self._day_minutes(instrument, row), length) if bar.end <= before]
            found = closed + found
            if len(found) >= count:
                break
        return found[-count:] if count else []

    def days(self, instrument: str, count: int, before: int) -> list[Bar]:
        """Return up to `count` bars of whole days, closed at `before` or earlier, oldest first."""
        reach = _CONTRACT_DAYS if instrument in self._contracts else _YEAR
        rows = range(self._row, self._row - min(reach, count + 1) - 1, -1)
        bars = [bar for row in rows if (bar := self._day_bar(instrument, row)) and bar.end <= before]
        return bars[:count][::-1]

    def _day_bar(self, instrument: str, row: int) -> Bar | None:
        """Return a day as one bar that ends with its official close, or None where the instrument did not trade."""
        if instrument in self._cash:
            return self._cash_days(row)[instrument]
        made = resample(self._day_minutes(instrument, row), DAY_MINUTES)
        return made[0] if made else None

    def _make_cash_days(self, row: int) -> dict[str, Bar]:
        """Return the day bars of all stocks and indices: one day's minutes serve them all."""
        made, hours, bars = self._market.minutes(row), self._market.hours(row), {}
        for own, places in self._market.sharing_hours(row):
            within = np.ix_(places, own)
            open_, high, low = made.open[places, own[0]], made.high[within].max(axis=1), made.low[within].min(axis=1)
            close, volume = made.official[places], made.volume[within].sum(axis=1)
            start, end = hours.start + int(own[0]) * MINUTE, hours.start + (int(own[-1]) + 1) * MINUTE
            ends = np.full_like(close, max(end, hours.auction_end if own is hours.stock else 0))
            columns = (ends, open_, np.maximum(high, close), np.minimum(low, close), close, volume)
            for place, *rest in zip(places, *(column.tolist() for column in columns), strict=True):
                bars[self._market.names[place]] = Bar(self._market.names[place], start, *rest)
        return bars

    def _minutes_of(self, instrument: str, row: int) -> list[Bar]:
        if instrument in self._cash:
            return self._cash_minutes(instrument, row)
        if instrument in self._contracts:
            return self._contract_minutes(instrument, row)
        raise Refused(f"{instrument} is not listed in this session; search for it in the watchlist.")

    def _cash_minutes(self, instrument: str, row: int) -> list[Bar]:
        place, made = self._cash[instrument], self._market.minutes(row)
        own = self._market.own_hours(row, place)
        starts = self._market.hours(row).start + own * MINUTE
        columns = [column[place, own] for column in (made.open, made.high, made.low, made.close, made.volume)]
        rows = zip(*(column.tolist() for column in (starts, starts + MINUTE, *columns)), strict=True)
        return [Bar(instrument, *rest) for rest in rows]

    def _contract_minutes(self, instrument: str, row: int) -> list[Bar]:
        """Return a contract's minutes, built from the very ticks that its day plays."""
        one, hours = only(self._all, self._contracts[instrument]), self._market.hours(row)
        own = hours.derivative[hours.start + hours.derivative * MINUTE < one.ends[0]]
        if not len(own):
            return []
        trade = self._market.trade(row, one)
        below = self._market.paths(row, np.full(len(own), one.row[0]), own)
        pairs = np.zeros(len(own), np.int64), own
        path = self._market.derived(row, one, pairs, trade.lots[0, own], (below, np.arange(len(own))))
        starts = hours.start + own * MINUTE
        return minute_bars(instrument, starts, path, trade.lots[0, own] * one.lot[0], trade.oi[0, own])
