"""A small market for the exchange's truth tables: a script of orders and prints in, what the exchange says out.

A script is words in market order, one second apart:

    BUY 100 LIMIT 100.00        an order; SL and SL-M have their trigger first; #1, #2 name orders by their place
    100.05x400                  a print of 400 at ₹100.05; /100.00-100.10 after it is bid-ask, ~ before it: modelled
    cancel #1, modify #1 200 at 100.05
    close, at 15:20:00          jump to the session's end, or to a time
    halt 10                     the index has moved by 10 %
"""

import re

import msgspec

from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.brokers.simulator.latency import Latency
from aitrade.core.clock import SECOND, at
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.money import from_rupees
from aitrade.core.orders import (
    Order,
    OrderRequest,
    OrderState,
    OrderType,
    Product,
    Side,
    Update,
    Validity,
    VenueUpdate,
    client_order_id,
)
from aitrade.core.quotes import Tick
from aitrade.market.calendar import Calendar
from aitrade.market.rules import Rules

DAY = "2025-03-28"
SHARE = Instrument(
    key="NSE:ACME", exchange=Exchange.NSE, symbol="ACME", kind=Kind.EQUITY, tick=5, previous_close=10_000
)
FUTURE = Instrument(
    key="NFO:NIFTY27MAR25FUT",
    exchange=Exchange.NFO,
    symbol="NIFTY27MAR25FUT",
    kind=Kind.FUTURE,
    tick=5,
    lot=75,
    freeze=1800,
    underlying="NSE:NIFTY",
    expiry="2025-04-24",
)
CALL = msgspec.structs.replace(
    FUTURE, key="NFO:NIFTY24APR2523500CE", symbol="NIFTY24APR2523500CE", kind=Kind.CALL, strike=2_350_000
)
CALENDAR = Calendar.load()
RULES = Rules.load()
INSTANT = Latency(low=1_000_000, high=1_000_000)


class Market:
    """Drives a PaperExchange with scripts and keeps what it said."""

    def __init__(self, instrument=SHARE, start="09:30:00", day=DAY, **settings):
        settings.setdefault("latency", INSTANT)
        self.instrument = instrument
        self.exchange = PaperExchange(CALENDAR, RULES, {instrument.key: instrument}, **settings)
        self.exchange.connect(self._hear)
        self.updates: list[VenueUpdate] = []
        self.orders: list[Order] = []
        self.day = day
        self.now = at(day, start)

    def _hear(self, update):
        self.updates.append(update)
        order = next((order for order in self.orders if order.id == update.order_id), None)
        if order and update.exchange_order_id:
            order.exchange_order_id = update.exchange_order_id
        if order and update.what is Update.MODIFIED:
            order.quantity, order.price, order.trigger = update.quantity, update.price, update.trigger

    def run(self, script):
        """Play the script's words, a second apart."""
        for word in re.split(r"\s*,\s*", script.strip()):
            self._step(word)
            self.now += SECOND
        self.exchange.advance(self.now)
        return self

    def _step(self, word):
        if word.startswith(("BUY", "SELL")):
            self.place(word)
        elif word.startswith("cancel"):
            self.exchange.cancel(self._named(word))
        elif word.startswith("modify"):
            self._modify(word)
        elif word == "close":
            self._jump("15:30:00")
        elif word.startswith("at "):
            self._jump(word[3:])
        elif word.startswith("halt"):
            self.exchange.halt(self.now, int(word[5:]))
        else:
            self.exchange.on_tick(self.tick(word))

    def _jump(self, time):
        self.now = at(self.day, time)
        self.exchange.advance(self.now)

    def place(self, text):
        """Send the order that `text` describes."""
        side, quantity, kind, *rest = text.split()
        prices = [from_rupees(part) for part in rest if part[0].isdigit()]
        trigger = prices.pop(0) if kind in {"SL", "SL-M"} and prices else 0
        request = OrderRequest(
            instrument=self.instrument.key,
            side=Side(side),
            quantity=int(quantity),
            type=OrderType(kind),
            price=prices[0] if prices else 0,
            trigger=trigger,
            product=Product.CNC if "CNC" in rest else Product.MIS,
            validity=Validity.IOC if "IOC" in rest else Validity.DAY,
        )
        order = new_order(request, self.now, len(self.orders) + 1)
        self.orders.append(order)
        self.exchange.place(order, self.instrument)

    def _named(self, word):
        order = self.orders[int(re.search(r"#(\d+)", word)[1]) - 1]
        order.updated = self.now
        return order

    def _modify(self, word):
        order = self._named(word)
        quantity, price = re.search(r"#\d+ (\d+) at ([\d.]+)", word).groups()
        trigger = re.search(r"trigger ([\d.]+)", word)
        self.exchange.modify(
            order,
            quantity=int(quantity),
            price=from_rupees(price),
            trigger=from_rupees(trigger[1]) if trigger else order.request.trigger,
        )

    def tick(self, word):
        """Return the print that `word` describes."""
        modelled, price, quantity, bid, ask = re.fullmatch(r"(~?)([\d.]+)x(\d+)(?:/([\d.]+)-([\d.]+))?", word).groups()
        return Tick(
            self.instrument.key,
            self.now,
            from_rupees(price),
            int(quantity),
            from_rupees(bid or 0),
            from_rupees(ask or 0),
            modelled=bool(modelled),
        )

    @property
    def said(self):
        """What the exchange said, in the words of the tables."""
        return ", ".join(self._spell(update) for update in self.updates)

    def _spell(self, update):
        number = [order.id for order in self.orders].index(update.order_id) + 1
        name = f"#{number} " if len(self.orders) > 1 else ""
        if update.fill:
            return f"{name}FILL {update.fill.quantity}@{update.fill.price / 100:.2f}"
        if update.what is Update.MODIFIED:
            return f"{name}MODIFIED {update.quantity}@{update.price / 100:.2f}"
        return name + update.what

    @property
    def reason(self):
        """The last update's reason."""
        return self.updates[-1].reason


def new_order(request, ts, sequence):
    """Return an order as the engine sends it: pending, stamped `ts`."""
    return Order(
        id=client_order_id(ts, 1, sequence),
        request=request,
        state=OrderState.PENDING,
        quantity=request.quantity,
        price=request.price,
        trigger=request.trigger,
        created=ts,
        updated=ts,
    )
