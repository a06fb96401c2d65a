"""The watcher as a process of its own, beside a real engine, with a real loopback webhook."""

import json
import os
import signal
import socket
import time
from contextlib import contextmanager
from urllib.parse import quote

import msgspec
import pytest

from aitrade.core.files import write_private
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops.alerts import raise_alert, standing
from aitrade.ops.alerts.child import watcher, watches
from aitrade.ops.alerts.webhook import Webhook
from aitrade.ops.children import Running
from aitrade.ops.health import State, health
from aitrade.ops.supervisor import BEAT, Beat, Supervisor, address_of
from aitrade.store.vault import Vault


@pytest.fixture
def webhook():
    """A loopback webhook."""
    with Webhook() as listening:
        yield listening


def configured(home, webhook, more=""):
    """Write an alerts.toml with one channel."""
    text = f'{more}\n[[channel]]\nname = "hook"\nurl = "{webhook.url}"\nseverity = "info"\n'
    (home / "alerts.toml").write_text(text)


@contextmanager
def watching(home):
    """A watcher alone."""
    running = Running(watcher(home), home / "logs" / "alerts.log")
    running.start()
    try:
        running.wait_ready(20)
        yield running
    finally:
        running.stop(10)


def stood(home, rule, *, there=True):
    """Wait until an alert of the rule stands, or no longer does."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        if (rule in {alert.rule for alert in standing(home)}) is there:
            return True
        time.sleep(0.05)
    return False


def test_what_breaks_a_rule_is_noticed_and_sent(tmp_path, webhook):
    """No disk is large enough: the webhook hears of it within a look or two, and of what others raise meanwhile."""
    configured(tmp_path, webhook, "[rules.disk]\nbelow = 1e9\n")
    with watching(tmp_path):
        assert "GB are free" in webhook.wait_for("critical: disk", 10).body
        raise_alert(tmp_path, "report-failed", "warning", "The daily report failed; see its notebook.")
        webhook.wait_for("The daily report failed", 5)
        assert {alert.rule for alert in standing(tmp_path)} == {"disk", "report-failed"}


def test_a_wrong_file_while_it_runs_is_an_alert_and_the_shipped_rules_hold(tmp_path, webhook):
    """A file that no longer fits is said; corrected, that alert is over."""
    configured(tmp_path, webhook)
    with watching(tmp_path) as running:
        (tmp_path / "alerts.toml").write_text("[rules.disk]\nbelow = 'much'\n")
        assert stood(tmp_path, "alert-settings")
        configured(tmp_path, webhook)
        assert stood(tmp_path, "alert-settings", there=False)
        assert running.alive


def test_a_damaged_operations_journal_is_still_told(tmp_path, webhook):
    """Where alerts cannot be recorded any more, the channels hear just that."""
    configured(tmp_path, webhook)
    raise_alert(tmp_path, "some", "info", "something")
    with watching(tmp_path) as running:
        (segment,) = (tmp_path / "operations" / "journal").glob("*.aij")
        data = bytearray(segment.read_bytes())
        data[len(data.rstrip(b"\0")) - 3] ^= 1
        segment.write_bytes(data)
        running.stop(10)
    with watching(tmp_path):
        webhook.wait_for("operations journal", 15)


class TestBesideTrading:
    """An engine and its watcher under one supervisor."""

    @pytest.fixture
    def trading(self, tmp_path, webhook):
        """They run while the test does; losses count from the first rupee."""
        (tmp_path / "limits.toml").write_text("day_loss_rupees = 1\n")
        heartbeat = webhook.url.replace("json", "http").replace("/alerts", "/beat")
        more = f'[rules.engine-silent]\nabove = 2\n[heartbeat]\nurl = "{heartbeat}"\nevery_s = 0.2\n'
        configured(tmp_path, webhook, more)
        supervisor = Supervisor(EngineSettings(home=str(tmp_path), start="10:00"), [watcher(tmp_path)], print)
        supervisor.start()
        yield supervisor
        supervisor.stop()

    def test_a_loss_beyond_its_limit_reaches_the_webhook(self, tmp_path, trading, webhook):
        """An order's charges alone are a rupee: all three loss rules ring within seconds."""
        with EngineClient.of(tmp_path) as client:
            key = client.snapshot().watchlist[0]
            client.place(OrderRequest(instrument=key, side=Side.BUY, quantity=50, product=Product.MIS, actor="test"))
        for rule in ("loss 50", "loss 80", "loss 100"):
            webhook.wait_for(rule, 20)

    def test_a_dead_watcher_does_not_touch_trading_and_a_dead_engine_is_told(self, tmp_path, trading, webhook):
        """Killed, the watcher comes back while the engine goes on; a silent engine is told, and ends the heartbeat."""
        assert stood_ready(tmp_path)
        first = json.loads((tmp_path / "run" / "alerts.json").read_bytes())["pid"]
        engine = address_of(tmp_path, 0).pid
        os.kill(first, signal.SIGKILL)
        limit = time.monotonic() + 20
        while time.monotonic() < limit and not any(running.revive() for running in trading._children):
            time.sleep(0.05)
        assert stood_ready(tmp_path, other_than=first)
        with EngineClient.of(tmp_path) as client:
            assert client.health().state == "ACTIVE"
        os.kill(engine, signal.SIGSTOP)
        try:
            webhook.wait_for("engine silent", 20)
            beats = webhook.paths.count("/beat")
            assert beats > 0
            time.sleep(1)
            assert webhook.paths.count("/beat") == beats
        finally:
            os.kill(engine, signal.SIGCONT)
        webhook.wait_for("Over: aitrade critical: engine silent", 20)


