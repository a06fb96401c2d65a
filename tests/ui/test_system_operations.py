"""Operations on the System tab, in a real browser, and the door behind it."""

import json
import time

import pytest
from test_doors import Visitor

from aitrade.compliance.operations import noted
from aitrade.core.config import load
from aitrade.ops.alerts import raise_alert, resolve, standing
from aitrade.ops.alerts.webhook import Webhook
from aitrade.ops.incidents import assign, open_incident
from aitrade.ops.preflight.binding import binding
from aitrade.ops.preflight.record import Result, Run, keep


def shown(page, selector, words):
    """Wait until words stand in an element of the System tab."""
    page.evaluate("aitrade.go('system')")
    page.wait_for_function(
        "([selector, words]) => document.querySelector(selector)?.innerText.includes(words)", arg=[selector, words]
    )


@pytest.fixture(scope="module")
def visitor(trading):
    """Somebody who is logged in without a browser."""
    return Visitor(trading).log_in(trading.link())


def test_the_door_is_shut_to_strangers(trading, visitor):
    """Without a log-in nothing is told; without the page's own token nothing is done."""
    stranger = Visitor(trading)
    assert stranger.ask("GET", "/aitrade/operations")[0] in (302, 403)
    number = raise_alert(trading.home, "door", "warning", "Somebody knocks.").id
    assert stranger.ask("POST", "/aitrade/operations/acknowledge", {"alert": number})[0] == 403
    assert visitor.ask("POST", "/aitrade/operations/acknowledge", {"alert": number})[0] == 403
    assert [one.id for one in standing(trading.home)] == [number]
    status, _headers, text = visitor.ask(
        "POST", "/aitrade/operations/acknowledge", {"alert": number, "reason": "opened"}, visitor.xsrf
    )
    assert (status, json.loads(text)["alerts"]) == (200, [])
    record = list(noted(trading.home, "alert", "door"))[-1]
    assert (record.operation.outcome, record.actor, record.reason) == ("acknowledged", "trader", "opened")


def test_what_cannot_be_done_is_refused_in_a_sentence(visitor):
    """An alert that there is not, a body that is none, a code that nobody sent, a verb that there is not."""
    path = "/aitrade/operations/acknowledge"
    status, _headers, text = visitor.ask("POST", path, {"alert": 10**6}, visitor.xsrf)
    assert (status, "There is no alert" in text) == (422, True)
    assert visitor.ask("POST", path, {"all": True}, visitor.xsrf)[0] == 400
    status, _headers, text = visitor.ask("POST", "/aitrade/operations/confirm", {"code": "AAAAAAAA"}, visitor.xsrf)
    assert (status, "was not sent" in text) == (422, True)
    assert visitor.ask("POST", "/aitrade/operations/stop", {}, visitor.xsrf)[0] == 405


def test_every_part_says_how_it_is_and_why(page):
    """Engine, page, feed, disk and the others stand there with their reasons, and the summary above them."""
    shown(page, ".ops-health", "book simulated-1")
    parts = page.locator(".ops-health b").all_inner_texts()
    assert {"Engine", "Page", "Chart Worker", "Feed", "Disk", "Journal"} <= set(parts)
    assert "Preflight" in page.locator(".ops-facts").inner_text()


def test_an_alert_is_seen_marked_and_acknowledged_by_keyboard(page, trading):
    """It comes by itself, the tab's mark counts it; Enter on its button acknowledges, and it goes."""
    alert = raise_alert(trading.home, "feed-lost", "critical", "No price for 9 s; check the feed.")
    shown(page, ".ops-alerts", "No price for 9 s; check the feed.")
    mark = page.locator(".tab-button[data-tab=system] .tab-mark")
    assert mark.inner_text() == "1"
    assert "critical" in mark.get_attribute("class")
    page.locator(".ops-views button").first.focus()
    for _ in range(6):
        if "Acknowledge feed lost" in (page.evaluate("document.activeElement.getAttribute('aria-label')") or ""):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("!document.querySelector('.ops-alerts').innerText.includes('No price for 9 s')")
    assert mark.is_hidden()
    assert standing(trading.home) == []
    assert list(noted(trading.home, "alert", "feed-lost"))[-1].operation.outcome == "acknowledged"
    assert alert.id


