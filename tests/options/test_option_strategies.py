"""Strategies: what they pay is what brute force says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_chain import SPOT, YEARS, chain

from aitrade.core.errors import Refused
from aitrade.core.instruments import Kind
from aitrade.core.orders import OrderType, Side
from aitrade.options.strategies import TEMPLATES, Leg, analyse, build, curve, orders

CHAIN = chain()
legs = st.builds(
    Leg,
    key=st.just("NFO:X"),
    kind=st.sampled_from([Kind.CALL, Kind.PUT]),
    strike=st.integers(1, 40).map(lambda n: n * 50),
    quantity=st.integers(-3, 3).filter(bool),
    premium=st.integers(0, 300),
)


@given(st.lists(legs, min_size=1, max_size=5))
def test_extremes_and_break_evens_equal_brute_force(several):
    """Over every price to far above the strikes, no payoff passes the bounds, and signs turn at break-evens."""
    strategy = analyse("own", several)
    values = [strategy.payoff(price) for price in range(4_000)]
    slope = values[-1] - values[-2]
    assert strategy.max_profit == (None if slope > 0 else max(values))
    assert strategy.max_loss == (None if slope < 0 else -min(values))
    turns = {at for at in range(1, 4_000) if values[at - 1] * values[at] < 0}
    for at in turns:
        assert any(at - 1 <= price <= at for price in strategy.break_evens)
    for price in strategy.break_evens:
        assert min(abs(strategy.payoff(price + step)) for step in (-1, 0, 1)) <= sum(
            abs(leg.quantity) for leg in several
        )


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_stands_on_a_chain(name):
    """Each builder finds its legs; the net premium is what its legs cost."""
    strategy = build(name, CHAIN, 75)
    assert len({leg.key for leg in strategy.legs}) == len(strategy.legs) == len(TEMPLATES[name])
    assert strategy.net_premium == sum(leg.quantity * leg.premium for leg in strategy.legs)
    assert all(leg.quantity % 75 == 0 and leg.premium > 0 for leg in strategy.legs)


@pytest.mark.parametrize(
    ("name", "profit", "loss", "evens"),
    [
        ("Long straddle", None, False, 2),
        ("Short straddle", False, None, 2),
        ("Short strangle", False, None, 2),
        ("Bull call spread", False, False, 1),
        ("Bear put spread", False, False, 1),
        ("Iron condor", False, False, 2),
        ("Long call", None, False, 1),
    ],
)
def test_what_is_unlimited_says_so(name, profit, loss, evens):
    """None where the textbook says unlimited, an amount elsewhere, and the textbook's number of break-evens."""
    strategy = build(name, CHAIN, 75)
    assert (strategy.max_profit is None) == (profit is None)
    assert (strategy.max_loss is None) == (loss is None)
    assert len(strategy.break_evens) == evens


def test_an_iron_condor_is_bounded_by_its_wings():
    """It keeps the premium between the short strikes and loses a wing less the premium beyond."""
    strategy = build("Iron condor", CHAIN, 75, near=3, far=5)
    assert strategy.net_premium < 0
    assert strategy.max_profit == -strategy.net_premium
    assert strategy.max_loss == 75 * 10_000 + strategy.net_premium
    assert strategy.payoff(SPOT) == strategy.max_profit


def test_buyers_pay_the_ask_and_sellers_get_the_bid():
    """Entering costs the spread."""
    strategy = build("Bull call spread", CHAIN, 75)
    bought, sold = strategy.legs
    rows = {row.call.key: row.call for row in CHAIN.strikes}
    assert (bought.premium, sold.premium) == (rows[bought.key].ask, rows[sold.key].bid)


def test_the_curve_meets_the_payoff_and_starts_at_the_cost_of_the_spread():
    """At expiry it is the payoff; today, at the spot, about nothing; with no time left both agree."""
    strategy = build("Short strangle", CHAIN, 75)
    drawn = curve(strategy, SPOT, YEARS)
    assert drawn.at_expiry == [strategy.payoff(price) for price in drawn.prices]
    assert set(strategy.break_evens) <= set(drawn.prices)
    here = drawn.today[drawn.prices.index(SPOT)]
    assert abs(here) < 0.25 * abs(strategy.net_premium)
    assert curve(strategy, SPOT, 0.0).today == drawn.at_expiry


def test_a_basket_buys_first():
    """One order a leg, all under one name, bought legs first; limits at the premium unless told to go at market."""
    made = orders(build("Iron condor", CHAIN, 150), "B1")
    assert [order.side for order in made] == [Side.BUY, Side.BUY, Side.SELL, Side.SELL]
    assert {order.basket for order in made} == {"B1"}
    assert all(order.type is OrderType.LIMIT and order.price > 0 and order.quantity == 150 for order in made)
    straddle = build("Long straddle", CHAIN, 75)
    first, second = orders(straddle, "B2", market=[straddle.legs[0].key])
    assert (first.type, first.price) == (OrderType.MARKET, 0)
    assert (second.type, second.price) == (OrderType.LIMIT, straddle.legs[1].premium)


@pytest.mark.parametrize(
    ("name", "quantity", "terms", "says"),
    [
        ("Butterfly of doom", 75, {}, "choose one of"),
        ("Long call", 80, {}, "75"),
        ("Long call", 0, {}, "75"),
        ("Iron condor", 75, {"far": 30}, "41 strikes"),
        ("Long call", 75, {"centre": 2_351_234}, "22500 to 24500"),
    ],
)
def test_what_cannot_be_built_is_refused_with_what_can(name, quantity, terms, says):
    """The refusal names what exists."""
    with pytest.raises(Refused, match=says):
        build(name, CHAIN, quantity, **terms)


def test_nothing_is_no_strategy():
    """Without legs there is nothing to analyse."""
    with pytest.raises(Refused, match="at least one leg"):
        analyse("empty", [])
