"""To the paisa: what a book says it has is what a naive reading of its trades gives, at any moment."""

import hypothesis.strategies as st
from hypothesis import given, settings

from aitrade.core.events import Conversion, Kind, Record
from aitrade.core.orders import Fill, Order, OrderRequest, OrderState, Product, Side, Update, VenueUpdate
from aitrade.engine.account import Account
from aitrade.engine.lots import Lot, shares
from aitrade.engine.quotes import Quotes
from aitrade.engine.state import Book

KEYS = ("NSE:A", "NSE:B")
PRODUCTS = (Product.MIS, Product.NRML)
OWNERS = ("", "trend")


class Desk:
    """What an account reads of an engine: a book, quotes and a master. It has no margins here, only marks."""

    def __init__(self):
        self.book = Book()
        self.quotes = Quotes(())
        self.instruments = {}
        self.account = Account(self)

    def record(self, kind, body, instrument):
        """Apply a record and let the account know, as the engine does."""
        self.book.apply(Record(self.book.state.seq + 1, kind, 0, 0, "", body))
        self.account.touch(instrument)
        self.account.filled(instrument)

    def trade(self, instrument, product, owner, units, price, charge):
        """An order that fills at once."""
        side, number = (Side.BUY if units > 0 else Side.SELL), str(self.book.state.seq)
        request = OrderRequest(instrument=instrument, side=side, quantity=abs(units), product=product, strategy=owner)
        order = Order(id=number, request=request, state=OrderState.PENDING, quantity=abs(units))
        self.record(Kind.INTENT, order, instrument)
        fill = Fill(
            id=number, order_id=number, instrument=instrument, side=side, quantity=abs(units), price=price, ts=0,
            product=product, strategy=owner, charges=(charge, 0, 0, 0, 0, 0, 0, 0),
        )  # fmt: skip
        self.record(Kind.UPDATE, VenueUpdate(order_id=number, what=Update.FILL, ts=0, fill=fill), instrument)

    def mark(self, instrument, price):
        """A price prints."""
        from aitrade.core.quotes import Tick

        self.quotes.on_tick(Tick(instrument, 0, price))
        self.account.on_tick(instrument, price)


units = st.integers(-200, 200).filter(bool)
prices = st.integers(1, 10**7)
trades = st.tuples(
    st.just("trade"), st.sampled_from(KEYS), st.sampled_from(PRODUCTS), st.sampled_from(OWNERS), units, prices,
    st.integers(0, 5000),
)  # fmt: skip
marks = st.tuples(st.just("mark"), st.sampled_from(KEYS), prices)
conversions = st.tuples(st.just("convert"), st.sampled_from(KEYS), st.permutations(PRODUCTS), st.integers(1, 300))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(trades, marks, conversions), max_size=40))
def test_cash_and_positions_are_conserved(steps):
    """After every step money in, money out and units are the naive sums, for the book, its marks and its owners."""
    desk = Desk()
    cash, charged, held, last = 0, 0, dict.fromkeys(KEYS, 0), dict.fromkeys(KEYS, 0)
    for what, key, *rest in steps:
        if what == "trade":
            product, owner, quantity, price, charge = rest
            desk.trade(key, product, owner, quantity, price, charge)
            cash, charged, held[key] = cash - quantity * price, charged + charge, held[key] + quantity
        elif what == "mark":
            last[key] = rest[0]
            desk.mark(key, rest[0])
        else:
            (source, target), quantity = rest
            quantity = min(quantity, abs(desk.book.position(key, source)))
            if quantity:
                body = Conversion(instrument=key, product=source, to=target, quantity=quantity)
                desk.record(Kind.CONVERT, body, key)
        worth = cash + sum(held[k] * last[k] for k in KEYS)
        check(desk, worth, charged, held, last)


def check(desk, worth, charged, held, last):
    """The book against the naive sums."""
    state, account = desk.book.state, desk.account
    lots = {key: lot for key, lot in state.positions.items() if lot.quantity}
    from_scratch = sum(lot.unrealised(last[key.split("|")[0]]) for key, lot in state.positions.items())
    assert account.unrealised() == from_scratch
    assert account._margin_pnl == from_scratch
    assert state.day.realised + from_scratch == worth
    assert not any(lot.cost for lot in [*state.positions.values(), *state.owned.values()] if not lot.quantity)
    assert account.day_pnl() == worth - charged
    for key in KEYS:
        assert sum(lot.quantity for name, lot in lots.items() if name.startswith(key)) == held[key]
    owned = sum(lot.realised + lot.unrealised(last[name.split("|")[1]]) for name, lot in state.owned.items())
    assert owned == worth
    for key in state.positions:
        of_owners = sum(lot.quantity for name, lot in state.owned.items() if name.endswith(f"|{key}"))
        assert of_owners == state.positions[key].quantity


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(-1000, 1000), min_size=1, max_size=6))
def test_shares_are_whole(whole, weights):
    """The parts sum to what was shared, unless there is nothing to share it by."""
    assert sum(shares(whole, weights)) == (whole if sum(weights) else 0)


@given(st.lists(st.tuples(units, prices), min_size=1, max_size=30))
def test_a_lot_loses_no_paisa(trips):
    """Realised profit and the cost of what is open are the money that went in and out."""
    lot = Lot()
    realised = sum(lot.trade(quantity, price) for quantity, price in trips)
    assert realised == lot.realised
    assert lot.realised - lot.cost == -sum(quantity * price for quantity, price in trips)
    assert lot.quantity == sum(quantity for quantity, _price in trips)
