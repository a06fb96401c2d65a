"""Tests for `brokers.simulator.clearing`: what is held in, what moves out."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_market import CALENDAR, CALL, FUTURE, RULES, SHARE

from aitrade.brokers.simulator import clearing
from aitrade.brokers.simulator.clearing import Delivery, Held
from aitrade.brokers.simulator.facts import Facts
from aitrade.core.instruments import Kind
from aitrade.core.orders import Side
from aitrade.market.charges import ChargeBook
from aitrade.market.corporate_actions import parse_subject

RATES = ChargeBook.load().rates(date(2025, 3, 28), CALL, "NRML")
PUT = msgspec.structs.replace(CALL, kind=Kind.PUT, key="NFO:NIFTY24APR2523500PE")
STOCK_CALL = msgspec.structs.replace(CALL, underlying="NSE:ACME", key="NFO:ACME24APR25100CE", strike=10_000, lot=500)
RUPEE = 100


EXPIRIES = [
    # instrument, units, average ₹, settlement ₹, profit or loss ₹
    (FUTURE, 75, 23_400, 23_500, 7_500),
    (FUTURE, -75, 23_400, 23_500, -7_500),
    (CALL, 75, 100, 23_500, -7_500),  # at the money: worthless
    (CALL, 75, 100, 23_650, 3_750 - 14.06),  # exercised: 0.125 % of ₹11,250
    (CALL, -75, 100, 23_650, -3_750),  # the writer pays no tax
    (PUT, 75, 100, 23_300, 7_500 - 18.75),
    (PUT, -75, 100, 23_600, 7_500),
]


@pytest.mark.parametrize(("instrument", "quantity", "average", "settlement", "gain"), EXPIRIES)
def test_expiry_in_cash(instrument, quantity, average, settlement, gain):
    """A future settles at the index, an option at its intrinsic value, an exercised one taxed; nothing is left."""
    held = Held(instrument, "NRML", quantity, quantity * average * RUPEE)
    move = clearing.expire(held, settlement * RUPEE, RATES, RULES)
    assert move.amount == round(gain * RUPEE)
    assert (held.quantity + move.quantity, held.cost + move.cost) == (0, 0)
    assert "expired" in move.note


def test_a_stock_contract_is_refused_on_its_expiry_day_only():
    """It would settle in shares; an index contract would not."""
    assert clearing.delivery_refusal(STOCK_CALL, RULES, "2025-04-23") == ""
    assert clearing.delivery_refusal(CALL, RULES, "2025-04-24") == ""
    assert clearing.delivery_refusal(STOCK_CALL, RULES, "2025-04-24") == (
        "NFO:ACME24APR25100CE expires today and settles in shares, which this book does not deliver; "
        "close what you hold and trade the next expiry."
    )


def test_a_stock_contract_that_is_held_all_the_same_is_closed_in_cash_and_says_so():
    """Nothing stays open after expiry."""
    move = clearing.expire(Held(STOCK_CALL, "NRML", 500, 500_000), 10_500, RATES, RULES)
    assert move.quantity == -500
    assert "close those before expiry" in move.note


@given(
    quantity=st.integers(-40, 40).filter(bool),
    cost=st.integers(2_000_000, 2_500_000),
    closes=st.lists(st.integers(2_000_000, 2_500_000), min_size=1, max_size=8),
)
def test_marking_every_day_sums_to_the_whole(quantity, cost, closes):
    """The days' gains add up to last close minus entry: marking moves money earlier and makes none."""
    units = quantity * FUTURE.lot
    held, total = Held(FUTURE, "NRML", units, units * cost), 0
    for close in closes:
        move = clearing.mark_to_market(held, close)
        total += move.amount
        held = msgspec.structs.replace(held, cost=held.cost + move.cost)
    assert total == units * (closes[-1] - cost)
    assert held.cost == units * closes[-1]


def bought(quantity, day, value=None):
    """Return a purchase for delivery."""
    return Delivery(
        instrument=SHARE.key, side=Side.BUY, quantity=quantity, value=value or quantity * 10_000, traded=day
    )


