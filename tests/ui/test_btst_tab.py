"""Tests for `ui.tabs.btst`: what the view is told by the kernel."""

from aitrade.intelligence.btst import SAYS, SENDABLE, STRATEGY
from aitrade.ui.desk import Desk
from aitrade.ui.tabs import btst


def test_the_view_knows_the_bar_and_the_gate_from_their_one_definition(tmp_path):
    """From which score one may send, and by which name an order passes BTST's gate, come from the scorer's room."""
    state = btst.build(Desk(tmp_path)).get_state()
    assert state["sendable_from"] == SENDABLE
    assert state["strategy"] == STRATEGY


def test_the_view_needs_no_engine_to_be_built(tmp_path):
    """A kernel waits for its page before anybody knows of an engine."""
    assert "render" in btst.build(Desk(tmp_path / "nothing here")).get_state()["_esm"]


def test_it_wakes_at_its_hour(page):
    """Before 14:15:00 of the market's clock it counts down; then it ranks shares and says a verdict."""
    page.evaluate("aitrade.go('btst')")
    page.wait_for_function("/0[0-3]:\\d\\d:\\d\\d/.test(document.querySelector('.btst-countdown').innerText)")
    assert page.locator(".btst-row").count() == 0
    page.evaluate("aitrade.post('/jump', { to: '14:15' })")
    page.locator(".btst-row").first.wait_for()
    assert page.evaluate("aitrade.state.time.now") >= page.evaluate("aitrade.get('/btst').then((list) => list.opens)")
    assert SAYS in page.locator(".btst-head").inner_text()
    verdict = page.locator(".btst-verdict").inner_text()
    told = page.evaluate("aitrade.get('/btst')")
    best = max(row["score"] for row in told["candidates"])
    assert verdict.startswith("No trade today") == (best < SENDABLE)
    page.locator(".btst-row").first.click()
    assert page.locator(".btst-more:visible .btst-name").count() == len(told["candidates"][0]["factors"])
    shown = page.locator(".btst-row").all_inner_texts()
    assert len(shown) == len(told["candidates"])


def test_below_the_bar_nothing_can_be_sent(page):
    """The button of a share is there for its score alone."""
    page.evaluate("aitrade.go('btst')")
    page.locator(".btst-row").first.wait_for()
    for row in page.locator(".btst-row").all()[:5]:
        enough = float(row.locator(".btst-score b").inner_text()) >= SENDABLE
        assert row.locator("button.btn-buy").is_enabled() == enough


def test_a_factor_that_does_not_count_has_neither_name_nor_bar(page):
    """Where a session lacks what a factor needs, the names over the bars are those of the bars."""

    def without_the_fourth(route):
        answer = route.fetch()
        told = answer.json()
        for row in told["candidates"]:
            row["factors"][3]["out_of"] = 0
        route.fulfill(response=answer, json=told)

    page.route("**/aitrade/api/btst", without_the_fourth)
    page.reload()
    page.wait_for_function("document.body.dataset.ready === 'true'")
    page.evaluate("aitrade.go('btst')")
    page.locator(".btst-row").first.wait_for()
    names = page.locator(".btst-over").all_inner_texts()
    bars = page.locator(".btst-row").first.locator(".btst-spark .btst-bar")
    titles = [one.get_attribute("title").split(":")[0] for one in bars.all()]
    assert titles == names
    assert len(names) == 5
