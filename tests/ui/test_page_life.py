"""A day in a page's life: every tab by its key within the width, and the same positions after the engine died."""

import pytest

from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient

TABS = ("dashboard", "charts", "fno", "btst", "portfolio", "system")
HELD = "[...aitrade.state.positions.values()].map(({ key, quantity }) => [key, quantity])"


@pytest.mark.parametrize(("digit", "tab"), list(enumerate(TABS, 1)))
def test_every_tab_fits(page, digit, tab):
    """Ctrl and its digit leads there; it says something, and nothing scrolls sideways or down at 1366x768."""
    page.keyboard.press(f"Control+{digit}")
    page.wait_for_function("tab => document.getElementById(`tab-${tab}`).innerText.trim().length > 20", arg=tab)
    assert [one.get_attribute("id") for one in page.locator(".tab-place:visible").all()] == [f"tab-{tab}"]
    root = "document.documentElement"
    assert page.evaluate(f"[{root}.scrollWidth, {root}.scrollHeight]") == [1366, 768]


def test_positions_outlive_the_engine(page, trading):
    """What was held before the engine was killed is held, and shown, when it is back by itself."""
    key = page.evaluate("aitrade.state.watchlist[0]")
    with EngineClient.of(trading.home) as client:
        client.place(OrderRequest(instrument=key, side=Side.BUY, quantity=3, product=Product.MIS, actor="trader"))
    page.wait_for_function("key => aitrade.state.positions.get(key + '|MIS')?.quantity === 3", arg=key)
    before = page.evaluate(HELD)
    trading.kill("engine")
    page.wait_for_function("document.body.classList.contains('stale')")
    assert page.evaluate(HELD) == before
    page.wait_for_function("aitrade.state.link.engine === 'up' && !document.body.classList.contains('stale')")
    assert page.evaluate(HELD) == before
