"""Futures and option chains modelled on a real day's indices, where the day's own were not imported.

Prices follow the real index tick by tick by Black-76, with the fitted smile around the evening's India VIX; volume and
open interest are the fitted profile's. All of it is MODELLED.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial

import msgspec
import numpy as np

from aitrade.core.clock import MINUTE
from aitrade.core.instruments import Instrument
from aitrade.core.quotes import Bar
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.draws import Ints
from aitrade.market.rules import Rules
from aitrade.market.simulated.contracts import Contracts, held, only, traded, with_evening
from aitrade.market.simulated.day import continuous
from aitrade.market.simulated.derive import Rows, last_tick, minute_bars, tick
from aitrade.market.simulated.expiries import last_trade, next_expiries
from aitrade.market.simulated.master import Evening, Listing
from aitrade.market.simulated.turnover import Evenings, Turnover, turnover
from aitrade.market.simulated.universe import Universe, load_calibration, load_universe
from aitrade.market.tick_path import Path, running

_SEED = 0
"""A real day has one modelled chain, whoever replays it."""
Part = tuple[Path, Ints, Ints]


def _stop(calendar: Calendar, expiry: date, _base: str) -> int:
    return last_trade(calendar, expiry, index=True)


def with_chains() -> list[str]:
    """Return the keys of the indices whose chains can be modelled."""
    return [index.key for index in load_universe().index if index.expiries]


class ModelledChain:
    """The derivatives of a day on real indices: `closes` by index (paise, the last weeks', the evening's last)."""

    def __init__(
        self, day: date, closes: Mapping[str, Sequence[int]], vix: float, calendar: Calendar, rules: Rules
    ) -> None:
        self._figures, packaged = load_calibration(), load_universe()
        self._vix = vix or self._figures.vix.median
        session = calendar.session(day, Segment.DERIVATIVES)
        self._start, self.end = session.open, session.close
        self._own = continuous(session, session.open)
        listed = [index for index in packaged.index if index.key in closes and index.expiries]
        universe = Universe(anchor=packaged.anchor, stock=[], index=listed)
        evening = self._evening([closes[index.key] for index in listed], calendar, day)
        find, close_of = partial(next_expiries, rules, day), partial(_stop, calendar)
        self.contracts = Listing(day, universe, self._figures, rules, find, close_of, evening).derivatives()
        self._keys = {one.key: place for place, one in enumerate(self.contracts.instruments)}
        self._day, self._held = day, self._hold(evening, calendar.previous_trading_day(day, Segment.CASH), day)
        self._rows = [index.key for index in listed]

    def _evening(self, closes: Sequence[Sequence[int]], calendar: Calendar, day: date) -> Evening:
        before = calendar.session(calendar.previous_trading_day(day, Segment.DERIVATIVES), Segment.DERIVATIVES)
        shortest = min(len(past) for past in closes)
        past = np.array([past[-shortest:] for past in closes], float).T / 100
        spot = np.array([past[-1] for past in closes], np.int64)
        return Evening(spot, spot, self._vix, before.close, past)

    def _hold(self, evening: Evening, *days: date) -> list[Ints]:
        """Return what is held before the day and after it, sized off the evening before: nobody knows the other yet."""
        spot, ts = evening.spot[self.contracts.row].astype(np.float64), evening.ts
        return [held(self.contracts, one, spot, self._vix, ts, self._figures, _SEED) for one in days]

    def _trade(self) -> Turnover:
        """Return the day's turnover: each minute's lies around the index as it stood at its start."""
        contracts, own = self.contracts, self._own
        start = self._start + own * MINUTE
        row = np.repeat(np.arange(len(self._rows)), len(own))
        spot = self._below.price[last_tick(self._below, row, np.tile(start, len(self._rows)))].reshape(-1, len(own))
        market = spot[contracts.row].astype(np.float64), np.full(len(own), self._vix), start
        lots = traded(contracts, self._day, market, self._figures, _SEED)
        evenings = Evenings(*self._held, lots)
        return turnover(contracts, evenings, own, int(own[-1]) + 1, self._day.toordinal(), self._figures, _SEED)

    def follow(self, paths: Mapping[str, Path]) -> None:
        """Take the indices' ticks of the whole day, each path in time order."""
        ordered = [
            msgspec.structs.replace(paths[key], row=np.full(len(paths[key].ts), row))
            for row, key in enumerate(self._rows)
        ]
        columns = zip(*(msgspec.structs.astuple(path) for path in ordered), strict=True)
        self._below = Path(*(np.concatenate(column) for column in columns))
        self._turnover = self._trade()

    def instruments(self) -> list[Instrument]:
        """Return the contracts, with what was open of each on the evening before."""
        return with_evening(self.contracts, self._held[0])

    def part(self, begin: int, end: int) -> Part | None:
        """Return the contracts' ticks in [begin, end) ns UTC, with volume and open interest; None without a minute."""
        minutes = self._own[(self._own * MINUTE + self._start >= begin) & (self._own * MINUTE + self._start < end)]
        index = np.tile(np.arange(len(self.contracts.row)), len(minutes))
        minute = np.repeat(minutes, len(self.contracts.row))
        alive = self.contracts.ends[index] > self._start + minute * MINUTE
        index, minute = index[alive], minute[alive]
        if not len(index):
            return None
        path, volume, oi = self._ticks(self.contracts, self._turnover, index, minute)
        return msgspec.structs.replace(path, row=index[path.row]), volume, oi

    def bars(self, key: str) -> list[Bar]:
        """Return a contract's minute bars of the day, those that its ticks make."""
        place = self._keys[key]
        alone = Turnover(*(column[place : place + 1] for column in msgspec.structs.astuple(self._turnover)))
        own = self._own[self._start + self._own * MINUTE < self.contracts.ends[place]]
        path, _, _ = self._ticks(only(self.contracts, place), alone, np.zeros_like(own), own)
        traded = alone.lots[0, own] * self.contracts.lot[place]
        return minute_bars(key, self._start + own * MINUTE, path, traded, alone.oi[0, own])

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def _ticks(self, contracts: Contracts, traded: Turnover, index: Ints, minute: Ints) -> Part:
        start, below = self._start + minute * MINUTE, contracts.row[index]
        spot = self._below.price[last_tick(self._below, below, start)]
        rows = Rows(
            index, start, start + MINUTE, traded.lots[index, minute], spot, np.full(len(index), self._vix), below
        )
        path = tick(contracts, rows, self._below, self._figures.option, _SEED)
        volume = traded.volume[index, minute][path.row] + running(path.quantity, path.row)
        oi = traded.oi[index, minute][path.row]
        return path, volume, oi
