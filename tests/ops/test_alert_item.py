"""The checklist's item on alerts passes as shipped, and is seen to fail for each thing that can be broken."""

import pytest

from aitrade.core.config import load
from aitrade.core.errors import AitradeError, DataRefused, Unreachable
from aitrade.core.files import FileLock
from aitrade.ops.alerts import drill, proof
from aitrade.ops.alerts.delivery import lock_path
from aitrade.ops.alerts.settings import AlertSettings
from aitrade.ops.alerts.webhook import Webhook
from aitrade.ops.preflight import monitoring_items
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.monitoring_items import AlertsTested


@pytest.fixture
def ground(tmp_path):
    """A fresh installation and a scratch place."""
    home = tmp_path / "home"
    home.mkdir()
    return Ground(load(home=home), tmp_path / "scratch")


def test_a_fresh_installation_passes_and_says_that_nobody_is_reached(ground):
    """Two alerts came back within five seconds; no channel reaches a person, and the evidence says so."""
    found = AlertsTested().examine(ground)
    assert found.status is Status.PASS
    assert found.measured["nonce_s"] < 5
    assert found.measured["rule_s"] < 5
    assert found.measured["external_confirmed"] == 0
    assert "the desktop does not count" in found.evidence
    assert found.examined >= 2


def test_each_channel_is_named_with_its_proof(ground):
    """A channel that a person confirmed says so, another one is marked unconfirmed."""
    with Webhook() as webhook:
        text = "".join(f'[[channel]]\nname = "{name}"\nurl = "{webhook.url}?{name}"\n' for name in ("phone", "mail"))
        (ground.home / "alerts.toml").write_text(text)
        settings = AlertSettings.load(ground.home)
        assert proof.try_channels(ground.home, settings) == {"phone": "", "mail": ""}
        code = webhook.messages[0].body.split("confirm ")[1].split("`")[0]
    proven = proof.confirm(ground.home, code, settings, actor="asha")
    found = AlertsTested().examine(ground)
    other = ({"phone", "mail"} - {proven.channel}).pop()
    assert f"{proven.channel} confirmed" in found.evidence
    assert f"{other} unconfirmed" in found.evidence
    assert (found.measured["external_confirmed"], found.measured["unconfirmed"]) == (1, other)


def test_a_rule_that_is_switched_off_fails(ground):
    """It is named."""
    (ground.home / "alerts.toml").write_text("[rules.stale-feed]\non = false\n")
    found = AlertsTested().examine(ground)
    assert found.status is Status.FAIL
    assert "the rule stale-feed is switched off" in found.evidence


def test_an_alert_that_comes_late_fails(ground, monkeypatch):
    """It is received, and later than it has to be: here anything is."""
    monkeypatch.setattr(monitoring_items, "SEEN_SECONDS", 0.0)
    found = AlertsTested().examine(ground)
    assert found.status is Status.FAIL
    assert "the alert with a nonce took" in found.evidence
    assert "a damaged journal's took" in found.evidence


def test_rules_that_do_not_fit_fail(ground):
    """A wrong alerts.toml is a fail with its own sentence."""
    (ground.home / "alerts.toml").write_text("[rules.stale-feed]\nabove = 'soon'\n")
    with pytest.raises(DataRefused, match="does not fit"):
        AlertsTested().examine(ground)


def test_alerts_that_do_not_arrive_fail(ground, monkeypatch):
    """A proxy in the environment swallows what goes out: nothing comes back, and the item fails."""
    monkeypatch.setattr(drill, "PATIENCE_S", 2.0)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unreachable, match="No alert with"):
        AlertsTested().examine(ground)


def test_a_watcher_that_cannot_watch_fails(ground, monkeypatch):
    """Where another process holds the watcher's place, the drill's does not start, and the item fails."""
    monkeypatch.setattr(drill, "START_S", 2.0)
    with FileLock(lock_path(ground.scratch / "alerts")), pytest.raises(AitradeError, match="did not start"):
        AlertsTested().examine(ground)
