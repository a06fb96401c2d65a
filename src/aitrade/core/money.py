"""Money is integer paise; this module reads it, rounds it and writes it."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from aitrade.core.errors import Refused

PAISE = 100
"""Paise in a rupee."""


def from_rupees(amount: str | float | Decimal) -> int:
    """Return `amount` rupees as paise, half-up to the paisa.

    Strings may carry the rupee sign and grouping commas. Floats go by their shortest decimal text, so that 1285.95
    is 128595 and binary dust never moves a paisa.
    """
    text = str(amount).replace(",", "").replace("₹", "").strip()
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Refused(f"{amount!r} is not an amount in rupees; write it like 1285.95.") from None
    if not value.is_finite():
        raise Refused(f"{amount!r} is not an amount in rupees; write it like 1285.95.")
    return int((value * PAISE).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def half_up(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded half-up (halves away from zero); denominator > 0."""
    quotient, rest = divmod(abs(numerator), denominator)
    rounded = quotient + (2 * rest >= denominator)
    return rounded if numerator >= 0 else -rounded


def group_indian(digits: str) -> str:
    """Return a string of digits with Indian grouping: 1234567 becomes 12,34,567."""
    head, tail = digits[:-3], digits[-3:]
    pairs = []
    while head:
        pairs.append(head[-2:])
        head = head[:-2]
    return ",".join([*reversed(pairs), tail])


def format_rupees(paise: int, *, sign: bool = False) -> str:
    """Return paise as ₹12,34,567.50; negative as -₹…; `sign` puts a plus before gains."""
    rupees, rest = divmod(abs(paise), PAISE)
    prefix = "-" if paise < 0 else "+" if sign and paise > 0 else ""
    return f"{prefix}₹{group_indian(str(rupees))}.{rest:02d}"
