"""The Dashboard in a real browser, on a running engine: trading by keyboard and by hand."""

import re

import pytest
from playwright.sync_api import expect

LAST = "aitrade.state.quotes.get('{}').last"
ORDERS = "[...aitrade.state.orders.values()].filter((one) => one.actor !== one.strategy && one.instrument === '{}')"


def choose(page, key):
    """Select an instrument and leave every field."""
    page.evaluate("key => aitrade.select(key)", key)
    page.evaluate("document.activeElement?.blur()")
    page.wait_for_function("key => aitrade.state.quotes.get(key)?.bid > 0", arg=key)


def orders(page, key):
    """The orders of an instrument that a person sent."""
    return page.evaluate(ORDERS.format(key))


def ticket(page, side="b"):
    """Open the ticket by its key and wait until it shows what the order costs."""
    page.keyboard.press(side)
    page.locator(".ticket.open").wait_for()
    page.wait_for_function("document.querySelector('.ticket-charges').textContent.includes('transaction')")


def search(page):
    """Go to the search by its key, as soon as the tab that holds it listens."""
    for _ in range(40):
        page.keyboard.press("/")
        if page.evaluate("document.activeElement?.tagName === 'INPUT'"):
            return
        page.wait_for_timeout(250)


def closed(page):
    """Wait until the ticket is gone."""
    page.wait_for_function("!document.querySelector('.ticket').classList.contains('open')")


def working_price(page, key):
    """A price on the tick, two percent below the last, as one types it."""
    paise = page.evaluate(LAST.format(key)) * 98 // 100 // 100 * 100
    return f"{paise / 100:.2f}"


def work(page, key, quantity):
    """Send a limit order that rests, and return its row in the order book."""
    choose(page, key)
    ticket(page)
    page.keyboard.type(str(quantity))
    page.locator(".ticket-type button", has_text="LIMIT").click()
    page.locator(".ticket-price input").fill(working_price(page, key))
    page.locator(".ticket-price input").press("Enter")
    page.wait_for_function(f"{ORDERS.format(key)}.some((one) => one.state === 'OPEN')")
    found = next(one for one in orders(page, key) if one["state"] == "OPEN")
    return found["id"], page.locator(f".books tr[data-key='{found['id']}']")


def test_an_order_goes_by_keyboard_once(page):
    """B, a number and Enter: whoever presses Enter thrice has bought once, and sees it in every book."""
    key = "NSE:ICICIBANK"
    choose(page, key)
    ticket(page)
    page.keyboard.type("7")
    page.wait_for_function("document.querySelector('.ticket-facts').textContent.includes('Margin')")
    for _ in range(3):
        page.keyboard.press("Enter")
    closed(page)
    page.wait_for_function(f"{ORDERS.format(key)}.some((one) => one.state === 'FILLED')")
    assert [(one["side"], one["quantity"]) for one in orders(page, key)] == [("BUY", 7)]
    row = page.locator(f".held tr[data-key='{key}|MIS']")
    assert row.locator("td").nth(2).inner_text() == "7"
    page.locator(".book-tab", has_text="Trades").click()
    assert "ICICIBANK" in page.locator(".books .table-holder").nth(1).inner_text()


def test_charges_and_margin_are_shown_before_an_order_is_sent(page):
    """The ticket shows what the engine's preview says, by component, to the paisa."""
    choose(page, "NSE:INFY")
    ticket(page, "s")
    asked = {"instrument": "NSE:INFY", "side": "SELL", "quantity": 1, "type": "MARKET", "product": "MIS"}
    preview = page.evaluate("asked => aitrade.post('/preview', asked)", asked)
    shown = page.locator(".ticket-charges").inner_text()
    assert all(name in shown for name, amount in preview["charges"].items() if amount and name != "total")
    assert page.locator(".ticket-facts").inner_text().count("₹") == 4
    page.keyboard.press("Escape")
    closed(page)
    assert orders(page, "NSE:INFY") == []


