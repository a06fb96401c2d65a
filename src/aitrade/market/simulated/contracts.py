"""Futures and options of a simulated day: which are listed, and how much of each is held and traded."""

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np

from aitrade.core.clock import DAY
from aitrade.core.instruments import Instrument, Kind
from aitrade.market.draws import Floats, Ints, normal, word
from aitrade.market.premium import premium
from aitrade.market.simulated.universe import OptionFigures

YEAR = 365 * DAY
_SIDE = 16
"""Strikes listed on each side of every close since the expiry came near: 33 at the least."""
_FINE_DAYS = 10
"""Days to expiry below which strikes stand at every step; before that at every second one."""
_HELD_NOISE = 0.4
_DAY_NOISE = 0.05
"""Deviations of log open interest: between contracts, and from a contract's evening to the next; chosen, not fitted."""


class Contracts(msgspec.Struct, frozen=True):
    """Contracts as columns; futures have strike 0."""

    instruments: list[Instrument]
    word: np.ndarray
    row: Ints
    """Row of the underlying among the day's rows."""
    strike: Ints
    call: np.ndarray
    option: np.ndarray
    ends: Ints
    """When it expires, ns UTC."""
    lot: Ints
    tick: Ints
    over_vix: Floats
    """Volatility at the money over India VIX."""
    step: Ints
    """Paise between its neighbours' strikes; 0 for futures."""
    table: list[str]
    """Which table of sizes it counts in."""


def strikes(closes: Sequence[float], step: int, days_left: int) -> list[int]:
    """Return strikes in points around all `closes` (points): what was listed once stays listed."""
    wide = step if days_left < _FINE_DAYS else 2 * step
    low = round(min(closes) / wide) - _SIDE
    high = round(max(closes) / wide) + _SIDE
    return [strike * wide for strike in range(low, high + 1)]


def columns(
    instruments: list[Instrument], rows: list[int], ends: list[int], over_vix: list[float], tables: list[str]
) -> Contracts:
    """Return contracts as columns."""
    step = {(one.underlying, one.expiry): 0 for one in instruments}
    for one, other in zip(instruments, instruments[2:], strict=False):
        if one.is_option and other.expiry == one.expiry and other.underlying == one.underlying:
            step[one.underlying, one.expiry] = other.strike - one.strike
    return Contracts(
        instruments,
        np.array([word(one.key) for one in instruments], np.uint64),
        np.array(rows, np.int64),
        np.array([one.strike for one in instruments], np.int64),
        np.array([one.kind is Kind.CALL for one in instruments]),
        np.array([one.is_option for one in instruments]),
        np.array(ends, np.int64),
        np.array([one.lot for one in instruments], np.int64),
        np.array([one.tick for one in instruments], np.int64),
        np.array(over_vix),
        np.array([step[one.underlying, one.expiry] if one.is_option else 0 for one in instruments], np.int64),
        tables,
    )


def only(contracts: Contracts, place: int) -> Contracts:
    """Return one contract alone."""
    fields = (getattr(contracts, name) for name in Contracts.__struct_fields__)
    return Contracts(*(field[place : place + 1] for field in fields))


def years(contracts: Contracts, index: Ints, ts: Ints | int) -> Floats:
    """Return years from `ts` to the expiry of the contracts at `index`."""
    return np.maximum(contracts.ends[index] - ts, 0) / YEAR


def moneyness(contracts: Contracts, index: Ints, forward: Floats, left: Floats, vix: Floats | float) -> Floats:
    """Return ln(strike / forward) in deviations to expiry; 0 for futures."""
    level = contracts.over_vix[index] * vix / 100 * np.sqrt(np.maximum(left, 1e-6))
    return np.where(contracts.option[index], np.log(np.maximum(contracts.strike[index], 1) / forward) / level, 0.0)


def volatility(figures: OptionFigures, at_money: Floats, x: Floats) -> Floats:
    """Return the smile: volatility at `x` deviations from the money, flat beyond four."""
    bent = np.clip(x, -4.0, 4.0)
    return at_money * (1 + figures.skew * bent + figures.curvature * bent**2)


def values(
    contracts: Contracts, index: Ints, spot: Floats, vix: Floats | float, ts: Ints | int, figures: OptionFigures
) -> Floats:
    """Return fair values in paise of the contracts at `index`, off `spot` (paise) and India VIX (points) at `ts`."""
    left = years(contracts, index, ts)
    forward = spot * np.exp(figures.carry * left)
    x = moneyness(contracts, index, forward, left, vix)
    bent = volatility(figures, contracts.over_vix[index] * vix / 100, x)
    worth = premium(forward, np.maximum(contracts.strike[index], 1), left, bent, contracts.call[index], figures.carry)
    return np.where(contracts.option[index], worth, forward)


def sizes(
    contracts: Contracts,
    evening: date,
    spot: Floats,
    vix: float,
    ts: int,
    figures: OptionFigures,
    table: dict[str, list[tuple[int, float, float]]],
    seed: int,
) -> tuple[Ints, Ints]:
    """Return open interest (units) on `evening`, and the lots that a day like it trades.

    What an expiry holds goes by its days to expiry, and lies over the strikes as in the fitted profile.
    """
    everything = np.arange(len(contracts.row))
    left = [(date.fromisoformat(one.expiry) - evening).days for one in contracts.instruments]
    total = np.array([_total(table[name], days) for name, days in zip(contracts.table, left, strict=True)]).reshape(
        -1, 2
    )
    x = moneyness(contracts, everything, spot, years(contracts, everything, ts), vix)
    width = _width(contracts, spot, years(contracts, everything, ts), vix)
    sides = [
        _profile(figures.moneyness, figures.oi_CE, figures.oi_PE, x, contracts),
        _profile(figures.moneyness, figures.volume_CE, figures.volume_PE, x, contracts),
    ]
    noise = _HELD_NOISE * normal(seed, contracts.word, "held") + _DAY_NOISE * normal(
        seed, contracts.word, evening.toordinal(), "held"
    )
    lots = [
        np.maximum(total[:, column] * np.where(contracts.option, sides[column] * width, 1.0) * np.exp(noise), 1)
        for column in (0, 1)
    ]
    return lots[0].astype(np.int64) * contracts.lot, lots[1].astype(np.int64)


def _total(table: list[tuple[int, float, float]], days: int) -> tuple[float, float]:
    """Return (OI lots, traded lots) of an expiry, between the table's rows by the logarithm."""
    at = [row[0] for row in table]
    held, traded = (np.exp(np.interp(days, at, np.log([row[column] for row in table]))) for column in (1, 2))
    return float(held), float(traded)


def _width(contracts: Contracts, spot: Floats, left: Floats, vix: float) -> Floats:
    """Return the share of the profile's half-deviation bin that a strike covers."""
    return contracts.step / spot / (contracts.over_vix * vix / 100 * np.sqrt(np.maximum(left, 1e-3))) / 0.5


def _profile(at: list[float], call: list[float], put: list[float], x: Floats, contracts: Contracts) -> Floats:
    return np.where(contracts.call, np.interp(x, at, call), np.interp(x, at, put))
