"""Tests for `market.corporate_actions`."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow.parquet import read_table

from aitrade.market.corporate_actions import Action, ActionKind, apply, parse_subject, unread


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("Dividend - Rs 5 Per Share", [Action(kind=ActionKind.DIVIDEND, amount=500)]),
        ("Interim Dividend - Re 0.50 Per Share", [Action(kind=ActionKind.DIVIDEND, amount=50)]),
        ("Bonus 1:1", [Action(kind=ActionKind.BONUS, numerator=1, denominator=1)]),
        (
            "Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per Share",
            [Action(kind=ActionKind.SPLIT, numerator=1000, denominator=200)],
        ),
        (
            "Rights 588:1000@ Premium Rs 123",
            [Action(kind=ActionKind.RIGHTS, numerator=588, denominator=1000, amount=12_300)],
        ),
        ("Annual General Meeting", []),
        ("Extra-Ordinary General Meting", []),
        (" Buy Back", []),
        ("Interest Payment", []),
        ("Annual General Meetingdividend - Rs 7.5 Per Sh", [Action(kind=ActionKind.DIVIDEND, amount=750)]),
        ("Dividend - Rs 5 Per Share & Special Dividend Of Rs. 3", [Action(kind=ActionKind.DIVIDEND, amount=800)]),
        ("Agm/Spl Div- Rs5/- Div-10/-", [Action(kind=ActionKind.DIVIDEND, amount=1500)]),
        (
            "Distribution - Rs 4.65 Per Unit Consists Of Interest- Rs 3.75 Per Unit/Total Dividend - Re 0.90 Per Unit",
            [Action(kind=ActionKind.DIVIDEND, amount=465)],
        ),
        (
            "Interest Amount - Rs 2 Per Unit/ Return On Capital - Rs 1 Per Unit",
            [Action(kind=ActionKind.DIVIDEND, amount=300)],
        ),
        (
            "Face Value Split (Sub-Division) - From Rs10/- Per Share To Re 1/- Per Share/Bonus 4:1",
            [
                Action(kind=ActionKind.SPLIT, numerator=1000, denominator=100),
                Action(kind=ActionKind.BONUS, numerator=4, denominator=1),
            ],
        ),
        (
            "Consolidation Of Equity Shares From Re 1 Per Share To Rs 10 Per Share",
            [Action(kind=ActionKind.SPLIT, numerator=100, denominator=1000)],
        ),
    ],
)
def test_subjects(text, actions):
    """The exchange's words become actions, and nothing is left over."""
    assert (list(parse_subject(text)), unread(text)) == (actions, "")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Demerger", "demerger"),
        ("Dividend - Rs Per Share", "dividend rs per share"),
        ("Bonus Ncrps 1:116", "bonus ncrps 1 116"),
        ("Rights 1:50 @ Premium Rs 175 With 6 Warrants For 50 Equity Shares", "with 6 warrants for 50 equity shares"),
        ("Annual General Meeting/Scheme Of Arrangement", "scheme of arrangement"),
    ],
)
def test_what_was_not_understood_is_said(text, left):
    """An amount that is missing, and what has no ratio, stay to be read by a person."""
    assert unread(text) == left


@given(st.text(max_size=200))
def test_any_text_can_be_read(text):
    """Nothing that an exchange may write makes the reader fail or pay a negative amount."""
    assert all(action.amount >= 0 and action.denominator > 0 for action in parse_subject(text))


@given(st.integers(0, 10**7), st.integers(0, 10**12), st.integers(1, 100), st.integers(1, 100))
def test_shares_are_neither_made_nor_lost(quantity, cost, new, old):
    """A split gives the whole shares of its ratio and keeps the cost; the reverse never gives more than there was."""
    after = apply(Action(kind=ActionKind.SPLIT, numerator=new, denominator=old), quantity, cost)
    back = apply(Action(kind=ActionKind.SPLIT, numerator=old, denominator=new), after.quantity, after.cost)
    assert (after.cost, back.cost, after.cash) == (cost, cost, 0)
    assert quantity * new - old < after.quantity * old <= quantity * new
    assert back.quantity <= quantity


@pytest.fixture(scope="module")
def real_actions(real_data):
    """Symbol, ex-date and subject of NSE's corporate actions from 2019 to June 2026."""
    if real_data is None:
        pytest.skip("the real market data are not on this machine: set AITRADE_REAL_DATA to their folder")
    table = read_table(real_data / "corporate-actions" / "nse_corpactions_2019-01_to_2026-06.parquet")
    return [(row["symbol"], row["exDate"].date(), row["subject"]) for row in table.to_pylist()]


def test_real_subjects_are_understood(real_actions):
    """At least 99 of 100 of 16,978 real subjects leave nothing over; most of the rest are demergers."""
    left = [unread(subject) for _, _, subject in real_actions if unread(subject)]
    assert len(left) < len(real_actions) / 100
    assert sum("merger" in text for text in left) > len(left) / 2


def test_real_ratios_are_sane(real_actions):
    """No split or bonus of seven years makes more than 25 or less than a twentieth of a share."""
    shares = {ActionKind.SPLIT, ActionKind.BONUS}
    for symbol, day, subject in real_actions:
        for action in parse_subject(subject):
            after = apply(action, 1000, 0).quantity
            assert action.kind not in shares or 50 <= after <= 25_000, (symbol, day, subject)


@pytest.mark.parametrize(
    ("symbol", "factor"), [("BAJFINANCE", 10), ("HDFCBANK", 2), ("NESTLEIND", 2), ("RELIANCE", 1), ("TCS", 1)]
)
def test_real_actions_explain_an_adjusted_series(real_actions, symbol, factor):
    """From 2025-01-01 to 2025-09-30 a share became what an adjusted price series divides the exchange's prices by."""
    held = 1
    for name, day, subject in real_actions:
        if name == symbol and date(2025, 1, 1) < day <= date(2025, 9, 30):
            for action in parse_subject(subject):
                held = apply(action, held, 0).quantity
    assert held == factor


@pytest.mark.parametrize(
    ("action", "units", "cash"),
    [
        (Action(kind=ActionKind.SPLIT, numerator=1000, denominator=200), 500, 0),
        (Action(kind=ActionKind.BONUS, numerator=1, denominator=2), 150, 0),
        (Action(kind=ActionKind.DIVIDEND, amount=500), 100, 50_000),
        (Action(kind=ActionKind.RIGHTS, numerator=1, denominator=2), 100, 0),
    ],
)
def test_applied_to_a_hundred_shares(action, units, cash):
    """Cost stays; units and cash follow the ratio."""
    applied = apply(action, 100, 1_000_000)
    assert (applied.quantity, applied.cost, applied.cash) == (units, 1_000_000, cash)
