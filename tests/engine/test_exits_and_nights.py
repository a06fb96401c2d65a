"""Exits behind working orders, nights that were interrupted, and what was on its way at a kill."""

import msgspec
import pytest

from aitrade.compliance.journal import HEADER, segments
from aitrade.core.clock import ist_time
from aitrade.core.errors import OrderRefused
from aitrade.core.events import CARRY, CashMove, Kind, Record
from aitrade.core.instruments import Kind as What
from aitrade.core.orders import OrderRequest, OrderState, OrderType, Product, Side
from aitrade.core.quotes import Tick
from aitrade.engine.lots import Lot
from aitrade.engine.overnight import overnight
from aitrade.engine.quotes import Quotes
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.engine.state import Book, Holding

TRADER = Who("tester", "trader")
DAY = "2026-11-23"
TCS = "NSE:TCS"


@pytest.fixture
def begin(tmp_path):
    """Start a service on the test's folder; every one is let go at the end, however the test ends."""
    started = []

    def start(**more):
        while started:
            started.pop().abandon()
        service = Service(EngineSettings(home=str(tmp_path), **{"day": DAY, "start": "14:58", **more}))
        started.append(service)
        return service

    yield start
    for service in started:
        service.abandon()


def limit(service, side, percent, quantity=10, product=Product.MIS):
    """A limit order some percent off the market, on the grid."""
    tick = service.engine.instruments[TCS].tick
    price = service.engine.quotes.last(TCS) * (100 + percent) // 100 // tick * tick
    return OrderRequest(
        instrument=TCS, side=side, quantity=quantity, type=OrderType.LIMIT, price=price, product=product
    )


def bought(service, **more):
    """Ten shares in the position and a target that rests on all of them."""
    service.step(60)
    service.engine.place(OrderRequest(instrument=TCS, side=Side.BUY, quantity=10, **more), TRADER)
    service.step(30)
    target = service.engine.place(limit(service, Side.SELL, 3), TRADER)[0]
    service.step(5)
    assert target.state is OrderState.OPEN
    return target


def test_an_exit_waits_for_the_orders_that_work_on_its_position(begin):
    """The target is cancelled first, only then the exit goes, as an exit; asked twice it goes once."""
    service = begin()
    target = bought(service)
    for _ in range(2):
        answer = service.commands.square_off({"instrument": TCS}, TRADER)
        assert "follows" in answer[0].reason
    assert len(service.engine.book.state.orders) == 2
    service.step(30)
    orders = list(service.engine.book.state.orders.values())
    assert target.state is OrderState.CANCELLED
    assert target.reason.startswith(f"Cancelled for the exit of {TCS} MIS: ")
    assert [(order.state, order.is_exit) for order in orders[2:]] == [(OrderState.FILLED, True)]
    assert service.engine.book.position(TCS, "MIS") == 0


def test_the_square_off_gets_out_past_a_resting_target(begin):
    """At its time the position goes out although an order rests on all of it, and an entry on its way goes too."""
    service = begin()
    target = bought(service)
    entry = service.engine.place(limit(service, Side.BUY, -3), TRADER)[0]
    service.step(20 * 60)
    assert target.state is OrderState.CANCELLED
    assert target.reason.startswith(f"Cancelled for the exit of {TCS} MIS: ")
    assert entry.state is OrderState.CANCELLED
    assert service.engine.book.position(TCS, "MIS") == 0
    assert service.engine.notes == {}


def test_a_square_off_that_does_not_fill_is_told_once_and_stays_visible(begin):
    """More than the market takes: an alert, a note on the position, and the next day begins with what is left."""
    service = begin()
    service.step(60)
    units = 5_000_000
    lot = Lot(quantity=units, cost=units * service.engine.quotes.last(TCS))
    service.engine.book.state.positions[f"{TCS}|MIS"] = lot
    service.engine.account.touch(TCS)
    service.engine.account.filled(TCS)
    service.play_through()
    (row,) = [row for row in service.positions() if row.quantity]
    assert 0 < row.quantity < units
    assert row.note.startswith("square-off missed")
    told = [event.line for event in service.engine.book.events if "did not get out" in event.line.text]
    assert [line.level for line in told] == ["alert"]
    service.jump({"to": "next"}, TRADER)
    assert service.feed.day.isoformat() == "2026-11-25"
    assert service.engine.book.state.orders == {}
    assert [left.quantity for left in service.positions()] == [row.quantity]
    assert service.engine.account.unrealised() == lot_of(service).unrealised(service.engine.quotes.last(TCS))


