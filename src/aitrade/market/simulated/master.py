"""The simulated day's contract master: stocks, indices, futures and options, with bands and previous closes."""

from collections.abc import Callable, Sequence
from datetime import date

import msgspec
import numpy as np

from aitrade.core.instruments import Exchange, Instrument, Kind, derivative_key
from aitrade.market.draws import Floats, Ints
from aitrade.market.grid import band
from aitrade.market.rules import Rules
from aitrade.market.simulated.contracts import Contracts, columns, strikes, values
from aitrade.market.simulated.universe import VIX, Calibration, Index, Stock, Universe

INDEX_TICK = 5
VIX_TICK = 1
_FUTURES = 2
"""Months of futures that are listed: the current and the next."""
_DERIVATIVE_BAND = 10
"""Percent that the underlying is let move for a derivative's own operating range; NSE's exact rule was not at hand."""
Expiries = Callable[[str, int, int], list[date]]
"""(base, weeklies, monthlies) -> the next expiries from the day on, ascending, each date once."""


class Evening(msgspec.Struct, frozen=True):
    """The evening before, which a day's master is made from."""

    official: Ints
    """Official closes of all rows, paise."""
    spot: Ints
    """Prices of all rows when derivatives closed, paise."""
    vix: float
    ts: int
    past: Floats
    """(evenings, indices): closes in points of the last weeks, the evening itself included."""


def tick_sizes(day: date, universe: Universe, closes: Sequence[float], rules: Rules) -> Ints:
    """Return the tick sizes of all rows in paise, from stocks' closes in paise."""
    stocks = [rules.tick(day, Kind.EQUITY, Exchange.NSE, round(close)) for close in closes]
    return np.array([*stocks, *[INDEX_TICK] * len(universe.index), VIX_TICK], np.int64)


def stock_row(stock: Stock, close: int, tick: int, freeze: int) -> Instrument:
    """Return a stock's row of the master."""
    lower, upper = band(close, stock.band, tick)
    return Instrument(
        key=stock.key,
        exchange=Exchange.NSE,
        symbol=stock.symbol,
        kind=Kind.EQUITY,
        name=stock.symbol,
        tick=tick,
        freeze=freeze,
        has_derivatives=stock.derivatives,
        lower=lower,
        upper=upper,
        previous_close=close,
        modelled=True,
    )


def index_row(key: str, name: str, close: int, tick: int) -> Instrument:
    """Return an index's row of the master."""
    exchange, symbol = key.split(":")
    return Instrument(
        key=key,
        exchange=Exchange(exchange),
        symbol=symbol,
        kind=Kind.INDEX,
        name=name,
        tick=tick,
        series="",
        previous_close=close,
        modelled=True,
    )


