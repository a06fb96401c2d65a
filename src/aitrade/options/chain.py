"""An option chain at a moment, with the forward, volatilities and Greeks that its own quotes imply."""

import math
from collections.abc import Sequence
from itertools import groupby

import msgspec
import numpy as np

from aitrade.core.clock import DAY
from aitrade.core.instruments import Instrument, Kind
from aitrade.options.pricing import greeks, implied_volatility

_YEAR = 365 * DAY
_PARITY_STRIKES = 5
"""Strikes nearest to the money whose put-call parity gives the forward."""
_RATE_LIMIT = 0.25
"""A yearly rate beyond which a forward says more about stale quotes than about interest."""


class OptionQuote(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one option; prices in paise, 0 where there is none; volume and open interest in units."""

    instrument: Instrument
    last: int
    bid: int = 0
    ask: int = 0
    volume: int = 0
    oi: int = 0
    oi_change: int = 0
    modelled: bool = False

    @property
    def middle(self) -> float:
        """Halfway between bid and ask, or the last price where one of them is missing, paise."""
        return (self.bid + self.ask) / 2 if self.bid and self.ask else float(self.last)


class ChainRow(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a strike; prices in paise, `iv` in percent (0: none can be told).

    Greeks are per unit of quantity, in rupees: delta, gamma per rupee of the underlying, theta a calendar day, vega a
    percentage point.
    """

    key: str
    last: int
    bid: int
    ask: int
    volume: int
    oi: int
    oi_change: int
    iv: float
    delta: float
    gamma: float
    theta: float
    vega: float
    modelled: bool


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """A strike (paise) with its call and put."""

    strike: int
    call: ChainRow | None
    put: ChainRow | None


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """One expiry's chain; `spot` and `forward` in paise, `ts` in ns UTC."""

    underlying: str
    expiry: str
    expiries: list[str]
    spot: int
    forward: int
    lot: int
    ts: int
    strikes: list[Strike]
    modelled: bool

    @property
    def at_the_money(self) -> int:
        """The strike nearest to the forward, paise."""
        return min((row.strike for row in self.strikes), key=lambda strike: abs(strike - self.forward))


Pair = tuple[int, OptionQuote | None, OptionQuote | None]
"""A strike with the quotes of its call and put."""


def _pairs(quotes: Sequence[OptionQuote]) -> list[Pair]:
    ordered = sorted(quotes, key=lambda quote: quote.instrument.strike)
    pairs: list[Pair] = []
    for strike, found in groupby(ordered, key=lambda quote: quote.instrument.strike):
        sides = {quote.instrument.kind: quote for quote in found}
        pairs.append((strike, sides.get(Kind.CALL), sides.get(Kind.PUT)))
    return pairs


def forward_of(spot: int, quotes: Sequence[OptionQuote]) -> float:
    """Return the forward in paise that put-call parity says near the money; `spot` where no strike has both sides.

    Undiscounted: strike + call - put, exact for the short lives of listed options to a few hundredths of a percent.
    """
    both = [
        (strike, call.middle - put.middle)
        for strike, call, put in _pairs(quotes)
        if call and put and call.middle and put.middle
    ]
    near = sorted(both, key=lambda pair: abs(pair[0] - spot))[:_PARITY_STRIKES]
    return float(np.median([strike + difference for strike, difference in near])) if near else float(spot)


def build_chain(
    underlying: str,
    expiries: Sequence[str],
    spot: int,
    quotes: Sequence[OptionQuote],
    ts: int,
    ends: int,
    *,
    around: int = 20,
) -> Chain:
    """Return the chain of the quotes' one expiry, which stops trading at `ends`, as at `ts` (ns UTC).

    Volatility and Greeks are told for `around` strikes on each side of the money. A strike has one volatility: that of
    its out-of-the-money side, whose premium is all time value. Raises ValueError without quotes.
    """
    if not quotes:
        raise ValueError("A chain needs at least one quote.")
    first, forward, years = quotes[0].instrument, forward_of(spot, quotes), max(ends - ts, 0) / _YEAR
    pairs = _pairs(quotes)
    centre = min(range(len(pairs)), key=lambda place: abs(pairs[place][0] - forward))
    near = pairs[max(centre - around, 0) : centre + around + 1]
    rows = _near_rows(near, spot, forward, years)
    return Chain(
        underlying=underlying,
        expiry=first.expiry,
        expiries=list(expiries),
        spot=spot,
        forward=round(forward),
        lot=first.lot,
        ts=ts,
        strikes=[Strike(strike=strike, call=_row(call, rows), put=_row(put, rows)) for strike, call, put in pairs],
        modelled=any(quote.modelled for quote in quotes),
    )


Figures = tuple[float, float, float, float, float]
"""iv, delta, gamma, theta, vega."""


def _rate(spot: int, forward: float, years: float) -> float:
    rate = math.log(forward / spot) / years if years * 365 >= 1 and spot else 0.0
    return rate if abs(rate) <= _RATE_LIMIT else 0.0


def _near_rows(pairs: Sequence[Pair], spot: int, forward: float, years: float) -> dict[str, Figures]:
    """Return figures by key, computed for all strikes at once, in rupees."""
    chosen = [(strike, _outside(strike, forward, call, put)) for strike, call, put in pairs]
    strike = np.array([strike for strike, _ in chosen], float) / 100
    middle = np.array([quote.middle for _, quote in chosen]) / 100
    call = np.array([quote.instrument.kind is Kind.CALL for _, quote in chosen])
    rate, money = _rate(spot, forward, years), forward / 100
    volatility = implied_volatility(middle, money, strike, years, call, rate)
    figures: dict[str, Figures] = {}
    for side in (1, 2):
        told = greeks(money, strike, years, np.nan_to_num(volatility), side == 1, rate)
        table = np.stack([volatility * 100, told.delta, told.gamma, told.theta, told.vega], axis=1).round(6)
        figures |= {
            pair[side].instrument.key: tuple(row) for pair, row in zip(pairs, table.tolist(), strict=True) if pair[side]
        }
    return {key: row for key, row in figures.items() if not math.isnan(row[0])}


def _outside(strike: int, forward: float, call: OptionQuote | None, put: OptionQuote | None) -> OptionQuote:
    wanted, other = (call, put) if strike >= forward else (put, call)
    chosen = wanted if wanted and wanted.middle else other or wanted
    assert chosen is not None
    return chosen


def _row(quote: OptionQuote | None, rows: dict[str, Figures]) -> ChainRow | None:
    if quote is None:
        return None
    iv, delta, gamma, theta, vega = rows.get(quote.instrument.key, (0.0,) * 5)
    return ChainRow(
        key=quote.instrument.key,
        last=quote.last,
        bid=quote.bid,
        ask=quote.ask,
        volume=quote.volume,
        oi=quote.oi,
        oi_change=quote.oi_change,
        iv=iv,
        delta=delta,
        gamma=gamma,
        theta=theta,
        vega=vega,
        modelled=quote.modelled,
    )
