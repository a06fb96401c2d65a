"""The Charts tab in a real browser: it draws, switches, moves, pans, keeps its layouts, and shows and moves orders."""

import os
import shutil

import pytest
from chart_page import chart_page

from aitrade.core.clock import MINUTE

SYNC = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e '.[test]'")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if not CHROMIUM and not os.environ.get("CI"):
    pytest.skip("no chromium here: apt-get install chromium", allow_module_level=True)

WATCH = """
window.drawn = [];
addEventListener("aitrade:drawn", (event) => window.drawn.push(event.detail));
"""
INK = """
(index) => {
  // How many pixels of each chart's Bokeh canvas carry colour.
  const holder = document.querySelectorAll(".chart")[index].querySelector(".chart-bokeh");
  const find = (node) => [...(node.shadowRoot ?? node).querySelectorAll("*")]
    .flatMap((one) => one.tagName === "CANVAS" ? [one] : one.shadowRoot ? find(one) : []);
  return find(holder).reduce((sum, canvas) => {
    if (!canvas.width) return sum;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let inked = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 200) inked++;
    return sum + inked;
  }, 0);
}
"""


@pytest.fixture(scope="module")
def browser():
    """One browser for the module."""
    with SYNC.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, tmp_path):
    """The tab with its first chart drawn, over a market that runs twenty times as fast; errors on it fail the test."""
    with chart_page(tmp_path) as running:
        tab = browser.new_page(viewport={"width": 1366, "height": 768})
        tab.set_default_timeout(120_000)  # a busy machine draws late, and that is not what is tested
        errors = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.add_init_script(WATCH)
        tab.running = running
        tab.goto(running.url)
        tab.wait_for_function("drawn.length > 0")
        yield tab
        tab.close()
        assert errors == []


def legend(page, index=0):
    """The words in a chart's corner."""
    return page.locator(".chart-legend").nth(index).inner_text()


def test_switch_draws_candles(page):
    """Choosing a symbol anywhere draws its candles in the chart, with volume and studies named."""
    before = page.evaluate(INK, 0)
    assert before > 2000
    page.evaluate("aitrade.select('NSE:TCS')")
    page.wait_for_function("drawn.at(-1).symbol === 'NSE:TCS'")
    assert page.evaluate("drawn.at(-1).bars") > 100
    assert page.evaluate(INK, 0) > 2000
    assert all(word in legend(page) for word in ("TCS", "VWAP", "EMA 20"))


def test_live_bar_moves_and_closes(page):
    """The forming bar follows the ticks between two requests, and a closed one is followed by a new one."""
    page.click('[data-frame="1"]')
    page.wait_for_function("drawn.at(-1).minutes === 1")
    first, start = legend(page), page.running.market.now
    page.wait_for_function("text => document.querySelector('.chart-legend').innerText !== text", arg=first)
    rows = page.evaluate("drawn.length")
    page.wait_for_function("rows => drawn.length > rows", arg=rows)
    assert page.running.market.now - start < 3 * MINUTE
    assert "forming" in legend(page)
    page.mouse.move(400, 300)
    page.wait_for_function("!document.querySelector('.chart-bars').innerText.includes('forming')")


def test_six_charts_and_saved_layout_returns(page):
    """Six charts draw; named and reopened on a fresh page, the layout is there with symbols, frames and studies."""
    page.click('[data-grid="6"]')
    page.wait_for_function("new Set(drawn.slice(1).map((one) => one.symbol)).size >= 5")
    assert page.locator(".chart").count() == 6
    page.wait_for_function(f"({INK})(5) > 500")
    page.locator(".chart").nth(1).click(position={"x": 200, "y": 150})
    page.click('[data-frame="15"]')
    page.click('[data-act="studies"]')
    page.click('[data-add="rsi"]')
    page.keyboard.press("Escape")
    page.click('[data-act="save"]')
    page.fill('input[name="name"]', "Morning six")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.chart-layouts').value === 'Morning six'")
    page.wait_for_timeout(900)
    page.reload()
    page.wait_for_function("drawn.length >= 6")
    assert page.locator(".chart").count() == 6
    assert page.locator(".chart-layouts").input_value() == "Morning six"
    assert all(word in legend(page, 1) for word in ("TCS", "15m", "RSI 14"))


