"""The simulated market over its days: minute bars of any day, contracts, and the ticks of any minute."""

from datetime import date, timedelta
from functools import lru_cache, partial

import msgspec
import numpy as np

from aitrade.core.clock import MINUTE
from aitrade.core.errors import UnknownDate
from aitrade.core.instruments import Instrument
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.draws import Ints, word
from aitrade.market.rules import Rules
from aitrade.market.simulated.contracts import Contracts, held, traded
from aitrade.market.simulated.day import Day, Hours, hours, minutes, names
from aitrade.market.simulated.derive import Rows, tick
from aitrade.market.simulated.expiries import last_trade, next_expiries
from aitrade.market.simulated.master import Evening, Listing, tick_sizes
from aitrade.market.simulated.turnover import Evenings, Turnover, turnover
from aitrade.market.simulated.universe import Calibration, load_calibration, load_universe
from aitrade.market.simulated.walk import build_model, walk
from aitrade.market.tick_path import Bars, Path
from aitrade.market.tick_path import walk as walk_bars

_PAST = 420
"""Calendar days of history: a year of day bars."""
_WARM = 200
"""Calendar days before that, for India VIX's memory."""
_LISTED = 21
"""Evenings around whose closes strikes are listed."""
COUNT = 30
"""Ticks a minute of a stock or an index."""


