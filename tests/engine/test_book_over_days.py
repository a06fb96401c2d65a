"""A book over kills, days and stops: what a trader expects to find the next time."""

from datetime import date

import msgspec
import pytest

from aitrade.core.clock import at, ist_date, ist_time
from aitrade.core.errors import OrderRefused, Refused
from aitrade.core.events import Kind
from aitrade.core.instruments import Kind as What
from aitrade.core.money import format_rupees
from aitrade.core.orders import OrderRequest, OrderState, OrderType, Product, Side
from aitrade.engine.charging import components
from aitrade.engine.lots import Lot
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.engine.state import Holding

TRADER = Who("tester", "trader")
DAY = "2026-11-23"


@pytest.fixture
def begin(tmp_path):
    """Start a service on the test's folder; every one is let go at the end, however the test ends."""
    started = []

    def start(**more):
        while started:
            started.pop().abandon()
        service = Service(EngineSettings(home=str(tmp_path), **{"day": DAY, "start": "10:00", **more}))
        started.append(service)
        return service

    yield start
    for service in started:
        service.abandon()


def order(instrument, side=Side.BUY, quantity=10, product=Product.MIS, **more):
    """A market order unless `more` says otherwise."""
    return OrderRequest(instrument=instrument, side=side, quantity=quantity, product=product, **more)


def below(service, instrument):
    """A delivery bid one percent below the market, on its grid: it rests."""
    tick = service.engine.instruments[instrument].tick
    price = service.engine.quotes.last(instrument) * 99 // 100 // tick * tick
    return order(instrument, type=OrderType.LIMIT, price=price, product=Product.CNC)


def place(service, *requests):
    """Place orders as a person and let the market fill them."""
    placed = [service.engine.place(request, TRADER)[0] for request in requests]
    service.step(120)
    return placed


def texts(service):
    """The event log's lines."""
    return [event.line.text for event in service.engine.book.events]


def test_a_restart_rebuilds_the_state(begin):
    """After a kill everything is as it was, but that the book counts a crash."""
    service = begin(strategies=("moving-average",))
    service.step(60)
    place(service, order("NSE:RELIANCE", product=Product.CNC), order("NSE:TCS", Side.SELL, 5))
    service.engine.place(below(service, "NSE:INFY"), TRADER)
    service.step(300)
    service.engine.say("info", "the last line")
    before = msgspec.to_builtins(service.engine.book.state)
    money = service.engine.account.available(), service.engine.account.equity()
    again = begin(strategies=("moving-average",))
    after = msgspec.to_builtins(again.engine.book.state)
    assert len(after.pop("crashes")) == len(before.pop("crashes")) + 1
    assert after.pop("seq") > before.pop("seq")
    assert after == before
    assert (again.engine.account.available(), again.engine.account.equity()) == money


def test_interrupted_strategies_decide_the_same(begin, tmp_path_factory):
    """A day that was killed in the middle ends with the same strategy fills as one that was not."""
    settings = {
        "home": str(tmp_path_factory.mktemp("whole")),
        "day": DAY,
        "start": "09:15",
        "strategies": ("moving-average",),
    }
    whole = Service(EngineSettings(**settings))
    whole.play_through()
    expected = fills(whole)
    whole.close()
    service = begin(start="09:15", strategies=("moving-average",))
    for _ in range(2):
        service.step(5000)
        service.engine.mark()
        service = begin(start="09:15", strategies=("moving-average",))
    service.play_through()
    assert expected
    assert fills(service) == expected


def fills(service):
    """What was filled, by instrument, side, quantity, price and minute."""
    return [(f.instrument, f.side, f.quantity, f.price, ist_time(f.ts)[:5]) for f in service.engine.book.state.fills]


