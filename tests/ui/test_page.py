"""The page in a real browser: light, alone, and honest about what has gone."""

from itertools import pairwise

import pytest
from browser import opened, ready

LINKED = "aitrade.state.link.engine === 'up' && !document.body.classList.contains('stale')"
MEGABYTE = 1_000_000


def notice(page):
    """What the page says is wrong; empty when nothing is."""
    return page.locator(".notice").inner_text() if page.locator(".notice").is_visible() else ""


def agree(page):
    """Say yes to what the page asks."""
    page.locator("dialog .dialog-actions button").last.click()


def test_a_load_is_small_and_asks_nobody_outside(browser, trading):
    """At most 12 requests and 1.5 MB over the wire, all to the page's own server."""
    with opened(browser, trading) as page:
        sizes = page.evaluate(
            "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
            ".map((entry) => entry.transferSize)"
        )
        sent = [url for url in page.seen if not url.startswith(("blob:", "data:"))]
        assert len(sent) <= 12
        assert 0 < sum(sizes) <= 1.5 * MEGABYTE
        assert [url for url in sent if not url.startswith(trading.origin)] == []


def test_the_header_says_where_one_is(page, trading):
    """Mode, book, market day, clock, phase, trading state, money: the words and the engine's values."""
    words = page.locator("header").inner_text()
    assert all(word in words for word in ("PAPER", "SIMULATED", "ACTIVE", "STOP"))
    assert page.evaluate("aitrade.state.world.session") in words
    first = page.locator(".clock .now").inner_text()
    page.wait_for_function("text => document.querySelector('.clock .now').innerText > text", arg=first)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366


def test_keys_lead_everywhere(page):
    """Ctrl or Alt with a digit goes to a tab, ? lists the keys, Esc closes what is open."""
    names = page.evaluate("[...document.querySelectorAll('.tab-button:not([hidden])')].map((one) => one.dataset.tab)")
    assert names
    page.evaluate("document.querySelector('.tab-button:not([hidden])').focus()")
    for key in ("Control", "Alt"):
        page.keyboard.press(f"{key}+2")
        assert page.evaluate("aitrade.state.tab") == "charts"
        page.evaluate("name => aitrade.go(name)", names[0])
    page.keyboard.press("?")
    assert page.locator("dialog").count() == 1
    page.keyboard.press("b")
    page.wait_for_timeout(300)
    assert page.locator(".ticket.open").count() == 0  # not behind what has the keyboard
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")


def test_an_index_has_no_ticket(page):
    """An index is watched, never traded: neither the keys nor a chart's menu offer an order of it."""
    page.evaluate("aitrade.go('charts')")
    page.locator(".chart-line b").first.wait_for()
    page.evaluate("aitrade.select('NSE:NIFTY')")
    page.keyboard.press("b")
    page.wait_for_timeout(300)
    assert page.locator(".ticket.open").count() == 0
    page.wait_for_function("document.querySelector('.chart-line b')?.textContent === 'NIFTY'")
    page.locator(".chart-front").first.click(button="right")
    words = page.locator(".chart-menu").inner_text()
    assert "Alert at" in words
    assert "limit" not in words


def test_charts_begin_with_what_was_chosen(page):
    """What a person selected on another tab is what the charts show when they are opened for the first time."""
    page.evaluate("aitrade.select('NSE:INFY')")
    page.evaluate("aitrade.go('charts')")
    page.locator(".chart-line b").first.wait_for()
    page.wait_for_function("document.querySelector('.chart-line b').textContent === 'INFY'", timeout=10_000)


def test_a_network_that_is_gone_is_named(page):
    """The page says so within seconds, not that the engine is silent, and comes back by itself."""
    page.context.set_offline(True)
    page.wait_for_function("document.body.classList.contains('stale')")
    assert notice(page).startswith("The network is gone.")
    page.context.set_offline(False)
    page.wait_for_function(LINKED)
    assert notice(page) == ""


def test_pace_is_set_from_the_header(page):
    """Pause holds the market's clock, and a speed lets it go on."""
    page.get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_function("aitrade.state.time.paused")
    page.get_by_role("button", name="10×", exact=True).click()
    page.wait_for_function("!aitrade.state.time.paused && aitrade.state.time.speed === 10")
    assert page.evaluate("aitrade.state.time.speed") == 10