def lot_of(service):
    """The intraday position."""
    return service.engine.book.state.positions[f"{TCS}|MIS"]


def test_hedged_legs_pass_together(begin):
    """A spread whose short leg alone asks for more than there is goes as a basket, hedge first."""
    service = begin()
    service.step(60)
    spot = service.engine.quotes.last("NSE:NIFTY")
    rows = [r for r in service.engine.instruments.values() if r.kind is What.CALL and r.underlying == "NSE:NIFTY"]
    later = sorted({row.expiry for row in rows})[1]
    near, far = sorted((r for r in rows if r.expiry == later and r.strike > spot), key=lambda row: row.strike)[:2]
    one, other = (
        OrderRequest(instrument=row.key, side=side, quantity=row.lot, product=Product.NRML)
        for row, side in ((near, Side.SELL), (far, Side.BUY))
    )
    alone, hedged = service.commands.preview(one, TRADER).margin, service.engine.account.available()
    placed = service.commands.basket([one, other], TRADER)
    service.step(60)
    orders = service.engine.book.state.orders
    assert [orders[row.id].request.side for row in placed] == [Side.BUY, Side.SELL]
    assert {orders[row.id].state for row in placed} == {OrderState.FILLED}
    assert len({orders[row.id].request.basket for row in placed}) == 1
    assert 0 < hedged - service.engine.account.available() < alone


def calls(service, count):
    """The next expiry's NIFTY calls above the index, the nearest first."""
    spot, rows = service.engine.quotes.last("NSE:NIFTY"), service.engine.instruments.values()
    found = [row for row in rows if row.kind is What.CALL and row.underlying == "NSE:NIFTY" and row.strike > spot]
    later = sorted({row.expiry for row in found})[1]
    return sorted((row for row in found if row.expiry == later), key=lambda row: row.strike)[:count]


def test_the_square_off_takes_a_spread_apart_without_spare_money(begin):
    """The long leg's sale raises the margin while the short one stands: it goes when that one is out."""
    service = begin(start="15:20", cash=2_000_000)
    service.step(60)
    near, far = calls(service, 2)
    hedge, short = (
        OrderRequest(instrument=row.key, side=side, quantity=row.lot, product=Product.MIS)
        for row, side in ((far, Side.BUY), (near, Side.SELL))
    )
    preview = service.commands.preview_basket([hedge, short], TRADER)
    service.engine.book.state.opening += preview.margin - preview.available + 5_000_00
    service.commands.basket([hedge, short], TRADER)
    service.step(120)
    assert [service.engine.book.position(row.key, "MIS") for row in (near, far)] == [-near.lot, far.lot]
    service.step(15 * 60)
    assert [service.engine.book.position(row.key, "MIS") for row in (near, far)] == [0, 0]


def test_a_stocks_contract_is_out_before_it_would_settle_in_shares(begin):
    """Carried to its expiry day it goes at the square-off; an index's contract stays and settles in cash."""
    service = begin(start="15:20", cash=10**12)
    service.step(60)
    rows = [row for row in service.engine.instruments.values() if row.kind is What.FUTURE and row.expiry == DAY]
    stock = next(row for row in rows if row.underlying == "NSE:RELIANCE")
    index = next(row for row in rows if row.underlying == "NSE:NIFTY")
    positions = service.engine.book.state.positions
    for row in (stock, index):
        positions[f"{row.key}|NRML"] = Lot(quantity=row.lot, cost=row.lot * service.engine.quotes.last(row.key))
    service.step(15 * 60)
    (out,) = [row for row in service.orders() if row.actor == "square-off"]
    assert (out.instrument, out.product, out.reason) == (stock.key, "NRML", "out before its expiry")
    assert [positions[f"{row.key}|NRML"].quantity for row in (stock, index)] == [0, index.lot]


