"""A book small enough to write down in a test: the `Account` that the checks read, and instruments to trade."""

from aitrade.core.instruments import Exchange, Instrument, Kind, derivative_key
from aitrade.core.orders import Order, OrderRequest, Side
from aitrade.risk.margin import Margins, Position, Rates

DAY = "2025-03-26"
RATES = Rates(
    index_scan=93_000, stock_scan=142_000, index_exposure=20_000, stock_exposure=35_000, expiry_elm=20_000,
    intraday=200_000,
)  # fmt: skip
NIFTY = "NSE:NIFTY"
TCS = Instrument(key="NSE:TCS", exchange=Exchange.NSE, symbol="TCS", kind=Kind.EQUITY, lower=90_000, upper=110_000)


def option(strike, kind=Kind.CALL, expiry="2025-03-27", underlying=NIFTY):
    """Return an option of lot 75 and freeze 1,800; strike in rupees."""
    base = underlying.split(":")[1]
    key = derivative_key(Exchange.NFO, base, expiry, kind, strike * 100)
    return Instrument(
        key=key, exchange=Exchange.NFO, symbol=base, kind=kind, underlying=underlying, expiry=expiry,
        strike=strike * 100, lot=75, freeze=1800,
    )  # fmt: skip


def future(expiry="2025-03-27", underlying=NIFTY):
    """Return a future of lot 75 and freeze 1,800."""
    base = underlying.split(":")[1]
    key = derivative_key(Exchange.NFO, base, expiry, Kind.FUTURE)
    return Instrument(
        key=key, exchange=Exchange.NFO, symbol=base, kind=Kind.FUTURE, underlying=underlying, expiry=expiry,
        lot=75, freeze=1800,
    )  # fmt: skip


class Book:
    """Positions, working orders and prices, held in plain sight."""

    def __init__(self, *, cash=10**9, pnl=0, sent=0, day=DAY):
        self.margins = Margins(RATES, day, {NIFTY})
        self.cash, self.pnl, self.sent = cash, pnl, sent
        self.held = {}
        self.on_order = []
        self.t1 = {}
        self.prices = {}
        self.printed = {}
        self.references = set()

    def hold(self, instrument, product, quantity, price=0):
        """Put units of an instrument into the book."""
        self.held[instrument.key, product] = Position(instrument, product, quantity, price)
        return self

    def work(self, instrument, side, quantity, product, price=0):
        """Put a working order into the book, and return it."""
        self.on_order.append(Position(instrument, product, side.sign * quantity, price))
        request = OrderRequest(instrument=instrument.key, side=side, quantity=quantity, product=product, price=price)
        return Order(id="A" * 20, request=request, quantity=quantity, price=price)

    def price(self, key, paise, at=0):
        """Let a price print."""
        self.prices[key], self.printed[key] = paise, at
        return self

    def available(self):
        """Cash."""
        return self.cash

    def day_pnl(self):
        """Realised and unrealised."""
        return self.pnl

    def orders_today(self):
        """Sent."""
        return self.sent

    def net(self, instrument, product):
        """Units held."""
        position = self.held.get((instrument, product))
        return position.quantity if position else 0

    def undelivered(self, instrument):
        """T+1 units."""
        return self.t1.get(instrument, 0)

    def working(self, instrument, product, side):
        """Units on order."""
        mine = (p.quantity for p in self.on_order if p.instrument.key == instrument and p.product is product)
        return sum(abs(quantity) for quantity in mine if (quantity > 0) == (side is Side.BUY))

    def last(self, instrument):
        """Paise."""
        return self.prices.get(instrument, 0)

    def quoted(self, instrument):
        """Paise, and when it printed."""
        return self.last(instrument), self.printed.get(instrument, 0)

    def legs(self, underlying):
        """Held."""
        return [p for p in self.held.values() if p.instrument.underlying == underlying and p.quantity]

    def working_legs(self, underlying):
        """On order."""
        return [p for p in self.on_order if p.instrument.underlying == underlying]

    def knows(self, reference):
        """Seen today."""
        return reference in self.references
