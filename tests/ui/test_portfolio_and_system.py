"""The Portfolio and System tabs in a real browser, on a running engine."""

import pytest


@pytest.fixture(scope="module")
def bought(browser, trading):
    """A client of the engine that has bought one share's position."""
    from aitrade.core.orders import OrderRequest, Side
    from aitrade.engine.client import EngineClient

    client = EngineClient.of(trading.home)
    client.place(OrderRequest(instrument="NSE:SBIN", side=Side.BUY, quantity=100))
    yield client
    client.close()


SHOWN = """[...document.querySelectorAll('.figure')]
    .map(({ children: [name, value] }) => [name.textContent, value.textContent])
    .concat([['earned', document.querySelector('.pf-earned .bars-row .num').textContent]])"""


def figures(page):
    """The numbers on top of the Portfolio, by name."""
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.figure')].map(({ children: [name, value] }) => "
        "[name.textContent, value.textContent]))"
    )


def paise(text):
    """What a rupee figure says, in paise."""
    return round(float(text.replace("₹", "").replace(",", "")) * 100)


def test_the_portfolio_shows_what_the_engine_holds(page, bought):
    """Position, exposure, charges and contribution are the engine's, and the curve is drawn."""
    page.wait_for_function("aitrade.state.positions.get('NSE:SBIN|MIS')?.quantity === 100")
    page.evaluate("aitrade.go('portfolio')")
    page.wait_for_function("document.querySelectorAll('.pf-charges .bars-row').length > 0")
    row = page.locator(".pf-positions tr[data-key='NSE:SBIN|MIS']")
    assert "100" in row.inner_text()
    record = bought.performance()
    charges = page.locator(".pf-charges").inner_text()
    assert "Brokerage" in charges
    assert record.charges["brokerage"] > 0
    page.wait_for_function(
        "[...document.querySelectorAll('.figure')].some((one) => /^Long₹[1-9]/.test(one.textContent))"
    )
    assert figures(page)["Short"] == "₹0.00"
    assert "by hand" in page.locator(".pf-earned").inner_text()


def test_units_that_are_not_settled_yet_count_once(page, bought):
    """Nine shares of which nine are T+1 are nine shares, worth nine times the last price."""
    page.evaluate(
        "aitrade.state.holdings.set('NSE:HELD', "
        "{instrument: 'NSE:HELD', venue: 'paper', quantity: 9, t1: 9, average: 10000, last: 11000, unrealised: 9000})"
    )
    page.evaluate("aitrade.go('portfolio')")
    row = page.locator(".pf-holdings tr[data-key='NSE:HELD']")
    row.wait_for()
    assert row.locator("td").all_inner_texts()[2:8] == ["9", "9", "100.00", "110.00", "₹990.00", "+₹90.00"]
    page.evaluate("aitrade.state.holdings.delete('NSE:HELD')")


def test_the_portfolio_s_figures_are_of_one_moment(page, bought):
    """Equity, P&L since the book began, the day's and who earned it agree to the paisa, however the market moves."""
    page.evaluate("aitrade.go('portfolio')")
    page.wait_for_function("document.querySelectorAll('.pf-earned .bars-row').length > 0")
    opening = bought.performance().opening
    for _ in range(5):
        shown = dict(page.evaluate(SHOWN))
        since = paise(shown["P&L since the book began"])
        assert paise(shown["Equity"]) - opening == since
        assert paise(shown["Day's P&L"]) == since
        assert paise(shown["earned"]) == since
        page.wait_for_timeout(700)


def test_bars_stand_in_the_order_that_they_are_told_in(page):
    """The largest charge is above, also when it became the largest after it was first drawn."""
    order = page.evaluate(
        """() => {
            const one = aitrade.bars({ empty: 'none' });
            one.show([['GST', 5], ['STT', 3]]);
            one.show([['STT', 9], ['GST', 6], ['SEBI', 1]]);
            return [...one.element.querySelectorAll('.bars-name')].map((name) => name.textContent);
        }"""
    )
    assert order == ["STT", "GST", "SEBI"]


def test_a_hidden_tab_does_no_work(page, bought):
    """While another tab is looked at, the Portfolio's elements stay as they are; shown again, they catch up."""
    page.evaluate("aitrade.go('portfolio')")
    page.wait_for_function("document.querySelector('.pf-positions tr[data-key]')")
    page.evaluate("aitrade.go('system')")
    page.wait_for_timeout(500)
    changes = page.evaluate(
        "new Promise((tell) => { let seen = 0; const watcher = new MutationObserver((all) => { seen += all.length; });"
        "watcher.observe(document.querySelector('.portfolio'), {subtree: true, childList: true, characterData: true});"
        "setTimeout(() => tell(seen), 1500); })"
    )
    assert changes == 0
    page.evaluate("aitrade.go('portfolio')")
    last = "document.querySelector(\".pf-positions tr[data-key='NSE:SBIN|MIS']\").cells[5].textContent"
    page.wait_for_function(f"{last} === aitrade.format.price(aitrade.state.quotes.get('NSE:SBIN').last)")


def engine_view(page):
    """Go to the System tab's second view."""
    page.evaluate("aitrade.go('system')")
    page.get_by_role("button", name="Engine and settings").click()


def test_trading_is_halted_and_resumed_with_a_reason(page, bought):
    """Halt wants a reason, asks once, and the engine is HALTED for it; Resume takes it back."""
    engine_view(page)
    state = page.locator(".sys-state")
    state.get_by_role("button", name="Halt").click()
    assert "reason" in state.locator(".drawer-why").inner_text()
    for verb, expected in (("Halt", "HALTED"), ("Resume", "ACTIVE")):
        state.locator("input").fill("a drill")
        state.get_by_role("button", name=verb).click()
        page.locator("dialog .dialog-actions button").last.click()
        page.wait_for_function("expected => aitrade.state.health.state === expected", arg=expected)
        page.locator("dialog").wait_for(state="detached")
    page.wait_for_function("document.querySelector('.sys-log').textContent.includes('a drill')")


def test_settings_in_force_are_shown_with_their_meaning(page, bought):
    """Every limit stands there with its value and what it does, and where it is changed."""
    engine_view(page)
    row = page.locator(".sys-settings tr", has_text="day_loss_rupees")
    row.wait_for()
    words = row.inner_text()
    assert "50,000" in words
    assert "only exits pass" in words
    assert "limits.toml" in words


def test_the_event_log_is_filtered(page, bought):
    """Alerts alone, then words: only lines that fit stay."""
    bought.set_trading("halt", "find this line")
    bought.set_trading("resume", "over")
    engine_view(page)
    page.wait_for_function("document.querySelector('.sys-log').textContent.includes('find this line')")
    page.locator(".sys-log input").fill("find this")
    lines = page.locator(".sys-log tbody tr")
    page.wait_for_function("document.querySelectorAll('.sys-log tbody tr').length === 1")
    page.locator(".sys-log input").fill("")
    page.locator(".sys-log button", has_text="Alerts").click()
    assert set(page.locator(".sys-log tbody tr td:nth-child(2)").all_inner_texts()) <= {"alert"}
    page.locator(".sys-log button", has_text="All").click()
    assert lines.count() > 1
