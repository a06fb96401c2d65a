"""First in, first out: examples worked out by hand, and that no paisa and no unit is lost."""

import hypothesis.strategies as st
from hypothesis import given, settings

from aitrade.core.clock import at
from aitrade.core.events import CashMove, Conversion, DayBegan, Kind, Record
from aitrade.core.orders import Fill, Order, OrderRequest, OrderState, Product, Side, Update, VenueUpdate
from aitrade.engine.state import Book
from aitrade.ops.ledger import Day as LedgerDay
from aitrade.ops.ledger import Row, Stamp, Standing
from aitrade.ops.reports.lots import Fifo
from aitrade.ops.reports.profit_and_tax import open_cost, realised

TCS, FUTURE = "NSE:TCS", "NFO:NIFTY27MAR25FUT"


class Days:
    """A book in memory whose days are given to `Fifo` as the ledger gives them."""

    def __init__(self):
        self.book, self.lots, self.number = Book(), Fifo(), 0
        self._rows = None

    def begin(self, day):
        """End the day before, and begin one."""
        self.end()
        self._apply(Kind.DAY, DayBegan(day=day, source="", assumed=[]))
        standing = Standing.of(self.book.state)
        self._rows = LedgerDay("made", day, "", [], standing, standing, standing)

    def end(self):
        """Give the day to the lots."""
        if self._rows is not None:
            self.lots.take(self._rows)
            self._rows = None

    def trade(self, instrument, units, price, charges=(0,) * 8, product=Product.CNC):
        """A fill of signed units."""
        self.number += 1
        side = Side.BUY if units > 0 else Side.SELL
        request = OrderRequest(instrument=instrument, side=side, quantity=abs(units), product=product)
        order = Order(id=str(self.number), request=request, state=OrderState.PENDING, quantity=abs(units))
        self._apply(Kind.INTENT, order)
        fill = Fill(
            id=order.id, order_id=order.id, instrument=instrument, side=side, quantity=abs(units), price=price,
            ts=at("2025-01-01", "10:00"), product=product, charges=charges,
        )  # fmt: skip
        stamp = self._apply(Kind.UPDATE, VenueUpdate(order_id=order.id, what=Update.FILL, ts=0, fill=fill))
        self._rows.fills.append(Row(stamp, fill))

    def move(self, why, amount=0, instrument=TCS, product="CNC", **more):
        """Money or units without a trade."""
        body = CashMove(why=why, amount=amount, instrument=instrument, product=product, **more)
        self._rows.cash.append(Row(self._apply(Kind.CASH, body), body))

    def carry(self):
        """The night: purchases become holdings."""
        for key, lot in list(self.book.state.positions.items()):
            instrument, product = key.split("|")
            if product == "CNC" and lot.quantity > 0:
                self.move("carry", 0, instrument, product, settled=lot.quantity)

    def open(self, instrument):
        """Whether a position in it is open: a split would change that too."""
        return any(lot.quantity for key, lot in self.book.state.positions.items() if key.startswith(f"{instrument}|"))

    def _apply(self, kind, body):
        record = Record(self.book.state.seq + 1, kind, 0, 0, "made", body)
        self.book.apply(record)
        return Stamp(record.seq, kind, 0, 0)

    def check(self):
        """Lots and ledger are one sum, to the paisa and the unit."""
        self.end()
        standing, lots = Standing.of(self.book.state), self.lots
        gains = sum(match.gain for match in lots.matches) + sum(one.amount for one in lots.income)
        assert gains - lots.open_value() == realised(standing) - open_cost(standing)
        charged = sum(sum(match.charges) for match in lots.matches)
        assert charged + lots.open_charges() == sum(standing.charges)
        held = {}
        for key, lot in standing.positions.items():
            held[key.split("|")[0]] = held.get(key.split("|")[0], 0) + lot.quantity
        for key, holding in standing.holdings.items():
            held[key] = held.get(key, 0) + holding.lot.quantity
        for instrument in {*held, *lots.held}:
            assert sum(piece.quantity for piece in lots.held[instrument]) == held.get(instrument, 0)


