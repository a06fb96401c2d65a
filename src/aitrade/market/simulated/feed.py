"""The simulated session as a feed: one market day, minute by minute, with its past and its next day."""

from collections.abc import Iterator
from datetime import date

import numpy as np
from msgspec.structs import replace

from aitrade.core.clock import MINUTE
from aitrade.core.instruments import Instrument
from aitrade.core.quotes import Bar, Depth, Tick
from aitrade.market.bars import DAY_MINUTES
from aitrade.market.batches import Batch, batch
from aitrade.market.calendar import Calendar, PhaseName, Segment
from aitrade.market.depth import modelled
from aitrade.market.draws import Ints, stream, uniform
from aitrade.market.rules import Rules
from aitrade.market.simulated.contracts import with_evening
from aitrade.market.simulated.history import History
from aitrade.market.simulated.market import Market
from aitrade.market.simulated.universe import VIX, Calibration
from aitrade.market.tick_path import Path, join, running

SOURCE = "SIMULATED"
"""What the page says wherever these prices show."""
_AUCTION_SHARE = 0.03
_OPENING_SHARE = 0.005
"""Shares of a day's volume that closing and pre-open auction trade: assumptions, no auction data were at hand."""


class SimulatedFeed:
    """One day of the built-in simulated market; see `Feed` for what its members promise.

    The same seed and day give the same batches, to the byte. Raises Refused on a holiday and UnknownDate beyond the
    calendar.
    """

    source = SOURCE
    silence = 4.0

    def __init__(
        self, day: date, seed: int, calendar: Calendar, rules: Rules, calibration: Calibration | None = None
    ) -> None:
        """Begin a day; without a `calibration` the package's own figures hold."""
        session = calendar.session(day, Segment.CASH)
        self.day, self._calendar, self._rules = day, calendar, rules
        self._calibration = calibration
        self._market = Market(day, seed, calendar, rules, calibration)
        self._row = self._market.row(day)
        self._hours = self._market.hours(self._row)
        self._contracts = self._market.contracts(self._row)
        self._trade = self._market.trade(self._row, self._contracts)
        self._history = History(self._market, self._row, self._contracts)
        universe = self._market.model.universe
        self.start = self._hours.start
        self.end = self.start + self._hours.count * MINUTE
        self.indices = [*(index.key for index in universe.index), VIX]
        self.watchlist = [stock.key for stock in universe.stock]
        self.corporate_actions: tuple[()] = ()
        self.assumed = [
            "All prices are SIMULATED: a seeded market, calibrated to the figures of real days.",
            "ASSUMED: derivatives' price bands, and what the call auctions trade; no source for them was at hand.",
        ]
        if calibration:
            self.assumed.append("The figures are fitted by the book's own calibration.toml, not by the package's.")
        self._keys = [*self._market.names, *(one.key for one in self._contracts.instruments)]
        self._match = next((phase.start for phase in session.phases if phase.name is PhaseName.PRE_OPEN_MATCH), 0)
        """When the pre-open auction matches, ns UTC; 0 on days without one."""
        traded = np.cumsum(self._market.minutes(self._row).volume, axis=1)
        self._opened = (traded[:, -1] * (_OPENING_SHARE if self._match else 0)).astype(np.int64)
        self._traded = self._opened[:, None] + traded

    def actions_since(self, instrument: str, first: date) -> tuple[()]:  # noqa: ARG002 - simulated shares have none
        """Return nothing: no simulated share is split or pays."""
        return ()

    def instruments(self) -> list[Instrument]:
        """Return the day's contract master: stocks, indices, India VIX, futures, options."""
        return self._market.cash(self._row) + with_evening(self._contracts, self._trade.oi[:, 0])

    def opening(self) -> Batch | None:
        """Return the pre-open auction's prints: one a stock at the day's open, and the indices that follow."""
        if not self._match:
            return None
        rows = np.arange(len(self._market.names) - 1)
        prices = self._market.minutes(self._row).open[rows, 0]
        ticks = join(self._keys, [self._called(rows, self._match, prices, self._opened[rows], "opening")])
        return batch(self._match, self._match + MINUTE, ticks)

    def batches(self, after: int = 0) -> Iterator[Batch]:
        """Yield the day's minutes, from the one that contains `after` on."""
        first = max((after - self.start) // MINUTE, 0)
        for minute in range(first, self._hours.count):
            start = self.start + minute * MINUTE
            yield batch(start, start + MINUTE, self._ticks(minute))

    def history(self, instrument: str, minutes: int, count: int, before: int) -> list[Bar]:
        """Return up to `count` closed bars that end at or before `before`: ten days of minutes, a year of days."""
        if minutes >= DAY_MINUTES:
            return self._history.days(instrument, count, before)
        return self._history.minutes(instrument, minutes, count, before)

    def depth(self, tick: Tick, instrument: Instrument) -> Depth:
        """Return five levels, which are SIMULATED like the print."""
        return modelled(tick, instrument, self._market.seed)

    def next_day(self) -> "SimulatedFeed":
        """Return the next trading day's feed; raise UnknownDate where the calendar ends."""
        following = self._calendar.next_trading_day(self.day, Segment.CASH)
        return SimulatedFeed(following, self._market.seed, self._calendar, self._rules, self._calibration)

    def _ticks(self, minute: int) -> list[Tick]:
        """Return the minute's ticks in time order; ties go by the master's order."""
        rows = np.arange(len(self._market.names))
        below = self._market.paths(self._row, rows, np.full(len(rows), minute))
        parts = [self._cash(below, minute)]
        if minute in self._hours.derivative and (self._contracts.ends > self.start + minute * MINUTE).any():
            parts.append(self._derived(below, minute))
        if minute == self._hours.auction:
            parts.append(self._auction(minute))
        return join(self._keys, parts)

    def _cash(self, below: Path, minute: int) -> tuple[Path, Ints, Ints]:
        """Return the ticks of what trades in this minute, with the day's volume after each."""
        universe, hours = self._market.model.universe, self._hours
        stock, plain, derivative = (minute in own for own in (hours.stock, hours.plain, hours.derivative))
        live = np.array(
            [stock if one.derivatives else plain for one in universe.stock]
            + [stock] * len(universe.index)
            + [derivative]
        )
        before = self._traded[:, minute] - self._market.minutes(self._row).volume[:, minute]
        kept = live[below.row]
        volume = before[below.row] + running(below.quantity, below.row)
        return below.where(kept), volume[kept], np.zeros(int(kept.sum()), np.int64)

    def _derived(self, below: Path, minute: int) -> tuple[Path, Ints, Ints]:
        """Return the contracts' ticks, with volume and open interest after each."""
        index = np.flatnonzero(self._contracts.ends > self.start + minute * MINUTE)
        pairs, trade = (index, np.full(len(index), minute)), self._trade
        lots, bars = trade.lots[index, minute], self._contracts.row[index]
        path = self._market.derived(self._row, self._contracts, pairs, lots, (below, bars))
        row = index[path.row]
        volume = trade.volume[row, minute] + running(path.quantity, path.row)
        return replace(path, row=row + len(self._market.names)), volume, trade.oi[row, minute]

    def _auction(self, minute: int) -> tuple[Path, Ints, Ints]:
        """Return the closing auction's prints: one a stock with derivatives, and the indices that follow."""
        made, universe = self._market.minutes(self._row), self._market.model.universe
        rows = np.array(
            [row for row, one in enumerate(universe.stock) if one.derivatives]
            + [len(universe.stock) + row for row in range(len(universe.index))]
        )
        quantity = ((self._traded - self._opened[:, None])[rows, -1] * _AUCTION_SHARE).astype(np.int64)
        return self._called(rows, self.start + minute * MINUTE, made.official[rows], quantity, "auction")

    def _called(self, rows: Ints, start: int, prices: Ints, quantity: Ints, what: str) -> tuple[Path, Ints, Ints]:
        """Return a call auction's prints within a second of its match, with the day's volume after each."""
        named = stream(self._market.seed, self._market.words[rows], start)
        ts = start + (uniform(named, what) * 1e9).astype(np.int64)
        none = np.zeros(len(rows), np.int64)
        before = self._traded[rows, -1] if start >= self.start else none
        return Path(rows, ts, prices, quantity, none, none, none, none), before + quantity, none
