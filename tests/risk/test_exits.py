"""Tests for `risk.exits`: the rule of exits, as a table and as an invariant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk_account import NIFTY, TCS, Book, future, option

from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.risk.exits import is_exit

BUY, SELL = Side
CNC, MIS, NRML = Product
SPOT = 23_500_00


def ask(instrument, side, quantity, product):
    """Return a market order."""
    return OrderRequest(instrument=instrument.key, side=side, quantity=quantity, product=product)


@pytest.mark.parametrize(
    ("held", "working", "side", "quantity", "exits"),
    [
        (10, 0, SELL, 10, True),
        (10, 0, SELL, 4, True),
        (10, 0, SELL, 11, False),
        (10, 0, BUY, 1, False),
        (10, 6, SELL, 4, True),
        (10, 6, SELL, 5, False),
        (-10, 0, BUY, 10, True),
        (-10, 0, BUY, 11, False),
        (-10, 0, SELL, 1, False),
        (0, 0, SELL, 1, False),
        (10, 0, SELL, 0, False),
    ],
)
def test_an_exit_takes_at_most_what_is_left_of_the_position(held, working, side, quantity, exits):
    """Working exits on that side count; the other side never is one."""
    book = Book().hold(TCS, MIS, held)
    if working:
        book.work(TCS, side, working, MIS)
    assert is_exit(ask(TCS, side, quantity, MIS), TCS, book) is exits


def test_another_products_position_is_not_exited():
    """A delivery sale does not close an intraday position."""
    book = Book().hold(TCS, MIS, 10)
    assert not is_exit(ask(TCS, SELL, 10, CNC), TCS, book)


SHORT, HEDGE = option(23_500), option(23_700)


def spread():
    """Return a book with a short call and the long call that bounds its loss."""
    return Book().hold(SHORT, NRML, -75).hold(HEDGE, NRML, 75).price(NIFTY, SPOT)


def test_the_short_leg_of_a_spread_is_an_exit():
    """Buying it back lowers the margin."""
    assert is_exit(ask(SHORT, BUY, 75, NRML), SHORT, spread())


def test_the_hedge_of_a_short_is_no_exit():
    """Selling it raises the margin, though it closes a position."""
    assert not is_exit(ask(HEDGE, SELL, 75, NRML), HEDGE, spread())


def test_a_long_option_alone_is_an_exit():
    """It hedges nothing."""
    book = Book().hold(HEDGE, NRML, 75).price(NIFTY, SPOT)
    assert is_exit(ask(HEDGE, SELL, 75, NRML), HEDGE, book)


def test_the_future_that_covers_a_short_call_is_no_exit():
    """Without it a call in the money stands alone."""
    book = Book().hold(option(22_000), NRML, -75).hold(future(), NRML, 75).price(NIFTY, SPOT)
    assert not is_exit(ask(future(), SELL, 75, NRML), future(), book)


def test_two_hedges_that_lean_on_each_other_do_not_both_exit():
    """One of two hedges may go; while it is on its way, the other may not."""
    other = option(23_600)
    book = spread().hold(other, NRML, 75)
    assert is_exit(ask(HEDGE, SELL, 75, NRML), HEDGE, book)
    book.work(HEDGE, SELL, 75, NRML)
    assert not is_exit(ask(other, SELL, 75, NRML), other, book)


INSTRUMENTS = [TCS, SHORT, HEDGE, future()]
UNITS = st.integers(-6, 6).map(lambda lots: lots * 75)


@given(
    st.lists(st.tuples(st.sampled_from(INSTRUMENTS), UNITS), max_size=4),
    st.lists(st.tuples(st.sampled_from(INSTRUMENTS), st.sampled_from(Side), st.integers(1, 4)), max_size=6),
)
def test_exits_that_all_fill_never_turn_or_grow_a_position(held, orders):
    """Send whatever is an exit, let all of it fill: no position is larger, none has changed its sign."""
    book = Book().price(NIFTY, SPOT)
    for instrument, units in held:
        book.hold(instrument, MIS, units)
    before = {key: position.quantity for key, position in book.held.items()}
    for instrument, side, lots in orders:
        if is_exit(ask(instrument, side, lots * 75, MIS), instrument, book):
            book.work(instrument, side, lots * 75, MIS)
    for key, position in before.items():
        change = sum(p.quantity for p in book.on_order if (p.instrument.key, p.product) == key)
        assert abs(position + change) <= abs(position)
        assert position * (position + change) >= 0


@given(
    st.lists(st.tuples(st.sampled_from(INSTRUMENTS[1:]), UNITS), max_size=4),
    st.sampled_from(INSTRUMENTS[1:]), st.sampled_from(Side), st.integers(1, 6),
)  # fmt: skip
def test_an_exit_never_raises_the_margin(held, instrument, side, lots):
    """Whatever else is held on the underlying."""
    book = Book().price(NIFTY, SPOT)
    for each, units in held:
        book.hold(each, NRML, units)
    if not is_exit(ask(instrument, side, lots * 75, NRML), instrument, book):
        return
    before = book.margins.group(book.legs(NIFTY), SPOT)
    book.hold(instrument, NRML, book.net(instrument.key, NRML) + side.sign * lots * 75)
    assert book.margins.group(book.legs(NIFTY), SPOT) <= before
