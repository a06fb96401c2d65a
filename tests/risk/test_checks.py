"""Tests for `risk.checks`: one row a rule, refused by exactly that rule, with an accepted twin beside it."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk_account import DAY, NIFTY, TCS, Book, future, option

from aitrade.core.clock import SECOND, at
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.orders import Order, OrderRequest, OrderType, Product, Side, Validity
from aitrade.market.calendar import Calendar
from aitrade.market.rules import Rules
from aitrade.risk import exchange_rules
from aitrade.risk.checks import RiskDesk
from aitrade.risk.limits import Limits
from aitrade.risk.refusals import Rule
from aitrade.risk.rulebook import exchange_table

BUY, SELL = Side
CNC, MIS, NRML = Product
MARKET, LIMIT, SL, SL_M = OrderType
NOW = at(DAY, "10:00")
SPOT = 23_500_00
CALENDAR, RULES = Calendar.load(), Rules.load()
LIMITS = msgspec.structs.replace(
    Limits.load(), order_value_rupees=4_20_000, order_units=400, order_lots=20, day_orders=100, day_loss_rupees=10_000,
    stale_price_seconds=60, duplicate_window_ms=500, exit_reserve_per_second=2,
)  # fmt: skip
CALL = option(23_700)
STOCK_CALL = option(1_000, underlying="NSE:TCS", expiry=DAY)
INDEX = Instrument(key=NIFTY, exchange=Exchange.NSE, symbol="NIFTY", kind=Kind.INDEX)
T2T = msgspec.structs.replace(TCS, key="NSE:SLOW", symbol="SLOW", series="BE")
MASTER = {i.key: i for i in (TCS, T2T, INDEX, CALL, STOCK_CALL, future(), option(23_500, expiry="2025-03-20"))}


def desk():
    """Return a desk with tight limits and the real rules."""
    return RiskDesk(LIMITS, RULES, CALENDAR)


def book(**how):
    """Return a book in which prices of everything are fresh at NOW."""
    made = Book(**how).price(NIFTY, SPOT, NOW)
    for key in MASTER:
        made.price(key, SPOT if key == NIFTY else 1_000_00, NOW)
    return made.price(CALL.key, 100_00, NOW)


def ask(**how):
    """Return an order for 10 TCS, intraday, at market."""
    return OrderRequest(**{"instrument": "NSE:TCS", "side": BUY, "quantity": 10, **how})


def rules_of(request, account=None, now=NOW, who=None):
    """Return the names of the rules that an order breaks."""
    found = (who or desk()).check(request, MASTER.get(request.instrument), now, account or book()).refusals
    assert all(refusal.text.endswith(".") for refusal in found)
    return [refusal.rule for refusal in found]


def derivative(instrument=CALL, **how):
    """Return an order for a lot of a derivative, carried."""
    return ask(**{"instrument": instrument.key, "quantity": 75, "product": NRML, **how})


def holding(product, quantity, **how):
    """Return a book that holds TCS."""
    return book(**how).hold(TCS, product, quantity, 1_000_00)


TABLE = [
    (Rule.INSTRUMENT, ask(instrument="NSE:TSC"), ask()),
    (Rule.INSTRUMENT, ask(instrument=NIFTY), ask()),
    (Rule.INSTRUMENT, derivative(option(23_500, expiry="2025-03-20")), derivative()),
    (Rule.ORDER_TYPE, derivative(type=SL_M, trigger=120_00), derivative(type=SL, trigger=120_00, price=121_00)),
    (Rule.PRODUCT, ask(product=NRML), ask(product=CNC)),
    (Rule.PRODUCT, derivative(product=CNC), derivative(product=MIS)),
    (Rule.PRODUCT, ask(instrument=T2T.key), ask(instrument=T2T.key, product=CNC)),
    (Rule.LOT, derivative(quantity=100), derivative(quantity=150)),
    (Rule.LOT, ask(quantity=0), ask(quantity=1)),
    (Rule.LOT, ask(quantity=-5), ask(quantity=5)),
    (Rule.PRICE, ask(type=LIMIT), ask(type=LIMIT, price=1_000_00)),
    (Rule.PRICE, ask(price=1_000_00), ask()),
    (Rule.PRICE, ask(type=SL_M), ask(type=SL_M, trigger=1_010_00)),
    (Rule.PRICE, ask(trigger=1_000_00), ask()),
    (Rule.PRICE, ask(type=SL, trigger=1_010_00, price=1_009_00), ask(type=SL, trigger=1_010_00, price=1_010_00)),
    (
        Rule.PRICE,
        ask(side=SELL, type=SL, trigger=990_00, price=991_00),
        ask(side=SELL, type=SL, trigger=990_00, price=989_00),
    ),
    (Rule.TICK, ask(type=LIMIT, price=1_000_03), ask(type=LIMIT, price=1_000_05)),
    (Rule.TICK, ask(type=SL_M, trigger=1_010_01), ask(type=SL_M, trigger=1_010_00)),
    (Rule.BAND, ask(type=LIMIT, price=899_95), ask(type=LIMIT, price=900_00)),
    (Rule.BAND, ask(type=LIMIT, price=1_100_05), ask(type=LIMIT, price=1_100_00)),
    (Rule.BAND, ask(type=SL_M, trigger=1_100_05), ask(type=SL_M, trigger=1_100_00)),
    (Rule.DELIVERY, ask(side=SELL, product=CNC), ask(side=SELL, product=MIS)),
    (Rule.EXPIRY, derivative(STOCK_CALL, type=LIMIT, price=10_00), derivative(type=LIMIT, price=10_00)),
    (Rule.VALUE, ask(quantity=400, type=LIMIT, price=1_100_00), ask(quantity=400)),
    (Rule.QUANTITY, ask(quantity=401, type=LIMIT, price=900_00), ask(quantity=400, type=LIMIT, price=900_00)),
    (Rule.QUANTITY, derivative(quantity=75 * 21), derivative(quantity=75 * 20)),
]


@pytest.mark.parametrize(("rule", "refused", "accepted"), TABLE)
def test_a_rule_refuses_what_breaks_it_and_nothing_else(rule, refused, accepted):
    """The order is refused by exactly that rule; its twin passes."""
    assert rules_of(refused) == [rule]
    assert rules_of(accepted) == []


def test_freeze_says_the_slices():
    """25 lots of 75 are over 1,800; the sentence says which orders are not."""
    limits = msgspec.structs.replace(LIMITS, order_lots=0)
    who = RiskDesk(limits, RULES, CALENDAR)
    found = who.check(derivative(quantity=75 * 49, type=LIMIT, price=10_00), CALL, NOW, book()).refusals
    assert [refusal.rule for refusal in found] == [Rule.FREEZE]
    assert "2 x 1,800 and 1 x 75" in found[0].text
    assert rules_of(derivative(quantity=1800, type=LIMIT, price=10_00), who=who) == []


@pytest.mark.parametrize(
    ("rule", "account", "twin", "request_"),
    [
        (Rule.MARGIN, book(cash=1_999_99), book(cash=2_000_00), ask()),
        (Rule.MARGIN, book(cash=9_999_99), book(cash=10_000_00), ask(product=CNC)),
        (Rule.MARGIN, book(cash=7_499_99), book(cash=7_500_00), derivative()),
        (Rule.MARGIN, book(cash=10_000_00), book(cash=3_00_000_00), derivative(side=SELL)),
        (Rule.MARGIN, book(cash=10_000_00), book(cash=3_00_000_00), derivative(future(), type=LIMIT, price=1_000_00)),
        (Rule.DAILY_LOSS, book(pnl=-10_000_00), book(pnl=-9_999_99), ask()),
        (Rule.DAY_ORDERS, book(sent=100), book(sent=99), ask()),
        (Rule.STALE_PRICE, book().price(TCS.key, 1_000_00, NOW - 61 * SECOND), book(), ask()),
        (Rule.STALE_PRICE, book().price(TCS.key, 1_000_00, 0), book(), ask()),
        (Rule.STALE_PRICE, book().price(TCS.key, 0, 0), book(), ask()),
        (Rule.DELIVERY, holding(CNC, 9), holding(CNC, 10), ask(side=SELL, product=CNC)),
    ],
)
def test_what_the_book_forbids(rule, account, twin, request_):
    """Money, the day's loss and count, prices and shares: refused at the edge, accepted one step inside it."""
    assert rules_of(request_, account) == [rule]
    assert rules_of(request_, twin) == []


