"""Splits, bonuses, dividends and rights: read from the exchange's own words, applied to what is held.

NSE writes an action as one line of text, such as "Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/-
Per Share", "Bonus 1:1", "Dividend - Rs 5 Per Share".
"""

import re
from enum import StrEnum

import msgspec

from aitrade.core.money import from_rupees


class ActionKind(StrEnum):
    """What happens to a share."""

    SPLIT = "SPLIT"
    BONUS = "BONUS"
    DIVIDEND = "DIVIDEND"
    RIGHTS = "RIGHTS"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One action.

    SPLIT: `numerator` new for `denominator` old shares; BONUS and RIGHTS: `numerator` more for each `denominator` held;
    DIVIDEND: `amount` paise a share.
    """

    kind: ActionKind
    numerator: int = 0
    denominator: int = 1
    amount: int = 0


class Applied(msgspec.Struct, frozen=True):
    """What is held afterwards: units, their cost in paise, and cash in paise that was paid out."""

    quantity: int
    cost: int
    cash: int


_AMOUNT = r"(?:Rs\.?|Re\.?|INR|₹)\s*\.?\s*(\d+(?:\.\d+)?)"
_SPLIT = re.compile(rf"(?:split|sub-?\s?division).*?{_AMOUNT}.*?to.*?{_AMOUNT}", re.IGNORECASE)
_BONUS = re.compile(r"bonus\D*?(\d+)\s*:\s*(\d+)", re.IGNORECASE)
_RIGHTS = re.compile(r"rights\D*?(\d+)\s*:\s*(\d+)", re.IGNORECASE)
_DIVIDEND = re.compile(rf"(?:dividend|div)\b[^/]*?{_AMOUNT}", re.IGNORECASE)


def parse_subject(text: str) -> tuple[Action, ...]:
    """Return the actions that a subject names; none for meetings, interest, redemptions and what is not understood."""
    actions = [*_splits(text), *_ratios(text, _BONUS, ActionKind.BONUS), *_ratios(text, _RIGHTS, ActionKind.RIGHTS)]
    amounts = sum(from_rupees(match[1]) for match in _DIVIDEND.finditer(text))
    if amounts:
        actions.append(Action(kind=ActionKind.DIVIDEND, amount=amounts))
    return tuple(actions)


def _splits(text: str) -> list[Action]:
    match = _SPLIT.search(text)
    if match is None:
        return []
    before, after = from_rupees(match[1]), from_rupees(match[2])
    return [Action(kind=ActionKind.SPLIT, numerator=before, denominator=after)] if after else []


def _ratios(text: str, pattern: re.Pattern[str], kind: ActionKind) -> list[Action]:
    match = pattern.search(text)
    return [Action(kind=kind, numerator=int(match[1]), denominator=int(match[2]))] if match else []


def apply(action: Action, quantity: int, cost: int) -> Applied:
    """Return what `quantity` units that cost `cost` paise become.

    Fractions of a share are left out. A split and a bonus leave the cost as it is; rights are a choice and change
    nothing by themselves.
    """
    if action.kind is ActionKind.SPLIT:
        return Applied(quantity * action.numerator // action.denominator, cost, 0)
    if action.kind is ActionKind.BONUS:
        return Applied(quantity + quantity * action.numerator // action.denominator, cost, 0)
    if action.kind is ActionKind.DIVIDEND:
        return Applied(quantity, cost, quantity * action.amount)
    return Applied(quantity, cost, 0)
