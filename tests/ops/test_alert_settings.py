"""alerts.toml: what ships, what a data folder changes, and how a wrong line is refused."""

import pytest

from aitrade.core.clock import at
from aitrade.core.errors import DataRefused
from aitrade.ops.alerts.settings import AlertSettings, Quiet, Severity

SHIPPED = {
    "engine-silent", "stale-feed", "order-in-doubt", "rejections", "loss-50", "loss-80", "loss-100", "disk", "clock",
    "backup-missed", "chain-broken", "engine-alert",
}  # fmt: skip


def settings(home, text):
    """Load a data folder's file."""
    (home / "alerts.toml").write_text(text)
    return AlertSettings.load(home)


def test_the_shipped_rules_are_there_and_sound():
    """Every rule that the product promises is in the package, on, and says its sentence."""
    shipped = AlertSettings.load()
    assert set(shipped.rules) == SHIPPED
    assert all(rule.on for rule in shipped.rules.values())
    assert "7 orders" in shipped.rules["rejections"].words("", 7, "")


def test_a_data_folder_changes_single_lines(tmp_path):
    """One line of a rule is overridden and the others stay; a new rule joins; channels replace."""
    own = settings(
        tmp_path,
        '[rules.disk]\nbelow = 50\n[rules.hot]\nwatches = "cpu_percent"\nabove = 95\nfor_s = 60\nseverity = "info"\n'
        'says = "{value}"\n[[channel]]\nname = "desk"\nurl = "json://127.0.0.1:9/x"\n',
    )
    assert (own.rules["disk"].below, own.rules["disk"].severity) == (50, Severity.CRITICAL)
    assert own.rules["hot"].for_s == 60
    assert [one.name for one in own.channel] == ["desk"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[rules.disk\n", "is not read"),
        ("[rules.disk]\nbelow = 'much'\n", r"does not fit.*below"),
        ("[rules.disk]\nhow = 1\n", "does not fit.*how"),
        ("[rules.disk]\nabove = 1\n", "rule disk: give `above` or `below`"),
        ('[rules.disk]\nwatches = "moon"\n', "no figure moon; there are: engine_silent_s"),
        ('[rules.disk]\nsays = "{price}"\n', "uses price; it may use value"),
        ('[rules.disk]\nsays = "{"\n', "`says` uses"),
        ('[rules.disk]\nseverity = "awful"\n', "does not fit.*awful"),
        ('[quiet]\nfrom = "22:00"\n', "quiet hours need"),
        ('[quiet]\nfrom = "late"\nuntil = "07:00"\n', "quiet hours need"),
        ("[proof]\nvalid_days = 8\n", "does not fit"),
        ('[[channel]]\nname = "a"\nurl = "somewhere"\n', "channel a: its url is no apprise address"),
        ('[[channel]]\nname = "a"\nurl = "mailtos://me:hunter2@example.org"\n', "secret in clear"),
        ('[[channel]]\nname = "a"\nurl = "json://example.org/?token=abc"\n', "secret in clear"),
        ('[[channel]]\nname = "a"\nurl = "tgram://12345:abc/678"\n', "put it into the vault"),
        ('[[channel]]\nname = "a"\nurl = "json://x"\n[[channel]]\nname = "a"\nurl = "json://y"\n', "two channels"),
    ],
)
def test_a_wrong_line_is_refused_in_a_sentence(tmp_path, text, says):
    """The refusal names the file and what is wrong with it; nothing of a bad file is taken."""
    with pytest.raises(DataRefused, match=says) as refused:
        settings(tmp_path, text)
    assert "alerts.toml" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    in_force, why = AlertSettings.in_force(tmp_path)
    assert (in_force, why) == (AlertSettings.load(), str(refused.value))


def test_a_channel_may_name_secrets_of_the_vault(tmp_path):
    """Names in braces stand where the secret would be."""
    own = settings(tmp_path, '[[channel]]\nname = "phone"\nurl = "tgram://{telegram-bot}/{chat}"\nescalation = true\n')
    assert own.channel[0].escalation


@pytest.mark.parametrize(("clock_time", "held"), [("21:59", False), ("22:00", True), ("03:00", True), ("07:00", False)])
def test_quiet_hours_reach_over_midnight(clock_time, held):
    """From 22:00 to 07:00 IST a warning waits and a critical alert does not."""
    quiet = Quiet(start="22:00", until="07:00", severity=Severity.CRITICAL)
    assert quiet.holds(Severity.WARNING, at("2026-11-24", clock_time)) is held
    assert not quiet.holds(Severity.CRITICAL, at("2026-11-24", clock_time))
