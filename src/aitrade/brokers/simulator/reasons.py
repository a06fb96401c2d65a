"""The exchange's sentences: each says what happened, with its numbers."""

from aitrade.brokers.simulator.working import Working
from aitrade.core.clock import ist_time
from aitrade.core.money import format_rupees as rupees
from aitrade.core.orders import OrderState
from aitrade.core.quotes import Tick


def on_request(order: Working) -> str:
    """A cancellation that was asked for."""
    return f"Cancelled on request with {order.filled} of {order.quantity} filled."


def nothing_left(order: Working, verb: str) -> str:
    """A change or cancellation that comes too late."""
    if not order.number:
        return f"The exchange does not know order {order.id}; look at the order book before sending it again."
    if order.state is OrderState.FILLED:
        return f"The order filled ({order.filled} units) before the message arrived; nothing is left to be {verb}."
    return f"The order is already {order.state}; nothing is left to be {verb}."


def below_filled(order: Working, quantity: int) -> str:
    """A new total that the fills have already reached."""
    return (
        f"{order.filled} units have filled, so the total cannot become {quantity}; "
        "ask for more than that, or cancel the rest."
    )


def has_triggered(order: Working) -> str:
    """A new trigger for a stop that is a stop no more."""
    return f"The stop at {rupees(order.trigger)} has triggered and its trigger cannot change; change its price instead."


def auction_rest(order: Working) -> str:
    """A market order that the call auction did not fill whole."""
    return (
        f"The auction left {order.remaining} of {order.quantity} units; they stay open as a limit order at its price "
        f"{rupees(order.limit)}."
    )


def outside_auction(order: Working, band: tuple[int, int]) -> str:
    """A price that the closing auction does not take."""
    return (
        f"Price {rupees(order.limit)} is outside the closing auction's band of {rupees(band[0])} to {rupees(band[1])}; "
        "choose a price inside it."
    )


def fires_at_once(order: Working, last: int) -> str:
    """A stop on the wrong side of the last price."""
    should, where = ("higher", "above") if order.sign > 0 else ("lower", "below")
    return (
        f"The trigger {rupees(order.trigger)} of a {order.side} stop has to be {should} than the last price "
        f"{rupees(last)}; put it {where}, or send the order without a trigger."
    )


def contract_stopped(order: Working, stops: int) -> str:
    """An expiring contract after its last trade."""
    return f"{order.instrument.key} stopped trading at {ist_time(stops)} on its expiry day; it settles in cash."


STOPS_OUT = "Stop orders that have not triggered are cancelled when the closing auction begins."
HALTED = "A market-wide halt cancels all orders; send it again in the call auction after the halt."


def not_the_close(order: Working, close: int) -> str:
    """A limit other than the close, after the close."""
    return (
        f"After the close only {rupees(close)}, the closing price, trades, not {rupees(order.limit)}; use that price."
    )


def self_trade(rival: Working) -> str:
    """The exchange's self-trade prevention."""
    return (
        f"Cancelled by self-trade prevention: it would trade with your own {rival.side} order {rival.id} at "
        f"{rupees(rival.limit)}; cancel that one first."
    )


def triggered(order: Working, tick: Tick) -> str:
    """A stop that was reached."""
    return f"The print {rupees(tick.price)} reached the trigger {rupees(order.trigger)}; it trades from the next print."


def ioc(order: Working, tick: Tick, percent: int) -> str:
    """What an IOC order leaves behind."""
    why = _unreached(order, tick) or _volume(tick, percent)
    return f"Immediate or cancel: {order.filled} of {order.quantity} filled; {why}."


def rests(order: Working, tick: Tick, percent: int) -> str:
    """A market order that its first print did not fill whole."""
    why = _unreached(order, tick) or _volume(tick, percent)
    return (
        f"{order.remaining} of {order.quantity} units stay open as a limit order at the protection price "
        f"{rupees(order.limit)}; {why}."
    )


def waits(last: Tick) -> str:
    """An order at market for what has not printed for a while."""
    return (
        f"{last.instrument} has not printed since {ist_time(last.ts)}; the order waits for the next price, and can be "
        "cancelled."
    )


def expired(order: Working, last: Tick | None, now: int, percent: int) -> str:
    """A day order at the session's end, with what kept it from filling."""
    return (
        f"The session ended at {ist_time(now)} with {order.filled} of {order.quantity} filled; "
        f"{_why_unfilled(order, last, percent)}."
    )


def _why_unfilled(order: Working, last: Tick | None, percent: int) -> str:
    if last is None or last.ts < order.since:
        return "nothing printed after it arrived"
    if order.waiting:
        return f"no print reached its trigger {rupees(order.trigger)} (last {rupees(last.price)})"
    if order.reached:
        return f"orders take at most {percent} % of what prints"
    return _unreached(order, last) or "nothing printed that it could trade with"


def _unreached(order: Working, tick: Tick) -> str:
    if order.sign * (tick.price - order.limit) > 0:
        return f"the print was {rupees(tick.price)}, beyond {rupees(order.limit)}"
    quote = tick.ask if order.sign > 0 else tick.bid
    if quote and not tick.modelled and order.sign * (quote - order.limit) > 0:
        return f"the market asked {rupees(quote)}, beyond {rupees(order.limit)}"
    return ""


def _volume(tick: Tick, percent: int) -> str:
    return f"orders take at most {percent} % of the {tick.quantity} units printed"
