"""What contracts trade and hold over a day, minute by minute."""

import msgspec
import numpy as np

from aitrade.market.draws import Floats, Ints, normal, uniform
from aitrade.market.simulated.contracts import Contracts
from aitrade.market.simulated.day import volume_share
from aitrade.market.simulated.universe import Calibration


class Turnover(msgspec.Struct, frozen=True):
    """By (contract, minute of the timeline)."""

    lots: Ints
    volume: Ints
    """Units traded before each minute."""
    oi: Ints
    """Units open at each minute's start, and at the end of the last."""


class Evenings(msgspec.Struct, frozen=True):
    """Open interest in units on the evening before and on the day's own; (contracts, minutes) lots of such a day."""

    before: Ints
    after: Ints
    lots: Floats


def turnover(
    contracts: Contracts, held: Evenings, own: Ints, minutes: int, ordinal: int, figures: Calibration, seed: int
) -> Turnover:
    """Return the day's turnover: lots by the U shape over the minutes `own` of `minutes`, open interest with them."""
    share, noise, place = volume_share(figures, len(own)), figures.minute.volume_noise, np.arange(len(own))
    named = contracts.word[:, None]
    lively = np.exp(noise * normal(seed, named, ordinal, place, "lots") - noise**2 / 2)
    odd = uniform(seed, named, ordinal, place, "odd lot")
    lots = np.zeros((len(held.lots), minutes), np.int64)
    lots[:, own] = np.floor(held.lots * share * lively + odd).astype(np.int64)
    until = np.cumsum(lots, axis=1)
    before = np.concatenate([np.zeros((len(lots), 1), np.int64), until], axis=1)
    lot = contracts.lot[:, None]
    change = (held.after - held.before)[:, None] / lot * before / np.maximum(until[:, -1:], 1)
    return Turnover(lots, before[:, :-1] * lot, held.before[:, None] + np.rint(change).astype(np.int64) * lot)
