"""What the exchange would refuse: every order meets these, an exit too. Each rule answers with a sentence, or None."""

from collections import Counter

from aitrade.core.instruments import Instrument
from aitrade.core.money import format_rupees, group_indian
from aitrade.core.orders import OrderType, Product, Validity
from aitrade.market.calendar import PhaseName
from aitrade.risk.case import Case
from aitrade.risk.phases import TAKES
from aitrade.risk.slicing import slice_quantity

_LIMIT, _MARKET, _SL, _SL_M = OrderType.LIMIT, OrderType.MARKET, OrderType.SL, OrderType.SL_M
_PRICED = frozenset({_LIMIT, _SL})
TRIGGERED = frozenset({_SL, _SL_M})
_CNC, _MIS, _NRML = Product.CNC, Product.MIS, Product.NRML


def expired(case: Case) -> str | None:
    """A contract trades up to its expiry."""
    if not case.traded.expired:
        return None
    return f"{case.instrument.key} expired on {case.instrument.expiry}: choose a later contract."


def order_type(case: Case) -> str | None:
    """Auctions take market and limit orders of the day, later limit only; stops and IOC are for continuous trading."""
    request, phase = case.request, case.phase
    if phase is PhaseName.CONTINUOUS or phase not in TAKES:
        return None
    takes = TAKES[phase]
    if request.type not in takes:
        return f"{request.type} orders are not taken in {phase}: send {' or '.join(sorted(takes))}, or wait."
    if request.validity is Validity.IOC:
        return f"IOC orders are not taken in {phase}: send a DAY order, or wait for continuous trading."
    if case.traded.option:
        return f"Options do not trade in {phase}: send the order in continuous trading."
    return None


def product(case: Case) -> str | None:
    """CNC is for shares, NRML for derivatives; MIS for both, except in trade-for-trade series and after the close."""
    name, key = case.request.product, case.instrument.key
    if case.phase is PhaseName.POST_CLOSE and name is not _CNC:
        return f"After the close only CNC orders trade, not {name}: use CNC, or wait for the next trading day."
    if case.traded.derivative:
        return f"{key} is a derivative: CNC does not apply, use NRML or MIS." if name is _CNC else None
    if name is _NRML:
        return f"{key} is a share: NRML does not apply, use CNC or MIS."
    if name is _MIS and case.traded.trade_for_trade:
        return f"{key} is in series {case.instrument.series} (trade for trade), each trade is delivered: use CNC."
    return None


def lot(case: Case) -> str | None:
    """Quantities are whole lots, and more than none."""
    quantity, size = case.request.quantity, case.instrument.lot
    if quantity > 0 and quantity % size == 0:
        return None
    if quantity <= 0:
        return f"A quantity of {quantity} is not an order: send {size} units or more."
    below = quantity // size * size
    near = f"{below} or {below + size}" if below else f"{size}"
    return f"{quantity} units are not whole lots of {size}: send {near}."


def price(case: Case) -> str | None:
    """A type has the prices that it needs, the right way round, and no others."""
    request = case.request
    kind, at, trigger = request.type, request.price, request.trigger
    if (at > 0) is not (kind in _PRICED) or at < 0:
        return f"A {kind} order has {'a' if kind in _PRICED else 'no'} price, not {format_rupees(at)}: correct it."
    if (trigger > 0) is not (kind in TRIGGERED) or trigger < 0:
        has = "a" if kind in TRIGGERED else "no"
        return f"A {kind} order has {has} trigger price, not {format_rupees(trigger)}: correct it."
    if kind is _SL and (at - trigger) * case.sign < 0:
        way = "at or above" if case.sign > 0 else "at or below"
        return (
            f"The limit {format_rupees(at)} lies on the wrong side: put it {way} the trigger {format_rupees(trigger)}."
        )
    return None


def unpriced(case: Case) -> str | None:
    """The same of a MARKET order, of which there are most: it has no price at all."""
    request = case.request
    return price(case) if request.price or request.trigger else None


def trigger(case: Case) -> str | None:
    """A stop waits: a buy's trigger lies above the last price, a sale's below it. A trigger that stays is not asked.

    The words that brokers hand on from NSE: "Trigger price for stoploss sell orders should be lower than the last
    traded price", and the mirror of it (stocksdeveloper.in/knowledgebase/trigger-price-rejected; Kotak Securities'
    support says the same).
    """
    at, last = case.request.trigger, case.last
    stays = case.replaced is not None and case.replaced.request.trigger == at
    if stays or not (at > 0 and last > 0) or (at - last) * case.sign > 0:
        return None
    way = "above" if case.sign > 0 else "below"
    return (
        f"A {case.request.side} stop waits for a price {way} the last, {format_rupees(last)}: its trigger "
        f"{format_rupees(at)} would fire at once. Put it {way}, or send a LIMIT or MARKET order."
    )


def tick(case: Case) -> str | None:
    """Prices lie on the instrument's grid."""
    size = case.instrument.tick
    at, trigger = case.request.price, case.request.trigger
    if not at % size and not trigger % size:
        return None
    wrong = at if at % size else trigger
    below = wrong // size * size
    near = f"{format_rupees(below)} or {format_rupees(below + size)}"
    return f"{format_rupees(wrong)} is off the tick of {format_rupees(size)}: send {near}."


def band(case: Case) -> str | None:
    """Prices lie inside the day's band."""
    lower, upper = case.instrument.lower, case.instrument.upper
    if not upper:
        return None
    for at in (case.request.price, case.request.trigger):
        if at and not lower <= at <= upper:
            limits = f"{format_rupees(lower)} to {format_rupees(upper)}"
            return f"{format_rupees(at)} is outside today's band: send a price of {limits}."
    return None


def freeze(case: Case) -> str | None:
    """One order is at most the freeze quantity."""
    quantity, limit = case.quantity, case.instrument.freeze
    if not limit or quantity <= limit:
        return None
    return (
        f"{group_indian(str(quantity))} units are over the freeze quantity of {group_indian(str(limit))}: "
        f"let it be sliced (--slice, or Slices on the ticket), or send {_slices(quantity, case.instrument)}."
    )


def delivery(case: Case) -> str | None:
    """A delivery sale is at most what is held and not on sale yet; trade-for-trade series sell delivered units only."""
    request = case.request
    if case.sign > 0 or request.product is not _CNC:
        return None
    waiting = case.account.undelivered(request.instrument) if case.traded.trade_for_trade else 0
    sellable = max(case.position - waiting, 0) - case.working
    if case.quantity <= sellable:
        return None
    asked, free, held, late, on_sale = (
        group_indian(str(units)) for units in (case.quantity, max(sellable, 0), case.position, waiting, case.working)
    )
    also = f", {late} of them not delivered yet" if waiting else ""
    return (
        f"CNC sells what is held: {asked} asked, {free} free ({held} held{also}, {on_sale} on sale). "
        "Sell less, or go short with MIS."
    )


def reference(case: Case) -> str | None:
    """The same reference is the same order: it is sent once."""
    name = case.request.reference
    if not name or case.own or not case.account.knows(name):
        return None
    return f"Reference {name!r} was used today: that order stands, give a new one another reference."


def _slices(quantity: int, instrument: Instrument) -> str:
    sizes = Counter(slice_quantity(quantity, instrument.freeze, instrument.lot))
    parts = [f"{count} x {group_indian(str(size))}" for size, count in sorted(sizes.items(), reverse=True)]
    return " and ".join(parts)
