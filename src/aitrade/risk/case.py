"""An order under check: the request and the figures that the rules read, gathered once."""

from collections.abc import Callable

from aitrade.core.instruments import Instrument
from aitrade.core.orders import OrderRequest, Side
from aitrade.market.calendar import PhaseName, Segment
from aitrade.risk.account import Account
from aitrade.risk.order_rate import OrderRate
from aitrade.risk.refusals import Rule

_BUY = Side.BUY


class Traded:
    """What the rules ask of an instrument, worked out once a day."""

    __slots__ = (
        "derivative", "expired", "expires", "instrument", "option", "rate", "rules", "segment", "square_off",
        "trade_for_trade",
    )  # fmt: skip

    def __init__(
        self,
        instrument: Instrument,
        segment: Segment,
        rate: OrderRate,
        square_off: int,
        *,
        today: str,
        trade_for_trade: bool,
    ) -> None:
        self.instrument = instrument
        self.segment = segment
        self.rate = rate
        """Of the exchange segment; shared by its instruments."""
        self.square_off = square_off
        """When MIS positions are squared off, ns UTC."""
        self.derivative = instrument.is_derivative
        self.option = instrument.is_option
        self.expires = instrument.expiry == today
        self.expired = "" < instrument.expiry < today
        self.trade_for_trade = trade_for_trade
        self.rules: dict[tuple[object, ...], tuple[tuple[Rule, Callable[[Case], str | None]], ...]] = {}
        """Kind of order to the rules that can speak on it."""


class Case:
    """One order under check. Prices in paise, quantities in units, times in ns UTC."""

    __slots__ = (
        "account", "instrument", "last", "last_at", "now", "own", "phase", "position", "price", "quantity", "replaced",
        "request", "sign", "traded",
    )  # fmt: skip

    def __init__(
        self, request: OrderRequest, traded: Traded, phase: PhaseName, now: int, account: Account, own: int = 0
    ) -> None:
        key = request.instrument
        self.request = request
        self.traded = traded
        self.instrument = traded.instrument
        self.phase = phase
        self.now = now
        self.account = account
        self.own = own
        """Units that this order has working already: more than 0 only when its terms are to change."""
        self.quantity = request.quantity
        """Units to send; of a modification, those not filled."""
        self.sign = 1 if request.side is _BUY else -1
        self.position = account.net(key, request.product)
        self.last, self.last_at = account.quoted(key)
        self.replaced: Case | None = None
        """The same order on its present terms, when they are to change."""
        self.price = request.price or request.trigger or self.last
        """What a unit is reckoned at: the limit, else the trigger, else the last price."""

    @property
    def working(self) -> int:
        """Units of other working orders on this side."""
        request = self.request
        return self.account.working(request.instrument, request.product, request.side) - self.own

    @property
    def opening(self) -> int:
        """Units that open new exposure after what working orders close."""
        closable = -self.position * self.sign
        if closable <= 0:
            return self.quantity
        working = self.working
        return max(working + self.quantity - closable, 0) - max(working - closable, 0)
