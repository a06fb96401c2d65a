"""The service AITradingEngine: what is rendered holds, nothing is changed unasked, it starts, beats and ends well."""

import os
import shlex
import shutil
import socket
import subprocess
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.compliance.operations import noted
from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.ops import doors
from aitrade.ops.service import linux, notify, windows
from aitrade.ops.service import plan as plans
from aitrade.ops.service.plan import Plan, Step, apply, market_hours, plan_for
from aitrade.ops.supervisor import BEAT, STOP_SECONDS
from aitrade.ops.visit import Trading
from aitrade.store.vault import Vault

MONDAY = date(2026, 11, 23)


@pytest.fixture
def plan(tmp_path):
    """The plan for a data folder with its backups on another device, with the least rights."""
    return plan_for(load(home=tmp_path / "home", backup_folder=tmp_path / "disk"), "least", "", MONDAY)


def tool(folder, name, text, status=0):
    """Put a program of the system on the path, which says this."""
    folder.mkdir(exist_ok=True)
    (folder / "said").mkdir(exist_ok=True)
    (folder / "said" / name).write_text(text)
    script = folder / name
    script.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/{name}.asked"\ncat "{folder}/said/{name}"\nexit {status}\n')
    script.chmod(0o755)
    return folder


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine")
def test_systemd_takes_the_unit_and_calls_it_hardened(plan, tmp_path):
    """systemd-analyze finds nothing to complain of, and an exposure below 2 of 10."""
    unit = tmp_path / "AITradingEngine.service"
    unit.write_text(linux.unit(plan, linux.version()))
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr
    assert unit.name not in verified.stderr
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


def test_the_unit_says_what_the_service_must_do(plan):
    """After the network, again on failure, watched, ended within 10 s, as its own account, writing where it must."""
    lines = linux.unit(plan, 252).splitlines()
    for line in (
        "After=network-online.target time-sync.target", "Restart=on-failure", "RestartSec=5", "TimeoutStopSec=10",
        "WatchdogSec=30", "Type=notify", "User=aitrade", "WantedBy=multi-user.target",
        f"ReadWritePaths={plan.home} {plan.elsewhere[0]}",
    ):  # fmt: skip
        assert line in lines
    assert not any(line.startswith("RestartSteps") for line in lines)
    assert "RestartMaxDelaySec=60" in linux.unit(plan, 254).splitlines()


def test_a_stop_ends_before_systemd_loses_patience():
    """The supervisor has a second left of the ten when it ends the last child that does not end by itself."""
    assert STOP_SECONDS - plans.STOP_SECONDS <= -1
    assert plans.STOP_SECONDS == 10


def test_the_shipped_unit_is_what_is_rendered():
    """The example under deploy/ is the unit of an installation in /opt with its data in /var/lib."""
    made = Plan(
        home=Path("/var/lib/aitrade"), python=Path("/opt/aitrade/bin/python"), package=Path("/opt/aitrade/lib/aitrade"),
        account="least", user="", market_open="", market_close="", quiet="",
    )  # fmt: skip
    shipped = Path(__file__).parents[2] / "deploy" / "systemd" / "AITradingEngine.service"
    assert shipped.read_text() == linux.unit(made, 252)


def test_a_systemd_credential_opens_the_vault_in_the_unit(tmp_path, monkeypatch):
    """A vault that opens by a systemd credential has it loaded by the unit, by its key's number."""
    creds = tool(tmp_path / "bin", "systemd-creds", "")
    monkeypatch.setenv("PATH", f"{creds}:{os.environ['PATH']}")
    home = tmp_path / "home"
    Vault.create(home, method="systemd")
    name = plan_for(load(home=home), "least", "", MONDAY).credentials[0]
    assert name.startswith("aitrade-vault-key-")
    unit = linux.unit(plan_for(load(home=home), "least", "", MONDAY), 252)
    assert f"LoadCredentialEncrypted={name}:/etc/credstore.encrypted/{name}" in unit.splitlines()


def test_windows_steps(plan):
    """Automatic, after the network, restarted after 5, 30 and 60 s; imports scanned; no password, no firewall rule."""
    text = windows.script(windows.install(plan))
    for words in (
        "-StartupType Automatic -DependsOn Tcpip,Dnscache,NlaSvc", "reset= 86400", windows.LEAST,
        "actions= restart/5000/restart/30000/restart/60000", "AUOptions -Type DWord -Value 4",
        "no inbound firewall rule", f"Add-MpPreference -ExclusionPath '{plan.home / 'books'}'",
    ):  # fmt: skip
        assert words in text
    assert str(plan.home / "market") not in text
    assert "New-NetFirewallRule" not in text
    assert f"ExclusionPath '{plan.home}'" not in text


def rendered(system, account, tmp_path):
    """The script of a system and an account, with backups and market data on folders of their own."""
    folders = {"backup_folder": tmp_path / "disk", "market": tmp_path / "market"}
    made = plan_for(load(home=tmp_path / "home", **folders), account, "root" if account != "least" else "", MONDAY)
    return windows.script(windows.install(made)) if system == "windows" else linux.script(linux.install(made, 254))


