"""Splits, bonuses, dividends and rights: read from the exchange's own words, applied to what is held.

NSE writes actions as one line of text, such as "Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per
Share", "Bonus 1:1", "Annual General Meeting/Dividend - Rs 5 Per Share". Reading takes out what it knows, phrase by
phrase; what is left over was not understood, and `unread` says it.
"""

import re
from collections.abc import Callable
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

    SPLIT: `numerator` new for `denominator` old shares (a consolidation has fewer new ones); BONUS and RIGHTS:
    `numerator` more for each `denominator` held; DIVIDEND: `amount` paise a share or unit, whatever it is made of;
    RIGHTS: `amount` paise to be paid above the face value.
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


class _Reading(msgspec.Struct, frozen=True):
    actions: tuple[Action, ...]
    rest: str


def parse_subject(text: str) -> tuple[Action, ...]:
    """Return the actions that a subject names, a subject's dividends as one sum; none for meetings and buy-backs."""
    return _read(text).actions


def unread(text: str) -> str:
    """Return what of a subject was not understood, or "": a demerger, a scheme, an amount that is missing."""
    return _read(text).rest


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


def _read(text: str) -> _Reading:
    found: list[Action] = []
    rest = " ".join(text.lower().split())
    for pattern, make in _PHRASES:
        found += [action for match in pattern.finditer(rest) if (action := make(match))]
        rest = pattern.sub(" ", rest)
    paid = sum(action.amount for action in found if action.kind is ActionKind.DIVIDEND)
    others = [action for action in found if action.kind is not ActionKind.DIVIDEND]
    actions = [*others, Action(kind=ActionKind.DIVIDEND, amount=paid)] if paid else others
    return _Reading(tuple(actions), " ".join(_FILLING.sub(" ", rest).split()))


def _split(match: re.Match[str]) -> Action | None:
    before, after = from_rupees(match[1]), from_rupees(match[2])
    return Action(kind=ActionKind.SPLIT, numerator=before, denominator=after) if before and after else None


def _bonus(match: re.Match[str]) -> Action:
    return Action(kind=ActionKind.BONUS, numerator=int(match[1]), denominator=int(match[2]))


def _rights(match: re.Match[str]) -> Action:
    premium = from_rupees(match[3]) if match[3] else 0
    return Action(kind=ActionKind.RIGHTS, numerator=int(match[1]), denominator=int(match[2]), amount=premium)


def _cash(match: re.Match[str]) -> Action:
    return Action(kind=ActionKind.DIVIDEND, amount=from_rupees(match[1]))


def _nothing(_match: re.Match[str]) -> None:
    return None


_NUMBER = r"(\d+(?:\.\d+)?|\.\d+)"
_RUPEES = rf"(?:r ?[se]\.? ?-? ?)*{_NUMBER}(?: ?/-)?"
_RATIO = r"([1-9]\d*) ?: ?([1-9]\d*)(?![\d.]*\d)"
_EACH = r"(?: ?(?:per|pr)\b(?: eq\w*)?(?: (?:sh\w*|sa\w+|hsare|u[nit]\w*))?)?"
_DIVIDEND = r"(?:special interim |[a-z]+ )?(?:specia l)?(?:interim)?(?:dividend|divdend|dividned|div)\b"
_PARTS_OF_A_TRUST = (
    r"inte?re?st(?: (?:amount|payment|income|on capital|and principal(?: debt)? repayment|on fixed dep\w+))*"
    r"|return o[nf] capital|(?:re)?payment of (?:spv (?:level )?)?debt|spv debt|fixed deposit interest"
    r"|principa?le?(?: (?:payment|repayment))?|capital repayment|(?:other|treasury) income(?: on surplus(?: funds)?)?"
    r"|surplus|proceeds(?: of amortization)?"
)
_PHRASES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Action | None]], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (rf"(?:face value )?(?:split|consolidation)\b.*?\bfrom {_RUPEES}.*?\bto {_RUPEES}{_EACH}", _split),
        (rf"rights(?: issue)? {_RATIO}(?: partly paid)?(?: ?@ ?(?:premium|prm)?(?: of)? ?{_RUPEES})?{_EACH}", _rights),
        (rf"bonus ?-? ?{_RATIO}", _bonus),
        (rf"distribution ?-? ?{_RUPEES}{_EACH} ?(?:(?:as|in|consist|compris).*)?$", _cash),
        (rf"(?:{_DIVIDEND}|{_PARTS_OF_A_TRUST}) ?-?(?: of)? ?{_RUPEES}{_EACH}", _cash),
        (
            r"(?:e[xn]tra\W*(?:or\w+\W*)?)?(?:annual )?general me\w*?ti?n?g?(?=\W|div|$)(?: ?\(dt rev\))?|\bagm\b",
            _nothing,
        ),
        (r"interest payment|buy ?-?back|buy back|redemption", _nothing),
        (r"\b(?:first|second|third|fourth)? ?distribution ?-", _nothing),
    )
)
_FILLING = re.compile(r"[^a-z0-9]+|\band\b")
