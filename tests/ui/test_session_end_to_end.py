"""The main job from start to end: a real day by `aitrade up`, traded by hand in a browser, stopped, continued."""

import os
import shutil
from pathlib import Path

import pytest
from browser import chromium

from aitrade.core.clock import at
from aitrade.core.config import load
from aitrade.core.orders import OrderState
from aitrade.ops.visit import browser, page_at, trading

DAY = "2025-03-28"
KEY, QUANTITY = "NSE:RELIANCE", 7
TABS = ("dashboard", "charts", "fno", "btst", "portfolio", "system")
OPTIONS = ("--session", DAY, "--strategy", "none")


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """The real day and the one before it, of three shares, alone in a folder."""
    given = load().real_data or os.environ.get("AITRADE_REAL_DATA") or "../shared/data"
    found = Path(given) / "nse-1min-stocks-2025"
    if not found.is_dir():
        pytest.skip("no real market data on this machine; AITRADE_REAL_DATA names their folder")
    folder = tmp_path_factory.mktemp("days")
    for path in [*found.glob("*/27-03-2025.csv"), *found.glob("*/28-03-2025.csv")]:
        (folder / path.parent.name).mkdir(exist_ok=True)
        shutil.copy(path, folder / path.parent.name)
    return folder


def visit(page, tab):
    """Go to a tab by its key; return what it says."""
    page.keyboard.press(f"Control+{TABS.index(tab) + 1}")
    place = page.locator(f"#tab-{tab}")
    place.wait_for()
    page.wait_for_function("tab => document.getElementById(`tab-${tab}`).innerText.trim().length > 20", arg=tab)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366
    return place.inner_text()


def buy(page):
    """Buy by the keyboard: B, a quantity, Enter."""
    page.evaluate("key => aitrade.select(key)", KEY)
    page.keyboard.press("b")
    quantity = page.locator(".ticket.open .ticket-quantity input")
    quantity.wait_for()
    page.wait_for_function("document.activeElement?.closest('.ticket-quantity')")
    page.keyboard.press("Control+a")
    page.keyboard.type(str(QUANTITY))
    page.keyboard.press("Enter")


def held(page):
    """The quantity that the page shows as held."""
    return page.evaluate("key => aitrade.state.positions.get(key + '|MIS')?.quantity ?? 0", KEY)


def wait_shown(page, tab, *words):
    """Wait until a tab shows all these words."""
    page.wait_for_function(
        "([tab, words]) => words.every((word) => document.getElementById(`tab-${tab}`).innerText.includes(word))",
        arg=[tab, list(words)],
    )


def test_a_real_day_is_traded_by_hand_stopped_and_continued(days, tmp_path):
    """Six tabs, an order by keyboard, its fill on Dashboard and Portfolio, BTST at 14:15, Ctrl-C, and on from there."""
    chromium()
    home = tmp_path / "home"
    with browser() as started:
        with trading(home, *OPTIONS, "--data", str(days), "--start", "13:50", "--speed", "10") as running:
            with page_at(started, running.link) as page:
                errors = []
                page.on("pageerror", lambda error: errors.append(str(error)))
                said = {tab: visit(page, tab) for tab in TABS}
                assert "13:5" in page.locator("header .now").inner_text()
                assert "RELIANCE" in said["dashboard"]
                visit(page, "dashboard")
                buy(page)
                page.wait_for_function("key => aitrade.state.positions.get(key + '|MIS')?.quantity", arg=KEY)
                orders = page.evaluate("[...aitrade.state.orders.values()]")
                assert [(one["state"], one["filled"]) for one in orders] == [(OrderState.FILLED, QUANTITY)]
                wait_shown(page, "dashboard", "RELIANCE", f"{QUANTITY} / {QUANTITY}", "Filled")
                visit(page, "portfolio")
                wait_shown(page, "portfolio", "RELIANCE", str(QUANTITY))
                wakes_at_a_quarter_past_two(page)
                assert errors == []
            left = running.stop()
        assert any(f"{KEY} MIS: {QUANTITY} units stay open" in line for line in left)
        with trading(home, *OPTIONS) as running, page_at(started, running.link) as page:
            assert page.evaluate("aitrade.state.time.now") >= at(DAY, "14:15")
            assert held(page) == QUANTITY
            visit(page, "portfolio")
            wait_shown(page, "portfolio", "RELIANCE", str(QUANTITY))


def wakes_at_a_quarter_past_two(page):
    """BTST counts down, and opens at 14:15:00 of the market's clock, not before."""
    page.evaluate("aitrade.post('/jump', { to: '14:14:40' }).then(() => aitrade.post('/speed', { speed: 1 }))")
    page.wait_for_function("opens => aitrade.state.time.now >= opens", arg=at(DAY, "14:14:40"))
    visit(page, "btst")
    countdown = page.locator(".btst-countdown")
    page.wait_for_function("document.querySelector('.btst-countdown').innerText.startsWith('00:00:')")
    assert page.evaluate("aitrade.marketNow()") < at(DAY, "14:15:00")
    countdown.wait_for(state="hidden")
    assert page.evaluate("aitrade.marketNow()") >= at(DAY, "14:15:00")
    assert page.locator(".btst-verdict").inner_text()
    assert "not a probability" in page.locator("#tab-btst").inner_text()