def test_an_index_contract_is_squared_off_before_it_stops_on_its_expiry_day(begin):
    """From 2026-12-07 it stops at 15:30, a quarter of an hour before the others: so does its square-off come."""
    day = "2026-12-08"
    service = begin(day=day, start="15:15", cash=10**10)
    service.step(60)
    rows = [row for row in service.engine.instruments.values() if row.underlying == "NSE:NIFTY"]
    deep = service.engine.quotes.last("NSE:NIFTY") * 99 // 100
    ends = next(row for row in rows if row.kind is What.CALL and row.expiry == day and row.strike >= deep)
    stays = next(row for row in rows if row.kind is What.FUTURE)
    for row in (ends, stays):
        service.engine.place(OrderRequest(instrument=row.key, side=Side.BUY, quantity=row.lot), TRADER)
    service.step(120)
    assert [service.engine.book.position(row.key, "MIS") for row in (ends, stays)] == [ends.lot, stays.lot]
    service.step(11 * 60)
    assert [service.engine.book.position(row.key, "MIS") for row in (ends, stays)] == [0, stays.lot]
    service.step(15 * 60)
    assert service.engine.book.position(stays.key, "MIS") == 0
    out = [row for row in service.orders() if row.actor == "square-off"]
    assert [ist_time(row.created)[:5] for row in out] == ["15:20", "15:35"]


def test_an_intraday_hedge_is_squared_off_where_the_margin_is_there(begin):
    """It covers a short that stays overnight: closing it opens nothing, so it is no late intraday order."""
    service = begin(start="15:20", cash=10**9)
    service.step(60)
    (row,) = calls(service, 1)
    for side, product in ((Side.SELL, Product.NRML), (Side.BUY, Product.MIS)):
        service.engine.place(OrderRequest(instrument=row.key, side=side, quantity=row.lot, product=product), TRADER)
        service.step(60)
    service.step(15 * 60)
    assert [service.engine.book.position(row.key, name) for name in ("NRML", "MIS")] == [-row.lot, 0]


def test_cancellations_are_paced_and_never_refused(begin):
    """More than the order rate takes in a second: the first go at once, the others a second later, then all went."""
    service = begin()
    service.step(60)
    orders = []
    for _ in range(7):
        orders += [service.engine.place(limit(service, Side.BUY, -4, units), TRADER)[0] for units in (1, 2, 3)]
        service.step(2)
    assert service.engine.cancel_all(TRADER) == len(orders) == 21
    service.step(1)
    gone = sum(order.state is OrderState.CANCELLED for order in orders)
    assert 0 < gone <= service.order_rate < len(orders)
    service.step(3)
    assert all(order.state is OrderState.CANCELLED for order in orders)
    assert not service.engine.paced


def test_what_was_asked_at_a_kill_is_asked_again(begin):
    """A cancellation and new terms that were on their way are sent once more, and answered."""
    service = begin()
    service.step(60)
    one = service.engine.place(limit(service, Side.BUY, -3), TRADER)[0]
    other = service.engine.place(limit(service, Side.BUY, -4, 7), TRADER)[0]
    service.step(5)
    service.engine.cancel(one.id, TRADER)
    service.engine.modify(other.id, quantity=9, price=other.price, trigger=0, who=TRADER)
    again = begin()
    again.step(5)
    orders = again.engine.book.state.orders
    assert orders[one.id].state is OrderState.CANCELLED
    assert (orders[other.id].state, orders[other.id].quantity) == (OrderState.OPEN, 9)
    assert again.engine.book.state.asked == {}


