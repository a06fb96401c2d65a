"""Tests for `core.money`."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.errors import Refused
from aitrade.core.money import format_rupees, from_rupees, half_up


@pytest.mark.parametrize(
    ("amount", "paise"),
    [("1285.95", 128595), (1285.95, 128595), ("12,34,567.50", 123456750), ("₹0.005", 1), (-0.005, -1), (7, 700)],
)
def test_rupees_become_paise_half_up(amount, paise):
    """Text, floats and grouping commas all land on the exact paisa."""
    assert from_rupees(amount) == paise


@pytest.mark.parametrize("amount", ["", "abc", float("nan"), float("inf")])
def test_what_is_no_amount_is_refused(amount):
    """A refusal shows the form that would be right."""
    with pytest.raises(Refused, match="write it like"):
        from_rupees(amount)


@pytest.mark.parametrize(
    ("paise", "text"),
    [(123456750, "₹12,34,567.50"), (-5, "-₹0.05"), (100, "₹1.00"), (100000000, "₹10,00,000.00"), (99999, "₹999.99")],
)
def test_indian_grouping(paise, text):
    """Three digits, then pairs."""
    assert format_rupees(paise) == text


@given(st.integers(-(10**15), 10**15))
def test_formatting_and_reading_are_inverse(paise):
    """No paisa is lost on the way to a screen and back."""
    assert from_rupees(format_rupees(paise)) == paise


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_half_up_agrees_with_decimal(numerator, denominator):
    """Integer rounding equals decimal rounding of the exact quotient."""
    exact = Decimal(numerator) / Decimal(denominator)
    rounded = half_up(numerator, denominator)
    assert abs(Decimal(rounded) - exact) <= Decimal("0.5") + Decimal("1e-12")
