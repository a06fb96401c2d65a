"""What the exchange checks of an order's own terms before it enters the book; every check answers with one sentence."""

from collections.abc import Callable

from aitrade.brokers.simulator.facts import DayFacts
from aitrade.brokers.simulator.working import AT_MARKET, STOPS, Working
from aitrade.core.money import format_rupees as rupees
from aitrade.core.orders import OrderType

Check = Callable[[Working, DayFacts], str]


def refusal(order: Working, facts: DayFacts) -> str:
    """Return why `order` cannot enter the book on that day, or "" when it can."""
    for check in CHECKS:
        if text := check(order, facts):
            return text
    return ""


def _tradable(order: Working, _facts: DayFacts) -> str:
    if order.instrument.tradable:
        return ""
    return f"{order.instrument.key} is an index, which is watched and never traded; trade its future, option or ETF."


def _unexpired(order: Working, facts: DayFacts) -> str:
    expiry = order.instrument.expiry
    if not expiry or facts.iso <= expiry:
        return ""
    return f"{order.instrument.key} expired on {expiry}; choose a contract that expires later."


def _lot(order: Working, _facts: DayFacts) -> str:
    quantity, lot = order.quantity, order.instrument.lot
    if quantity > 0 and quantity % lot == 0:
        return ""
    if lot == 1:
        return f"Quantity {quantity} is not positive; ask for at least 1."
    below = max(quantity // lot, 0) * lot
    return f"Quantity {quantity} is not a multiple of the lot of {lot}; ask for {below or lot} or {below + lot}."


def _freeze(order: Working, _facts: DayFacts) -> str:
    quantity, freeze, lot = order.quantity, order.instrument.freeze, order.instrument.lot
    if not freeze or quantity <= freeze:
        return ""
    largest = freeze // lot * lot
    return f"Quantity {quantity} is over the freeze quantity of {freeze}; slice it into orders of at most {largest}."


def _priced(order: Working, _facts: DayFacts) -> str:
    if order.type not in AT_MARKET and order.limit <= 0:
        return f"A {order.type} order needs a limit price above zero; give one."
    if order.type in STOPS and order.trigger <= 0:
        return f"A {order.type} order needs a trigger price above zero; give one."
    return ""


def _grid(order: Working, _facts: DayFacts) -> str:
    tick = order.instrument.tick
    for name, price in (("Price", order.limit), ("Trigger", order.trigger)):
        if price % tick:
            below = price // tick * tick
            return (
                f"{name} {rupees(price)} is not on the tick grid of {rupees(tick)}; "
                f"use {rupees(below)} or {rupees(below + tick)}."
            )
    return ""


def _band(order: Working, _facts: DayFacts) -> str:
    lower, upper = order.instrument.lower, order.instrument.upper
    for name, price in (("Price", order.limit), ("Trigger", order.trigger)):
        if price and (price < lower or (upper and price > upper)):
            return (
                f"{name} {rupees(price)} is outside today's band of {rupees(lower)} to {rupees(upper)}; "
                "choose a price inside it."
            )
    return ""


def _stop(order: Working, facts: DayFacts) -> str:
    if facts.refuses(order.type, order.instrument.kind):
        return f"The exchange takes no {order.type} orders in {order.instrument.kind} contracts; use SL with a limit."
    if order.type is OrderType.SL and order.sign * (order.limit - order.trigger) < 0:
        where = "below" if order.sign > 0 else "above"
        return (
            f"The limit {rupees(order.limit)} lies {where} the trigger {rupees(order.trigger)}, so the {order.side} "
            "stop could not trade when triggered; move one of them."
        )
    return ""


CHECKS: tuple[Check, ...] = (_tradable, _unexpired, _lot, _freeze, _priced, _grid, _band, _stop)
"""In the order in which they are reported: the first that fails answers."""
