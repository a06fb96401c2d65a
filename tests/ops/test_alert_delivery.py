"""Who is told: a real loopback webhook takes what apprise sends."""

import socket
import time

import pytest

from aitrade.compliance.operations import journal_folder, noted
from aitrade.core.clock import MINUTE, SECOND, at
from aitrade.core.files import FileLock
from aitrade.ops.alerts import Severity, acknowledge, raise_alert, resolve, standing
from aitrade.ops.alerts.book import record
from aitrade.ops.alerts.channels import send
from aitrade.ops.alerts.delivery import Courier, deliver, lock_path
from aitrade.ops.alerts.settings import AlertSettings, Channel
from aitrade.ops.alerts.webhook import Webhook

NOW = at("2026-11-24", "11:00")


@pytest.fixture
def webhook():
    """A loopback webhook."""
    with Webhook() as listening:
        yield listening


def settings(home, webhook, more="", channel=""):
    """Settings with one channel, the webhook."""
    text = f'{more}\n[[channel]]\nname = "hook"\nurl = "{webhook.url}"\n{channel}\n'
    home.mkdir(exist_ok=True)
    (home / "alerts.toml").write_text(text)
    return AlertSettings.load(home)


def raised(home, severity=Severity.CRITICAL, subject="", now=NOW):
    """An alert of a lasting condition."""
    return record(home, "disk", severity, "The disk is full.", subject=subject, lasting=True, at=now)


def titles(webhook):
    """What came."""
    return [message.title for message in webhook.messages]


def test_an_alert_goes_out_at_once_and_once(tmp_path, webhook):
    """Without a watcher the raising process sends; a repetition is no second message."""
    settings(tmp_path, webhook)
    for _ in range(3):
        alert = raise_alert(tmp_path, "backup-failed", "critical", "No space; free some.")
    message = webhook.wait_for("No space; free some.", 5)
    assert message.title == "aitrade critical: backup failed"
    assert f"aitrade alerts ack {alert.id}" in message.body
    assert len(webhook.messages) == 1
    assert standing(tmp_path)[0].sent == ("hook",)


def test_a_watcher_sends_for_everybody(tmp_path, webhook):
    """While a watcher holds the lock, who raises only records; the watcher sends."""
    own = settings(tmp_path, webhook)
    with FileLock(lock_path(tmp_path)):
        raise_alert(tmp_path, "backup-failed", "critical", "No space.")
        assert webhook.messages == []
        assert deliver(tmp_path, own, time.time_ns()) == 1
    assert len(webhook.messages) == 1


def test_a_channel_hears_only_what_is_bad_enough(tmp_path, webhook):
    """The default channel takes warnings and worse."""
    own = settings(tmp_path, webhook)
    raised(tmp_path, Severity.INFO)
    assert deliver(tmp_path, own, NOW) == 0
    raised(tmp_path, Severity.WARNING, "other")
    assert deliver(tmp_path, own, NOW) == 1


def test_quiet_hours_hold_a_warning_until_they_end(tmp_path, webhook):
    """At night a warning waits; in the morning it goes out; a critical one does not wait."""
    own = settings(tmp_path, webhook, '[quiet]\nfrom = "22:00"\nuntil = "07:00"\n')
    night = at("2026-11-24", "23:00")
    raised(tmp_path, Severity.WARNING, now=night)
    assert deliver(tmp_path, own, night) == 0
    raised(tmp_path, Severity.CRITICAL, "other", now=night)
    assert deliver(tmp_path, own, night) == 1
    assert deliver(tmp_path, own, at("2026-11-25", "07:00")) >= 1
    assert {one.subject: one.sent for one in standing(tmp_path)} == {"": ("hook",), "other": ("hook",)}