def test_a_jump_takes_seconds_and_says_what_is_no_time(page):
    """The clock goes to the very second that was typed; what is no time is refused in words and sent nowhere."""
    sent = []
    page.on("request", lambda request: sent.append(request.post_data) if request.url.endswith("/jump") else None)
    field, press = page.locator("header .pace input"), page.get_by_role("button", name="Jump", exact=True)
    field.fill("14h15")
    press.click()
    page.locator(".toast", has_text="14h15").wait_for()
    assert sent == []
    field.fill("11:14:30")
    press.click()
    page.wait_for_function("aitrade.format.time(aitrade.state.time.now) >= '11:14:30'")
    assert sent == ['{"to":"11:14:30"}']
    page.wait_for_function("aitrade.format.time(aitrade.state.funds.pnl_curve.at(-1)[0]) >= '11:14:00'")
    stamps = [ts for ts, _pnl in page.evaluate("aitrade.state.funds.pnl_curve")]
    assert {later - ts for ts, later in pairwise(stamps)} == {60_000_000_000}  # no minute of the way is missing


def test_the_emergency_stop_needs_no_kernel(page, trading):
    """With every kernel frozen it halts trading, says so, and is taken back from the header."""
    with trading.frozen():
        page.locator("header .stop").click()
        agree(page)
        page.wait_for_function("aitrade.state.health.state === 'HALTED'")
        assert page.locator("header .state").inner_text() == "HALTED"
        page.locator(".toast").first.wait_for()
        page.locator("header .state").click()
        agree(page)
        page.wait_for_function("aitrade.state.health.state === 'ACTIVE'")


def test_a_frozen_kernel_is_named(page, trading):
    """Forms that cannot answer are told apart from prices that still come, and the word goes when they do."""
    with trading.frozen():
        page.wait_for_function("aitrade.state.link.kernel === 'silent'")
        assert "forms" in notice(page)
        assert page.evaluate(LINKED)
    page.wait_for_function("aitrade.state.link.kernel === 'up'")
    assert notice(page) == ""


def test_an_engine_that_died_is_named_and_comes_back(page, trading):
    """The page says that the engine is gone, keeps what it showed marked as old, and goes on by itself."""
    shown = page.locator(".indices .index").first.inner_text()
    trading.kill("engine")
    page.wait_for_function("document.body.classList.contains('stale')")
    assert "engine" in notice(page)
    assert page.locator(".indices .index").first.inner_text()
    assert shown
    page.wait_for_function(LINKED)
    assert notice(page) == ""
    assert page.evaluate("aitrade.state.time.now") > 0


def test_a_feed_that_is_down_is_named(page):
    """What the engine says of it stands on the page, prices are marked as old; both go when prices come again."""
    page.evaluate(
        "() => { const parse = window.parsed = JSON.parse; JSON.parse = (text) => { const frame = parse(text);"
        " if (frame.type === 'health') frame.feed_failure = 'The feed is down.'; return frame; }; }"
    )
    page.wait_for_function("document.body.classList.contains('stale')")
    assert notice(page).startswith("The feed is down. What you see is old.")
    page.evaluate("JSON.parse = window.parsed")
    page.wait_for_function("!document.body.classList.contains('stale')")
    assert notice(page) == ""


def test_a_silent_engine_is_named(page, trading):
    """An engine that stands still without ending is told from one that has ended."""
    import psutil

    engine = psutil.Process(trading.pid("engine"))
    engine.suspend()
    try:
        page.wait_for_function("document.body.classList.contains('stale')")
        assert notice(page)
    finally:
        engine.resume()
    page.wait_for_function(LINKED)


def test_a_kernel_that_died_is_replaced(page, trading):
    """A new kernel has none of the page's widgets: the page loads itself again, and is logged in still."""
    page.evaluate("window.before = true")
    for kernel in trading.kernels():
        kernel.kill()
    page.wait_for_function("window.before === undefined")
    ready(page)
    assert notice(page) == ""


def test_a_page_server_that_died_is_named_and_comes_back(page, trading):
    """The page says that its server is gone; started again, it takes the log-in that was given before."""
    page.evaluate("window.before = true")
    trading.kill("page")
    page.wait_for_function("aitrade.state.link.server === 'down'")
    assert "page server does not answer" in notice(page)
    assert "if not, aitrade up starts it" in notice(page)
    page.wait_for_function("window.before === undefined")
    ready(page)
    assert notice(page) == ""


def test_a_log_in_that_ended_is_named(page, trading):
    """Without its cookie the page does not blame the engine: it says how to get a new link."""
    page.context.clear_cookies()
    trading.kill("engine")
    page.wait_for_function("aitrade.state.link.server === 'login'")
    assert "aitrade open" in notice(page)


@pytest.mark.parametrize("path", ["/", "/charts"])
def test_a_page_without_log_in_shows_the_way(browser, trading, path):
    """Whoever opens the bare address reads how to get in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(trading.origin + path)
    assert "aitrade open" in page.inner_text("main")
    context.close()