def test_a_restart_without_an_instrument_is_told(begin, monkeypatch):
    """What works in an instrument that the data have lost is told, cannot be cancelled, and stops nothing else."""
    service = begin()
    target = bought(service)
    whole = type(service.feed).instruments
    monkeypatch.setattr(type(service.feed), "instruments", lambda feed: [r for r in whole(feed) if r.key != TCS])
    again = begin()
    assert any("not in the day's data any more" in event.line.text for event in again.engine.book.events)
    with pytest.raises(OrderRefused, match="import them again"):
        again.commands.cancel(target.id, TRADER)
    assert again.commands.emergency_stop({}, TRADER).orders_cancelled == 0
    assert [row.quantity for row in again.positions()] == [10]
    again.step(60)
    monkeypatch.undo()
    last = begin()
    last.commands.cancel(target.id, TRADER)
    last.step(5)
    assert last.engine.book.state.orders[target.id].state is OrderState.CANCELLED


def test_what_no_data_know_is_worth_its_cost(begin):
    """A contract that the day does not list any more neither stops the start nor is it worth nothing."""
    service = begin()
    service.engine.book.state.holdings["NSE:GONE"] = Holding(Lot(quantity=3, cost=3 * 900_00))
    service.engine.snapshot()
    again = begin()
    assert again.engine.account.equity() == service.settings.cash
    assert any("NSE:GONE is held and not in the data" in event.line.text for event in again.engine.book.events)


def test_a_resting_market_order_keeps_its_protection(begin):
    """The bound that the exchange gave a market order is in the book, so that a restart does not lose it."""
    service = begin(cash=10**13)
    service.step(60)
    last = service.engine.quotes.last(TCS)
    big = OrderRequest(instrument=TCS, side=Side.BUY, quantity=4_000, product=Product.CNC)
    order = service.engine.place(big, TRADER)[0]
    service.step(1)
    assert last < order.price < last * 2
    assert begin().engine.book.state.orders[order.id].price == order.price


def test_a_segment_that_a_kill_left_without_a_record_is_passed_over(begin, tmp_path):
    """Between a new segment's header and its snapshot nothing is lost: the one before it is read."""
    service = begin()
    service.step(60)
    service.engine.place(limit(service, Side.BUY, -3, product=Product.CNC), TRADER)
    before = list(service.engine.book.state.orders)
    service.engine.journal.rotate("2026-11-25")
    folder = tmp_path / "books" / "simulated-1" / "journal"
    assert segments(folder)[-1].stat().st_size == HEADER.size
    again = begin()
    assert list(again.engine.book.state.orders) == before
    assert again.engine.account.opening() == service.engine.account.opening()


@pytest.mark.parametrize("cut", range(5))
def test_an_interrupted_night_is_made_once(begin, monkeypatch, cut):
    """Whichever move of a night the kill came after, the next start ends with the same book."""
    service = begin(start="15:25")
    book = service.engine.book
    book.state.holdings[TCS] = Holding(Lot(quantity=4, cost=4_000_00), t1=4)
    book.state.positions[f"{TCS}|CNC"] = Lot(quantity=6, cost=6_600_00)
    future = next(
        row.key
        for row in service.engine.instruments.values()
        if row.symbol.startswith("RELIANCE") and row.is_derivative and not row.is_option
    )
    book.state.positions[f"{future}|NRML"] = Lot(quantity=250, cost=250 * 100_000)
    book.state.day.ended = True
    whole = Book(msgspec.msgpack.decode(msgspec.msgpack.encode(book.state), type=type(book.state)))
    after = service.feed.next_day()
    after.corporate_actions = [_Row("TCS", "Bonus 1:1 / Dividend - Rs 5 Per Share")]

    def night(other, moves=None):
        service.engine.book = other
        made = []

        def record(_kind, body, *_):
            if moves is not None and len(made) == moves:
                raise _Killed
            made.append(body)
            other.apply(Record(other.state.seq + 1, Kind.CASH, other.state.ts, 0, "", body))

        monkeypatch.setattr(service.engine, "record", record)
        overnight(service.engine, service._calendar, service._rules, after)
        return made

    expected = night(whole)
    with pytest.raises(_Killed):
        night(book, cut)
    night(book)
    monkeypatch.undo()
    assert len(expected) > cut
    assert book.state.holdings == whole.state.holdings
    assert book.state.holdings[TCS].t1 >= 6
    assert (book.state.positions, book.state.day.realised) == (whole.state.positions, whole.state.day.realised)


