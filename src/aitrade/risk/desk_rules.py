"""Our own limits and the money: what an order that opens exposure meets, and an exit does not."""

from collections.abc import Sequence

from aitrade.core.clock import SECOND, ist_time
from aitrade.core.money import format_rupees, group_indian
from aitrade.core.orders import OrderRequest, OrderType, Product
from aitrade.market.calendar import PhaseName
from aitrade.risk.case import Case
from aitrade.risk.exits import others
from aitrade.risk.limits import FILE, Limits
from aitrade.risk.margin import Position

_MILLISECOND = SECOND // 1_000
_REMEMBERED = 4_096
_MARKET, _CNC, _MIS, _CONTINUOUS = OrderType.MARKET, Product.CNC, Product.MIS, PhaseName.CONTINUOUS


class DeskRules:
    """The limits in paise and nanoseconds, and what strategies sent a moment ago."""

    def __init__(self, limits: Limits) -> None:
        self._value = limits.order_value
        self._units = limits.order_units
        self._lots = limits.order_lots
        self._orders = limits.day_orders
        self._loss = limits.day_loss
        self._stale = limits.stale_price_seconds * SECOND
        self._window = limits.duplicate_window_ms * _MILLISECOND
        self._stop_market = limits.stop_market_on_options
        self._sent: dict[tuple[str | int, ...], tuple[int, str]] = {}

    def sent(self, request: OrderRequest, now: int) -> None:
        """Remember a strategy's order for the duplicate window."""
        if len(self._sent) >= _REMEMBERED:
            self._sent = {terms: at for terms, at in self._sent.items() if now - at[0] < self._window}
        self._sent[_terms(request)] = (now, request.basket)

    def stop_market(self, case: Case) -> str | None:
        """NSE takes no SL-M on options."""
        if self._stop_market or not case.traded.option or case.request.type is not OrderType.SL_M:
            return None
        return "SL-M orders are not taken on options: send SL with a limit price."

    def value(self, case: Case) -> str | None:
        """One order's value has a limit."""
        value = case.price * case.quantity
        if not self._value or value <= self._value:
            return None
        limit = format_rupees(self._value)
        return (
            f"The order is worth {format_rupees(value)}, more than {limit} (order_value_rupees in {FILE}): send less."
        )

    def quantity(self, case: Case) -> str | None:
        """One order's quantity has a limit: units of shares, lots of derivatives."""
        size, limit, name, field = case.quantity, self._units, "units", "order_units"
        if case.traded.derivative:
            size, limit, name, field = size // case.instrument.lot, self._lots, "lots", "order_lots"
        if not limit or size <= limit:
            return None
        return f"{group_indian(str(size))} {name} are over {group_indian(str(limit))} ({field} in {FILE}): send less."

    def day_orders(self, case: Case) -> str | None:
        """A day has so many orders."""
        if not self._orders:
            return None
        sent = case.account.orders_today()
        if sent < self._orders:
            return None
        return f"{sent} orders were sent today, the limit is {self._orders} (day_orders in {FILE}): only exits pass."

    def daily_loss(self, case: Case) -> str | None:
        """From the day's loss limit on, only exits pass."""
        if not self._loss:
            return None
        made = case.account.day_pnl()
        if made > -self._loss:
            return None
        return (
            f"The day stands at {format_rupees(made)}, the loss limit is {format_rupees(self._loss)} "
            f"(day_loss_rupees in {FILE}): only exits pass until tomorrow."
        )

    def order_rate(self, case: Case) -> str | None:
        """New exposure leaves a reserve of the order rate to exits and cancellations."""
        rate = case.traded.rate
        if rate.room(case.now):
            return None
        return (
            f"{rate.used(case.now)} orders went to {case.instrument.exchange} within a second; of the {rate.limit} "
            f"allowed, {rate.reserve} are kept for exits: send it a second later."
        )

    def duplicate(self, case: Case) -> str | None:
        """A strategy's same order again, within a moment, is a mistake; legs of one basket are not."""
        request = case.request
        if not request.strategy or not self._window:
            return None
        before = self._sent.get(_terms(request))
        if before is None or case.now - before[0] >= self._window or (request.basket and request.basket == before[1]):
            return None
        age = (case.now - before[0]) // _MILLISECOND
        return (
            f"{request.strategy} sent the same order {age} ms ago; the same again passes after "
            f"{self._window // _MILLISECOND} ms (duplicate_window_ms in {FILE})."
        )

    def stale_price(self, case: Case) -> str | None:
        """A market order in continuous trading needs a fresh price."""
        if case.request.type is not _MARKET:
            return None
        if not case.last:
            return f"No price of {case.instrument.key} is known: send a LIMIT order, or wait for the first price."
        if not self._stale or case.phase is not _CONTINUOUS:
            return None
        at = case.last_at
        if case.now - at <= self._stale:
            return None
        since = f"is {(case.now - at) // SECOND} s old" if at else "is yesterday's"
        return f"The last price of {case.instrument.key} {since}: send a LIMIT order, or wait for a fresh price."