def test_depth_shows_five_levels_of_each_side_with_the_touch_first(page):
    """Bids fall and asks rise away from the touch, which is the newest print's."""
    choose(page, "NSE:INFY")
    shown = page.wait_for_function(
        "(() => { const rows = [...document.querySelectorAll('.depth-row:not(.depth-head):not([hidden])')].map((row) =>"
        " [...row.children].map((cell) => Number(cell.textContent.replaceAll(',', ''))));"
        " return rows.length === 5 && rows.flat().every(Number.isFinite) && rows; })()"
    ).json_value()
    bids, asks = [row[1] for row in shown], [row[2] for row in shown]
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert bids[0] < asks[0]
    assert all(row[0] > 0 and row[3] > 0 for row in shown)


def test_a_refusal_stands_at_its_field(page):
    """A price off the tick is told at the price, in the engine's sentence; Enter sends nothing and nothing is lost."""
    choose(page, "NSE:TCS")
    ticket(page)
    page.locator(".ticket-type button", has_text="LIMIT").click()
    price = page.locator(".ticket-price input")
    price.fill("2345.67")
    fault = page.locator(".ticket-price .ticket-fault")
    fault.first.wait_for()
    assert "2,345.67" in fault.first.inner_text()
    price.press("Enter")
    fault.first.wait_for()
    assert page.locator(".ticket.open").count() == 1
    assert price.input_value() == "2345.67"
    assert orders(page, "NSE:TCS") == []
    price.fill("2345,x")
    page.wait_for_function("document.querySelector('.ticket-price .ticket-fault').textContent.includes('such as')")
    page.keyboard.press("Escape")


def test_a_lost_answer_buys_once(page):
    """The engine took the order and its answer was lost: sending the same ticket again is still one order."""
    key = "NSE:ITC"
    choose(page, key)
    ticket(page)
    lost = []

    def lose_first(route):
        if lost:
            return route.continue_()
        lost.append(route.fetch().status)
        return route.abort()

    page.route("**/aitrade/api/orders", lose_first)
    page.keyboard.press("Enter")
    page.locator(".ticket-why .ticket-fault").wait_for()
    page.keyboard.press("Enter")
    closed(page)
    page.unroute("**/aitrade/api/orders")
    page.wait_for_function(f"{ORDERS.format(key)}.length > 0")
    assert lost == [200]
    assert len(orders(page, key)) == 1


def found(page, words):
    """Choose the first future that a search finds; return its key."""
    search(page)
    page.keyboard.type(words, delay=30)
    page.locator(".watch-hit").first.wait_for()
    page.keyboard.press("Enter")
    name = f":{words.split()[0].upper()}"
    page.wait_for_function(
        "name => aitrade.state.selected?.includes(name) && aitrade.state.selected.endsWith('FUT')", arg=name
    )
    return page.evaluate("aitrade.state.selected")


def test_a_contract_on_the_list_has_its_name_after_a_reload(page):
    """What was searched, neither ordered nor held, is read as a trader reads it, not by the exchange's code."""
    key = found(page, "banknifty fut")
    page.reload()
    page.wait_for_function("document.body.dataset.ready === 'true'")
    name = page.locator(f".watch tr[data-key='{key}'] td").first
    expect(name).to_have_text(re.compile(r"^BANKNIFTY \d\d[A-Z]{3} FUT\s*$"))


def test_options_are_sent_in_lots(page):
    """A contract found by the words of its name opens the ticket in lots, with the products that it has."""
    key = found(page, "nifty fut")
    choose(page, key)
    ticket(page)
    assert page.locator(".ticket-quantity input").input_value() == "1"
    products = page.locator(".ticket-product button:visible").all_inner_texts()
    assert products == ["MIS", "NRML"]
    page.keyboard.press("Enter")
    closed(page)
    lot = page.evaluate("key => aitrade.state.instruments.get(key).lot", key)
    assert lot > 1
    page.wait_for_function(f"{ORDERS.format(key)}.length > 0")
    assert [one["quantity"] for one in orders(page, key)] == [lot]
    page.reload()
    page.wait_for_function("document.body.dataset.ready === 'true'")
    assert page.locator(f".watch tr[data-key='{key}']").count() == 1