def sold(quantity, day, value=None):
    """Return a sale from delivery."""
    return msgspec.structs.replace(bought(quantity, day, value), side=Side.SELL)


SETTLEMENTS = [
    # today, what is delivered by then: traded on Monday to Wednesday
    (date(2026, 8, 26), []),
    (date(2026, 8, 27), [10, 20]),
    (date(2026, 8, 28), [10, 20, 30]),
]


@pytest.mark.parametrize(("today", "delivered"), SETTLEMENTS)
def test_t_plus_one_with_a_settlement_holiday(today, delivered):
    """Wednesday 2026-08-26 trades and does not settle: Tuesday's and Wednesday's trades come on Thursday."""
    trades = [bought(10, date(2026, 8, 25)), bought(20, date(2026, 8, 26)), bought(30, date(2026, 8, 27))]
    moves, later = clearing.settle(trades, today, CALENDAR.settlement_day)
    assert [move.settled for move in moves] == delivered
    assert [trade.quantity for trade in later] == [10, 20, 30][len(delivered) :]


def test_the_proceeds_of_a_sale_come_without_shares():
    """A sale settles in money; the note says how much."""
    (move,), _ = clearing.settle([sold(10, date(2026, 8, 25))], date(2026, 8, 27), CALENDAR.settlement_day)
    assert (move.settled, move.amount) == (0, 0)
    assert move.note == "NSE:ACME: ₹1,000.00 of 10 sold received, traded on 2026-08-25."


NETTINGS = [
    ([bought(10, date(2026, 8, 25)), sold(10, date(2026, 8, 25))], []),
    ([bought(10, date(2026, 8, 25)), sold(4, date(2026, 8, 25))], [(Side.BUY, 6, 60_000)]),
    ([bought(4, date(2026, 8, 25)), sold(10, date(2026, 8, 25), 99_990)], [(Side.SELL, 6, 59_994)]),
    (
        [bought(10, date(2026, 8, 25)), sold(10, date(2026, 8, 26))],
        [(Side.BUY, 10, 100_000), (Side.SELL, 10, 100_000)],
    ),
]


@pytest.mark.parametrize(("trades", "nets"), NETTINGS)
def test_deliveries_net_within_a_day(trades, nets):
    """What is bought and sold on one day is not delivered; what is sold the day after is."""
    assert [(net.side, net.quantity, net.value) for net in clearing.net_deliveries(trades)] == nets


def test_short_delivery_is_closed_out():
    """The higher of the highest price and 20 % above the close; the position is gone."""
    facts = Facts.load().on(date(2026, 8, 27))
    assert facts.close_out_price(12_500, 10_000) == 12_500
    move = clearing.short_delivery(Held(SHARE, "CNC", -10, -100_000), facts.close_out_price(11_000, 10_000))
    assert (move.amount, move.quantity, move.cost) == (-20_000, 10, 100_000)
    assert "closed out at ₹120.00" in move.note


ACTIONS = [
    # subject, units after, cost after ₹, cash ₹: ten held that cost ₹1,000
    ("Face Value Split (Sub-Division) - From Rs 10/- Per Share To Re 1/- Per Share", 100, 1_000, 0),
    ("Bonus 1:1", 20, 1_000, 0),
    ("Dividend - Rs 5 Per Share", 10, 1_000, 50),
]


@pytest.mark.parametrize(("subject", "quantity", "cost", "cash"), ACTIONS)
def test_corporate_actions(subject, quantity, cost, cash):
    """What the exchange announces changes units, never the cost, and pays what it pays."""
    (action,) = parse_subject(subject)
    move = clearing.corporate_action(Held(SHARE, "CNC", 10, 100_000), action)
    assert (10 + move.quantity, 100_000 + move.cost, move.amount) == (quantity, cost * RUPEE, cash * RUPEE)
    assert move.note.startswith("NSE:ACME: ")


def test_the_days_purchases_are_carried_and_a_short_is_not():
    """Only bought units wait for delivery; what was sold without holding it is for `short_delivery`."""
    assert clearing.carry(Held(SHARE, "CNC", 10, 100_000)).settled == 10
    assert clearing.carry(Held(SHARE, "CNC", -10, -100_000)).settled == 0
