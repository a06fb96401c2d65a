"""Tests for `ui.tabs.fno`: a builder's question in, legs, payoff and orders out, as `options.strategies` has them."""

import re

import msgspec
import pytest

from aitrade.core.clock import at
from aitrade.core.instruments import Exchange, Instrument, Kind, derivative_key
from aitrade.core.orders import OrderType, Product, Side
from aitrade.options import strategies
from aitrade.options.chain import OptionQuote, build_chain
from aitrade.options.pricing import price
from aitrade.options.strategies import Wanted
from aitrade.ui.desk import Desk
from aitrade.ui.tabs import fno

DAY, EXPIRY, LOT, SPOT = "2025-03-18", "2025-03-27", 75, 2_350_000
STRIKES = range(2_300_000, 2_405_000, 5_000)


def _quote(kind, strike):
    key = derivative_key(Exchange.NFO, "NIFTY", EXPIRY, kind, strike)
    row = Instrument(
        key=key, exchange=Exchange.NFO, symbol=key[4:], kind=kind, lot=LOT, strike=strike, expiry=EXPIRY,
        underlying="NSE:NIFTY",
    )  # fmt: skip
    middle = max(round(float(price(SPOT, strike, 9 / 365, 0.14, kind is Kind.CALL)) / 5) * 5, 10)
    return OptionQuote(instrument=row, last=middle, bid=middle - 5, ask=middle + 5)


@pytest.fixture(scope="module")
def chain():
    """A made-up chain of one expiry, nine days away."""
    quotes = [_quote(kind, strike) for strike in STRIKES for kind in (Kind.CALL, Kind.PUT)]
    now, ends = at(fno.date.fromisoformat(DAY), "11:00"), at(fno.date.fromisoformat(EXPIRY), "15:30")
    return build_chain("NSE:NIFTY", [EXPIRY], SPOT, quotes, now, ends)


@pytest.fixture
def bench(tmp_path):
    """What answers the builder, on the package's own calendar."""
    return fno.Bench(tmp_path)


@pytest.mark.parametrize("name", list(strategies.TEMPLATES))
def test_a_template_gives_what_the_options_room_gives(bench, chain, name):
    """Legs, premium, break-evens, extremes and both curves are the options room's own, for every template."""
    answer = bench.answer(fno.Ask(id=7, chain=chain, name=name, quantity=2 * LOT))
    own = strategies.build(name, chain, 2 * LOT)
    assert (answer.id, answer.strategy) == (7, own)
    assert answer.curve == strategies.curve(own, SPOT, answer.days / 365)
    assert answer.curve.at_expiry == [own.payoff(price) for price in answer.curve.prices]


def test_time_runs_to_the_end_of_trading(bench, chain):
    """From 11:00 on the 18th to 15:30 on the 27th are nine days and four and a half hours."""
    assert bench.days(chain.expiry, chain.ts) == pytest.approx(9 + 4.5 / 24)
    assert bench.days(DAY, chain.ts + 10**15) == 0


def test_a_leg_goes_at_market_or_at_its_limit(bench, chain):
    """Without a premium a leg is priced and sent at what the market asks, with one at that limit; buys come first."""
    sold = Wanted(kind=Kind.CALL, strike=SPOT, quantity=-LOT)
    bought = Wanted(kind=Kind.CALL, strike=2_360_000, quantity=LOT, premium=12_345)
    answer = bench.answer(fno.Ask(id=1, chain=chain, name="mine", legs=[sold, bought], product=Product.MIS))
    first, second = answer.orders
    assert (first.side, first.type, first.price) == (Side.BUY, OrderType.LIMIT, 12_345)
    assert (second.side, second.type, second.price) == (Side.SELL, OrderType.MARKET, 0)
    assert {order.product for order in answer.orders} == {Product.MIS}
    bid = next(row.call.bid for row in chain.strikes if row.strike == SPOT)
    assert answer.strategy.net_premium == LOT * (12_345 - bid)


