"""Two market days of a book as journal records, and a journal that is read like the real one."""

import msgspec

from aitrade.core.clock import at
from aitrade.core.events import (
    Ask,
    CashMove,
    Closed,
    Conversion,
    DayBegan,
    InputBatch,
    Kind,
    Line,
    Mark,
    Opened,
    PriceAlert,
    RawRecord,
    Record,
    Refusal,
    StateChange,
    StrategyChange,
)
from aitrade.core.orders import Fill, Order, OrderRequest, OrderState, OrderType, Product, Side, Update, VenueUpdate

BOOK = "paper-1"
FIRST, SECOND = "2025-03-27", "2025-03-28"
TCS, INFY = "NSE:TCS", "NSE:INFY"
_decode = msgspec.msgpack.Decoder(RawRecord).decode


class Written:
    """A journal in memory: records are encoded as they are appended, as on disk."""

    def __init__(self, book=BOOK):
        self.book = book
        self.now = at(FIRST, "09:15")
        self.records = []

    def add(self, kind, body, **about):
        """Append a record a second after the one before."""
        self.now += 10**9
        seq = len(self.records) + 1
        record = Record(seq, kind, self.now, self.now + 5, self.book, body, **about)
        self.records.append(_decode(msgspec.msgpack.encode(record)))

    def read(self, after):
        """Return the records after number `after`."""
        return iter(self.records[after:])

    def order(self, id_, side, quantity, instrument=TCS, product=Product.CNC, price=3_500_00):
        """Append an intent and its acceptance."""
        request = OrderRequest(
            instrument=instrument, side=side, quantity=quantity, type=OrderType.LIMIT, price=price, product=product,
            strategy="orb",
        )  # fmt: skip
        order = Order(
            id=id_, request=request, state=OrderState.PENDING, quantity=quantity, price=price, created=self.now
        )
        self.add(Kind.INTENT, order, actor="orb", role="strategy", algo_id="ALGO7", order_id=id_)
        self.say(id_, Update.ACCEPTED, exchange_order_id=f"X{id_}")

    def say(self, id_, what, **more):
        """Append a venue's update."""
        self.add(Kind.UPDATE, VenueUpdate(order_id=id_, what=what, ts=self.now, **more), order_id=id_)

    def fill(self, id_, trade, side, quantity, price=3_500_00, instrument=TCS, product=Product.CNC):
        """Append a fill with 1 paisa of each charge."""
        fill = Fill(
            id=trade, order_id=id_, instrument=instrument, side=side, quantity=quantity, price=price, ts=self.now,
            product=product, strategy="orb", charges=(1,) * 8,
        )  # fmt: skip
        self.say(id_, Update.FILL, fill=fill)


def two_days(book=BOOK):
    """Return a journal in which everything happens that a journal can tell."""
    journal = Written(book)
    configuration = {"speed": 1, "paper": True}
    journal.add(
        Kind.OPENED,
        Opened(
            version="0.1.0", mode="paper", book=book, seed=7, configuration=configuration, configuration_hash="c" * 64,
            code_hash="d" * 64,
        ),
    )  # fmt: skip
    journal.add(Kind.CASH, CashMove(why="opening", amount=10_00_000_00))
    journal.add(Kind.DAY, DayBegan(day=FIRST, source="SIMULATED", assumed=[]))
    journal.add(Kind.INPUT, InputBatch(start=0, end=1, ticks=3, digest=b"x" * 32))
    journal.order("A" * 20, Side.BUY, 10)
    journal.fill("A" * 20, "T1", Side.BUY, 4)
    journal.fill("A" * 20, "T2", Side.BUY, 6, 3_501_00)
    journal.order("B" * 20, Side.SELL, 5, INFY, Product.MIS)
    journal.add(Kind.MODIFY, Ask(order_id="B" * 20, quantity=8, price=3_490_00), actor="asha", role="trader")
    journal.say("B" * 20, Update.MODIFIED, quantity=8, price=3_490_00)
    journal.fill("B" * 20, "T3", Side.SELL, 3, instrument=INFY, product=Product.MIS)
    journal.add(Kind.CANCEL, Ask(order_id="B" * 20), actor="asha", role="trader", source="127.0.0.1")
    journal.say("B" * 20, Update.CANCELLED, reason="cancelled by asha")
    journal.add(Kind.CONVERT, Conversion(instrument=INFY, product="MIS", to="CNC", quantity=1))
    refused = OrderRequest(instrument=TCS, side=Side.BUY, quantity=0)
    journal.add(Kind.REFUSAL, Refusal(request=refused, problems=[["lot", "A quantity of 0 is not an order."]]))
    journal.add(Kind.STATE, StateChange(state="REDUCING", reason="loss"), actor="asha", role="trader")
    journal.add(
        Kind.STRATEGY,
        StrategyChange(name="orb", state="failed", instruments=[TCS], quantity=1, parameters={}, code_hash="e"),
    )
    journal.add(Kind.ALERT, PriceAlert(id=1, instrument=TCS, above=True, price=1, fired=2, note="TCS rose."))
    journal.add(Kind.EVENT, Line(level="info", text="all is well"))
    journal.add(Kind.MARK, Mark(day_pnl=-80, equity=9_99_920, closing=True))
    journal.add(Kind.DAY, DayBegan(day=SECOND, source="SIMULATED", assumed=[]))
    journal.add(Kind.CASH, CashMove(why="bonus", instrument=TCS, product="CNC", quantity=10, note="1:1 bonus"))
    journal.order("C" * 20, Side.SELL, 7)
    journal.fill("C" * 20, "T1", Side.SELL, 7)
    journal.order("D" * 20, Side.BUY, 1)
    journal.say("D" * 20, Update.TRIGGERED)
    journal.say("D" * 20, Update.REJECTED, reason="margin")
    journal.order("E" * 20, Side.BUY, 1)
    journal.say("E" * 20, Update.IN_DOUBT)
    journal.add(Kind.CLOSED, Closed(reason="asked", open_orders=0, open_positions=2))
    return journal