def stood_ready(home, other_than=0):
    """Wait until a watcher watches."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        try:
            pid = msgspec.json.decode((home / "run" / "alerts.json").read_bytes())["pid"]
        except FileNotFoundError:
            pid = 0
        if pid and pid != other_than and watches(home, pid):
            return True
        time.sleep(0.05)
    return False


def test_a_secret_of_a_channel_that_fails_is_written_nowhere(tmp_path):
    """A watcher sends in vain: record, logs and what the process printed name the channel, and never its secret."""
    canary = "c4nary/of-the-channel"
    Vault.create(tmp_path, method="key-file").add("hook-word", "alerts", canary)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"json://127.0.0.1:{nobody.getsockname()[1]}/{{hook-word}}"
        (tmp_path / "alerts.toml").write_text(f'[rules.disk]\nbelow = 1e9\n[[channel]]\nname = "hook"\nurl = "{url}"\n')
        with watching(tmp_path):
            limit = time.monotonic() + 20
            while time.monotonic() < limit and not any(alert.failed for alert in standing(tmp_path)):
                time.sleep(0.1)
    assert "Connection error" in standing(tmp_path)[0].failed["hook"]
    forms = (canary, quote(canary, safe=""), quote(canary, safe=":"), "c4nary")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if any(form.encode() in path.read_bytes() for form in forms)] == []


def test_health_says_whether_rules_are_watched(tmp_path, webhook):
    """It starts, is well while it watches, is down when it died under a supervisor, and off after a clean end."""
    configured(tmp_path, webhook)
    write_private(tmp_path / BEAT, msgspec.json.encode(Beat(os.getpid(), time.time_ns(), {})))
    assert health(tmp_path).of("watcher").state is State.UNKNOWN
    with watching(tmp_path) as running:
        assert health(tmp_path).of("watcher").state is State.OK
        os.kill(running.pid, signal.SIGKILL)
        running.wait(10)
        assert health(tmp_path).of("watcher").state is State.DOWN
    (tmp_path / BEAT).unlink()
    with watching(tmp_path):
        pass
    assert health(tmp_path).of("watcher").state is State.OFF