def test_nobody_acknowledges_and_it_escalates(tmp_path, webhook):
    """After ten minutes it goes out again, to the second person too, three times; then it only stands."""
    more = f'[[channel]]\nname = "boss"\nurl = "{webhook.url}"\nescalation = true\n'
    own = settings(tmp_path, webhook, channel=more)
    raised(tmp_path)
    deliver(tmp_path, own, NOW)
    assert standing(tmp_path)[0].sent == ("hook",)
    for minutes in range(1, 60):
        deliver(tmp_path, own, NOW + minutes * MINUTE)
    (alert,) = standing(tmp_path)
    assert (alert.escalations, alert.sent) == (3, ("hook", "boss"))
    assert titles(webhook).count("Not acknowledged: aitrade critical: disk") == 6


def test_an_acknowledged_alert_escalates_no_more(tmp_path, webhook):
    """A person's word ends the escalation; the alert stands while its condition does."""
    own = settings(tmp_path, webhook)
    alert = raised(tmp_path)
    deliver(tmp_path, own, NOW)
    acknowledge(tmp_path, alert.id, actor="asha")
    assert deliver(tmp_path, own, NOW + 60 * MINUTE) == 0
    assert len(standing(tmp_path)) == 1


def test_who_was_told_is_told_that_it_is_over(tmp_path, webhook):
    """One message says that it is over, to those who had the first."""
    own = settings(tmp_path, webhook)
    raised(tmp_path)
    deliver(tmp_path, own, NOW)
    resolve(tmp_path, "disk", at=NOW + MINUTE)
    assert [deliver(tmp_path, own, NOW + minutes * MINUTE) for minutes in (1, 2)] == [1, 0]
    assert titles(webhook) == ["aitrade critical: disk", "Over: aitrade critical: disk"]


def test_what_comes_and_goes_does_not_ring_each_time(tmp_path, webhook):
    """Over and back within five minutes sends no second message; after them, if it still stands, it does."""
    own = settings(tmp_path, webhook)
    raised(tmp_path)
    deliver(tmp_path, own, NOW)
    resolve(tmp_path, "disk", at=NOW + SECOND)
    deliver(tmp_path, own, NOW + SECOND)
    raised(tmp_path, now=NOW + 2 * SECOND)
    assert deliver(tmp_path, own, NOW + 3 * SECOND) == 0
    assert deliver(tmp_path, own, NOW + 6 * MINUTE) == 1


def test_a_channel_that_is_down_is_tried_again_and_named(tmp_path, webhook):
    """The record says which channel did not take it and why; half a minute later it is tried again."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"json://127.0.0.1:{nobody.getsockname()[1]}/"
        own = settings(tmp_path, webhook, channel=f'[[channel]]\nname = "down"\nurl = "{address}"\n')
        raised(tmp_path)
        assert [deliver(tmp_path, own, NOW + s * SECOND) for s in (0, 1, 31, 60)] == [1, 0, 1, 0]
    (alert,) = standing(tmp_path)
    assert alert.sent == ("hook",)
    assert "Connection error" in alert.failed["down"]
    assert [one.operation.outcome for one in noted(tmp_path, "alert")] == ["raised", "sent", "not sent"]
    assert len(webhook.messages) == 1


def test_a_channel_whose_secret_is_missing_says_so(tmp_path):
    """A channel that names a secret of the vault which is not there is refused with its name."""
    why = send(tmp_path, Channel(name="phone", url="tgram://{bot-of-nobody}/1"), "t", "b", Severity.INFO)
    assert "bot-of-nobody" in why or "vault" in why


def test_what_cannot_be_recorded_is_not_sent_at_every_look(tmp_path, webhook):
    """The journal takes nothing after an alert was raised: its message goes out once, again only after ten minutes."""
    own = settings(tmp_path, webhook)
    raised(tmp_path)
    lock = journal_folder(tmp_path).parent / "lock"
    lock.unlink()
    lock.mkdir()
    courier = Courier(tmp_path)
    for seconds in (0, 1, 2, 601):
        courier.send_due(own, NOW + seconds * SECOND)
        webhook.wait_for("The disk is full.", 5)
        time.sleep(0.3)
    courier.close()
    assert len(webhook.messages) == 2
