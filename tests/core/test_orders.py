"""Tests for `core.orders`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.errors import ImpossibleTransition
from aitrade.core.orders import TERMINAL, TRANSITIONS, Order, OrderRequest, OrderState, Side, client_order_id

REQUEST = OrderRequest(instrument="NSE:TCS", side=Side.BUY, quantity=1)


@pytest.mark.parametrize("before", OrderState)
@pytest.mark.parametrize("after", OrderState)
def test_only_the_table_moves_an_order(before, after):
    """What the table allows happens; anything else raises and leaves the order as it was."""
    order = Order(id="A", request=REQUEST, state=before)
    if after in TRANSITIONS[before]:
        order.move(after)
        assert order.state is after
    else:
        with pytest.raises(ImpossibleTransition):
            order.move(after)
        assert order.state is before


def test_ends_are_ends():
    """Four states have no way out."""
    assert {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED} == TERMINAL


@given(st.integers(10**18, 2 * 10**18), st.integers(10**18, 2 * 10**18), st.integers(0, 36**5 - 1))
def test_client_order_ids_sort_by_time(first, second, run):
    """Twenty letters and digits, in the order of the milliseconds."""
    one, two = client_order_id(first, run, 1), client_order_id(second, run, 1)
    assert len(one) == 20
    assert one.isalnum()
    assert one == one.upper()
    assert (one < two) == (first // 10**6 < second // 10**6)