class Market:
    """The simulated market up to `last`; everything is a function of seed and date."""

    def __init__(
        self, last: date, seed: int, calendar: Calendar, rules: Rules, calibration: Calibration | None = None
    ) -> None:
        self.seed, self._calendar, self._rules = seed, calendar, rules
        self.model = build_model(load_universe(), calibration or load_calibration())
        self.walk = walk(self.model, seed, trading_days(calendar, last, self.model.universe.anchor))
        self.names = names(self.model)
        self.words = np.array([word(name) for name in self.names], np.uint64)
        self.hours = lru_cache(maxsize=512)(self._hours)
        self.day = lru_cache(maxsize=4)(self._day)
        self.minutes = lru_cache(maxsize=12)(lambda row: minutes(self.day(row)))
        self.contracts = lru_cache(maxsize=4)(self._contracts)

    def row(self, day: date) -> int:
        """Return the number of a trading day; raises KeyError for another one."""
        return self.walk.row(day)

    def _hours(self, row: int) -> Hours:
        """Return a day's hours; a day before the calendar begins has the first known day's."""
        day = self.walk.days[row]
        try:
            sessions = [
                self._calendar.session(day, segment)
                for segment in (Segment.CASH_FNO, Segment.CASH, Segment.DERIVATIVES)
            ]
        except UnknownDate:
            later = self.hours(row + 1)
            return msgspec.structs.replace(
                later, start=later.start - (self.walk.days[row + 1] - day).days * 1440 * MINUTE
            )
        return hours(*sessions)

    def _day(self, row: int) -> Day:
        closes = np.exp(self.walk.close[row - 1]) * 100
        ticks = tick_sizes(self.walk.days[row], self.model.universe, closes.tolist(), self._rules)
        return Day(self.model, self.walk, row, self.seed, self.hours(row), ticks)

    def evening(self, row: int) -> Evening:
        """Return how the day `row` ended."""
        ended, last = self.minutes(row), int(self.hours(row).derivative[-1])
        universe = self.model.universe
        prices = np.exp(
            self.walk.close[row + 1 - _LISTED : row + 1] - np.log([stock.price for stock in universe.stock])
        )
        past = prices @ universe.weights().T * np.array([index.level for index in universe.index])
        return Evening(
            ended.official,
            ended.close[:, last],
            float(ended.close[-1, last]) / 100,
            self.hours(row).start + (last + 1) * MINUTE,
            past,
        )

    def listing(self, row: int) -> Listing:
        """Return what the day `row` lists."""
        day = self.walk.days[row]
        find = partial(next_expiries, self._rules, day)
        return Listing(
            day, self.model.universe, self.model.figures, self._rules, find, self._expiry_close, self.evening(row - 1)
        )

    def _expiry_close(self, expiry: date, base: str) -> int:
        try:
            return last_trade(self._calendar, expiry, index=self._rules.is_index(base))
        except UnknownDate:
            last = self.hours(len(self.walk.days) - 1)
            ends = last.start + (int(last.derivative[-1]) + 1) * MINUTE
            return ends + (expiry - self.walk.days[-1]).days * 1440 * MINUTE

    def _contracts(self, row: int) -> Contracts:
        return self.listing(row).derivatives()

    def cash(self, row: int) -> list[Instrument]:
        """Return the day's stocks, indices and India VIX."""
        return self.listing(row).cash(self.day(row).ticks)

    def own_hours(self, row: int, place: int) -> Ints:
        """Return the minutes of continuous trading of the row `place`, as indices into the day's timeline."""
        hours_, stocks = self.hours(row), self.model.universe.stock
        if place == len(self.names) - 1:
            return hours_.derivative
        return hours_.stock if place >= len(stocks) or stocks[place].derivatives else hours_.plain

    def sharing_hours(self, row: int) -> list[tuple[Ints, list[int]]]:
        """Return (minutes, rows) groups of what trades in the same minutes."""
        groups: dict[int, tuple[Ints, list[int]]] = {}
        for place in range(len(self.names)):
            own = self.own_hours(row, place)
            groups.setdefault(id(own), (own, []))[1].append(place)
        return list(groups.values())

    def bars(self, row: int, which: Ints, minute: Ints) -> Bars:
        """Return minute bars of the rows `which` at `minute`, pair by pair."""
        day, made = self.day(row), self.minutes(row)
        prices = [column[which, minute] for column in (made.open, made.high, made.low, made.close, made.volume)]
        start = day.hours.start + minute * MINUTE
        same = np.ones_like(which)
        spread = (which < len(self.model.universe.stock)).astype(np.int64)
        return Bars(self.words[which], start, start + MINUTE, *prices, COUNT * same, day.ticks[which], same, spread)

    def paths(self, row: int, which: Ints, minute: Ints) -> Path:
        """Return the ticks of `bars`."""
        return walk_bars(self.bars(row, which, minute), self.seed)

    def trade(self, row: int, contracts: Contracts) -> Turnover:
        """Return what `contracts` hold and trade over the day `row`."""
        hours_, day, made, figures = self.hours(row), self.walk.days[row], self.minutes(row), self.model.figures
        own = hours_.derivative
        market = (
            made.open[contracts.row][:, own].astype(np.float64),
            made.open[-1, own] / 100,
            hours_.start + own * MINUTE,
        )
        lots = traded(contracts, day, market, figures, self.seed)
        evenings = Evenings(self._held(row - 1, contracts), self._held(row, contracts), lots)
        return turnover(contracts, evenings, own, hours_.count, day.toordinal(), figures, self.seed)

    def _held(self, row: int, contracts: Contracts) -> Ints:
        evening = self.evening(row)
        spot = evening.spot[contracts.row].astype(np.float64)
        return held(contracts, self.walk.days[row], spot, evening.vix, evening.ts, self.model.figures, self.seed)

    def derived(
        self, row: int, contracts: Contracts, pairs: tuple[Ints, Ints], lots: Ints, below: tuple[Path, Ints]
    ) -> Path:
        """Return ticks of (contract, minute) `pairs` that trade `lots`, off the paths `below` and its bar by pair."""
        index, minute = pairs
        start, made = self.hours(row).start + minute * MINUTE, self.minutes(row)
        spot, vix = made.open[contracts.row[index], minute], made.open[-1, minute] / 100
        return tick(
            contracts,
            Rows(index, start, start + MINUTE, lots, spot, vix, below[1]),
            below[0],
            self.model.figures.option,
            self.seed,
        )


def trading_days(calendar: Calendar, last: date, anchor: date) -> list[date]:
    """Return the trading days up to `last` that a walk needs; beyond what the calendar knows, weekdays."""
    first = min(anchor, last) - timedelta(days=_PAST + _WARM)
    span = (first + timedelta(days=step) for step in range((max(anchor, last) - first).days + 1))
    return [day for day in span if _trades(calendar, day)]


def _trades(calendar: Calendar, day: date) -> bool:
    try:
        return calendar.is_trading_day(day, Segment.CASH)
    except UnknownDate:
        return day.weekday() < 5  # noqa: PLR2004 -- Monday to Friday
