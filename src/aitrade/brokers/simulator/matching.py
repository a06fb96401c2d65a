"""At which price an order trades against a print, and how much of the print is its to take."""

from aitrade.brokers.simulator.working import Working
from aitrade.core.quotes import Tick


def fill_price(order: Working, tick: Tick) -> int:
    """Return the price in paise at which `order`, which the print reaches, fills; 0 when it cannot.

    The print, or on real ticks the worse of print and opposite quote. A resting limit order pays no more than its
    limit. An order that takes (a market order or a stop at its first print) pays what the market asks, a stop no better
    than its trigger, and does not trade when that lies beyond its bound.
    """
    sign = order.sign
    price = tick.price
    quote = 0 if tick.modelled else tick.ask if sign > 0 else tick.bid
    if quote and sign * (quote - price) > 0:
        price = quote
    if order.taking and order.trigger and sign * (order.trigger - price) > 0:
        price = order.trigger
    beyond = sign * (price - order.limit) > 0 and order.limit > 0
    return price if not beyond else 0 if order.taking else order.limit


def allowance(printed: int, percent: int, carry: int, lot: int) -> int:
    """Return the units, in whole lots, that our orders may take of `printed` units; `carry` is in units * percent."""
    return (printed * percent + carry) // (100 * lot) * lot
