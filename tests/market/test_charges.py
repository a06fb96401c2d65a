"""Tests for `market.charges`: golden round trips and what has to hold for every leg."""

from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import floor

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
    base = {"NFO": "NSE:NIFTY", "BFO": "BSE:SENSEX", "MCX": "MCX:CRUDEOIL"}.get(exchange, "")
    return Instrument(key=f"{exchange}:X", exchange=Exchange(exchange), symbol="X", kind=kind, underlying=base)


TRADED = {
    "delivery": (instrument("NSE", Kind.EQUITY), Product.CNC),
    "intraday": (instrument("NSE", Kind.EQUITY), Product.MIS),
    "futures": (instrument("NFO", Kind.FUTURE), Product.NRML),
    "options": (instrument("NFO", Kind.PUT), Product.NRML),
}
PUBLISHED = {
    "delivery": ("0", "0.1", "0.1", "0.0030699", "0.015"),
    "intraday": ("0.03", "0", "0.025", "0.0030699", "0.003"),
    "futures": ("0.03", "0", "0.05", "0.0018299", "0.002"),
    "options": ("100", "0", "0.15", "0.0355299", "0.003"),
}
"""Percent: brokerage, tax of a buyer and of a seller, transaction charge, stamp duty of a buyer."""


def exactly(what: str, side: Side, value: int) -> dict[str, Fraction]:
    """The components of a leg as fractions of a paisa, from the percentages as they are published."""
    share, tax_bought, tax_sold, transaction, stamp = (Fraction(one) / 100 * value for one in PUBLISHED[what])
    parts = {
        "brokerage": min(share, Fraction(2000)),
        "transaction": transaction,
        "sebi": Fraction(value, 10**6),
        "ipft": Fraction(value, 10**9),
    }
    if what == "options":
        parts["brokerage"] = Fraction(2000)
    gst = sum(parts.values()) * Fraction(18, 100)
    tax = tax_bought if side is Side.BUY else tax_sold
    return parts | {"stt": tax, "stamp": stamp if side is Side.BUY else Fraction(0), "gst": gst}


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


def test_a_delivery_of_march_2025_on_the_rates_of_then():
    """100 shares 1280 to 1290, worked by hand: tax 0.1 % both ways, 2.97 a lakh, stamp duty, one depository fee.

    Transaction 128000 x 0.0000297 = 3.8016 -> 3.80 and 129000 x 0.0000297 = 3.8313 -> 3.83; SEBI 0.128 and 0.129, 0.13
    each; GST 18 % of 3.929728 = 0.7074 -> 0.71 and of 3.960429 = 0.7129 -> 0.71.
    """
    got = round_trip("NSE", "delivery", 1280, 1290, 100, THEN)
    assert list(got.values()) == [0, 257, 7.63, 0.26, 0, 19.20, 1.42, 15.34, 300.85]


@pytest.mark.parametrize(
    ("series", "transaction"),
    [("A", 3750), ("B", 3750), ("X", 100_000), ("XT", 100_000), ("Z", 100_000), ("P", 1_000_000)],
)
def test_bse_charges_by_group(series, transaction):
    """A lakh of rupees: 3.75 in the large groups, 100 and 1,000 in the exclusive and physical ones."""
    share = Instrument(key="BSE:X", exchange=Exchange.BSE, symbol="X", kind=Kind.EQUITY, series=series)
    assert BOOK.rates(NOW, share, Product.CNC).leg(Side.BUY, 10_000_000, 1).transaction == transaction // 10


def test_mcx_futures():
    """One lot of crude oil at 7,946: 0.01 % commodities tax for the seller, 2.1 a lakh, stamp duty for the buyer."""
    got = round_trip("MCX", "futures", 7946, 7946, 100, NOW)
    assert (got["stt"], got["transaction"], got["stamp"], got["ipft"]) == (79.46, 33.38, 15.89, 0)


def test_the_day_that_new_rates_begin():
    """Transaction charges change on 2026-03-01, taxes on 2026-04-01."""
    legs = [
        BOOK.rates(date.fromisoformat(day), instrument("NFO", Kind.FUTURE), Product.NRML).leg(Side.SELL, 10**9, 1)
        for day in ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")
    ]
    assert [(leg.transaction, leg.stt) for leg in legs] == [
        (17_300, 200_000),
        (18_299, 200_000),
        (18_299, 200_000),
        (18_299, 500_000),
    ]