def test_a_contract_gets_no_dividend_and_a_split_takes_shares_on_their_way_along(begin):
    """Of split and dividend a share gets both, a future new units alone, an option neither, which is told."""
    service = begin(start="15:25")
    engine, state = service.engine, service.engine.book.state
    rows = [row for row in engine.instruments.values() if row.underlying == "NSE:TCS" and row.expiry > DAY]
    future = next(row for row in rows if row.kind is What.FUTURE)
    call = msgspec.structs.replace(future, key="NFO:TCS29DEC262400CE", kind=What.CALL, strike=2_400_00)
    engine.instruments[call.key] = call
    state.holdings[TCS] = Holding(Lot(quantity=7, cost=7_000_00), t1=3, bought={"2026-11-20": 3})
    for key, units in ((f"{TCS}|CNC", 5), (f"{future.key}|NRML", future.lot), (f"{call.key}|NRML", call.lot)):
        state.positions[key] = Lot(quantity=units, cost=units * engine.quotes.last(key.split("|")[0]))
    before = state.day.realised
    after = service.feed.next_day()
    split = "Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per Share"
    after.corporate_actions = [_Row("TCS", f"{split} / Dividend - Rs 5 Per Share")]
    overnight(engine, service._calendar, service._rules, after)
    assert (state.holdings[TCS].lot.quantity, state.holdings[TCS].t1) == (60, 25)
    assert engine.book.position(future.key, "NRML") == 5 * future.lot
    assert engine.book.position(call.key, "NRML") == call.lot
    assert state.day.realised - before == 60 * 5_00
    assert any(f"{call.key} goes ex split" in event.line.text for event in engine.book.events)


@pytest.mark.parametrize("kind", [What.CALL, What.PUT])
def test_an_expiring_contract_without_a_price_of_its_underlying_settles_by_its_own(begin, kind):
    """Nobody knows the index: the option is worth what it last traded at, not its whole strike; an alert says so."""
    service = begin(start="15:25")
    engine = service.engine
    row = next(row for row in engine.instruments.values() if row.kind is kind and row.expiry == DAY)
    engine.quotes = Quotes(one for one in engine.instruments.values() if one.key != row.underlying)
    engine.quotes.on_tick(Tick(row.key, engine.clock.now(), 40_00))
    engine.book.state.positions[f"{row.key}|NRML"] = Lot(quantity=-row.lot, cost=-row.lot * 100_00)
    overnight(engine, service._calendar, service._rules, service.feed.next_day())
    assert engine.book.position(row.key, "NRML") == 0
    assert engine.book.state.day.realised == row.lot * 60_00
    assert any("has no price" in event.line.text for event in engine.book.events)


class _Killed(Exception):
    """The process ends here."""


class _Row(msgspec.Struct):
    symbol: str
    subject: str


def test_yesterdays_shares_are_delivered_although_more_were_bought():
    """T+1 units are delivered and the day's purchases become T+1, each by itself."""
    book = Book()
    book.state.holdings[TCS] = Holding(Lot(quantity=10, cost=1000), t1=10)
    book.state.positions[f"{TCS}|CNC"] = Lot(quantity=5, cost=600)
    apply(book, CashMove(why="settlement", instrument=TCS, product="CNC", settled=10))
    apply(book, CashMove(why=CARRY, instrument=TCS, product="CNC", settled=5))
    assert book.state.holdings[TCS] == Holding(Lot(quantity=15, cost=1600), t1=5, bought={"": 5})
    assert book.position(TCS, "CNC") == 0


def apply(book, move):
    """Book a cash move."""
    book.apply(Record(1, Kind.CASH, 0, 0, "", move))