def test_the_next_morning(begin):
    """DAY orders have expired, purchases are T+1 and later delivered, options have settled, intraday is flat."""
    service = begin()
    service.step(90)
    option = nearest_option(service)
    place(
        service,
        order("NSE:RELIANCE", product=Product.CNC),
        order("NSE:TCS", Side.SELL, 5),
        order(option.key, quantity=option.lot, product=Product.NRML),
    )
    resting = service.engine.place(below(service, "NSE:ULTRACEMCO"), TRADER)[0]
    service.play_through()
    assert resting.state is OrderState.EXPIRED
    assert service.engine.book.position("NSE:TCS", "MIS") == 0
    assert any("Square-off of 1" in text for text in texts(service))
    (out,) = [row for row in service.orders() if row.actor == "square-off"]
    assert out.reason == "MIS square-off, at its time"
    service.close()

    morning = begin()
    state = morning.engine.book.state
    assert (state.day.day, state.orders) == ("2026-11-25", {})
    assert (state.holdings["NSE:RELIANCE"].lot.quantity, state.holdings["NSE:RELIANCE"].t1) == (10, 10)
    assert not any(lot.quantity for lot in state.positions.values())
    morning.play_through()
    morning.close()

    third = begin()
    assert third.engine.book.state.day.day == "2026-11-26"
    assert third.engine.book.state.holdings["NSE:RELIANCE"].t1 == 0
    place(third, order("NSE:RELIANCE", Side.SELL, product=Product.CNC))
    assert third.engine.book.state.holdings == {}
    assert third.engine.book.state.unsettled > 0


def nearest_option(service):
    """The call that expires today, nearest to the money."""
    spot = service.engine.quotes.last("NSE:NIFTY")
    rows = [row for row in service.engine.instruments.values() if row.is_option and row.expiry == DAY]
    return min((row for row in rows if row.underlying == "NSE:NIFTY"), key=lambda row: abs(row.strike - spot))


def test_money_is_conserved_over_days(begin):
    """Equity is what was put in, plus every rupee that was gained, less every charge, to the paisa."""
    service = begin(strategies=("moving-average", "opening-range"))
    place(service, order("NSE:RELIANCE", product=Product.CNC), order("NSE:TCS", Side.SELL, 5))
    service.play_through()
    service.close()
    for _ in range(2):
        evening = service.engine.account.equity()
        service = begin()
        morning = service.engine.account
        assert morning.equity() == evening + morning.day_pnl()
        assert morning.cash() == morning.opening() - bought(service)
        course = service.performance().equity
        assert str(ist_date(course[0][0])) == DAY
        assert len({ist_time(ts)[:2] for ts, _ in course if str(ist_date(ts)) == DAY}) >= 6
        service.play_through()
        assert service.engine.account.day_pnl() == service.engine.account.equity() - evening
        state, account = service.engine.book.state, service.engine.account
        lots = [*state.positions.items(), *((f"{key}|CNC", holding.lot) for key, holding in state.holdings.items())]
        unrealised = sum(lot.unrealised(account.last(key.rsplit("|", 1)[0])) for key, lot in lots)
        assert account.unrealised() == unrealised
        assert (
            account.equity()
            == state.opening + state.realised + state.day.realised - sum(state.day.charges) + unrealised
        )
        service.close()


def test_the_deepest_fall_stays_after_the_day(begin):
    """A day that is over is thinned for its curve; how far equity fell on it, by the minute, is told ever after."""
    service = begin()
    place(service, order("NSE:RELIANCE", quantity=300), order("NSE:TCS", Side.SELL, 70))
    falls, peak = [0], service.engine.book.state.opening
    while not service._driver.done:
        before = len(service.engine.book.state.day.curve)
        service.step(60)
        for _ts, pnl in service.engine.book.state.day.curve[before:]:
            equity = service.engine.book.state.opening + pnl
            peak = max(peak, equity)
            falls.append(equity - peak)
    assert min(falls) < 0
    assert service.performance().max_drawdown == min(falls)
    service.close()
    assert begin().performance().max_drawdown <= min(falls)


def test_delivery_ties_no_margin(begin):
    """What is bought for delivery is paid for: its row says no margin, so that rows and the book's margin agree."""
    service = begin()
    place(service, order("NSE:TCS", product=Product.CNC), order("NSE:RELIANCE"))
    account = service.engine.account
    assert account.position_margin("NSE:TCS", "CNC") == 0
    assert account.position_margin("NSE:RELIANCE", "MIS") == account.margin_used() > 0


def bought(service):
    """What the shares cost that are held, paise."""
    return sum(holding.lot.cost for holding in service.engine.book.state.holdings.values())