def test_the_depository_takes_its_fee_once_a_day():
    """A second sale of the same security is told that the fee is paid."""
    rates = BOOK.rates(NOW, instrument("NSE", Kind.EQUITY), Product.CNC)
    assert [rates.leg(Side.SELL, 10**6, 10, dp_due=due).dp for due in (True, False)] == [1534, 0]
    assert rates.leg(Side.BUY, 10**6, 10).dp == 0


def test_an_order_that_traded_nothing_costs_nothing():
    """Neither brokerage nor depository fee."""
    rates = BOOK.rates(NOW, instrument("NFO", Kind.CALL), Product.NRML)
    assert rates.leg(Side.SELL, 0, 0).total == 0


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


@given(st.sampled_from(["delivery", "intraday", "futures", "options"]), st.sampled_from(Side), st.integers(1, 10**13))
def test_each_component_is_its_exact_value_rounded_once(what, side, value):
    """Against rational arithmetic: half-up to the paisa, GST on what was not rounded."""
    rates = BOOK.rates(NOW, *TRADED[what])
    leg, exact = rates.leg(side, value, 1), exactly(what, side, value)
    assert {name: getattr(leg, name) for name in exact} == {
        name: floor(one + Fraction(1, 2)) for name, one in exact.items()
    }


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500_000)), min_size=1, max_size=8))
def test_fills_add_up_to_their_order(fills):
    """What each fill adds to its order's leg sums to the leg, and no fill gives anything back."""
    rates = BOOK.rates(NOW, instrument("NSE", Kind.EQUITY), Product.MIS)
    legs, value, quantity = [rates.leg(Side.BUY, 0, 0)], 0, 0
    for units, price in fills:
        value, quantity = value + units * price, quantity + units
        legs.append(rates.leg(Side.BUY, value, quantity))
    added = [after.total - before.total for before, after in pairwise(legs)]
    assert sum(added) == legs[-1].total
    assert min(added) >= 0


def test_exercise_tax():
    """0.15 % of the intrinsic value since April 2026, 0.125 % before."""
    option = instrument("NFO", Kind.CALL)
    assert BOOK.rates(NOW, option, Product.NRML).exercise(10_000_00).total == 1500
    assert BOOK.rates(THEN, option, Product.NRML).exercise(10_000_00).total == 1250


def test_a_broker_plan_can_be_added(tmp_path):
    """A plan in the data folder stands beside the package's; a rate of nothing that exists is refused."""
    (tmp_path / "facts").mkdir()
    own = tmp_path / "facts" / "charges.toml"
    own.write_text(
        """
        [[plan]]
        from = 2026-01-01
        name = "mine"
        classes = ["delivery", "intraday", "futures", "options"]
        flat = 1000
        source = "my contract"
        confidence = "A"
        """
    )
    book = ChargeBook.load(tmp_path)
    assert book.rates(NOW, *TRADED["options"], plan="mine").leg(Side.BUY, 10**6, 75).brokerage == 1000
    assert book.rates(NOW, *TRADED["options"]).leg(Side.BUY, 10**6, 75).brokerage == 2000
    own.write_text("gst = [{from = 2026-01-01, per_cent = 12, source = 'x', confidence = 'A'}]")
    with pytest.raises(Refused, match=r"charges\.toml does not fit.*per_cent.*gst\[0\]"):
        ChargeBook.load(tmp_path)
    own.write_text(
        """
        [[rate]]
        from = 2026-01-01
        component = "sst"
        classes = ["delivery"]
        exchanges = ["NSE"]
        buy = 1
        sell = 1
        source = "x"
        confidence = "A"
        """
    )
    with pytest.raises(Refused, match="rate of sst on delivery"):
        ChargeBook.load(tmp_path)


def test_an_unknown_plan_is_refused():
    """The refusal names the plans that there are."""
    with pytest.raises(Refused, match="zerodha"):
        BOOK.rates(NOW, instrument("NSE", Kind.EQUITY), Product.MIS, plan="free lunch")
