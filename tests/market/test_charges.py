"""Tests for `market.charges`: golden round trips and what has to hold for every leg."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.errors import Refused
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.orders import Product, Side
from aitrade.market.charges import ChargeBook

BOOK = ChargeBook.load()
NOW = date(2026, 9, 1)
THEN = date(2025, 3, 28)


def instrument(exchange: str, kind: Kind) -> Instrument:
    """A row of a master, as bare as charges need it."""
    return Instrument(key=f"{exchange}:X", exchange=Exchange(exchange), symbol="X", kind=kind)


def round_trip(exchange, what, buy, sell, quantity, day):
    """Components and total of buying and selling, in rupees."""
    kind = {"futures": Kind.FUTURE, "options": Kind.CALL}.get(what, Kind.EQUITY)
    product = {"delivery": Product.CNC, "intraday": Product.MIS}.get(what, Product.NRML)
    rates = BOOK.rates(day, instrument(exchange, kind), product)
    legs = [rates.leg(Side.BUY, buy * 100 * quantity, quantity), rates.leg(Side.SELL, sell * 100 * quantity, quantity)]
    names = ("brokerage", "stt", "transaction", "sebi", "ipft", "stamp", "gst", "dp", "total")
    return {name: sum(getattr(leg, name) for leg in legs) / 100 for name in names}


@pytest.mark.parametrize(
    ("exchange", "what", "buy", "sell", "quantity", "components", "total"),
    [
        ("NSE", "intraday", 1500, 1510, 100, (40, 37.75, 9.24, 0.30, 0, 4.50, 8.92, 0), 100.71),
        ("NSE", "delivery", 1000, 1100, 400, (0, 840, 25.79, 0.84, 0, 60, 4.79, 15.34), 946.76),
        ("BSE", "delivery", 1000, 1100, 400, (0, 840, 31.50, 0.84, 0, 60, 5.82, 15.34), 953.50),
        ("NFO", "futures", 25000, 25100, 65, (40, 815.75, 59.59, 3.26, 0, 32.50, 18.52, 0), 969.62),
        ("NFO", "options", 120, 121, 65, (40, 11.80, 5.56, 0.02, 0, 0.23, 8.20, 0), 65.81),
        ("NFO", "options", 200, 150, 65, (40, 14.63, 8.08, 0.02, 0, 0.39, 8.66, 0), 71.78),
        ("BFO", "options", 300, 350, 20, (40, 10.50, 4.23, 0.02, 0.07, 0.18, 7.98, 0), 62.98),
        ("BFO", "futures", 82000, 82100, 20, (40, 821, 0, 3.28, 1.64, 32.80, 8.08, 0), 906.80),
    ],
)
def test_golden_round_trips(exchange, what, buy, sell, quantity, components, total):
    """The eight published round trips come out to the paisa, component by component."""
    got = round_trip(exchange, what, buy, sell, quantity, NOW)
    assert tuple(got.values())[:-1] == components
    assert got["total"] == total


def test_a_round_trip_of_march_2025_on_the_rates_of_then():
    """65 NIFTY options 120 to 121: 0.1 % tax on 7,865 and 35.03 a lakh of premium, worked by hand.

    Tax 7.865 -> 7.87; transaction 7800 x 0.0003503 = 2.73234 -> 2.73 and 7865 x 0.0003503 = 2.7551 -> 2.76; GST
    18 % of (20 + 2.73234 + 0.0078 + 0.0000078) = 4.0932 -> 4.09 and of (20 + 2.7551 + 0.007865) = 4.0973 -> 4.10.
    """
    got = round_trip("NFO", "options", 120, 121, 65, THEN)
    assert (got["stt"], got["transaction"], got["gst"], got["total"]) == (7.87, 5.49, 8.19, 61.80)


def test_intraday_brokerage_is_the_lesser():
    """0.03 % below 66,667 rupees of value, 20 rupees above."""
    small, large = (round_trip("NSE", "intraday", price, price, 100, NOW)["brokerage"] for price in (100, 1000))
    assert (small, large) == (6, 40)


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_leg_never_costs_less_for_more_value(one, two):
    """Charges grow with value, and no component is negative."""
    rates = BOOK.rates(NOW, instrument("NSE", Kind.EQUITY), Product.MIS)
    small, large = (rates.leg(Side.SELL, value, 1) for value in sorted((one, two)))
    assert 0 <= small.total <= large.total


def test_exercise_tax():
    """0.15 % of the intrinsic value since April 2026, 0.125 % before."""
    option = instrument("NFO", Kind.CALL)
    assert BOOK.rates(NOW, option, Product.NRML).exercise(10_000_00).total == 1500
    assert BOOK.rates(THEN, option, Product.NRML).exercise(10_000_00).total == 1250


def test_an_unknown_plan_is_refused():
    """The refusal names the plans that there are."""
    with pytest.raises(Refused, match="zerodha"):
        BOOK.rates(NOW, instrument("NSE", Kind.EQUITY), Product.MIS, plan="free lunch")