def test_pan_and_zoom_fetch_what_is_needed(page):
    """Dragging to the right shows older bars; zooming out thins them."""
    page.mouse.move(600, 300)
    page.mouse.down()
    page.mouse.move(1200, 300, steps=4)
    page.mouse.up()
    count = page.evaluate("drawn.length")
    for _ in range(12):
        page.mouse.wheel(0, 240)
    page.wait_for_function("count => drawn.length > count && drawn.at(-1).bars > 400", arg=count)
    assert page.evaluate("drawn.at(-1).bars") <= 1101


def test_time_and_crosshair_are_shared(page):
    """Moving the pointer over one chart reads out the same minute on the other; panning one pans both."""
    page.click('[data-grid="2"]')
    page.wait_for_function("drawn.length >= 2")
    page.wait_for_timeout(300)
    page.mouse.move(300, 300)
    page.wait_for_function("/\\d\\d Mar \\d\\d:\\d\\d/.test(document.querySelectorAll('.chart-legend')[1].innerText)")
    time_of = (
        "index => document.querySelectorAll('.chart-legend')[index].innerText.match(/\\d\\d Mar \\d\\d:\\d\\d/)[0]"
    )
    assert page.evaluate(time_of, 0) == page.evaluate(time_of, 1)
    page.mouse.down()
    page.mouse.move(600, 300, steps=3)
    page.mouse.up()
    page.mouse.move(300, 320)
    page.wait_for_timeout(300)
    assert page.evaluate(time_of, 0) == page.evaluate(time_of, 1)


def test_order_line_is_dragged(page):
    """A working order is a line; dropped at another price, the new price goes to the engine in whole ticks."""
    page.running.moving = False
    page.evaluate("""() => {
      const key = "NSE:RELIANCE";
      const price = Math.round(aitrade.state.quotes.get(key).last / 5) * 5;
      aitrade.state.orders.set("A1", { id: "A1", instrument: key, side: "BUY", type: "LIMIT", quantity: 10, filled: 0,
        price, trigger: 0, state: "OPEN" });
      aitrade.emit("orders", []);
    }""")
    y = page.evaluate("""() => {
      const box = document.querySelector(".chart-front").getBoundingClientRect();
      return box.top;
    }""")
    line = find_order_line(page, y)
    page.mouse.move(500, line)
    page.mouse.down()
    page.mouse.move(500, line + 60, steps=3)
    page.mouse.up()
    page.wait_for_function("said.some((one) => one[0] === 'put')")
    put = page.evaluate("said.find((one) => one[0] === 'put')")
    before = page.evaluate("aitrade.state.orders.get('A1').price")
    assert put[1] == "/orders/A1"
    assert put[2]["price"] < before
    assert put[2]["price"] % 5 == 0


def find_order_line(page, top):
    """The height on the page at which the pointer says that it would take hold of an order."""
    for y in range(int(top) + 20, int(top) + 600, 3):
        page.mouse.move(500, y)
        if page.evaluate("document.querySelector('.chart-front').style.cursor") == "ns-resize":
            return y
    pytest.fail("no order line on the chart")


def test_drawing_is_kept_and_deleted(page):
    """A trend line drawn by two clicks is there after a reload, and Delete removes the chosen one for good."""
    page.click('[data-tool="line"]')
    page.mouse.click(300, 250)
    page.mouse.click(700, 350)
    page.wait_for_timeout(700)
    kept = (
        "fetch('/aitrade/chart/workspace').then((one) => one.json()).then((one) => one.drawings['NSE:RELIANCE'] ?? [])"
    )
    assert [one["shape"] for one in page.evaluate(kept)] == ["line"]
    page.reload()
    page.wait_for_function("drawn.length > 0")
    page.wait_for_timeout(300)
    page.mouse.click(300, 250)
    page.keyboard.press("Delete")
    page.wait_for_timeout(700)
    assert page.evaluate(kept) == []


def test_worker_words_reach_the_person(page):
    """A symbol that the engine does not know says so on the chart, and the next good one draws."""
    page.evaluate("aitrade.select('NSE:NOSUCH')")
    page.wait_for_function("document.querySelector('.chart .chart-note').innerText.includes('No NSE:NOSUCH')")
    assert "NOSUCH" in legend(page)
    assert not page.locator(".chart-plots").first.is_visible()
    page.evaluate("aitrade.select('NSE:INFY')")
    page.wait_for_function("drawn.at(-1).symbol === 'NSE:INFY'")
    assert page.locator(".chart-plots").first.is_visible()
    assert page.locator(".chart .chart-note").first.inner_text() == ""
