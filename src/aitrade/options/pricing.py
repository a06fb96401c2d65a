"""Black-76: premiums, Greeks and implied volatility, for numbers or arrays that broadcast.

The formula itself is `market.premium`; its source is named there. `forward` and `strike` are in one unit of money,
`years` to expiry, `volatility` and `rate` per year as fractions. The underlying is the forward discounted at `rate`:
with rate 0 they are the same, and a future's option is priced so.
"""

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aitrade.market.premium import cumulative, premium

Floats = npt.NDArray[np.float64]
price = premium
_DAYS = 365
_ROUNDS = 80
_WIDEST = 20.0
"""Deviations to expiry at which a premium no longer differs from its upper bound."""
_CLOSE = 1e-13


class Greeks(msgspec.Struct, frozen=True):
    """Sensitivities of a premium, arrays in the shape of the arguments, in their unit of money.

    `delta` per unit of the underlying's price, `gamma` of delta per the same, `theta` a calendar day, `vega` a
    percentage point of volatility.
    """

    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats


def greeks(forward: Any, strike: Any, years: Any, volatility: Any, call: Any, rate: Any = 0.0) -> Greeks:
    """Return the Greeks of options; at expiry, or without volatility, delta is 0, 1 or -1 and the others are 0."""
    forward, strike, years, deviation, sign, rate = np.broadcast_arrays(
        np.asarray(forward, float),
        strike,
        years,
        volatility * np.sqrt(np.maximum(years, 0)),
        np.where(call, 1.0, -1.0),
        rate,
    )
    alive = deviation > 0
    width, left = np.where(alive, deviation, 1.0), np.where(alive, years, 1.0)
    discount, d1 = np.exp(-rate * left), np.log(forward / strike) / width + width / 2
    spot, density = forward * discount, np.exp(-(d1**2) / 2) / math.sqrt(2 * math.pi)
    expired = np.where(sign * (forward - strike) > 0, sign, 0.0)
    delta = np.where(alive, sign * cumulative(sign * d1), expired)
    gamma = np.where(alive, density / (spot * width), 0.0)
    held = rate * strike * discount * sign * cumulative(sign * (d1 - width))
    theta = np.where(alive, -(spot * density * width / (2 * left) + held) / _DAYS, 0.0)
    vega = np.where(alive, spot * density * np.sqrt(left) / 100, 0.0)
    return Greeks(delta, gamma, theta, vega)


def implied_volatility(premium_: Any, forward: Any, strike: Any, years: Any, call: Any, rate: Any = 0.0) -> Floats:
    """Return the volatility at which Black-76 gives `premium_`; NaN where none does.

    None does at or below the discounted intrinsic value, at or above the discounted forward (call) or strike (put),
    and after expiry. It looks at the out-of-the-money side, by put-call parity, and takes Newton's steps on the
    logarithm of the premium, kept inside a bracket that only shrinks.
    """
    given, forward, strike, years, sign, rate = np.broadcast_arrays(
        np.asarray(premium_, float), forward, strike, years, np.where(call, 1.0, -1.0), rate
    )
    outside = np.where(forward >= strike, -1.0, 1.0)
    value = given * np.exp(rate * np.maximum(years, 0)) - np.where(sign == outside, 0.0, sign * (forward - strike))
    possible = (years > 0) & (value > 0) & (value < np.minimum(forward, strike))
    safe = [np.where(possible, array, 1.0) for array in (value, forward, strike, years)]
    found = _search(safe[0] / safe[1], safe[2] / safe[1], outside, ~possible)
    return np.where(possible, found / np.sqrt(safe[3]), np.nan)


def _search(value: Floats, strike: Floats, outside: Floats, done: npt.NDArray[np.bool_]) -> Floats:
    """Return the deviation to expiry at which an option on a forward of 1 is worth `value`."""
    low, high = np.full(value.shape, 1e-9), np.full(value.shape, _WIDEST)
    guess = np.clip(np.sqrt(2 * np.abs(np.log(strike))), 0.01, 5.0)
    for _ in range(_ROUNDS):
        worth = np.maximum(premium(1.0, strike, 1.0, guess, outside > 0), 1e-300)
        low, high = np.where(worth < value, guess, low), np.where(worth < value, high, guess)
        slope = np.exp(-((np.log(1 / strike) / guess + guess / 2) ** 2) / 2) / math.sqrt(2 * math.pi)
        step = np.log(value / worth) * worth / np.maximum(slope, 1e-300)
        following = np.where((guess + step > low) & (guess + step < high), guess + step, (low + high) / 2)
        done = done | (np.abs(following - guess) <= _CLOSE * guess)
        guess = following
        if done.all():
            break
    return guess