def rows(lots):
    """What was matched: units, days, bought and sold in rupees."""
    return [(m.quantity, m.opened, m.closed, m.bought / 100, m.sold / 100, m.short) for m in lots.matches]


def test_the_oldest_purchase_goes_first():
    """100 at ₹10 and 100 at ₹12; 150 sold at ₹15 use all of the first and half of the second."""
    days = Days()
    days.begin("2025-01-01")
    days.trade(TCS, 100, 10_00)
    days.carry()
    days.begin("2025-01-02")
    days.trade(TCS, 100, 12_00)
    days.carry()
    days.begin("2025-02-03")
    days.trade(TCS, -150, 15_00)
    days.check()
    assert rows(days.lots) == [
        (100, "2025-01-01", "2025-02-03", 1000.0, 1500.0, False),
        (50, "2025-01-02", "2025-02-03", 600.0, 750.0, False),
    ]
    assert [(piece.quantity, piece.value) for piece in days.lots.held[TCS]] == [(50, 600_00)]


def test_a_day_s_own_trades_meet_first():
    """With 100 held from before, 40 bought and 60 sold in a day are 40 within the day and 20 from the old lot."""
    days = Days()
    days.begin("2025-01-01")
    days.trade(TCS, 100, 10_00)
    days.carry()
    days.begin("2025-01-10")
    days.trade(TCS, -60, 11_00)
    days.trade(TCS, 40, 10_50)
    days.check()
    assert rows(days.lots) == [
        (40, "2025-01-10", "2025-01-10", 420.0, 440.0, True),
        (20, "2025-01-01", "2025-01-10", 200.0, 220.0, False),
    ]


def test_a_split_keeps_days_and_cost_and_a_bonus_costs_nothing():
    """10 at ₹100 split 1:5 are 50 at ₹20; a 1:1 bonus adds 50 that cost nothing, held from the next market day."""
    days = Days()
    days.begin("2025-01-01")
    days.trade(TCS, 10, 100_00)
    days.carry()
    days.begin("2025-03-03")
    days.move("split", quantity=40)
    days.begin("2025-05-02")
    days.move("bonus", quantity=50)
    days.begin("2025-05-05")
    days.trade(TCS, -60, 15_00)
    days.check()
    assert rows(days.lots) == [
        (50, "2025-01-01", "2025-05-05", 1000.0, 750.0, False),
        (10, "2025-05-05", "2025-05-05", 0.0, 150.0, False),
    ]
    assert [match.bonus for match in days.lots.matches] == [False, True]


def test_a_future_keeps_its_own_cost_through_daily_settlement():
    """75 at ₹23,000, marked up by ₹100 and expired at ₹23,150: ₹11,250 in one piece, not by days."""
    days = Days()
    days.begin("2025-03-25")
    days.trade(FUTURE, 75, 23_000_00, product=Product.NRML)
    days.move("mark_to_market", 75 * 100_00, FUTURE, "NRML", cost=75 * 100_00)
    days.begin("2025-03-27")
    days.move("expiry", 75 * 50_00, FUTURE, "NRML", quantity=-75, cost=-75 * 23_100_00)
    days.check()
    assert rows(days.lots) == [(75, "2025-03-25", "2025-03-27", 17_25_000.0, 17_36_250.0, False)]
    assert days.lots.matches[0].how == "expiry"


def test_dividends_are_income_and_charges_follow_their_units():
    """A dividend is no lot; of ₹1.00 charged on 3 units, one unit takes 33 paise and the last takes the rest."""
    days = Days()
    days.begin("2025-01-01")
    days.trade(TCS, 3, 10_00, (100, 0, 0, 0, 0, 0, 0, 0))
    days.carry()
    days.move("dividend", 15_00)
    days.begin("2025-01-02")
    days.trade(TCS, -1, 10_00)
    days.trade(TCS, -2, 10_00)
    days.check()
    assert [(one.why, one.amount) for one in days.lots.income] == [("dividend", 15_00)]
    assert [match.charges[0] for match in days.lots.matches] == [33, 67]


