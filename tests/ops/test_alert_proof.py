"""Codes that prove a channel: sent on it, given back by a person, good for seven days and one address."""

import pytest

from aitrade.compliance.operations import journal_folder
from aitrade.core.clock import DAY
from aitrade.core.errors import Refused
from aitrade.ops.alerts import standing
from aitrade.ops.alerts.proof import State, confirm, proofs, reaches_somebody, try_channels
from aitrade.ops.alerts.settings import AlertSettings
from aitrade.ops.alerts.webhook import Webhook
from aitrade.store.vault import Vault


@pytest.fixture
def webhook():
    """A loopback webhook."""
    with Webhook() as listening:
        yield listening


def settings(home, url):
    """Settings with one channel."""
    (home / "alerts.toml").write_text(f'[[channel]]\nname = "phone"\nurl = "{url}"\n')
    return AlertSettings.load(home)


def code_in(webhook):
    """The code that came last."""
    return webhook.messages[-1].body.split("confirm ")[1].split("`")[0]


def test_a_code_that_comes_back_proves_its_channel_for_seven_days(tmp_path, webhook):
    """Before, the channel is unconfirmed; after, confirmed by that person; on the eighth day expired."""
    own = settings(tmp_path, webhook.url)
    assert try_channels(tmp_path, own) == {"phone": ""}
    assert [one.state for one in proofs(tmp_path, own, 0)] == [State.UNCONFIRMED]
    proven = confirm(tmp_path, code_in(webhook).lower(), own, actor="asha")
    assert (proven.state, proven.by, proven.external) == (State.CONFIRMED, "asha", True)
    assert reaches_somebody(tmp_path, own, proven.until)
    assert [one.state for one in proofs(tmp_path, own, proven.at + 7 * DAY + 1)] == [State.EXPIRED]
    assert standing(tmp_path) == []


def test_a_code_proves_once(tmp_path, webhook):
    """Who types an old code again has received nothing: the seven days begin with a message that came."""
    own = settings(tmp_path, webhook.url)
    try_channels(tmp_path, own)
    until = confirm(tmp_path, code_in(webhook), own).until
    with pytest.raises(Refused, match="sends a new one"):
        confirm(tmp_path, code_in(webhook), own)
    assert proofs(tmp_path, own, until)[0].until == until


def test_the_code_cannot_be_read_from_the_journal(tmp_path, webhook):
    """Only who has the channel knows it."""
    try_channels(tmp_path, settings(tmp_path, webhook.url))
    written = b"".join(path.read_bytes() for path in journal_folder(tmp_path).iterdir())
    assert code_in(webhook).encode() not in written


def test_a_code_that_was_not_sent_or_is_of_another_address_is_refused(tmp_path, webhook):
    """A guess proves nothing, and a changed address is a new channel."""
    own = settings(tmp_path, webhook.url)
    try_channels(tmp_path, own)
    with pytest.raises(Refused, match="was not sent"):
        confirm(tmp_path, "AAAAAAAA", own)
    moved = settings(tmp_path, webhook.url + "/elsewhere")
    with pytest.raises(Refused, match="another address"):
        confirm(tmp_path, code_in(webhook), moved)
    confirm(tmp_path, code_in(webhook), own, actor="asha")
    assert not reaches_somebody(tmp_path, moved, 0)


@pytest.mark.parametrize("url", ["syslog://", "SYSLOG://local7", "dbus://{x}", "gnome://{x}"])
def test_this_machine_s_own_screens_and_logs_reach_nobody(tmp_path, url):
    """They are the desktop under other names."""
    assert [one.external for one in proofs(tmp_path, settings(tmp_path, url), 0)] == [False]


def test_the_desktop_alone_reaches_nobody(tmp_path):
    """It is listed, and does not count."""
    shipped = AlertSettings.load()
    assert [one.external for one in proofs(tmp_path, shipped, 0)] == [False]
    assert not reaches_somebody(tmp_path, shipped, 0)


def test_secrets_come_from_the_vault_and_stay_there(tmp_path, webhook):
    """An address names its secret; it is filled in only on the way out, and nothing that is written holds it."""
    vault = Vault.create(tmp_path, method="key-file")
    vault.add("hook-word", "alerts", "s3cret/word")
    own = settings(tmp_path, webhook.url.replace("/alerts", "/{hook-word}"))
    assert try_channels(tmp_path, own) == {"phone": ""}
    assert webhook.paths[-1].startswith("/s3cret%2Fword")
    written = [path for path in tmp_path.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    assert written == []
