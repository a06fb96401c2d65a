"""The page's own metrics and everything's health: behind the token, and moved by what happens."""

import http.client
import json
import time

from prometheus_client.parser import text_string_to_metric_families

from aitrade.core.error_groups import keep, told
from aitrade.ops.health import health

PARTS = ("engine", "page", "chart worker", "feed", "projection", "journal", "disk")


def ask(port, path, token=""):
    """The status and the text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def figures(port, token):
    """Values by name and labels."""
    status, text = ask(port, "/metrics", token)
    assert status == 200
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def address(home, name):
    """Where a process says it listens, by the file for Prometheus."""
    (target,) = json.loads((home / "metrics" / "targets" / f"{name}.json").read_text())
    return int(target["targets"][0].rpartition(":")[2])


def token(home):
    """The data folder's token."""
    return (home / "run" / "token").read_text()


def test_health_has_every_part_well_and_then_the_one_that_was_killed(trading):
    """503 with the reason while the chart worker is away."""
    home, port = trading.home, address(trading.home, "page")
    status, text = ask(port, "/health", token(home))
    parts = {part["name"]: part for part in json.loads(text)["components"]}
    assert {name: parts[name]["state"] for name in PARTS} == dict.fromkeys(PARTS, "ok")
    assert status == 200
    trading.kill("charts")
    status, text = ask(port, "/health", token(home))
    assert status == 503
    assert "chart worker" in text
    assert figures(port, token(home))["aitrade_component_ok", "engine"] == 1
    limit = time.monotonic() + 30
    while not health(home).ok:
        assert time.monotonic() < limit, health(home).reasons
        time.sleep(0.1)


def test_the_page_and_the_charts_count_what_they_do(trading, page):
    """A page that is open was rendered, has a stream and a kernel, and asked for bars."""
    home = trading.home
    page.evaluate("aitrade.get('/health')")
    seen = figures(address(home, "page"), token(home))
    assert seen["aitrade_page_render_seconds_count",] >= 1
    assert seen["aitrade_page_streams",] >= 1
    assert seen["aitrade_page_kernels",] >= 1
    assert seen["aitrade_page_relayed_total", "answered", "The engine"] >= 1
    assert seen["aitrade_process_memory_bytes", "page"] > 50 << 20
    before = seen["aitrade_errors_kept",]
    keep(home, [told("kernels", 1, "a probe", "x", None)])
    assert figures(address(home, "page"), token(home))["aitrade_errors_kept",] == before + 1
    charts = figures(address(home, "charts"), token(home))
    assert charts["aitrade_process_memory_bytes", "charts"] > 10 << 20
    assert health(home).of("page").ok


def test_a_visit_starts_the_kernel_of_the_next_one(trading, page):
    """Until it waits the page server says so, and then two wait beside the page's own."""
    port = address(trading.home, "page")
    before = figures(port, token(trading.home))
    page.reload()
    limit = time.monotonic() + 30
    while (seen := figures(port, token(trading.home)))["aitrade_page_kernels_starting",]:
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert seen["aitrade_page_render_seconds_count",] == before["aitrade_page_render_seconds_count",] + 1
    assert seen["aitrade_page_kernels",] >= 3


def test_without_the_token_nothing_is_told(trading):
    """Neither metrics nor health, by any of the three."""
    for name in ("page", "charts", "engine"):
        port = address(trading.home, name)
        assert ask(port, "/metrics", "wrong")[0] == 401
    assert ask(address(trading.home, "page"), "/health", "wrong")[0] == 401