def test_greeks_add_up_over_the_legs(bench, chain):
    """A long straddle of two lots has twice the units' Greeks of its call and its put together."""
    answer = bench.answer(fno.Ask(id=1, chain=chain, name="Long straddle", quantity=2 * LOT))
    row = next(row for row in chain.strikes if row.strike == chain.at_the_money)
    assert answer.greeks.vega == pytest.approx(2 * LOT * (row.call.vega + row.put.vega))
    assert answer.greeks.delta == pytest.approx(2 * LOT * (row.call.delta + row.put.delta))


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"name": "Iron condor", "quantity": 70}, "75 or a multiple"),
        ({"name": "Iron condor", "quantity": LOT, "far": 99}, "go less far out"),
        ({"name": "x", "legs": [Wanted(kind=Kind.PUT, strike=1, quantity=LOT)]}, "no such leg"),
        ({"name": "x", "legs": [Wanted(kind=Kind.PUT, strike=SPOT, quantity=LOT + 1)]}, "75 or a multiple"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(bench, chain, terms, says):
    """A wrong lot, a width beyond the chain or a strike that is not there is answered, with the number of the ask."""
    answer = bench.answer(fno.Ask(id=3, chain=chain, **terms))
    assert isinstance(answer, fno.Refusal)
    assert answer.id == 3
    assert says in answer.refused


def test_the_builder_answers_by_message(tmp_path, chain, monkeypatch):
    """What a page sends as JSON comes back as JSON, and the tab has chain, builder and payoff."""
    views = fno.build(Desk(tmp_path)).children
    assert all(map(isinstance, views, (fno.ChainView, fno.BuilderView, fno.PayoffView)))
    builder, sent = views[1], []
    monkeypatch.setattr(builder, "send", lambda content, _buffers=None: sent.append(content))
    ask = fno.Ask(id=5, chain=chain, name="Bull call spread", quantity=LOT)
    builder._handle_custom_msg(msgspec.json.decode(msgspec.json.encode(ask)), [])
    answer = msgspec.convert(sent[0], fno.Answer)
    assert answer == fno.Bench(tmp_path).answer(ask)


def test_a_strategy_is_built_and_sent(page):
    """A template gives legs, figures and a payoff; sent after a confirmation, its legs are orders of one basket."""
    page.evaluate("aitrade.go('fno')")
    page.locator(".fno-atm").wait_for()
    assert page.evaluate(
        "document.querySelector('.fno-frame').scrollWidth <= document.querySelector('.fno-frame').clientWidth"
    )
    page.get_by_label("Expiry", exact=True).select_option(index=1)
    page.get_by_label("Strategy", exact=True).select_option("Iron condor")
    page.locator(".fno-expiry").wait_for(state="attached")
    assert page.locator(".fno-legs tbody tr").count() == 4
    words = page.locator(".fno-figures").inner_text()
    assert all(word in words for word in ("Max profit", "Max loss", "Premium received", "Break-even"))
    send = page.locator(".fno-foot button:enabled")
    send.wait_for()
    button, panel = send.bounding_box(), page.locator(".fno-builder").bounding_box()
    assert button["x"] + button["width"] <= panel["x"] + panel["width"]
    send.click()
    page.locator("dialog p").wait_for()
    leg = re.compile(r"^(?:Buy|Sell) 1 lot \(\d+\) NIFTY \d\d[A-Z]{3} \d+[CP]E at market$", re.MULTILINE)
    assert len(leg.findall(page.locator("dialog p").inner_text())) == 4
    page.locator("dialog .dialog-actions button").last.click()
    page.wait_for_function("[...aitrade.state.orders.values()].filter((order) => order.basket).length === 4")
    assert page.evaluate("new Set([...aitrade.state.orders.values()].map((order) => order.basket)).size") == 1


def test_a_click_on_a_quote_is_a_leg(page):
    """An ask buys, a bid sells the same option again, and what is unlimited is said in words."""
    page.evaluate("aitrade.go('fno')")
    ask = page.locator(".fno-atm .fno-call.fno-ask button")
    ask.click()
    page.locator(".fno-legs tbody .btn-buy").wait_for()
    page.wait_for_function("document.querySelector('.fno-figures').innerText.includes('Unlimited')")
    page.locator(".fno-atm .fno-call.fno-bid button").click()
    page.locator(".fno-legs tbody tr").wait_for(state="detached")
    assert "Unlimited" not in page.locator(".fno-figures").inner_text()
