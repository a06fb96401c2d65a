"""The checks that need a page: each passes on a sound one, and fails when that page is slow, wrong or silent."""

import os

import pytest

from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.engine.client import EngineClient
from aitrade.ops.chart_days import last_day, store_of_minutes, store_of_ticks
from aitrade.ops.preflight import input_probe, memory_probe, tabs_probe
from aitrade.ops.preflight.chart_probe import Shape
from aitrade.ops.preflight.functionality_items import SixTabs
from aitrade.ops.preflight.ground import BUSY, SHOWN, Ground
from aitrade.ops.preflight.performance_items import Charts, FrontEnd, Memory
from aitrade.ops.preflight.run import run
from aitrade.ops.visit import chromium

ONE = Shape("few", 1, 300, 3)
SIX = Shape("six", 6, 300, 2)


NEVER_OLD = """new MutationObserver(() => {
  if (document.body.classList.contains('stale')) document.body.classList.remove('stale');
}).observe(document.body, { attributes: true })"""


class Small(Ground):
    """Its replayed day has three sessions behind it, so that a test does not wait for a year."""

    def _make(self, home):
        store_of_minutes(home, SHOWN, sessions=4)
        store_of_ticks(home, BUSY, 120)


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """One scratch session and one browser for all tests here."""
    try:
        chromium()
    except Refused as refused:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(refused))
    folder = tmp_path_factory.mktemp("ground")
    started = Small(load(home=folder / "home"), folder / "scratch")
    yield started
    started.close()


@pytest.fixture
def page(ground):
    """The scratch page; loaded anew afterwards, so that what a test broke is whole again."""
    yield ground.page
    ground.page.reload()
    ground.page.wait_for_function("document.body.dataset.ready === 'true' && aitrade.state.link.engine === 'up'")


def test_inputs_over_all_six_tabs_are_timed(ground):
    """Keys and clicks on every tab are answered by a frame, beside prices; all are counted."""
    found = FrontEnd(rounds=1).examine(ground)
    assert found.examined == found.measured["input_n"] == 18
    assert all(found.measured[f"{tab}_mean_ms"] > 0 for tab in input_probe.TABS)
    assert found.measured["symbols_per_frame"] > 0


def test_a_slow_page_fails(ground, page):
    """A page that thinks for a moment before each answer is over the limit."""
    page.evaluate(
        "for (const type of ['keydown', 'click']) addEventListener(type, () => {"
        " const until = performance.now() + 90; while (performance.now() < until); }, true)"
    )
    found = FrontEnd(rounds=1).examine(ground)
    assert found.status == "fail"
    assert found.measured["input_mean_ms"] > 50


def test_six_tabs_show_what_the_engine_says(ground):
    """Every tab is compared in a value at least, is fresh, and is marked old when a living engine's feed stops."""
    found = SixTabs().examine(ground)
    assert found.status == "pass", found.evidence
    assert found.examined > 100
    assert all(found.measured[f"{tab}_values"] for tab in input_probe.TABS)
    assert 0 < found.measured["marked_old_s"] <= 5
    assert found.measured["engine_went_on_s"] > found.measured["marked_old_s"] - 1


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        ("document.querySelector('#tab-btst').replaceChildren()", "btst: it does not open"),
        (
            "const old = document.querySelector('.watch-table'); old.replaceWith(old.cloneNode(true))",
            "dashboard:",
        ),
    ],
)
def test_a_broken_tab_is_named(ground, page, monkeypatch, breaks, says):
    """A tab that is gone and prices that stand still: each is seen."""
    monkeypatch.setattr(tabs_probe, "PATIENCE_MS", 2_000)
    page.wait_for_timeout(500)
    page.evaluate(breaks)
    found = SixTabs().examine(ground)
    assert found.status == "fail"
    assert says in found.evidence


def stopped(ground, monkeypatch):
    """What is wrong when the feed stops; who waits for a mark that never comes does so for a second."""
    monkeypatch.setattr(tabs_probe, "OLD_SECONDS", 1.0)
    with ground.client() as client:
        return tabs_probe.stop_the_feed(ground.page, client, []).wrong


def test_an_engine_that_stands_still_is_no_stopped_feed(ground, monkeypatch):
    """A pause stops the market's clock with the prices: nothing is old then, and nothing is proven."""
    monkeypatch.setattr(EngineClient, "stop_feed", lambda client, *, stopped: client.set_speed(paused=stopped))
    assert "the engine stood still with its feed" in "; ".join(stopped(ground, monkeypatch))


@pytest.mark.parametrize("breaks", [NEVER_OLD, "aitrade.state.world.silence = 3600"])
def test_a_page_that_does_not_notice_a_stopped_feed_fails(ground, page, monkeypatch, breaks):
    """One takes its mark away, the other waits for an hour before it sets it."""
    page.evaluate(breaks)
    assert stopped(ground, monkeypatch) == ["prices that stopped were marked old never"]


def test_memory_is_watched_over_the_simulated_session(ground):
    """Without imported data the scratch session is played to its end beside the page; evidence names all of it."""
    found = Memory(play_seconds=3.0).examine(ground)
    assert found.status == "pass", found.evidence
    assert 0 < found.measured["ours_mib"] < found.measured["limit_mib"]
    assert found.examined == found.measured["samples"] >= 6
    assert found.measured["played_s"] >= 3
    assert (found.source, found.measured["data"]) == ("SIMULATED", "SIMULATED")
    assert "the simulated session of" in found.evidence


def test_charts_are_timed_to_the_last_one_drawn(ground):
    """One chart and six: all switches are counted, and as many bars as wanted are drawn."""
    found = Charts((ONE, SIX)).examine(ground)
    assert found.examined == ONE.switches + SIX.switches
    assert found.measured["few_bars"] >= ONE.bars
    assert found.measured["six_bars"] >= SIX.bars
    assert found.measured["few_symbols_per_frame"] > 0


def test_charts_with_too_few_bars_fail(ground):
    """Four sessions are no hundred thousand minutes, however fast they are drawn."""
    found = Charts((Shape("100k", 1, 100_000, 1),)).examine(ground)
    assert found.status == "fail"
    assert "Fewer bars" in found.evidence


def test_memory_is_watched_over_an_imported_day(ground):
    """The newest imported day of the installation is replayed instead; nothing of it is written to."""
    store_of_minutes(ground.home, SHOWN, sessions=2)
    before = sorted(path for path in (ground.home / "market").rglob("*"))
    found = Memory(limit=200 * memory_probe.MEBIBYTE, play_seconds=1.0).examine(ground)
    assert found.status == "fail"
    assert (found.source, found.measured["session"]) == ("REPLAY", last_day().isoformat())
    assert sorted(path for path in (ground.home / "market").rglob("*")) == before


def test_without_a_browser_the_page_items_say_how_to_get_one(tmp_path, monkeypatch):
    """They are not provable here, and only they."""
    monkeypatch.setenv("PATH", "")
    items = [FrontEnd(), Charts(), Memory(), SixTabs()]
    results = run(load(home=tmp_path / "home"), items).items
    assert {result.status for result in results} == {"not_provable_here"}
    assert all("apt-get install chromium" in result.evidence for result in results)


def test_a_containers_limit_counts_before_the_machines(tmp_path):
    """A cgroup's limit and use replace the machine's; pages that can be given back are not in use."""
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100000\n")
    assert memory_probe.limit(tmp_path) == 1_000_000
    assert memory_probe.used(tmp_path) == 300_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_probe.limit(tmp_path) == memory_probe.psutil.virtual_memory().total