def test_an_old_price_does_not_stop_a_limit_order():
    """Its price is the caller's own."""
    stale = book().price(TCS.key, 1_000_00, 0)
    assert rules_of(ask(type=LIMIT, price=1_000_00), stale) == []


def test_units_on_sale_are_not_sold_twice():
    """Working sales take from what is held."""
    account = holding(CNC, 10)
    account.work(TCS, SELL, 4, CNC)
    assert rules_of(ask(side=SELL, product=CNC, quantity=7), account) == [Rule.DELIVERY]
    assert rules_of(ask(side=SELL, product=CNC, quantity=6), account) == []


def test_trade_for_trade_sells_only_what_is_delivered():
    """T+1 shares of such a series wait; of others they may be sold (BTST)."""
    sale = ask(instrument=T2T.key, side=SELL, product=CNC)
    account = book().hold(T2T, CNC, 10).hold(TCS, CNC, 10)
    account.t1 = {T2T.key: 1, TCS.key: 10}
    assert rules_of(sale, account) == [Rule.DELIVERY]
    assert rules_of(msgspec.structs.replace(sale, quantity=9), account) == []
    assert rules_of(ask(side=SELL, product=CNC), account) == []


@pytest.mark.parametrize(
    ("time", "rule", "request_"),
    [
        ("09:05", None, ask(type=LIMIT, price=1_000_00)),
        ("09:05", Rule.ORDER_TYPE, ask(type=SL_M, trigger=1_010_00)),
        ("09:05", Rule.ORDER_TYPE, ask(type=LIMIT, price=1_000_00, validity=Validity.IOC)),
        ("09:05", Rule.PHASE, derivative(type=LIMIT, price=10_00)),
        ("15:50", None, ask(product=CNC)),
        ("09:10", Rule.PHASE, ask(type=LIMIT, price=1_000_00)),
        ("09:15", None, ask(type=LIMIT, price=1_000_00, validity=Validity.IOC)),
        ("15:25", Rule.SQUARE_OFF, ask(type=LIMIT, price=1_000_00)),
        ("15:25", None, ask(type=LIMIT, price=1_000_00, product=CNC)),
        ("18:00", Rule.PHASE, ask(type=LIMIT, price=1_000_00, product=CNC)),
    ],
)
def test_the_day_has_its_phases(time, rule, request_):
    """What an order of each kind meets over a day of 2025."""
    found = rules_of(request_, now=at(DAY, time))
    assert found == ([rule] if rule else [])


