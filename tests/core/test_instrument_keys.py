"""A derivative's key says its terms."""

from datetime import date

import hypothesis.strategies as st
from hypothesis import given

from aitrade.core.instruments import Exchange, Kind, derivative_key, derivative_terms


@given(
    st.sampled_from([Exchange.NFO, Exchange.BFO, Exchange.MCX]),
    st.sampled_from(["NIFTY", "NIFTYNXT50", "SENSEX50", "M&M", "BAJAJ-AUTO", "360ONE"]),
    st.dates(min_value=date(2020, 1, 1), max_value=date(2039, 12, 31)),
    st.sampled_from([Kind.FUTURE, Kind.CALL, Kind.PUT]),
    st.integers(1, 10**7),
)
def test_a_key_is_read_back(exchange, base, expiry, kind, strike):
    """`derivative_terms` is `derivative_key` backwards, digits in the name or none."""
    strike = 0 if kind is Kind.FUTURE else strike
    key = derivative_key(exchange, base, expiry.isoformat(), kind, strike)
    assert derivative_terms(key) == (exchange, base, expiry.isoformat(), kind, strike)


def test_other_keys_say_nothing():
    """A share, an index and a month that there is not have no terms."""
    for key in ("NSE:RELIANCE", "NSE:NIFTY", "NFO:NIFTY27MOO25FUT", "NFO:NIFTY"):
        assert derivative_terms(key) is None
