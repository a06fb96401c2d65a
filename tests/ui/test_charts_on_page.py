"""The Charts tab on the real page: over a running engine and worker, through the page's own relay."""

import pytest

DRAWN = """
window.drawn = [];
addEventListener("aitrade:drawn", (event) => window.drawn.push(event.detail));
"""
SIGN = "() => document.querySelector('.chart-legend').innerText"


@pytest.fixture
def charts(page):
    """The page with the Charts tab opened and its first chart drawn."""
    page.evaluate(DRAWN)
    page.keyboard.press("Control+2")
    page.wait_for_function("drawn.length > 0")
    return page


def workspace(page):
    """What is saved."""
    return page.evaluate("fetch('/aitrade/chart/workspace').then((one) => one.json())")


def test_chart_follows_selection_and_market(charts):
    """A symbol chosen anywhere is drawn with its real candles, and its last price moves with the ticks."""
    key = charts.evaluate("aitrade.state.watchlist.at(-1)")
    charts.evaluate("key => aitrade.select(key)", key)
    charts.wait_for_function("key => drawn.at(-1).symbol === key", arg=key)
    assert charts.evaluate("drawn.at(-1).bars") > 100
    before = charts.evaluate(SIGN)
    assert key.split(":")[1] in before
    charts.wait_for_function("text => document.querySelector('.chart-legend').innerText !== text", arg=before)


def test_a_drag_draws_and_a_simulated_market_says_so(charts):
    """A trend line is drawn by one drag and kept; the legend calls the prices SIMULATED, not MODELLED."""
    assert "SIMULATED" in charts.evaluate(SIGN)
    assert "MODELLED" not in charts.evaluate(SIGN)
    key = charts.evaluate("drawn.at(-1).symbol")
    charts.locator("button[data-tool='line']").click()
    box = charts.locator(".chart").first.bounding_box()
    charts.mouse.move(box["x"] + 120, box["y"] + 140)
    charts.mouse.down()
    charts.mouse.move(box["x"] + 320, box["y"] + 220, steps=5)
    with charts.expect_response(lambda answer: "workspace/drawings" in answer.url):
        charts.mouse.up()
    (line,) = workspace(charts)["drawings"][key]
    (began, _), (ended, _) = line["points"]
    assert (line["shape"], began < ended) == ("line", True)


def test_layout_is_saved_through_the_relay(charts):
    """A name with spaces and signs passes the relay, and the layout is there when the page is opened again."""
    charts.click('[data-grid="4"]')
    charts.wait_for_function("document.querySelectorAll('.chart').length === 4")
    charts.click('[data-act="save"]')
    charts.fill('input[name="name"]', "M&M & friends")
    charts.keyboard.press("Enter")
    charts.wait_for_function("document.querySelector('.chart-layouts').value === 'M&M & friends'")
    assert workspace(charts)["layouts"]["M&M & friends"]["grid"] == 4
    charts.reload()
    charts.wait_for_function("document.body.dataset.ready === 'true'")
    charts.keyboard.press("Control+2")
    charts.wait_for_function("document.querySelectorAll('.chart').length === 4")
    assert charts.locator(".chart-layouts").input_value() == "M&M & friends"


def test_worker_killed_comes_back(charts, trading):
    """When the chart worker dies, the chart keeps what it showed and draws again by itself once the worker is back."""
    trading.kill("charts")
    charts.evaluate("drawn.length = 0")
    charts.evaluate("aitrade.select(aitrade.state.watchlist[3])")
    charts.wait_for_function("drawn.at(-1)?.symbol === aitrade.state.watchlist[3]")
    charts.wait_for_function("document.querySelector('.chart .chart-note').innerText === ''")
    assert charts.evaluate("aitrade.state.link.engine") == "up"
