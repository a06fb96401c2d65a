"""What the clearing corporation does after trading: expiry, daily settlement, deliveries, corporate actions.

Pure functions: from what is held to the `CashMove`s that the book takes. A move's `amount` is profit or loss in paise;
its `quantity` and `cost` are added to what is held, so that a position that is closed ends at zero units and zero cost.
"""

from collections.abc import Callable, Iterable
from datetime import date

import msgspec

from aitrade.core.events import CARRY, CashMove
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.money import format_rupees as rupees
from aitrade.core.money import half_up
from aitrade.core.orders import Product, Side
from aitrade.market.charges import Rates
from aitrade.market.corporate_actions import Action, apply
from aitrade.market.rules import Rules


class Held(msgspec.Struct, frozen=True):
    """Units held in one product and what they cost, both signed (negative for a short), cost in paise."""

    instrument: Instrument
    product: str
    quantity: int
    cost: int


def expire(held: Held, settlement: int, rates: Rates, rules: Rules) -> CashMove:
    """Settle an expiring future or option in cash against `settlement`, the underlying's closing price in paise.

    A future settles at it, an option at its intrinsic value; the holder of an option that is exercised pays the
    exercise tax of `rates` on it. A stock contract would be settled by delivering shares, which this book does not do:
    one that is held in spite of `delivery_refusal` is closed in cash too, and the note says so.
    """
    instrument = held.instrument
    price = intrinsic(instrument, settlement)
    due = rates.exercise(price * held.quantity).total if instrument.is_option and held.quantity > 0 and price else 0
    note = f"{instrument.key} expired: {held.quantity} settled at {rupees(price)}"
    if due:
        note += f", exercise tax {rupees(due)}"
    if is_physical(instrument, rules):
        note += "; a stock contract, which a broker would have settled in shares: close those before expiry"
    return _closed(held, price, "expiry", f"{note}.", due)


def intrinsic(instrument: Instrument, settlement: int) -> int:
    """Return what one unit is worth at expiry, paise."""
    if instrument.kind is Kind.CALL:
        return max(settlement - instrument.strike, 0)
    if instrument.kind is Kind.PUT:
        return max(instrument.strike - settlement, 0)
    return settlement


def implied(held: Held, last: int) -> int:
    """Return at which price of its underlying a contract is worth its own `last` price, paise.

    A future that has not printed is taken at what it cost, an option at nothing.
    """
    instrument = held.instrument
    if instrument.kind is Kind.FUTURE:
        return last or half_up(abs(held.cost), abs(held.quantity))
    return instrument.strike + (last if instrument.kind is Kind.CALL else -last)


def is_physical(instrument: Instrument, rules: Rules) -> bool:
    """Return whether the contract settles in shares: a derivative on a stock."""
    on_index = rules.is_index(instrument.underlying.rpartition(":")[2])
    return instrument.is_derivative and instrument.exchange is not Exchange.MCX and not on_index


def delivery_refusal(instrument: Instrument, rules: Rules, day: str) -> str:
    """Return why new exposure in `instrument` is refused on `day` (ISO), or "": no stock contract on its expiry day."""
    if instrument.expiry != day or not is_physical(instrument, rules):
        return ""
    return (
        f"{instrument.key} expires today and settles in shares, which this book does not deliver; "
        "close what you hold and trade the next expiry."
    )


