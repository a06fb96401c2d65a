"""At which price an order trades against a print, and how much of the print is its to take."""

from aitrade.brokers.simulator.book import Book
from aitrade.brokers.simulator.working import Working
from aitrade.core.quotes import Tick

Execution = tuple[Working, int, int]
"""An order, the units that it gets, and their price in paise."""


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


def share_out(book: Book, tick: Tick, percent: int) -> list[Execution]:
    """Share `percent` of the print among the orders that it reaches, in whole lots, by price and then time.

    In a call auction the print is the one price for all. What is too small for a lot is carried to the next print that
    finds somebody wanting. Changes nothing but the book's carry.
    """
    wanting = [order for order in book.crossed(tick.price) if order.since <= tick.ts]
    unit = 100 * book.instrument.lot
    units, spare = divmod(tick.quantity * percent + book.carry, unit)
    left = units * book.instrument.lot
    book.carry = 0
    executions = []
    for order in wanting:
        order.reached += 1
        price = tick.price if book.auction else fill_price(order, tick)
        quantity = min(order.remaining, left) if price else 0
        if quantity:
            left -= quantity
            executions.append((order, quantity, price))
        if price and quantity < order.remaining:
            book.carry = spare
    return executions
