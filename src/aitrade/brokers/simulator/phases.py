"""What each phase of a session lets in, and what its start does to the orders that work."""

from typing import Protocol

import msgspec

from aitrade.brokers.simulator.working import Working
from aitrade.core.clock import ist_time
from aitrade.core.orders import OrderType, Product, Validity


class Stretch(Protocol):
    """A phase of the calendar, or a halt: its name and its bounds in ns UTC, the end exclusive."""

    @property
    def name(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def start(self) -> int: ...  # noqa: D102 - the class says it
    @property
    def end(self) -> int: ...  # noqa: D102 - the class says it


class Conduct(msgspec.Struct, frozen=True, kw_only=True):
    """How the exchange behaves in a phase; its start applies to what works already."""

    takes: frozenset[OrderType] = frozenset()
    ioc: bool = False
    alters: bool = True
    """Orders can be changed and cancelled."""
    market_locked: bool = False
    """Market orders cannot."""
    collects: bool = False
    """Orders gather for a call auction."""
    uncrosses: bool = False
    """A print is the auction's: what has gathered matches at its one price."""
    trades: bool = False
    """Prints fill orders one by one."""
    closing: bool = False
    """The closing auction: prices lie in its band, stops are cancelled."""
    at_close: bool = False
    """Trades at the closing price only, delivery only."""
    ends: bool = False
    """The session before is over: what worked in it expires."""
    purges: bool = False
    """Everything that works is cancelled."""


_ALL = frozenset(OrderType)
_CALL = frozenset({OrderType.MARKET, OrderType.LIMIT})
_LIMIT = frozenset({OrderType.LIMIT})

CONDUCT: dict[str, Conduct] = {
    "PRE_OPEN": Conduct(takes=_CALL, collects=True),
    "PRE_OPEN_LIMIT_ONLY": Conduct(takes=_LIMIT, collects=True, market_locked=True),
    "PRE_OPEN_MATCH": Conduct(alters=False, uncrosses=True),
    "BUFFER": Conduct(alters=False, uncrosses=True),
    "CONTINUOUS": Conduct(takes=_ALL, ioc=True, trades=True, uncrosses=True),
    "AUCTION_REFERENCE": Conduct(alters=False, collects=True, closing=True),
    "AUCTION": Conduct(takes=_CALL, collects=True, closing=True),
    "AUCTION_LIMIT_ONLY": Conduct(takes=_LIMIT, collects=True, closing=True, market_locked=True),
    "AUCTION_MATCH": Conduct(alters=False, collects=True, uncrosses=True, closing=True),
    "POST_CLOSE": Conduct(takes=_CALL, trades=True, at_close=True, ends=True),
    "CLOSED": Conduct(ends=True),
    "HALTED": Conduct(purges=True),
}
"""By the calendar's name of the phase."""


def conduct(phase: Stretch) -> Conduct:
    """Return how the exchange behaves in `phase`."""
    return CONDUCT[phase.name]


def entry_refusal(order: Working, phase: Stretch, now: int) -> str:
    """Return why `phase` does not take `order`, or ""."""
    rules = conduct(phase)
    if order.type in rules.takes and rules.ioc:
        return ""
    if not rules.takes:
        return f"The market is {spoken(phase)} at {ist_time(now)} and takes no orders; {_later(phase)}."
    if order.type not in rules.takes:
        return f"No {order.type} orders {spoken(phase)}; use {' or '.join(sorted(rules.takes))}."
    if order.validity is Validity.IOC:
        return f"No IOC orders {spoken(phase)}; use DAY."
    return _call_refusal(order, rules, phase)


def _call_refusal(order: Working, rules: Conduct, phase: Stretch) -> str:
    if rules.collects and order.instrument.is_option:
        return f"Options do not trade {spoken(phase)}; send the order at {ist_time(phase.end)} or later."
    if rules.at_close and order.product is not Product.CNC:
        return f"Only CNC orders trade after the close, not {order.product}; change the product or wait for tomorrow."
    return ""


def alter_refusal(order: Working, phase: Stretch, now: int) -> str:
    """Return why `order` cannot be changed or cancelled in `phase`, or ""."""
    rules = conduct(phase)
    if rules.alters and not (rules.market_locked and order.type is OrderType.MARKET):
        return ""
    what = "Market orders" if rules.alters else "Orders"
    return (
        f"{what} cannot be changed or cancelled {spoken(phase)} at {ist_time(now)}; try again at {ist_time(phase.end)}."
    )


def spoken(phase: Stretch) -> str:
    """Return where the market is, as a sentence has it."""
    return _SPOKEN[phase.name]


_SPOKEN = {
    "PRE_OPEN": "in the pre-open session",
    "PRE_OPEN_LIMIT_ONLY": "in the pre-open session's limit-only part",
    "PRE_OPEN_MATCH": "in the pre-open match",
    "BUFFER": "in the pause before the open",
    "CONTINUOUS": "in continuous trading",
    "AUCTION_REFERENCE": "in the closing auction's reference period",
    "AUCTION": "in the closing auction",
    "AUCTION_LIMIT_ONLY": "in the closing auction's limit-only part",
    "AUCTION_MATCH": "in the closing auction's match",
    "POST_CLOSE": "in the post-close session",
    "CLOSED": "closed",
    "HALTED": "halted market-wide",
}


def _later(phase: Stretch) -> str:
    if phase.name == "CLOSED":
        return "send it in a trading session"
    return f"try again at {ist_time(phase.end)}"