def mark_to_market(held: Held, settlement: int) -> CashMove:
    """Settle a future's day: the difference between its cost and `settlement` (paise) is paid, and becomes its cost.

    Cash moves every day, as it does at the clearing corporation (there on the next morning); what a future shows as
    unrealised is therefore only what it made since the last close.
    """
    gain = held.quantity * settlement - held.cost
    note = f"{held.instrument.key} marked to {rupees(settlement)}: {rupees(gain, sign=True)}."
    return CashMove(
        why="mark_to_market",
        amount=gain,
        instrument=held.instrument.key,
        product=held.product,
        cost=gain,
        note=note,
    )


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Shares bought or sold for delivery on one day, netted; `value` in paise."""

    instrument: str
    side: Side
    quantity: int
    value: int
    traded: date


def net_deliveries(trades: Iterable[Delivery]) -> list[Delivery]:
    """Return the trades with each instrument's purchases and sales of a day netted; what nets to nothing is gone.

    The value is the net quantity's share of its side's, half-up to the paisa.
    """
    sums: dict[tuple[date, str], dict[Side, tuple[int, int]]] = {}
    for trade in trades:
        day = sums.setdefault((trade.traded, trade.instrument), dict.fromkeys(Side, (0, 0)))
        quantity, value = day[trade.side]
        day[trade.side] = quantity + trade.quantity, value + trade.value
    return [net for (traded, key), day in sums.items() if (net := _net(key, traded, day))]


def _net(instrument: str, traded: date, day: dict[Side, tuple[int, int]]) -> Delivery | None:
    (bought, paid), (sold, got) = day[Side.BUY], day[Side.SELL]
    if bought == sold:
        return None
    side, quantity, value = (Side.BUY, bought, paid) if bought > sold else (Side.SELL, sold, got)
    net = abs(bought - sold)
    return Delivery(instrument=instrument, side=side, quantity=net, value=half_up(value * net, quantity), traded=traded)


def settle(
    deliveries: Iterable[Delivery], today: date, settlement_day: Callable[[date], date]
) -> tuple[list[CashMove], list[Delivery]]:
    """Return the moves of what settles by `today`, and the deliveries that are still to come.

    `settlement_day` is the calendar's: the next day on which banks and depositories work, so that trades before a
    settlement holiday come together, a day later than the trading calendar suggests. Bought shares are then delivered
    (`settled`), the proceeds of sold ones can be used.
    """
    moves, later = [], []
    for delivery in deliveries:
        if settlement_day(delivery.traded) <= today:
            moves.append(_delivered(delivery))
        else:
            later.append(delivery)
    return moves, later


def carry(held: Held) -> CashMove:
    """Move what was bought for delivery today to the holdings, as units that settle later."""
    return CashMove(why=CARRY, instrument=held.instrument.key, product=held.product, settled=max(held.quantity, 0))


def _delivered(delivery: Delivery) -> CashMove:
    bought = delivery.side is Side.BUY
    what = f"{delivery.quantity} delivered"
    if not bought:
        what = f"{rupees(delivery.value)} of {delivery.quantity} sold received"
    return CashMove(
        why="settlement",
        instrument=delivery.instrument,
        product=Product.CNC,
        settled=delivery.quantity if bought else 0,
        note=f"{delivery.instrument}: {what}, traded on {delivery.traded}.",
    )


def short_delivery(held: Held, price: int) -> CashMove:
    """Close out shares that were sold for delivery and never held: `held` is the negative CNC position.

    `price` is `DayFacts.close_out_price` of the settlement day, paise.
    """
    note = f"{held.instrument.key}: {-held.quantity} sold and not delivered were closed out at {rupees(price)}."
    return _closed(held, price, "settlement", note)


def corporate_action(held: Held, action: Action) -> CashMove:
    """Return what a split, a bonus or a dividend does to what is held; a short pays the dividend."""
    after = apply(action, held.quantity, held.cost)
    what = action.kind.lower()
    note = f"{held.instrument.key}: {what}, {held.quantity} became {after.quantity}"
    if after.cash:
        note = f"{held.instrument.key}: {what} of {rupees(action.amount)} on {held.quantity}, {rupees(after.cash)}"
    return CashMove(
        why=what,
        amount=after.cash,
        instrument=held.instrument.key,
        product=held.product,
        quantity=after.quantity - held.quantity,
        cost=after.cost - held.cost,
        note=f"{note}.",
    )


def _closed(held: Held, price: int, why: str, note: str, tax: int = 0) -> CashMove:
    return CashMove(
        why=why,
        amount=held.quantity * price - held.cost - tax,
        instrument=held.instrument.key,
        product=held.product,
        quantity=-held.quantity,
        cost=-held.cost,
        note=note,
    )
