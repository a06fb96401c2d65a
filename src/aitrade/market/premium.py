"""The Black-76 premium: what a European option on a forward is worth.

F. Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976). Here the premium is paid up
front: premium = exp(-rate T) (F N(d1) - K N(d2)) for a call, with d1 = (ln(F/K) + s²T/2) / (s sqrt T), d2 = d1 - s
sqrt T.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_erfc = np.frompyfunc(math.erfc, 1, 1)


def cumulative(x: Floats) -> Floats:
    """Return the standard normal distribution at `x`, exact to the last bits in both tails."""
    return 0.5 * np.asarray(_erfc(-x / math.sqrt(2.0)), np.float64)


def premium(forward: Any, strike: Any, years: Any, volatility: Any, call: Any, rate: float = 0.0) -> Floats:
    """Return premiums in the unit of `forward` and `strike`; arguments are numbers or arrays that broadcast.

    `years` to expiry, `volatility` and `rate` per year as fractions, `call` true for calls. At expiry, or without
    volatility, it is the discounted intrinsic value.
    """
    forward, strike, deviation = np.broadcast_arrays(forward, strike, volatility * np.sqrt(np.maximum(years, 0.0)))
    sign = np.where(call, 1.0, -1.0)
    alive = np.where(deviation > 0, deviation, 1.0)
    d1 = np.log(forward / strike) / alive + alive / 2
    open_value = sign * (forward * cumulative(sign * d1) - strike * cumulative(sign * (d1 - alive)))
    intrinsic = np.maximum(sign * (forward - strike), 0.0)
    return np.exp(-rate * np.maximum(years, 0.0)) * np.where(
        deviation > 0, np.maximum(open_value, intrinsic), intrinsic
    )