def square_off(case: Case) -> str | None:
    """Nothing intraday is opened once intraday positions are squared off; a hedge may go, margin allowing."""
    due = case.traded.square_off
    if case.request.product is not _MIS or case.now < due or not case.opening:
        return None
    since = f"MIS positions are squared off from {ist_time(due)[:5]}, it is {ist_time(case.now)}"
    if case.phase is PhaseName.CLOSED:
        return f"{since}: send it when the market is open."
    return f"{since}: use {'NRML' if case.traded.derivative else 'CNC'}."


def expiry(case: Case) -> str | None:
    """A stock's derivatives settle by delivery, which is not done here: nothing is opened on their expiry day."""
    if not case.traded.expires or case.account.margins.is_index(case.instrument.underlying) or not case.opening:
        return None
    return f"{case.instrument.key} expires today and settles in shares: only exits pass, choose a later expiry."


def margin(case: Case) -> str | None:
    """Cash or margin for what the order opens is free."""
    free = case.account.available()
    if not case.traded.derivative and case.price * case.quantity <= free:
        return None  # a share order ties its value at the most
    need = needed(case) - (needed(case.replaced) if case.replaced is not None else 0)
    if need <= 0:
        return None
    if need <= free:
        return None
    return (
        f"The order needs {format_rupees(need)}, {format_rupees(free)} is free: "
        f"{format_rupees(need - free)} is missing. Send less, or free or add money."
    )


def needed(case: Case) -> int:
    """Return the cash or margin that an order ties, paise, on top of what is held and on order."""
    margins = case.account.margins
    if case.traded.derivative:
        return _needed_derivatives([case])
    if case.sign < 0 and case.request.product is _CNC:
        return 0
    return margins.shares(case.request.product, case.opening, case.price)


def needed_together(cases: Sequence[Case]) -> int:
    """Return what a basket's orders tie together, paise: a leg that hedges another lowers what the two need."""
    shares = sum(needed(case) for case in cases if not case.traded.derivative)
    underlyings = {case.instrument.underlying for case in cases if case.traded.derivative}
    return shares + sum(
        _needed_derivatives([case for case in cases if case.instrument.underlying == underlying])
        for underlying in sorted(underlyings)
    )


def _needed_derivatives(cases: Sequence[Case]) -> int:
    """Return by how much orders on one underlying raise its margin together, and the premiums they pay."""
    first = cases[0]
    account, underlying = first.account, first.instrument.underlying
    working = others(account.working_legs(underlying), first.request, first.own)
    orders = [Position(c.instrument, c.request.product, c.sign * c.quantity, c.price) for c in cases]
    rise = account.margins.rise(account.legs(underlying), working, orders, account.last(underlying))
    return rise + sum(c.price * c.quantity for c in cases if c.traded.option and c.sign > 0)


def _terms(request: OrderRequest) -> tuple[str | int, ...]:
    """Return what makes two orders of a strategy the same."""
    return (
        request.strategy, request.instrument, request.side, request.quantity, request.type, request.price,
        request.trigger, request.product,
    )  # fmt: skip