def test_the_last_preflight_is_shown_with_what_failed_first(page, trading):
    """Counts, signature, and the failing item with its sentence above the passed ones; a change makes it stale."""
    items = [
        Result("disk", "Environment", "Disk is large", "pass", "80 GB", {}),
        Result("failover", "Functionality", "Multi-API failover works", "fail", "not built: no broker adapter", {}),
    ]
    configuration = load(home=trading.home)
    keep(trading.home, Run(items=items, bound=binding(configuration), seconds=61.0))
    shown(page, ".ops-preflight", "1 passed, 1 failed, 0 not provable here")
    words = page.locator(".ops-preflight").inner_text()
    assert words.index("not built: no broker adapter") < words.index("Disk is large")
    assert "not signed" in words


def test_an_open_incident_shows_its_next_report(page, trading):
    """Owner, cause and the report that is owed, late ones as late."""
    began = time.time_ns() - 3 * 3_600_000_000_000
    number = open_incident(trading.home, "technical-glitch", "The engine was silent", began=began).id
    assign(trading.home, number, "Ravi")
    shown(page, ".ops-incidents", "owner Ravi")
    words = page.locator(".ops-incident").inner_text()
    assert "The engine was silent" in words
    assert "first report to the exchanges' common platform: overdue" in words


def test_a_channel_is_confirmed_by_its_code(page, trading):
    """What arrived on the channel is typed in; the channel is then confirmed in the visitor's name."""
    from aitrade.ops.alerts.proof import try_channels
    from aitrade.ops.alerts.settings import AlertSettings

    with Webhook() as webhook:
        file = trading.home / "alerts.toml"
        file.write_text(f'[[channel]]\nname = "phone"\nurl = "{webhook.url}"\nseverity = "critical"\n')
        try_channels(trading.home, AlertSettings.load(trading.home))
        code = webhook.messages[0].body.split("confirm ")[1].split("`")[0]
        shown(page, ".ops-channels", "phone unconfirmed")
        page.get_by_label("Code that arrived on a channel").fill(code)
        page.keyboard.press("Enter")
        shown(page, ".ops-channels", "phone confirmed until")
        file.unlink()


def test_the_view_fits_a_small_screen(page, trading):
    """At 1366x768 nothing of the operations view leaves the window, alerts or not."""
    raise_alert(trading.home, "long", "warning", "A sentence that goes on. " * 40)
    shown(page, ".ops-alerts", "A sentence that goes on.")
    outside = page.evaluate(
        "[...document.querySelectorAll('.ops-body .panel')].filter((one) => { const box = one.getBoundingClientRect();"
        "return box.right > innerWidth || box.bottom > innerHeight || box.height < 40; }).map((one) => one.className)"
    )
    assert outside == []
    page.get_by_role("button", name="Engine and settings").click()
    assert page.locator(".sys-log").bounding_box()["y"] < 200
    assert page.locator(".ops-body").is_hidden()
    assert resolve(trading.home, "long")


def test_a_page_that_cannot_be_asked_says_that_it_is_old(page):
    """When the door does not answer, what stands there is marked old, and the page goes on."""
    shown(page, ".ops-health", "book simulated-1")
    page.route("**/aitrade/operations", lambda route: route.abort())
    page.evaluate("aitrade.go('dashboard')")
    page.evaluate("aitrade.go('system')")
    page.locator(".ops-lost").wait_for(state="visible")
    page.unroute("**/aitrade/operations")
    page.evaluate("aitrade.go('dashboard')")
    page.evaluate("aitrade.go('system')")
    page.locator(".ops-lost").wait_for(state="hidden")