def test_a_quantity_over_the_freeze_limit_is_sent_in_slices(page):
    """The ticket asks how to send it only then; as slices no rule of size is broken, and the request says so."""
    key = found(page, "nifty fut")
    choose(page, key)
    ticket(page)
    slices = page.locator(".ticket-slices button", has_text="Slices")
    assert not slices.is_visible()
    lots = page.evaluate(
        "key => Math.floor(aitrade.state.instruments.get(key).freeze / aitrade.state.instruments.get(key).lot) + 1", key
    )
    page.locator(".ticket-quantity input").fill(str(lots))
    page.wait_for_function("document.querySelector('.ticket-quantity .ticket-fault')?.textContent.includes('freeze')")
    with page.expect_request(lambda asked: "/preview" in asked.url and asked.post_data_json["slice"]):
        slices.click()
    page.wait_for_function("!document.querySelector('.ticket').textContent.includes('freeze')")
    page.keyboard.press("Escape")


def test_a_refusal_of_lots_has_the_width_of_the_ticket(page):
    """The sentence at a quantity in lots is not squeezed beside the choice of lots or units."""
    key = page.evaluate("aitrade.get('/instruments?q=NIFTY FUT&limit=1').then(([row]) => row.key)")
    page.evaluate("key => aitrade.select(key)", key)
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press("b")
    page.locator(".ticket.open .ticket-quantity input").fill("900")
    fault = page.locator(".ticket.open .ticket-quantity .ticket-fault").first
    fault.wait_for()
    assert fault.bounding_box()["width"] > 300
    page.keyboard.press("Escape")


def test_a_working_order_is_changed_and_cancelled_in_its_row(page):
    """Modify takes new terms under the row, shows the engine's sentence when it refuses, and Cancel takes it back."""
    key = "NSE:SBIN"
    number, row = work(page, key, 10)
    row.get_by_role("button", name="Modify").click()
    quantity = page.locator(".books .drawer input").first
    quantity.fill("0")
    quantity.press("Enter")
    page.wait_for_function("document.querySelector('.books .drawer-why').textContent !== ''")
    quantity.fill("12")
    quantity.press("Enter")
    page.wait_for_function("number => aitrade.state.orders.get(number).quantity === 12", arg=number)
    row.get_by_role("button", name="Cancel").click()
    page.wait_for_function("number => aitrade.state.orders.get(number).state === 'CANCELLED'", arg=number)
    page.wait_for_function(
        "number => document.querySelector(`.books tr[data-key='${number}'] .state`).textContent === 'cancelled'",
        arg=number,
    )
    assert [one["filled"] for one in orders(page, key) if one["id"] == number] == [0]


@pytest.mark.parametrize("typed", [{"Quantity": "abc", "Price": "700"}, {"Quantity": "1x2"}, {"Price": "7oo"}])
def test_what_cannot_be_read_changes_nothing(page, typed):
    """A quantity or price that is none is refused by name under the row, which stays open; nothing is sent."""
    number, row = work(page, "NSE:ITC", 10)
    before = page.evaluate("number => aitrade.state.orders.get(number)", number)
    row.get_by_role("button", name="Modify").click()
    asked = []
    page.on("request", lambda request: asked.append(request.method))
    for name, text in typed.items():
        page.locator(".books .drawer").get_by_label(name).last.fill(text)
    page.locator(".books .drawer .btn-go").click()
    page.wait_for_function("document.querySelector('.books .drawer-why').textContent !== ''")
    assert next(iter(typed)).lower() in page.locator(".books .drawer-why").inner_text()
    assert "PUT" not in asked
    assert page.evaluate("number => aitrade.state.orders.get(number)", number) == before
    row.get_by_role("button", name="Cancel").click()
    page.wait_for_function("number => aitrade.state.orders.get(number).state === 'CANCELLED'", arg=number)