def test_an_emergency_stop_survives_a_restart(begin):
    """Strategies stop, orders are cancelled, positions stay; halted until a person resumes, exits pass."""
    service = begin(strategies=("moving-average",))
    place(service, order("NSE:TCS"))
    report = service.commands.emergency_stop({"reason": "drill"}, TRADER)
    assert report.strategies_stopped == ["moving-average"]
    assert [row.instrument for row in report.positions_left] == ["NSE:TCS"]
    again = begin(strategies=("moving-average",))
    assert again.engine.book.state.trading == "HALTED"
    assert again.engine.runner.running == {}
    with pytest.raises(OrderRefused, match="HALTED"):
        again.engine.place(order("NSE:INFY"), TRADER)
    again.step(60)
    place(again, order("NSE:TCS", Side.SELL))
    assert again.engine.book.position("NSE:TCS", "MIS") == 0
    again.commands.set_trading("ACTIVE", {}, TRADER)
    assert place(again, order("NSE:INFY"))[0].state is OrderState.FILLED


def test_three_crashes_on_a_day_halt(begin):
    """The third start after a crash comes up halted, and says why."""
    for _ in range(3):
        begin().step(5)
    last = begin()
    assert last.engine.book.state.trading == "HALTED"
    assert any("died" in text for text in texts(last))


def test_btst_opens_to_the_nanosecond(begin):
    """One nanosecond before 14:15:00 a BTST order is refused for the hour, at 14:15:00 for its score, never before."""
    service = begin(start="14:10")
    opens = at(DAY, "14:15:00")
    service._driver.run_until(opens - 1)
    service._clock.advance(opens - 1)
    request = order("NSE:RELIANCE", product=Product.CNC, strategy="btst")
    with pytest.raises(OrderRefused, match="14:15:00"):
        service.commands.place(request, TRADER)
    assert service.btst()().locked
    service._clock.advance(opens)
    with pytest.raises(OrderRefused, match="does not score"):
        service.commands.place(request, TRADER)
    listed = service.btst()()
    assert not listed.locked
    assert listed.candidates


def test_the_same_reference_is_one_order(begin):
    """A double click sends once."""
    service = begin()
    service.step(60)
    request = order("NSE:TCS", reference="click-1")
    first, second = service.engine.place(request, TRADER), service.engine.place(request, TRADER)
    assert first == second
    service.step(60)
    assert service.engine.book.position("NSE:TCS", "MIS") == 10


