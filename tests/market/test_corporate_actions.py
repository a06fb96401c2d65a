"""Tests for `market.corporate_actions`."""

import pytest

from aitrade.market.corporate_actions import Action, ActionKind, apply, parse_subject


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
        ("Rights 588:1000@ Premium Rs 123", [Action(kind=ActionKind.RIGHTS, numerator=588, denominator=1000)]),
        ("Annual General Meeting", []),
    ],
)
def test_subjects(text, actions):
    """The exchange's words become actions."""
    assert list(parse_subject(text)) == actions


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