def test_an_exit_names_the_orders_that_it_cancels(page):
    """The question before an exit lists what rests on the position, and the order says what it was cancelled for."""
    key = "NSE:KOTAKBANK"
    choose(page, key)
    ticket(page)
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    page.wait_for_function("key => aitrade.state.positions.get(`${key}|MIS`)?.quantity === 5", arg=key)
    number, _row = work(page, key, 7)
    page.locator(f".held tr[data-key='{key}|MIS']").get_by_role("button", name="Exit").click()
    text = page.locator("dialog p").inner_text()
    assert "BUY 7 KOTAKBANK LIMIT" in text
    assert "cancelled first" in text
    page.locator("dialog .dialog-actions button").last.click()
    page.wait_for_function("key => aitrade.state.positions.get(`${key}|MIS`).quantity === 0", arg=key)
    reason = page.evaluate("number => aitrade.state.orders.get(number).reason", number)
    assert reason.startswith(f"Cancelled for the exit of {key} MIS")


def test_a_position_is_converted_and_exited(page):
    """Convert asks how many and makes delivery of them; Exit closes what is left after one question."""
    key = "NSE:LT"
    choose(page, key)
    ticket(page)
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    row = page.locator(f".held tr[data-key='{key}|MIS']")
    row.get_by_role("button", name="Convert").click()
    page.locator(".held .drawer input").fill("1")
    page.locator(".held .drawer input").press("Enter")
    page.wait_for_function("key => aitrade.state.positions.get(`${key}|CNC`)?.quantity === 1", arg=key)
    row.get_by_role("button", name="Exit").click()
    page.locator("dialog .dialog-actions button").last.click()
    page.wait_for_function("key => aitrade.state.positions.get(`${key}|MIS`).quantity === 0", arg=key)
    assert page.evaluate("key => aitrade.state.positions.get(`${key}|CNC`).quantity", key) == 1


def test_a_price_alert_is_set_and_fires(page):
    """An alert just below the last price waits, fires when the market goes there, and says when."""
    key = "NSE:RELIANCE"
    choose(page, key)
    price = page.locator(".alerts .input")
    price.fill("not a price")
    price.press("Enter")
    assert "such as" in page.locator(".alerts .drawer-why").inner_text()
    price.fill(f"{page.evaluate(LAST.format(key)) / 100:.2f}")
    price.press("Enter")
    page.wait_for_function("[...aitrade.state.alerts.values()].some((one) => one.fired)")
    page.wait_for_function("document.querySelector('.alerts .table').textContent.includes('fired')")
    page.locator(".alerts .table button").first.click()
    page.wait_for_function("aitrade.state.alerts.size === 0")


def test_a_strategy_starts_and_stops(page):
    """Start takes instruments, quantity and parameters; a wrong one is told in a sentence; Stop ends it."""
    choose(page, "NSE:WIPRO")
    row = page.locator(".strategies tr[data-key='opening-range']")
    row.get_by_role("button", name="Start").click()
    fields = page.locator(".strategies .drawer input")
    assert fields.first.input_value() == "NSE:WIPRO"
    fields.first.fill("NSE:NOBODY")
    fields.first.press("Enter")
    page.wait_for_function("document.querySelector('.strategies .drawer-why').textContent.includes('NOBODY')")
    fields.first.fill("NSE:WIPRO")
    fields.first.press("Enter")
    page.wait_for_function("aitrade.state.strategies.get('opening-range').state === 'running'")
    row.get_by_role("button", name="Stop").click()
    page.wait_for_function("aitrade.state.strategies.get('opening-range').state === 'stopped'")


def test_orders_need_no_kernel(page, trading):
    """With every kernel frozen, an open ticket still sends."""
    key = "NSE:HCLTECH"
    choose(page, key)
    with trading.frozen():
        ticket(page)
        page.keyboard.type("3")
        page.keyboard.press("Enter")
        closed(page)
        page.wait_for_function(f"{ORDERS.format(key)}.length === 1")
    assert orders(page, key)[0]["quantity"] == 3


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
@pytest.mark.parametrize("tab", ["dashboard", "portfolio", "system"])
def test_nothing_hangs_over(page, tab, size):
    """On a small screen and on a wide one no panel of the tab has to be scrolled sideways, and the page not at all."""
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    page.evaluate("tab => aitrade.go(tab)", tab)
    page.locator(f"#tab-{tab} .panel").first.wait_for()
    page.wait_for_timeout(1500)
    wide = page.evaluate(
        "tab => [...document.querySelectorAll(`#tab-${tab} .panel-body`)]"
        ".filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.parentElement.className)", tab
    )  # fmt: skip
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