def test_after_the_close_only_delivery_trades():
    """Intraday is over: both rules say so."""
    assert rules_of(ask(), now=at(DAY, "15:50")) == [Rule.PRODUCT, Rule.SQUARE_OFF]


@pytest.mark.parametrize(
    ("time", "rule", "how"),
    [
        ("15:14", None, {"type": MARKET}),
        ("15:14", None, {"type": SL_M, "trigger": 1_010_00}),
        ("15:17", Rule.PHASE, {"type": MARKET}),
        ("15:22", None, {"type": MARKET}),
        ("15:22", Rule.ORDER_TYPE, {"type": SL_M, "trigger": 1_010_00}),
        ("15:27", None, {"type": LIMIT, "price": 1_000_00}),
        ("15:27", Rule.ORDER_TYPE, {"type": MARKET}),
        ("15:32", Rule.PHASE, {"type": LIMIT, "price": 1_000_00}),
        ("15:55", None, {"type": MARKET}),
        ("16:05", Rule.PHASE, {"type": MARKET}),
    ],
)
def test_a_share_with_derivatives_closes_by_auction(time, rule, how):
    """Orders of each kind around the closing auction of August 2026."""
    share = msgspec.structs.replace(TCS, has_derivatives=True)
    now = at("2026-08-05", time)
    found = desk().check(ask(product=CNC, **how), share, now, book().price(TCS.key, 1_000_00, now)).refusals
    assert [refusal.rule for refusal in found] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("day", "rule", "says"),
    [
        ("2025-03-31", Rule.PHASE, "2025-04-01"),
        ("2025-03-29", Rule.PHASE, "2025-04-01"),
        ("2031-03-26", Rule.DATE, "2031"),
    ],
)
def test_a_closed_day_is_named(day, rule, says):
    """A holiday, a weekend and a date that nobody has published are each said to be that."""
    request = ask(type=LIMIT, price=1_000_00, product=CNC)
    found = desk().check(request, TCS, at(day, "10:00"), book()).refusals
    assert [refusal.rule for refusal in found] == [rule]
    assert says in found[0].text


