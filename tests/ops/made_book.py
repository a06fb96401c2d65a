"""A book written to disk as an engine would: snapshots, days, orders, fills with charges, marks and nights."""

import msgspec

from aitrade.compliance.journal import Journal
from aitrade.core.clock import SECOND, at
from aitrade.core.events import CashMove, Closed, DayBegan, Kind, Mark, Opened, Record
from aitrade.core.orders import (
    CHARGE_COMPONENTS,
    Fill,
    Order,
    OrderRequest,
    OrderState,
    Product,
    Side,
    Update,
    VenueUpdate,
)
from aitrade.engine.state import Book

OPENING = 10_00_000_00


class MadeBook:
    """Appends records and applies them, a second apart; `home` is a data folder."""

    def __init__(self, home, name="made-1", money=OPENING):
        self.home, self.name = home, name
        self.journal = Journal(home / "books" / name / "journal")
        self.book = Book()
        self.now = at("2025-01-01", "09:00")
        self.trades = 0
        self.day_name = ""
        self.add(
            Kind.OPENED,
            Opened(
                version="1", mode="simulated", book=name, seed=1, configuration={"plan": "zerodha"},
                configuration_hash="c" * 64, code_hash="d" * 64,
            ),
        )  # fmt: skip
        if money:
            self.add(Kind.CASH, CashMove(why="opening", amount=money))

    def add(self, kind, body, **about):
        """Append and apply a record."""
        self.now += SECOND
        record = Record(0, kind, self.now, self.now + 5, self.name, body, **about)
        self.journal.append(record)
        self.book.apply(record)

    def day(self, day, carried=0):
        """Begin a market day in a segment of its own."""
        self.now, self.day_name = at(day, "09:15"), day
        self.journal.rotate(day)
        body = msgspec.Raw(msgspec.msgpack.encode(self.book.state))
        self.journal.append(Record(0, Kind.SNAPSHOT, self.now, self.now, self.name, body))
        self.add(Kind.DAY, DayBegan(day=day, source="SIMULATED", assumed=[], carried=carried))

    def intent(self, instrument, side, quantity, price=0, product=Product.CNC, strategy="", actor="asha"):
        """Append an order that waits for its venue, and return it."""
        self.trades += 1
        id_ = f"{self.trades:020d}"
        request = OrderRequest(
            instrument=instrument, side=side, quantity=quantity, product=product, price=price, strategy=strategy,
            actor=actor,
        )  # fmt: skip
        order = Order(
            id=id_, request=request, state=OrderState.PENDING, venue="paper", quantity=quantity, price=price,
            created=self.now,
        )  # fmt: skip
        algo_id = "GENERIC" if strategy else ""
        self.add(
            Kind.INTENT, order, actor=actor, role="trader", client="PAPER", source="127.0.0.1", order_id=id_,
            strategy=strategy, algo_id=algo_id,
        )  # fmt: skip
        return order

    def say(self, order, what, **more):
        """Append a venue's update."""
        body = VenueUpdate(order_id=order.id, what=what, ts=self.now, **more)
        self.add(Kind.UPDATE, body, order_id=order.id, exchange_order_id=more.get("exchange_order_id", ""))

    def fill(self, order, quantity, price, charges=None):
        """Append a fill; `charges` is paise by component or a total taken as brokerage."""
        booked = charges if isinstance(charges, tuple) else (charges or 0, *[0] * (len(CHARGE_COMPONENTS) - 1))
        request = order.request
        fill = Fill(
            id=f"T{self.book.state.seq}", order_id=order.id, instrument=request.instrument, side=request.side,
            quantity=quantity, price=price, ts=self.now, product=request.product, strategy=request.strategy,
            charges=booked,
        )  # fmt: skip
        self.say(order, Update.FILL, fill=fill)

    def trade(self, instrument, units, price, product=Product.CNC, charges=0, **more):
        """Append an order that is accepted and fills at once; `units` are signed."""
        side = Side.BUY if units > 0 else Side.SELL
        order = self.intent(instrument, side, abs(units), price, product, **more)
        self.say(order, Update.ACCEPTED, exchange_order_id=f"X{order.id}")
        self.fill(order, abs(units), price, charges)
        return order

    def move(self, why, amount=0, instrument="", product="", **more):
        """Append money or units that move without an order."""
        self.add(Kind.CASH, CashMove(why=why, amount=amount, instrument=instrument, product=product, **more))

    def close(self, prices=None):
        """Mark the day's end with `prices` by instrument: the equity, and the day's P&L."""
        state, worth = self.book.state, 0
        for key, lot in state.positions.items():
            worth += lot.unrealised((prices or {}).get(key.split("|")[0], 0)) if lot.quantity else 0
        for key, holding in state.holdings.items():
            worth += holding.lot.unrealised((prices or {}).get(key, 0))
        charged = sum(state.day.charges)
        equity = state.opening + state.realised + state.day.realised - charged + worth
        self.add(
            Kind.MARK,
            Mark(day_pnl=state.day.realised - charged + worth - state.day.carried, equity=equity, closing=True),
        )

    def carry(self):
        """The night: what was bought for delivery becomes a T+1 holding."""
        for key, lot in list(self.book.state.positions.items()):
            instrument, product = key.split("|")
            if product == "CNC" and lot.quantity > 0:
                self.move("carry", 0, instrument, product, settled=lot.quantity)

    def stop(self):
        """End cleanly."""
        self.add(Kind.CLOSED, Closed(reason="asked", open_orders=0, open_positions=0))
        self.journal.close()
