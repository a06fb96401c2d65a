"""A real Prometheus scrapes the running engine as shipped, evaluates the rules and answers the dashboard."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from math import isnan
from pathlib import Path

import msgspec
import pytest

from aitrade.core.config import load
from aitrade.core.metrics import TABLE
from aitrade.core.orders import OrderRequest, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops.children import Child, Running
from aitrade.ops.supervisor import Supervisor, address_of
from aitrade.ui.processes import page_children, page_link

DEPLOY = Path(__file__).parents[2] / "deploy"
ELSEWHERE = ("aitrade_page_", "aitrade_chart_", "aitrade_component_", "aitrade_errors_kept")
"""Metrics that only the page and the chart worker have."""


def tool(name):
    """Prometheus or its tool: in CI it has to be there, elsewhere a test without it is left out."""
    found = shutil.which(name)
    if found is None:
        text = f"{name} is not here; get it by `apt-get install prometheus`."
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder with the shipped configuration; only its intervals are shorter."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(DEPLOY / "prometheus", folder / "metrics")
    written = folder / "metrics" / "prometheus.yml"
    written.write_text(written.read_text().replace("interval: 5s", "interval: 200ms"))
    return folder


@pytest.fixture(scope="module")
def engine(home):
    """A running engine on it."""
    settings = EngineSettings(home=str(home), day="2026-11-23", start="10:00", speed=10)
    child = Child(
        "engine", "aitrade.engine.process", msgspec.json.encode(settings), lambda pid: bool(address_of(home, pid))
    )
    running = Running(child, home / "logs" / "engine.log")
    running.start()
    running.wait_ready(30)
    yield running
    running.stop(5)


class Asked:
    """A running Prometheus, asked over its HTTP API."""

    def __init__(self, port):
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def __call__(self, path, **query):
        """The answer's data."""
        with urllib.request.urlopen(f"{self._url}/{path}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def rows(self, expression):
        """The values of an instant query, by their labels."""
        return [(row["metric"], float(row["value"][1])) for row in self("query", query=expression)["result"]]

    def until(self, expression, holds, seconds=20, title=""):
        """Ask until the rows are as they should be; return them."""
        limit = time.monotonic() + seconds
        while not holds(rows := self.rows(expression)):
            assert time.monotonic() < limit, (title, expression, rows)
            time.sleep(0.1)
        return rows


@contextmanager
def prometheus(home):
    """Run it on the data folder, as the comment in its configuration says."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        tool("prometheus"), f"--config.file={home / 'metrics' / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'metrics' / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (home / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    asked = Asked(port)
    try:
        limit = time.monotonic() + 30
        while True:
            assert process.poll() is None, (home / "prometheus.log").read_text()
            try:
                asked("status/buildinfo")
                break
            except OSError:
                assert time.monotonic() < limit, (home / "prometheus.log").read_text()
                time.sleep(0.1)
        yield asked
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def expressions():
    """Every question of the dashboard, with its panel."""
    board = json.loads((DEPLOY / "grafana" / "aitrade.json").read_text())
    return [(panel["title"], one["expr"]) for panel in board["panels"] for one in panel.get("targets", ())]


def test_prometheus_scrapes_the_running_engine_and_evaluates_the_rules(home, engine):
    """It finds the engine by its file, is let in by its token, sees orders move, and sees the engine die."""
    with prometheus(home) as asked:
        asked.until('up{job="aitrade", process="engine"}', lambda rows: [value for _, value in rows] == [1.0])
        first = asked.rows("aitrade_ticks_total")[0][1]
        with EngineClient.of(home) as client:
            client.place(OrderRequest(instrument="NSE:TCS", side=Side.BUY, quantity=1))
        asked.until("aitrade_orders_sent_total", lambda rows: rows[0][1] == 1)
        asked.until("aitrade_ticks_total", lambda rows: rows[0][1] > first)
        asked.until("aitrade:order_stage_seconds:p99", lambda rows: {one["stage"] for one, _ in rows} >= {"total"})
        asked.until("aitrade_accelerator", bool)  # ONNX Runtime is asked on a thread of its own
        scraped = set(asked("label/__name__/values"))
        wanted = {
            name for name, metric in TABLE.items() if metric.kind != "histogram" and not name.startswith(ELSEWHERE)
        }
        assert wanted <= scraped
        for _title, expression in expressions():
            asked.until(expression, lambda rows, where=expression: rows or any(name in where for name in ELSEWHERE))
        rules = [rule for group in asked("rules")["groups"] for rule in group["rules"]]
        assert {rule["health"] for rule in rules} == {"ok"}
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait(10)
        asked.until('ALERTS{alertname="EngineSilent"}', bool)


def test_every_question_of_the_dashboard_has_an_answer(tmp_path):
    """With engine, chart worker and page running, and a visitor: each panel has data, and no panel only gaps."""
    shutil.copytree(DEPLOY / "prometheus", tmp_path / "metrics")
    written = tmp_path / "metrics" / "prometheus.yml"
    written.write_text(written.read_text().replace("interval: 5s", "interval: 200ms"))
    configuration = load(home=tmp_path, page_port=0)
    settings = EngineSettings(home=str(tmp_path), day="2026-11-23", start="10:00", speed=10)
    supervisor = Supervisor(settings, page_children(configuration), lambda _: None)
    supervisor.start()
    try:
        with prometheus(tmp_path) as asked:
            asked.until('up{job="aitrade"}', lambda rows: sorted(value for _, value in rows) == [1.0, 1.0, 1.0])
            with EngineClient.of(tmp_path) as client:
                client.place(OrderRequest(instrument="NSE:TCS", side=Side.BUY, quantity=1))
            visit(configuration, "/aitrade/chart/window?instrument=NSE:TCS&minutes=5&count=20")
            for title, expression in expressions():
                asked.until(expression, lambda rows: any(not isnan(value) for _, value in rows), title=title)
    finally:
        supervisor.stop()


def visit(configuration, path):
    """Open the page by its link, as a browser does, and ask for a path with the same cookie."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    link = page_link(configuration)
    opener.open(link, timeout=60).read()
    opener.open(link.partition("/login")[0] + path, timeout=60).read()


def test_without_prometheus_ci_fails_and_others_are_told_how_to_get_it(monkeypatch):
    """A green CI never hides that nothing was scraped."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install prometheus"):
        tool("prometheus")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="apt-get install prometheus"):
        tool("prometheus")


def test_a_wrong_token_is_not_let_in(home, engine):
    """The target is down then, with the reason."""
    token = home / "run" / "token"
    kept = token.read_text()
    token.write_text("wrong")
    try:
        with prometheus(home) as asked:
            down = asked.until('up{process="engine"}', lambda rows: [value for _, value in rows] == [0.0])
        assert len(down) == 1
    finally:
        token.write_text(kept)


SERIES = {
    "EngineSilent": 'up{job="aitrade", process="engine"}: 0',
    "FeedStale": "aitrade_feed_age_seconds: 9",
    "OrderInDoubt": "aitrade_orders_in_doubt: 1",
    "OrdersRejected": 'aitrade_venue_updates_total{what="REJECTED"}: 0+2x60',
    "DayLoss": "aitrade_day_loss_used_ratio: 0.8",
    "DayLossReached": "aitrade_day_loss_used_ratio: 1",
    "TradingHalted": 'aitrade_trading_state{state="HALTED"}: 1',
    "OrdersSlow": 'aitrade:order_stage_seconds:p99{stage="total"}: 0.04',
    "OrderRateNearLimit": 'aitrade:order_rate:used_ratio{segment="NSE"}: 0.95',
    "PartDown": 'aitrade_component_ok{component="page"}: 0',
    "PageSilent": 'up{job="aitrade", process="page"}: 0',
    "ErrorsLogged": 'aitrade_errors_total{process="page"}: 0+1x60',
    "DatabaseBehind": "aitrade_projection_trouble: 1",
    "DiskLow": "aitrade_disk_free_bytes: 4e9",
    "MemoryHigh": "aitrade_machine_memory_used_ratio: 0.71",
    "QueueLong": 'aitrade_queue_depth{queue="commands"}: 101',
}
"""What each alert of the rules must fire on."""
WELL = (
    'up{job="aitrade", process="engine"}: 1',
    'up{job="aitrade", process="page"}: 1',
    "aitrade_feed_age_seconds: 1",
    "aitrade_orders_in_doubt: 0",
    'aitrade_venue_updates_total{what="REJECTED"}: 4',
    "aitrade_day_loss_used_ratio: 0.79",
    'aitrade_trading_state{state="HALTED"}: 0',
    'aitrade_component_ok{component="page"}: 1',
    'aitrade_errors_total{process="page"}: 7',
    "aitrade_projection_behind_records: 100",
    "aitrade_projection_trouble: 0",
    "aitrade_disk_free_bytes: 6e9",
    "aitrade_machine_memory_used_ratio: 0.69",
    'aitrade_queue_depth{queue="commands"}: 3',
    'aitrade:order_rate:used_ratio{segment="NSE"}: 0.5',
)
"""A day on which none may fire."""


def firing(tmp_path, series):
    """The alerts that `promtool test rules` sees fire after ten minutes of these series."""
    rows = [
        {"series": name, "values": values if "+" in values else f"{values}+0x60"}
        for name, _, values in (one.rpartition(": ") for one in series)
    ]
    none = [{"labels": "{}", "value": 0}]
    checks = [
        {"expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) or vector(0)', "exp_samples": none}
        for name in SERIES
    ]
    test = {"interval": "15s", "input_series": rows, "promql_expr_test": [{"eval_time": "10m"} | row for row in checks]}
    rules = str(DEPLOY / "prometheus" / "rules.yml")
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [rules], "evaluation_interval": "15s", "tests": [test]}))
    done = subprocess.run([tool("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    found = re.findall(r'alertname=\\?"(\w+)\\?".*?got: \{\} (\S+)', done.stdout + done.stderr, re.DOTALL)
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return {name for name, count in found if float(count) > 0}


@pytest.mark.parametrize("name", SERIES)
def test_each_alert_fires_on_its_trouble(tmp_path, name):
    """By Prometheus's own tool, on made-up series."""
    assert name in firing(tmp_path, [SERIES[name]])


def test_none_fires_on_a_good_day(tmp_path):
    """Just below each limit."""
    assert firing(tmp_path, WELL) == set()


def test_the_table_of_alerts_here_is_the_shipped_one():
    """A rule that is added is tested."""
    text = (DEPLOY / "prometheus" / "rules.yml").read_text()
    assert {line.split(": ")[1] for line in text.splitlines() if "- alert:" in line} == set(SERIES)


def test_rules_and_dashboard_ask_for_metrics_that_there_are():
    """A name that is no longer in the table would be an empty panel or a rule that never fires."""
    text = (DEPLOY / "prometheus" / "rules.yml").read_text() + " ".join(expression for _, expression in expressions())
    asked = {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"\baitrade_\w+", text)}
    assert asked <= set(TABLE)