def test_every_broken_rule_is_told_at_once():
    """An order that is wrong in five ways gets five sentences."""
    request = ask(quantity=500, type=LIMIT, price=1_200_01, product=NRML)
    assert rules_of(request, book(cash=0)) == [
        Rule.PRODUCT, Rule.TICK, Rule.BAND, Rule.VALUE, Rule.QUANTITY, Rule.MARGIN,
    ]  # fmt: skip


def test_new_exposure_leaves_the_reserve_of_the_rate():
    """Of ten messages a second, eight are for orders that open; cancellations count; a second later there is room."""
    who = desk()
    for _ in range(4):
        who.sent(ask(), TCS, NOW)
        who.changed(TCS, NOW)
    assert rules_of(ask(), who=who) == [Rule.ORDER_RATE]
    assert rules_of(derivative(), who=who) == []
    assert rules_of(ask(), now=NOW + SECOND, who=who) == []
    assert who.wait(TCS, NOW) == 0


def test_exits_are_paced_by_the_whole_rate():
    """The eleventh message waits until the first is a second old."""
    who = desk()
    for n in range(10):
        assert who.wait(TCS, NOW + n) == 0
        who.changed(TCS, NOW + n)
    assert who.wait(TCS, NOW + 10) == SECOND - 10
    assert rules_of(ask(side=SELL), holding(MIS, 10), now=NOW + 10, who=who) == []