def test_a_conversion_s_charges_go_with_the_units_bought_that_day():
    """4 bought before, 3 and 1 bought on the day of the conversion: its ₹10.53 of tax is theirs by units, no income."""
    days = Days()
    days.begin("2025-01-01")
    days.trade(TCS, 4, 10_00)
    days.carry()
    days.begin("2025-01-02")
    days.trade(TCS, 3, 10_00, product=Product.MIS)
    days.trade(TCS, 1, 10_00, product=Product.MIS)
    days._apply(Kind.CONVERT, Conversion(instrument=TCS, product="MIS", to="CNC", quantity=4))
    days.move("charge", charges=(-200, 1053, 0, 0, 0, 0, 0, 0))
    days.check()
    assert [piece.charges[:2] for piece in days.lots.held[TCS]] == [(0, 0), (-150, 789), (-50, 264)]
    assert days.lots.income == []


units = st.integers(-50, 50).filter(bool)
prices = st.integers(1, 10**6)
charged = st.tuples(*[st.integers(0, 500)] * 8)
steps = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from(["NSE:A", "NSE:B"]), units, prices, charged, st.just(Product.CNC)),
    st.tuples(st.just("trade"), st.sampled_from(["NSE:A", "NSE:B"]), units, prices, charged, st.just(Product.MIS)),
    st.tuples(st.just("trade"), st.just(FUTURE), units, prices, charged, st.just(Product.NRML)),
    st.tuples(st.just("mark"), prices),
    st.tuples(st.just("close"), prices),
    st.tuples(
        st.just("grow"), st.sampled_from(["NSE:A", "NSE:B"]), st.sampled_from(["split", "bonus"]), st.integers(1, 4)
    ),
    st.tuples(st.just("dividend"), st.integers(1, 10**5)),
    st.tuples(st.just("convert"), st.integers(1, 50)),
    st.tuples(st.just("night")),
)


@settings(max_examples=150)
@given(st.lists(steps, max_size=30))
def test_lots_and_ledger_are_one_sum(taken):
    """Over any days, splits, bonuses, settlements, conversions and expiries: units, cost and charges are conserved."""
    days, day = Days(), 1
    days.begin("2025-01-01")
    for what, *rest in taken:
        state = days.book.state
        if what == "trade":
            days.trade(*rest[:4], product=rest[4])
        elif what == "night":
            days.carry()
            day += 1
            days.begin(f"2025-01-{day:02d}")
        elif what == "dividend":
            days.move("dividend", rest[0], "NSE:A")
        elif what == "grow" and (holding := state.holdings.get(rest[0])) and not days.open(rest[0]):
            days.move(rest[1], 0, rest[0], quantity=holding.lot.quantity * rest[2])
        elif what == "convert" and (lot := state.positions.get("NSE:A|MIS")) and lot.quantity:
            body = Conversion(instrument="NSE:A", product="MIS", to="CNC", quantity=min(rest[0], abs(lot.quantity)))
            days._apply(Kind.CONVERT, body)
            if any(row.body.instrument == "NSE:A" for row in days._rows.fills):
                days.move("charge", 0, "NSE:A", "CNC", charges=(-rest[0], 0, 7, 0, 0, 1, 0, 0))
        elif (lot := state.positions.get(f"{FUTURE}|NRML")) and lot.quantity and what in ("mark", "close"):
            gain = lot.quantity * rest[0] - lot.cost
            if what == "mark":
                days.move("mark_to_market", gain, FUTURE, "NRML", cost=gain)
            else:
                days.move("expiry", gain, FUTURE, "NRML", quantity=-lot.quantity, cost=-lot.cost)
    days.check()
