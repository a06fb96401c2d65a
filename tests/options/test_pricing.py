"""Black-76: identities that hold for every option, and known values."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aitrade.options.pricing import greeks, implied_volatility, price

forwards = st.floats(10, 100_000)
ratios = st.floats(0.5, 2.0)
lives = st.floats(1 / 365 / 400, 3.0)
volatilities = st.floats(0.02, 2.0)
rates = st.floats(0.0, 0.2)


@given(forwards, ratios, lives, volatilities, rates)
def test_call_less_put_is_the_discounted_forward_less_strike(forward, ratio, years, volatility, rate):
    """Put-call parity."""
    strike = forward * ratio
    call, put = (price(forward, strike, years, volatility, side, rate) for side in (True, False))
    assert call - put == pytest.approx(math.exp(-rate * years) * (forward - strike), abs=1e-9 * forward)


@given(forwards, ratios, lives, volatilities, rates, st.booleans())
def test_a_premium_lies_between_its_bounds(forward, ratio, years, volatility, rate, call):
    """No premium is below the discounted intrinsic value or above the discounted forward or strike."""
    strike, discount = forward * ratio, math.exp(-rate * years)
    worth = float(price(forward, strike, years, volatility, call, rate))
    inside = max(forward - strike, 0) if call else max(strike - forward, 0)
    assert discount * inside <= worth * (1 + 1e-12)
    assert worth <= discount * (forward if call else strike) * (1 + 1e-12)


@given(forwards, ratios, lives, volatilities, rates)
def test_implied_volatility_is_the_inverse_of_the_premium(forward, ratio, years, volatility, rate):
    """For every premium that holds any time value, the volatility comes back to eight digits."""
    strike = forward * ratio
    call = strike >= forward
    worth = price(forward, strike, years, volatility, call, rate)
    assume(1e-12 < worth / forward * math.exp(rate * years) < 0.9 * min(1.0, ratio))
    assert float(implied_volatility(worth, forward, strike, years, call, rate)) == pytest.approx(volatility, rel=1e-8)


@given(forwards, st.floats(0.9, 1.1), st.floats(0.01, 2), st.floats(0.05, 1.0), rates, st.booleans())
def test_both_sides_of_a_strike_imply_the_same_volatility(forward, ratio, years, volatility, rate, call):
    """In or out of the money, by parity, as far as the premium's digits reach."""
    strike = forward * ratio
    outside = float(price(forward, strike, years, volatility, strike >= forward, rate))
    assume(outside / forward > 1e-6)
    worth = price(forward, strike, years, volatility, call, rate)
    assert float(implied_volatility(worth, forward, strike, years, call, rate)) == pytest.approx(volatility, rel=1e-6)


@pytest.mark.parametrize(
    ("premium", "years", "call"),
    [
        (0.0, 0.1, True),
        (50.0, 0.1, True),
        (40.0, 0.1, True),
        (1000.0, 0.1, True),
        (5.0, 0.0, False),
        (951.0, 0.1, False),
    ],
)
def test_a_premium_that_no_volatility_gives_is_nan(premium, years, call):
    """At or below intrinsic value, at or above the bound, and after expiry there is no volatility."""
    assert math.isnan(float(implied_volatility(premium, 1000.0, 950.0, years, call)))


def test_arrays_hold_many_options_at_once():
    """Arguments broadcast; one impossible premium does not spoil the others."""
    strikes = np.array([90.0, 100.0, 110.0])
    worth = price(100.0, strikes, 0.25, 0.2, strikes >= 100)
    worth[0] = -1.0
    assert np.isnan(implied_volatility(worth, 100.0, strikes, 0.25, strikes >= 100)).tolist() == [True, False, False]


def test_a_known_value():
    """At the money the premium is the textbook's F (2 N(s sqrt(T) / 2) - 1)."""
    assert float(price(100.0, 100.0, 1.0, 0.2, True)) == pytest.approx(7.965567455405804, rel=1e-12)


@given(forwards, st.floats(0.8, 1.25), st.floats(0.02, 2), st.floats(0.05, 1.0), rates, st.booleans())
def test_greeks_are_the_slopes_of_the_premium(forward, ratio, years, volatility, rate, call):
    """Each Greek is the derivative that it names, with the underlying's price held where time passes."""
    strike, spot = forward * ratio, forward * math.exp(-rate * years)

    def worth(spot_, years_, volatility_):
        return float(price(spot_ * math.exp(rate * years_), strike, years_, volatility_, call, rate))

    told = greeks(forward, strike, years, volatility, call, rate)
    step, scale = spot * 1e-4, forward
    delta = (worth(spot + step, years, volatility) - worth(spot - step, years, volatility)) / (2 * step)
    vega = (worth(spot, years, volatility + 1e-4) - worth(spot, years, volatility - 1e-4)) / 2e-4 / 100
    day = 1e-4 * years
    theta = (worth(spot, years - day, volatility) - worth(spot, years + day, volatility)) / (2 * day) / 365
    higher, lower = (
        greeks(forward * factor, strike, years, volatility, call, rate).delta for factor in (1 + 1e-4, 1 - 1e-4)
    )
    assert float(told.delta) == pytest.approx(delta, abs=1e-4)
    assert float(told.vega) == pytest.approx(vega, abs=1e-6 * scale)
    assert float(told.theta) == pytest.approx(theta, rel=1e-3, abs=1e-6 * scale)
    assert float(told.gamma) * spot == pytest.approx(float(higher - lower) / 2e-4, rel=1e-3, abs=1e-3)


def test_greeks_at_expiry_are_what_is_left():
    """An option that expires is the underlying or nothing."""
    told = greeks(100.0, np.array([90.0, 110.0]), 0.0, 0.2, np.array([True, True]))
    assert told.delta.tolist() == [1.0, 0.0]
    assert [float(np.abs(part).sum()) for part in (told.gamma, told.theta, told.vega)] == [0.0, 0.0, 0.0]
