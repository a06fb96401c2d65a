"""A new market day on an open page: what stood of yesterday is replaced everywhere, as by loading the page again."""

import pytest
from browser import opened
from running import running

from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient

EXPIRY_DAY = "2026-11-23"
SHOWN = "selector => [...document.querySelectorAll(selector)].map((one) => one.dataset.key)"


@pytest.fixture(scope="module")
def trading(tmp_path_factory):
    """A simulated day of an expiry."""
    with running(tmp_path_factory.mktemp("home"), day=EXPIRY_DAY) as started:
        yield started


def end_of_day(page):
    """Run the market to the end of its day and wait until the page offers the next one."""
    page.evaluate("aitrade.post('/speed', { speed: 0, paused: false })")
    page.wait_for_function("aitrade.state.time.done")


def next_day(page):
    """Press the button that begins it, and wait until the clock stands in its morning."""
    page.evaluate("aitrade.post('/speed', { speed: 10 })")
    page.get_by_role("button", name="Next day").click()
    page.wait_for_function("!aitrade.state.time.done")


def test_a_new_day_replaces_what_was_shown_of_the_old_one(browser, trading):
    """Date, orders, trades, expired options, holdings, chain, chart and choice are the new day's, without a reload."""
    with opened(browser, trading) as page, EngineClient.of(trading.home) as client:
        option = page.evaluate(
            "aitrade.get('/chain?underlying=NSE:NIFTY&expiry=').then(({ expiry, strikes }) => "
            "({ expiry, key: strikes[Math.floor(strikes.length / 2)].call.key }))"
        )
        assert option["expiry"] == EXPIRY_DAY
        lot = page.evaluate(
            "key => aitrade.select(key).then(() => aitrade.state.instruments.get(key).lot)", option["key"]
        )
        client.place(OrderRequest(instrument=option["key"], side=Side.BUY, quantity=lot, product=Product.NRML))
        client.place(OrderRequest(instrument="NSE:SBIN", side=Side.BUY, quantity=10, product=Product.CNC))
        page.wait_for_function("[...aitrade.state.positions.values()].filter(({ quantity }) => quantity).length === 2")
        assert EXPIRY_DAY in page.locator("header .book").inner_text()
        end_of_day(page)
        for tab in ("charts", "fno", "portfolio", "dashboard", "btst"):
            page.evaluate("tab => aitrade.go(tab)", tab)
            page.wait_for_timeout(1200)
        page.wait_for_function("document.querySelector('.btst-table tbody').childElementCount > 0")
        page.evaluate("aitrade.go('dashboard')")
        next_day(page)

        page.wait_for_function(
            "day => !document.querySelector('header .book').textContent.includes(day)", arg=EXPIRY_DAY
        )
        snapshot = client.snapshot()
        assert snapshot.world.session > EXPIRY_DAY
        assert snapshot.world.session in page.locator("header .book").inner_text()
        page.wait_for_function("!document.querySelector('.books tr[data-key]')")
        assert page.evaluate(SHOWN, ".held tr[data-key]") == []
        names = ["orders", "trades", "positions", "holdings"]
        state = page.evaluate(
            "names => Object.fromEntries(names.map((name) => [name, aitrade.state[name].size]))", names
        )
        assert state == {"orders": 0, "trades": 0, "positions": 0, "holdings": 1}
        assert page.evaluate("aitrade.state.funds.opening") == snapshot.funds.opening
        assert page.evaluate("key => aitrade.state.instruments.has(key)", option["key"]) is False
        assert page.evaluate("aitrade.state.selected") == page.evaluate("aitrade.state.watchlist[0]")

        page.evaluate("aitrade.go('portfolio')")
        page.wait_for_function("document.querySelector('.pf-holdings tr[data-key]')")
        assert page.evaluate(SHOWN, ".pf-holdings tr[data-key]") == ["NSE:SBIN"]
        assert page.evaluate(SHOWN, ".pf-positions tr[data-key]") == []

        page.evaluate("aitrade.go('fno')")
        page.wait_for_function(
            "day => document.querySelector('.fno-chain select[aria-label=Expiry]').value > day", arg=EXPIRY_DAY
        )
        page.evaluate("aitrade.go('btst')")
        page.wait_for_function("document.querySelector('.btst-countdown')?.checkVisibility()")
        page.evaluate("aitrade.go('charts')")
        drawn = (
            "new Promise((tell) => document.addEventListener('aitrade:drawn', "
            "({ detail }) => tell(detail.symbol), {once: true}))"
        )
        assert page.evaluate(drawn) == page.evaluate("aitrade.state.selected")