def test_a_strategys_same_order_again_is_a_mistake():
    """Within the window it is refused, after it not; a person may, and so may other terms and legs of one basket."""
    who = desk()
    order = ask(strategy="orb", reference="a")
    who.sent(order, TCS, NOW)
    again = msgspec.structs.replace(order, reference="b")
    assert rules_of(again, now=NOW + SECOND // 4, who=who) == [Rule.DUPLICATE]
    assert rules_of(again, now=NOW + SECOND // 2, who=who) == []
    assert rules_of(msgspec.structs.replace(again, quantity=11), who=who) == []
    assert rules_of(ask(), who=who) == []
    slices = ask(strategy="orb", quantity=7, basket="slices")
    who.sent(slices, TCS, NOW)
    assert rules_of(slices, who=who) == []


def test_the_same_reference_is_the_same_order():
    """It is not sent again."""
    account = book()
    account.references.add("mine")
    assert rules_of(ask(reference="mine"), account) == [Rule.REFERENCE]
    assert rules_of(ask(reference="other"), account) == []


def test_nothing_of_the_desk_stops_an_exit():
    """Loss, count, rate, money, value and an old price: an exit passes all; the same order from flat meets each."""
    who = desk()
    for _ in range(10):
        who.sent(ask(), TCS, NOW)
    worst = {"cash": 0, "pnl": -(10**9), "sent": 10**6}
    order = ask(side=SELL, quantity=501)
    assert rules_of(order, holding(MIS, 501, **worst).price(TCS.key, 1_000_00, 0), who=who) == []
    assert rules_of(order, book(**worst).price(TCS.key, 1_000_00, 0), who=who) == [
        Rule.STALE_PRICE, Rule.VALUE, Rule.QUANTITY, Rule.DAY_ORDERS, Rule.DAILY_LOSS, Rule.ORDER_RATE, Rule.MARGIN,
    ]  # fmt: skip


def test_the_exchanges_rules_hold_for_an_exit_too():
    """A price off the grid would be refused there anyway."""
    account = holding(MIS, 10)
    assert rules_of(ask(side=SELL, type=LIMIT, price=1_000_03), account) == [Rule.TICK]


def test_a_turn_pays_for_what_it_opens():
    """Selling 30 with 10 held opens 20: a fifth of their value is needed, not of all."""
    order = ask(side=SELL, quantity=30)
    assert rules_of(order, holding(MIS, 10, cash=4_000_00)) == []
    assert rules_of(order, holding(MIS, 10, cash=3_999_99)) == [Rule.MARGIN]


def test_a_hedge_that_is_held_lowers_what_a_short_needs():
    """With the 23,900 call held, a short 23,700 ties 200 points and exposure."""
    short, money = derivative(side=SELL), 75 * (200_00 + 470_00)
    hedged = book(cash=money).hold(option(23_900), NRML, 75)
    assert rules_of(short, hedged) == []
    assert rules_of(short, book(cash=money)) == [Rule.MARGIN]


def test_a_baskets_legs_are_margined_together():
    """The spread passes on money that its short leg alone does not; one wrong leg stops all."""
    hedge = option(23_900)
    account = book(cash=75 * (200_00 + 470_00 + 50_00)).price(hedge.key, 50_00, NOW)
    legs = [(derivative(side=SELL), CALL), (derivative(hedge), hedge)]
    assert desk().check_basket(legs, NOW, account) == ()
    account.cash -= 1
    assert [refusal.rule for refusal in desk().check_basket(legs, NOW, account)] == [Rule.MARGIN]
    wrong = (derivative(hedge, quantity=70), hedge)
    found = desk().check_basket([legs[0], wrong], NOW, account)
    assert [refusal.rule for refusal in found] == [Rule.LOT]
    assert hedge.key in found[0].text


def modified(account, order, now=NOW, **terms):
    """Return the names of the rules that new terms break."""
    new = msgspec.structs.replace(order.request, **{"quantity": order.quantity, "price": order.price, **terms})
    instrument = MASTER[order.request.instrument]
    return [refusal.rule for refusal in desk().check_modification(new, order, instrument, now, account)]


def working_order(account, quantity=10, price=1_000_00):
    """Put a working limit order for TCS into a book."""
    order = account.work(TCS, BUY, quantity, MIS, price)
    order.request = msgspec.structs.replace(order.request, type=LIMIT)
    return order


def test_a_modification_pays_for_the_difference():
    """Ten more units tie a fifth of their value on top of what the order ties already."""
    account = book(cash=2_000_00)
    order = working_order(account)
    assert modified(account, order, quantity=20) == []
    assert modified(account, order, quantity=21) == [Rule.MARGIN]
    account.cash = 0
    assert modified(account, order, price=999_00) == []
    assert modified(account, order, price=1_001_00) == [Rule.MARGIN]


def test_a_modification_meets_the_exchanges_rules():
    """Tick, band and the units that have filled."""
    account = book()
    order = working_order(account)
    order.filled = 4
    assert modified(account, order, price=1_000_03) == [Rule.TICK]
    assert modified(account, order, price=1_200_00) == [Rule.BAND]
    assert modified(account, order, quantity=4) == [Rule.LOT]
    assert modified(account, order, quantity=5) == []


def test_an_exit_may_be_changed_whatever_the_day_has_lost():
    """It stays an exit while it is at most the position."""
    account = book(pnl=-(10**9)).hold(TCS, MIS, -10)
    order = working_order(account)
    assert modified(account, order, price=1_001_00) == []
    assert Rule.DAILY_LOSS in modified(account, order, quantity=11)


@given(
    st.builds(
        OrderRequest,
        instrument=st.sampled_from([*MASTER, "NSE:NONE"]),
        side=st.sampled_from(Side),
        quantity=st.integers(-100, 10_000),
        type=st.sampled_from(OrderType),
        price=st.integers(-5, 200_000),
        trigger=st.integers(-5, 200_000),
        product=st.sampled_from(Product),
        validity=st.sampled_from(Validity),
        strategy=st.sampled_from(["", "orb"]),
    ),
    st.integers(at("2025-01-01", "00:00"), at("2025-12-31", "23:59")),
    st.integers(-10_000, 10_000),
)
def test_whatever_is_asked_gets_an_answer(request_, now, held):
    """No order makes the checks raise; each refusal is a sentence."""
    account = book().hold(TCS, MIS, held)
    rules_of(request_, account, now)


def test_the_days_before_and_after_are_looked_up_anew():
    """A desk that lives over night asks the rules again."""
    who = desk()
    for day in (date(2025, 3, 26), date(2025, 3, 27), date(2025, 3, 28)):
        now = at(day, "10:00")
        assert rules_of(ask(), book().price(TCS.key, 1_000_00, now), now, who) == []


@pytest.mark.parametrize(
    ("side", "trigger", "passes"),
    [(SELL, 999_95, True), (SELL, 1_000_00, False), (SELL, 1_005_00, False),
     (BUY, 1_000_05, True), (BUY, 1_000_00, False), (BUY, 995_00, False)],
)  # fmt: skip
@pytest.mark.parametrize("held", [0, 10, -10])
def test_a_stop_that_would_fire_at_once_is_refused(side, trigger, passes, held):
    """A buy's trigger lies above the last price and a sale's below, an exit's too: it is the exchange's own rule."""
    account = Book().price(TCS.key, 1_000_00, NOW).hold(TCS, MIS, held)
    for more in ({"type": SL_M}, {"type": SL, "price": trigger}):
        request = ask(side=side, quantity=10, product=MIS, trigger=trigger, **more)
        found = desk().check(request, TCS, NOW, account)
        assert [refusal.rule for refusal in found.refusals] == ([] if passes else [Rule.PRICE])
        assert found.is_exit == (held * side.sign < 0)


def test_a_trigger_that_stays_is_not_asked_again():
    """A stop that the price has passed can get another limit; a new trigger meets the rule."""
    account = Book().price(TCS.key, 1_020_00, NOW)
    request = ask(quantity=10, product=MIS, type=SL, trigger=1_005_00, price=1_006_00)
    order = Order(id="A" * 20, request=request, quantity=10, price=1_011_00, trigger=1_010_00)
    for trigger, rules in ((1_010_00, []), (1_005_00, [Rule.PRICE]), (1_025_00, [])):
        terms = msgspec.structs.replace(request, trigger=trigger, price=trigger)
        found = desk().check_modification(terms, order, TCS, NOW, account)
        assert [refusal.rule for refusal in found] == rules


def test_no_other_order_meets_the_rule_of_stops():
    """Market and limit orders are judged by as many rules as before: the order path gains no call."""
    table = exchange_table(desk()._own)
    judged = {}
    for request in (ask(), ask(type=LIMIT, price=1_000_00), ask(type=SL_M, trigger=1_010_00)):
        case = desk()._case(request, TCS, NOW, Book().price(TCS.key, 1_000_00, NOW))
        judged[request.type] = [judge for _, judge in table.of(case)]
    assert exchange_rules.trigger in judged[SL_M]
    assert exchange_rules.trigger not in judged[MARKET] + judged[LIMIT]


def test_a_closed_market_sends_nobody_to_another_product():
    """Once the day is over CNC is as closed as MIS: only the closed market and its square-off are told."""
    found = desk().check(ask(), TCS, at(DAY, "17:00"), book().price(TCS.key, 1_000_00, at(DAY, "17:00"))).refusals
    assert {refusal.rule for refusal in found} >= {Rule.PHASE, Rule.SQUARE_OFF}
    assert not any("use CNC" in refusal.text for refusal in found)
