"""Futures and options of a simulated day: which are listed, and how much of each is held and traded."""

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np

from aitrade.core.clock import DAY
from aitrade.core.instruments import Instrument, Kind
from aitrade.market.draws import Floats, Ints, normal, word
from aitrade.market.premium import premium
from aitrade.market.simulated.universe import Calibration, OptionFigures

YEAR = 365 * DAY
_SIDE = 16
"""Strikes listed on each side of every close since the expiry came near: 33 at the least."""
_FINE_DAYS = 10
"""Days to expiry below which strikes stand at every step; before that at every second one."""
_LEAST = 1 / 365
"""Years to expiry below which a profile narrows no more: the last day's lies as wide as that of a day before."""
_HELD_NOISE = 0.15
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


def with_evening(contracts: Contracts, oi: Ints) -> list[Instrument]:
    """Return the instruments with the open interest of the evening before, units by contract."""
    pairs = zip(contracts.instruments, oi.tolist(), strict=True)
    return [msgspec.structs.replace(one, previous_oi=units) for one, units in pairs]


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


def held(
    contracts: Contracts, evening: date, spot: Floats, vix: float, ts: int, figures: Calibration, seed: int
) -> Ints:
    """Return open interest (units) on `evening`: an expiry's by its days to expiry, laid over the strikes as fitted."""
    option = figures.option
    lots = _laid(
        contracts, evening, (spot[:, None], np.array([vix]), np.array([ts])), figures, (0, option.oi_CE, option.oi_PE)
    )
    noise = _noise(contracts, evening, seed)
    return np.maximum(lots[:, 0] * noise, 1).astype(np.int64) * contracts.lot


def traded(
    contracts: Contracts, day: date, market: tuple[Floats, Floats, Ints], figures: Calibration, seed: int
) -> Floats:
    """Return (contracts, minutes) lots that `day` would trade if every minute of it were like this one.

    `market` is spot by contract and minute (paise), India VIX by minute (points) and the minutes' starts (ns UTC): what
    trades lies around the money of the minute, wherever the day has taken it.
    """
    option = figures.option
    lots = _laid(contracts, day, market, figures, (1, option.volume_CE, option.volume_PE))
    return np.maximum(lots * _noise(contracts, day, seed)[:, None], 1.0)


def _noise(contracts: Contracts, day: date, seed: int) -> Floats:
    alike = _HELD_NOISE * normal(seed, contracts.word, "held")
    return np.exp(alike + _DAY_NOISE * normal(seed, contracts.word, day.toordinal(), "held"))


def _laid(
    contracts: Contracts,
    day: date,
    market: tuple[Floats, Floats, Ints],
    figures: Calibration,
    sides: tuple[int, list[float], list[float]],
) -> Floats:
    """Return (contracts, minutes) lots: the size table's total, laid over the strikes by the profile of the sides."""
    spot, vix, ts = market
    column, call, put = sides
    everything = np.arange(len(contracts.row))[:, None]
    left = np.maximum(years(contracts, everything, ts), _LEAST)
    x = moneyness(contracts, everything, spot, left, vix)
    profile = np.where(
        contracts.call[:, None],
        np.interp(x, figures.option.moneyness, call),
        np.interp(x, figures.option.moneyness, put),
    )
    total = [
        _total(figures.size[name], (date.fromisoformat(one.expiry) - day).days, column)
        for name, one in zip(contracts.table, contracts.instruments, strict=True)
    ]
    share = np.where(contracts.option[:, None], profile * _width(contracts, spot, left, vix), 1.0)
    return np.array(total).reshape(-1, 1) * share


def _total(table: list[tuple[int, float, float]], days: int, column: int) -> float:
    """Return the lots of OI (0) or traded (1) of an expiry, between the table's rows by the logarithm."""
    return float(np.exp(np.interp(days, [row[0] for row in table], np.log([row[1 + column] for row in table]))))


def _width(contracts: Contracts, spot: Floats, left: Floats, vix: Floats) -> Floats:
    """Return the share of the profile's half-deviation bin that a strike covers."""
    return contracts.step[:, None] / spot / (contracts.over_vix[:, None] * vix / 100 * np.sqrt(left)) / 0.5
