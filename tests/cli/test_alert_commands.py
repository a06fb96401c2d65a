"""`aitrade alerts` and `aitrade incident`, on a data folder without an engine."""

from click.testing import CliRunner

from aitrade.cli import main
from aitrade.ops.alerts import raise_alert
from aitrade.ops.alerts.webhook import Webhook


def call(home, *arguments):
    """Run a command on the folder; return its exit status and all it printed."""
    result = CliRunner().invoke(main, [*arguments, "--data-folder", str(home)])
    return result.exit_code, result.output


def test_an_alert_is_listed_and_acknowledged(tmp_path):
    """It is on the list with its sentence; acknowledged it is off, and again is refused."""
    assert call(tmp_path, "alerts", "list") == (0, "No alert stands.\n")
    number = raise_alert(tmp_path, "backup-failed", "critical", "No space; free some.").id
    assert "critical  backup-failed  stands  No space; free some." in call(tmp_path, "alerts", "list")[1]
    assert "is acknowledged by" in call(tmp_path, "alerts", "ack", str(number), "--reason", "done")[1]
    assert call(tmp_path, "alerts", "list") == (0, "No alert stands.\n")
    assert "seen by" in call(tmp_path, "alerts", "list", "--all")[1]
    status, said = call(tmp_path, "alerts", "ack", str(number))
    assert (status, "acknowledged by" in said) == (2, True)


def test_a_channel_is_tested_and_confirmed(tmp_path):
    """The code that arrives confirms the channel; a channel that is down is an exit status of 1."""
    with Webhook() as webhook:
        (tmp_path / "alerts.toml").write_text(f'[[channel]]\nname = "hook"\nurl = "{webhook.url}"\n')
        assert call(tmp_path, "alerts", "test")[0] == 0
        code = webhook.messages[0].body.split("confirm ")[1].split("`")[0]
    assert "unconfirmed" in call(tmp_path, "alerts", "channels")[1]
    assert "Channel hook is confirmed by" in call(tmp_path, "alerts", "confirm", code)[1]
    assert "confirmed" in call(tmp_path, "alerts", "channels")[1]
    status, said = call(tmp_path, "alerts", "test")
    assert (status, "hook: not sent" in said) == (1, True)


def test_the_rules_are_listed_and_a_wrong_file_is_refused(tmp_path):
    """Each rule says when it is raised; a file that does not fit is exit status 2."""
    said = call(tmp_path, "alerts", "rules")[1]
    assert "feed_age_s above 5 for 1 s in market hours" in said
    (tmp_path / "alerts.toml").write_text("[rules.disk]\nbelow = 'much'\n")
    status, said = call(tmp_path, "alerts", "rules")
    assert (status, "does not fit" in said) == (2, True)


def test_an_incident_goes_from_opened_to_closed(tmp_path):
    """Opened, owned, explained, reported, closed; before all of it closing is refused."""
    assert call(tmp_path, "incident", "list") == (0, "No incident is open.\n")
    said = call(tmp_path, "incident", "open", "A stranger logged in", "--kind", "cyber")[1]
    number = said.split()[1]
    assert "first report by" in call(tmp_path, "incident", "list")[1]
    assert call(tmp_path, "incident", "close", number, "done")[0] == 2
    for arguments in (("assign", number, "Ravi"), ("cause", number, "Reused"), ("reported", number, "first report")):
        assert call(tmp_path, "incident", *arguments)[0] == 0
    assert "is closed" in call(tmp_path, "incident", "close", number, "Passwords changed")[1]
    shown = call(tmp_path, "incident", "show", number)[1]
    assert "owner: Ravi\ncause: Reused\n" in shown
    assert "to CERT-In" in shown
    assert "closed" in call(tmp_path, "incident", "list", "--all")[1]