EVERY_WORD = {
    "windows": (
        "AITradingEngine", "pythonservice.exe", "-StartupType Automatic", "restart/5000/restart/30000/restart/60000",
        "reset= 86400", "failureflag AITradingEngine 1", "Tcpip,Dnscache,NlaSvc", "--account", "no inbound firewall",
        "Add-MpPreference -ExclusionPath", "AUOptions -Type DWord -Value 4", "SetActiveHours",
        "ActiveHoursStart", "ActiveHoursEnd", "standby-timeout-ac 0", "standby-timeout-dc 0", "hibernate-timeout-ac 0",
        "hibernate-timeout-dc 0", "vault protect", "(OI)(CI)M",
    ),
    "linux": (
        "AITradingEngine.service", "systemctl enable", "Restart=on-failure", "RestartSec=5", "RestartMaxDelaySec=60",
        "network-online.target", "--account", "NoNewPrivileges=yes", "ProtectSystem=strict", "TimeoutStopSec=10",
        "WatchdogSec=30", "Type=notify", 'Unattended-Upgrade "1"', "Automatic-Reboot-Time", "mask sleep.target",
        "vault protect",
    ),
}  # fmt: skip


@pytest.mark.parametrize("account", ["administrator", "least"])
@pytest.mark.parametrize("system", list(EVERY_WORD))
def test_what_is_rendered_has_every_word_of_what_was_asked(system, account, tmp_path):
    """Start, restarts, network, account and its choice, firewall, scanner, updates, reboots, sleep, vault, stop."""
    text = rendered(system, account, tmp_path)
    assert [word for word in EVERY_WORD[system] if word not in text] == []
    other = "administrator" if account == "least" else "least"
    assert f"--account {other} chooses otherwise" in text
    assert f"ExclusionPath '{tmp_path / 'market'}'" not in text
    assert text.count(str(tmp_path / "disk")) >= 2


def test_an_administrator_types_the_password(tmp_path):
    """As specified it runs as Administrator, whose password Windows asks for; it is in no command line."""
    text = windows.script(windows.install(plan_for(load(home=tmp_path), "administrator", "", MONDAY)))
    assert "-Credential (Get-Credential '.\\Administrator')" in text
    assert "password" not in text.lower()


def test_a_path_with_a_quotation_mark_stays_one_word(tmp_path):
    """A folder's name cannot end the word that it stands in."""
    home = tmp_path / "it's here"
    made = plan_for(load(home=home), "least", "", MONDAY)
    assert f"'{str(home).replace(chr(39), chr(39) * 2)}'" in windows.script(windows.install(made))
    assert f'"{home}"' in linux.unit(made, 252)


def test_no_folder_s_name_is_run_by_root(tmp_path):
    """In the script that root reads and runs a name is a word, whatever stands in it; in the unit a % is one."""
    home = tmp_path / 'a "$(touch pwned)" `b` 5%'
    made = plan_for(load(home=home), "least", "", MONDAY)
    lines = linux.script(linux.install(made, 252)).splitlines()
    given = [shlex.split(line) for line in lines if line.startswith("install -d")]
    assert given[0][-1] == str(home)
    assert "'" in next(line for line in lines if line.startswith("install -d"))
    unit = linux.unit(made, 252)
    assert '5%%"' in unit
    assert f"WorkingDirectory={str(home).replace('%', '%%')}" in unit


def test_updates_wait_for_the_markets(plan):
    """From the first pre-open to the last close nothing restarts: the hour for it lies after all of them."""
    opens, closes = market_hours(MONDAY)
    assert (f"{opens:%H:%M}", f"{closes:%H:%M}") == ("09:00", "23:55")
    assert market_hours(date(2026, 11, 22))[0].date() == MONDAY
    assert f'Automatic-Reboot-Time "{plan.quiet}"' in linux.updates(plan)
    assert plan.quiet != plan.market_close


def test_what_sc_prints_is_read():
    """Fields of one line and of several, as Windows prints them."""
    text = (
        "SERVICE_NAME: AITradingEngine\n        STATE              : 4  RUNNING\n"
        "                                (STOPPABLE, NOT_PAUSABLE)\n        DEPENDENCIES       : Tcpip\n"
        "                           : Dnscache\n"
    )
    fields = windows.fields_of(text)
    assert fields["STATE"] == "4  RUNNING (STOPPABLE, NOT_PAUSABLE)"
    assert fields["DEPENDENCIES"] == "Tcpip Dnscache"