class Listing(msgspec.Struct, frozen=True):
    """What is needed to list a day's derivatives."""

    day: date
    universe: Universe
    figures: Calibration
    rules: Rules
    expiries: Expiries
    close_of: Callable[[date, str], int]
    """(expiry, base) -> when such a contract stops trading, ns UTC."""
    evening: Evening

    def cash(self, ticks: Ints) -> list[Instrument]:
        """Return stocks, indices and India VIX."""
        closes, stocks = self.evening.official.tolist(), self.universe.stock
        freeze = [self.rules.freeze(self.day, stock.symbol) or 0 for stock in stocks]
        rows = [stock_row(*each) for each in zip(stocks, closes, ticks.tolist(), freeze, strict=False)]
        named = [*((index.key, index.name) for index in self.universe.index), (VIX, "INDIA VIX")]
        later = zip(named, closes[len(stocks) :], ticks.tolist()[len(stocks) :], strict=True)
        return rows + [index_row(*name, close, tick) for name, close, tick in later]

    def derivatives(self) -> Contracts:
        """Return futures, then options, with their bands and previous closes."""
        keys = [stock.key for stock in self.universe.stock] + [index.key for index in self.universe.index]
        rows = {key: row for row, key in enumerate(keys)}
        listed = [
            *self._futures(),
            *(one for place, index in enumerate(self.universe.index) for one in self._chain(place, index)),
        ]
        bare = self._columns(listed, rows)
        return msgspec.structs.replace(bare, instruments=self._priced(bare))

    def _columns(self, listed: list[tuple[Instrument, str]], rows: dict[str, int]) -> Contracts:
        instruments = [one for one, _ in listed]
        option = self.figures.option
        level = {"NIFTY": option.NIFTY_over_vix, "BANKNIFTY": option.BANKNIFTY_over_vix}
        return columns(
            instruments,
            [rows[one.underlying] for one in instruments],
            [self.close_of(date.fromisoformat(one.expiry), one.symbol) for one in instruments],
            [level.get(one.underlying.split(":")[1], 1.0) for one in instruments],
            [table for _, table in listed],
        )

    def _futures(self) -> list[tuple[Instrument, str]]:
        indices = [(index.key, f"{index.symbol}_future") for index in self.universe.index if index.expiries]
        stocks = [(stock.key, "stock_future") for stock in self.universe.stock if stock.future]
        return [
            (self._contract(key, expiry, Kind.FUTURE, 0), table)
            for key, table in indices + stocks
            for expiry in self.expiries(key.split(":")[1], 0, _FUTURES)
        ]

    def _chain(self, place: int, index: Index) -> list[tuple[Instrument, str]]:
        if not index.expiries:
            return []
        monthly = self.expiries(index.symbol, 0, 1)
        listed = sorted({*self.expiries(index.symbol, index.expiries - 1, 0), *monthly})
        return [
            (
                self._contract(index.key, expiry, kind, strike * 100),
                f"{index.symbol}_{'monthly' if expiry in monthly else 'weekly'}",
            )
            for expiry in listed
            for strike in strikes(self.evening.past[:, place].tolist(), index.strike_step, (expiry - self.day).days)
            for kind in (Kind.CALL, Kind.PUT)
        ]

    def _contract(self, underlying: str, expiry: date, kind: Kind, strike: int) -> Instrument:
        base = underlying.split(":")[1]
        row = [stock.key for stock in self.universe.stock] + [index.key for index in self.universe.index]
        spot = int(self.evening.spot[row.index(underlying)])
        return Instrument(
            key=derivative_key(Exchange.NFO, base, expiry.isoformat(), kind, strike),
            exchange=Exchange.NFO,
            symbol=base,
            kind=kind,
            tick=self.rules.tick(self.day, kind, Exchange.NFO, spot, base),
            lot=self.rules.lot(self.day, base) or 1,
            freeze=self.rules.freeze(self.day, base) or 0,
            underlying=underlying,
            expiry=expiry.isoformat(),
            strike=strike,
            series="",
            modelled=True,
        )

    def _priced(self, bare: Contracts) -> list[Instrument]:
        """Return the contracts with the evening's values, and bands at their values a tenth up and down."""
        index, move = np.arange(len(bare.row)), _DERIVATIVE_BAND / 100
        spot = self.evening.spot[bare.row].astype(np.float64)
        worth = [
            values(
                bare,
                index,
                spot * factor,
                self.evening.vix * (1 + abs(factor - 1) * 3),
                self.evening.ts,
                self.figures.option,
            )
            for factor in (1.0, 1 - move, 1 + move)
        ]
        grid = bare.tick
        close = np.maximum(np.rint(worth[0] / grid), 1).astype(np.int64) * grid
        lower = np.maximum(np.minimum(worth[1], worth[2]) // grid, 1).astype(np.int64) * grid
        upper = (np.maximum(worth[1], worth[2]) // grid).astype(np.int64) * grid + grid
        figures = zip(bare.instruments, close.tolist(), lower.tolist(), upper.tolist(), strict=True)
        return [msgspec.structs.replace(one, previous_close=c, lower=low, upper=high) for one, c, low, high in figures]
