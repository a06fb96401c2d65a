"""Tests for `engine.lots`."""

from hypothesis import given
from hypothesis import strategies as st

from aitrade.engine.lots import Lot

trades = st.lists(st.tuples(st.integers(-500, 500).filter(bool), st.integers(1, 10**7)), min_size=1, max_size=40)


@given(trades, st.integers(1, 10**7))
def test_no_paisa_is_lost(history, last):
    """Realised plus unrealised equals the cash that flowed plus what the open units are worth, exactly."""
    lot = Lot()
    realised = sum(lot.trade(quantity, price) for quantity, price in history)
    flowed = -sum(quantity * price for quantity, price in history)
    assert lot.quantity == sum(quantity for quantity, _ in history)
    assert realised == lot.realised
    assert lot.realised + lot.unrealised(last) == flowed + lot.quantity * last


@given(trades)
def test_a_flat_lot_costs_nothing(history):
    """Closing everything leaves no cost behind."""
    lot = Lot()
    for quantity, price in history:
        lot.trade(quantity, price)
    lot.trade(-lot.quantity, 100)
    assert (lot.quantity, lot.cost) == (0, 0)


def test_average_cost():
    """Two buys average; a sale realises against the average and leaves it; a reversal starts anew."""
    lot = Lot()
    lot.trade(100, 10000)
    lot.trade(100, 11000)
    assert lot.average == 10500
    assert lot.trade(-50, 11500) == 50 * 1000
    assert lot.average == 10500
    assert lot.trade(-250, 10000) == -150 * 500
    assert (lot.quantity, lot.average) == (-100, 10000)
    assert lot.trade(100, 9000) == 100 * 1000


@given(st.integers(1, 1000), st.integers(1, 10**6), st.data())
def test_taking_units_keeps_the_cost(quantity, price, data):
    """Units moved to a holding carry their cost with them, without P&L."""
    lot = Lot()
    lot.trade(quantity, price)
    before = lot.cost
    taken = lot.take(data.draw(st.integers(0, quantity)))
    assert taken + lot.cost == before
    assert lot.realised == 0