def test_steps_are_done_in_order_and_end_at_a_failure(tmp_path):
    """What may fail is reported and passed over; another failure stops there and says which step it was."""
    steps = [
        Step("a file", path=str(tmp_path / "unit"), text="[Unit]\n"),
        Step("may fail", ("false",), may_fail=True),
        Step("a folder", ("mkdir", str(tmp_path / "made"))),
    ]
    assert apply(steps) == ["may fail: exit status 1"]
    assert (tmp_path / "unit").read_text() == "[Unit]\n"
    with pytest.raises(Refused, match="Stopped at 'mkdir"):
        apply([*steps, Step("never", path=str(tmp_path / "never"), text="")])
    assert not (tmp_path / "never").exists()
    with pytest.raises(Refused, match="no such-program"):
        apply([Step("not there", ("such-program",))])


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """The command on a data folder, with programs of the system that only take notes."""
    for name in ("useradd", "install", "chown", "runuser", "rm"):
        tool(tmp_path / "bin", name, "")
    tool(tmp_path / "bin", "systemctl", "systemd 252 (252.1)\nActiveState=active\nUser=aitrade\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(linux, "UNIT", str(tmp_path / "etc" / "unit"))
    monkeypatch.setattr(linux, "UPDATES", str(tmp_path / "etc" / "updates"))

    def run(*words, folder=True):
        home = ("--data-folder", str(tmp_path / "home")) if folder else ()
        done = CliRunner().invoke(main, ["service", *words, *home])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return done.exit_code, done.output

    return run


def asked(tmp_path, name):
    """What a program was asked for."""
    path = tmp_path / "bin" / f"{name}.asked"
    return path.read_text() if path.exists() else ""


def test_nothing_is_changed_unasked(cli, tmp_path):
    """Rendering and installing without --apply show the steps and touch nothing."""
    for words in (("render",), ("render", "--for", "windows"), ("install",), ("uninstall",)):
        status, text = cli(*words)
        assert status == 0
        assert "AITradingEngine" in text
    assert not (tmp_path / "etc").exists()
    assert not asked(tmp_path, "useradd")
    assert "enable" not in asked(tmp_path, "systemctl")
    assert list(noted(tmp_path / "home", "service")) == []


def test_install_and_uninstall_when_asked(cli, tmp_path):
    """With --apply the unit is written and enabled, which is journaled; uninstalling takes it away again."""
    status, text = cli("install", "--apply")
    assert status == 0, text
    assert "will run as aitrade" in text
    assert "the first start makes one" in text
    assert "ExecStart=" in Path(linux.UNIT).read_text()
    assert "enable AITradingEngine.service" in asked(tmp_path, "systemctl")
    assert "-c import aitrade" in asked(tmp_path, "runuser")
    vault = Vault.create(tmp_path / "home", method="key-file")
    assert "The vault opens without log-in; know that" in cli("install", "--apply")[1]
    vault.protect(["passphrase"], passphrase="correct horse battery")
    assert "does not open: passphrase needs a person" in cli("install", "--apply")[1]
    assert cli("uninstall", "--apply")[0] == 0
    assert "disable --now AITradingEngine.service" in asked(tmp_path, "systemctl")
    assert [one.operation.outcome for one in noted(tmp_path / "home", "service")] == [*["installed"] * 3, "uninstalled"]


def test_an_account_that_cannot_run_it_ends_the_installation(cli, tmp_path):
    """A Python that the service account may not read is found before anything is written."""
    tool(tmp_path / "bin", "runuser", "Permission denied", status=126)
    status, text = cli("install", "--apply")
    assert status == 2
    assert "import aitrade" in text
    assert not Path(linux.UNIT).exists()


def test_start_stop_and_status(cli, tmp_path):
    """They ask the system; status ends with 0 only while it runs."""
    assert cli("start")[0] == cli("stop")[0] == 0
    assert "stop AITradingEngine.service" in asked(tmp_path, "systemctl")
    status, text = cli("status", folder=False)
    assert status == 0
    assert "aitrade" in text
    tool(tmp_path / "bin", "systemctl", "ActiveState=failed\n")
    assert cli("status", folder=False)[0] == 1
    tool(tmp_path / "bin", "systemctl", "no bus\n", status=1)
    assert cli("status", folder=False)[0] == cli("start")[0] == 2


def test_nobody_is_told_without_systemd(monkeypatch, tmp_path):
    """Without a socket, or with one that is gone, telling is no error."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify.notify(notify.READY)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert not notify.notify(notify.READY)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd's socket is a Unix one")
def test_it_says_that_it_is_ready_alive_and_stopping(tmp_path):
    """A started `aitrade up` tells who started it; asked by its door it ends by itself, and says so."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(path))
        door.settimeout(90)
        running = Trading(tmp_path / "home", "--start", "10:30", environment={**os.environ, "NOTIFY_SOCKET": str(path)})
        try:
            assert [door.recv(64).decode() for _ in range(2)] == [notify.READY, notify.ALIVE]
            assert (tmp_path / "home" / BEAT).exists()
            doors.ask_to_end(tmp_path / "home")
            said = notify.ALIVE
            while said == notify.ALIVE:
                said = door.recv(64).decode()
            assert said == notify.STOPPING
            assert running.process.wait(60) == 0
        finally:
            running.end()
    assert not (tmp_path / "home" / BEAT).exists()
    assert not doors.end_asked(tmp_path / "home")