def test_a_quantity_over_freeze_is_sliced_when_asked(begin):
    """Refused with the number of orders it would take; with `slice`, sent as legal parts of one basket."""
    service = begin(cash=10**12)
    service.step(90)
    option = nearest_option(service)
    wanted = option.lot * (option.freeze // option.lot + 2)
    request = order(option.key, Side.BUY, wanted, Product.NRML)
    with pytest.raises(OrderRefused, match="freeze"):
        service.engine.place(request, TRADER)
    parts = service.engine.place(msgspec.structs.replace(request, slice=True), TRADER)
    assert [part.quantity for part in parts] == [wanted - 2 * option.lot, 2 * option.lot]
    assert len({part.request.basket for part in parts}) == 1


def test_a_sliced_order_is_previewed_as_it_is_sent(begin):
    """Freeze is no problem then, and charges are those of every slice."""
    service = begin(cash=10**12)
    service.step(90)
    option = nearest_option(service)
    request = order(option.key, Side.BUY, option.lot * (option.freeze // option.lot + 2), Product.NRML)
    whole = service.commands.preview(request, TRADER)
    assert [problem.rule for problem in whole.problems] == ["freeze"]
    sliced = service.commands.preview(msgspec.structs.replace(request, slice=True), TRADER)
    assert sliced.problems == []
    assert sliced.charges["brokerage"] == 2 * whole.charges["brokerage"] > 0


def test_the_depository_takes_its_fee_once_a_security_and_day(begin):
    """A second delivery sale of the same share pays none, and its preview says so before."""
    service = begin()
    place(service, order("NSE:TCS", quantity=10, product=Product.CNC))
    sale = order("NSE:TCS", Side.SELL, 4, Product.CNC)
    assert service.commands.preview(sale, TRADER).charges["dp"] > 0
    place(service, sale)
    assert service.commands.preview(sale, TRADER).charges["dp"] == 0
    place(service, sale)
    sales = [fill.order_id for fill in service.engine.book.state.fills if fill.side is Side.SELL]
    fees = [service.engine.book.state.fill_charges[order_id][-1] for order_id in dict.fromkeys(sales)]
    assert len(fees) == 2
    assert fees[0] > 0 == fees[1]


def test_a_conversion_to_delivery(begin):
    """MIS becomes CNC with its cost, when the money is there."""
    service = begin()
    place(service, order("NSE:TCS"))
    row = service.commands.convert({"instrument": "NSE:TCS", "product": "MIS", "to": "CNC"}, TRADER)
    assert (row.product, row.quantity) == ("CNC", 10)
    assert service.engine.book.position("NSE:TCS", "MIS") == 0
    with pytest.raises(OrderRefused, match="no open MIS"):
        service.commands.convert({"instrument": "NSE:TCS", "product": "MIS", "to": "CNC"}, TRADER)


def test_a_conversion_costs_what_the_other_product_would_have(begin):
    """Money is as if the units had been bought as delivery; converted back, it is as it was."""
    service = begin()
    place(service, order("NSE:TCS"))
    account, state = service.engine.account, service.engine.book.state
    paid, before = sum(state.fills[0].charges), account.cash() + account.unrealised()
    value = state.positions["NSE:TCS|MIS"].cost
    service.commands.convert({"instrument": "NSE:TCS", "product": "MIS", "to": "CNC"}, TRADER)
    row = service.engine.instruments["NSE:TCS"]
    wanted = service.engine.charging.of_order(row, "CNC", Side.BUY, value, 10, dp_due=False)
    assert wanted.brokerage == 0 < wanted.stt
    assert (tuple(state.day.charges), state.day.realised) == (components(wanted), 0)
    assert service.engine.book.charged == sum(state.charges) == wanted.total > paid
    assert [state.owned[f"|NSE:TCS|{name}"].charges for name in ("MIS", "CNC")] == [paid, wanted.total - paid]
    assert any("from MIS to CNC: ₹" in text and "more in charges" in text for text in texts(service))
    service.commands.convert({"instrument": "NSE:TCS", "product": "CNC", "to": "MIS"}, TRADER)
    assert (sum(state.day.charges), account.cash() + account.unrealised()) == (paid, before)


@pytest.mark.parametrize("quantity", [1, 3, 7])
def test_a_conversion_in_pieces_costs_what_it_costs_at_once(begin, quantity):
    """Brokerage of one order is given back once, however many pieces its units are converted in."""
    service = begin()
    place(service, order("NSE:TCS", quantity=60))
    state = service.engine.book.state
    row, paid = service.engine.instruments["NSE:TCS"], sum(state.day.charges)
    value = state.positions["NSE:TCS|MIS"].cost
    convert = {"instrument": "NSE:TCS", "product": "MIS", "to": "CNC"}
    while left := service.engine.book.position("NSE:TCS", "MIS"):
        service.commands.convert({**convert, "quantity": min(quantity, left)}, TRADER)
    wanted = service.engine.charging.of_order(row, "CNC", Side.BUY, value, 60, dp_due=False)
    assert (sum(state.day.charges), state.day.realised) == (wanted.total, 0)
    assert paid > wanted.brokerage == 0


@pytest.mark.parametrize(("what", "share"), [(What.EQUITY, -5), (What.FUTURE, -1), (What.FUTURE, 1)])
def test_no_part_of_a_lot_is_converted(begin, what, share):
    """Less than nothing, or units that are no whole lot, are refused, and nothing changes."""
    service = begin(cash=10**12)
    service.step(90)
    row = next(one for one in service.engine.instruments.values() if one.kind is what)
    product, to = (Product.MIS, Product.CNC) if what is What.EQUITY else (Product.NRML, Product.MIS)
    place(service, order(row.key, quantity=2 * row.lot, product=product))
    before = msgspec.to_builtins(service.engine.book.state.positions)
    with pytest.raises(OrderRefused, match="not whole lots"):
        service.commands.convert({"instrument": row.key, "product": product, "to": to, "quantity": share}, TRADER)
    assert msgspec.to_builtins(service.engine.book.state.positions) == before


def test_nothing_becomes_intraday_after_the_square_off(begin):
    """Nobody would square it off: what no MIS order may open is not converted either."""
    service = begin(start="15:00")
    place(service, order("NSE:TCS", product=Product.CNC))
    convert = {"instrument": "NSE:TCS", "product": "CNC", "to": "MIS", "quantity": 4}
    assert service.commands.convert(convert, TRADER).quantity == 4
    service.step(10 * 60)
    with pytest.raises(OrderRefused, match=r"squared off from 15:05, it is 15:1\d:\d\d.*4 units stay CNC"):
        service.commands.convert(convert, TRADER)
    assert service.engine.book.position("NSE:TCS", "CNC") == 6


def test_a_day_on_which_banks_rest_delays_shares_and_money(begin):
    """Traded on Tuesday before a Wednesday without settlement: both come on Thursday, not a day before."""
    service = begin(day="2026-08-25", start="14:58")
    service.step(90)
    state = service.engine.book.state
    state.holdings["NSE:TCS"] = Holding(Lot(quantity=5, cost=5 * 300_000))
    place(service, order("NSE:RELIANCE", product=Product.CNC), order("NSE:TCS", Side.SELL, 5, Product.CNC))
    got = state.unsettled
    seen = []
    for _ in range(3):
        service.play_through()
        service.jump({"to": "next"}, TRADER)
        seen.append((state.day.day, state.holdings["NSE:RELIANCE"].t1, state.unsettled))
    assert got > 0
    assert seen == [("2026-08-26", 10, got), ("2026-08-27", 10, 0), ("2026-08-28", 0, 0)]


def test_a_part_of_a_short_future_changes_product_free_of_charge(begin):
    """Both products of a derivative are charged alike."""
    service = begin(cash=10**12)
    service.step(90)
    future = next(row for row in service.engine.instruments.values() if row.kind is What.FUTURE)
    place(service, order(future.key, Side.SELL, 2 * future.lot, Product.NRML))
    convert = {"instrument": future.key, "product": "NRML", "to": "MIS", "quantity": future.lot}
    assert service.commands.convert(convert, TRADER).quantity == -future.lot
    assert service.engine.book.state.day.realised == 0


def test_a_price_alert_fires_once(begin):
    """It says which way the price went, and not again."""
    service = begin()
    service.step(60)
    last = service.engine.quotes.last("NSE:TCS")
    service.commands.add_alert({"instrument": "NSE:TCS", "above": True, "price": last - 5}, TRADER)
    service.step(120)
    fired = [text for text in texts(service) if "rose to" in text]
    assert len(fired) == 1
    assert f"(alert at {format_rupees(last - 5)})" in fired[0]


def test_time_only_goes_forward(begin):
    """A jump back is refused; a new day needs the old one's end."""
    service = begin()
    with pytest.raises(Refused, match="only goes forward"):
        service.jump({"to": "09:30"}, TRADER)
    with pytest.raises(Refused, match="not over"):
        service.jump({"to": "next"}, TRADER)


def test_every_record_carries_who_and_where(begin):
    """A person's order names actor, role, client and order in each of its records."""
    from aitrade.compliance.journal import frames, segments

    service = begin()
    service.step(60)
    placed = service.engine.place(order("NSE:TCS"), Who("asha", "trader", "127.0.0.1", "s1"))[0]
    service.step(60)
    records = [
        frame.record
        for path in segments(service.settings.book_path / "journal")
        for frame in frames(path)
        if frame.record.order_id == placed.id
    ]
    assert [record.kind for record in records][:2] == [Kind.INTENT, Kind.UPDATE]
    intent = records[0]
    assert (intent.actor, intent.role, intent.source, intent.session, intent.client) == (
        "asha",
        "trader",
        "127.0.0.1",
        "s1",
        "PAPER",
    )
    assert all(record.book == "simulated-1" for record in records)


def test_a_day_without_data_is_refused(begin):
    """A holiday and a day beyond the calendar say so."""
    with pytest.raises(Refused, match="Guru Nanak Jayanti"):
        begin(day="2026-11-24")
    with pytest.raises(Refused, match="2026-12-31"):
        begin(day=date(2027, 3, 1).isoformat())


def test_a_shares_money_is_that_of_the_general_rule(begin):
    """What is held, shorted, delivered and on order of one share ties and spends what any group's rule says."""
    service = begin(cash=10**11)
    account, key = service.engine.account, "NSE:TCS"
    steps = [
        order(key, quantity=30), order(key, product=Product.CNC), below(service, key),
        order(key, Side.SELL, 50), order(key, Side.SELL, 4, Product.CNC), order(key, quantity=7),
    ]  # fmt: skip
    seen = set()
    for request in steps:
        for wait in (0, 120):
            if not wait:
                service.engine.place(request, TRADER)
            service.step(wait)
            general = account.margins.book(list(account._held(key)), list(account._on_order(key)), account.last)
            assert account._of_share(key) == (general, account._spent(key))
            seen.add(account._of_share(key))
    assert len(seen) > 5
