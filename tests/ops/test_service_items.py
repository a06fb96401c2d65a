"""The checklist's service items: each passes on what is right, and is seen to fail on what is not."""

import os
import socket
import sys
from datetime import date
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.ops.preflight import serving
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.ground import Ground, Unprovable
from aitrade.ops.service import windows
from aitrade.ops.service.plan import plan_for
from aitrade.store.vault import Vault

GOOD = {
    "LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "Restart": "on-failure",
    "After": "basic.target network-online.target", "WatchdogUSec": "30s",
}  # fmt: skip
LISTS = 'APT::Periodic::Update-Package-Lists "1";\n'
SC = {
    "START_TYPE": "2   AUTO_START", "STATE": "4  RUNNING", "DEPENDENCIES": "Tcpip Dnscache NlaSvc",
    "RESET_PERIOD (in seconds)": "86400",
    "FAILURE_ACTIONS": "RESTART -- Delay = 5000 milliseconds. RESTART -- Delay = 30000 milliseconds. "
    "RESTART -- Delay = 60000 milliseconds.",
}  # fmt: skip


@pytest.fixture
def ground(tmp_path):
    """A fresh installation."""
    home = tmp_path / "home"
    Vault.create(home, method="key-file")
    home.chmod(0o700)
    return Ground(load(home=home), tmp_path / "scratch")


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """Let systemctl answer with these properties."""

    def says(shown):
        script = tmp_path / "bin" / "systemctl"
        script.parent.mkdir(exist_ok=True)
        lines = "".join(f"{name}={value}\n" for name, value in shown.items())
        script.write_text(f"#!/bin/sh\n[ $1 = is-system-running ] && echo running && exit 0\ncat <<'END'\n{lines}END\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")

    return says


@pytest.fixture
def plan(ground):
    """The plan of that installation."""
    return plan_for(ground.configuration, "least", "", date(2026, 11, 23))


def runs_on(home):
    """What systemd prints of a command on a data folder."""
    argv = f"/opt/aitrade/bin/python -m aitrade up --no-browser --data-folder {home}"
    return f"{{ path=/opt/aitrade/bin/python ; argv[]={argv} ; ignore_errors=no ; pid=7 }}"


def test_a_service_as_it_should_be(ground, systemd):
    """Loaded, enabled, running on this data folder, restarted, after the network and watched."""
    systemd({**GOOD, "ExecStart": runs_on(ground.home)})
    assert serving.ServiceInstalled().examine(ground).status is Status.PASS


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LoadState", "not-found", "not installed"),
        ("UnitFileState", "disabled", "start with the machine"),
        ("UnitFileState", "static", "start with the machine"),
        ("ExecStart", runs_on("/srv/another"), "does not run on"),
        ("Restart", "no", "restarted on failure"),
        ("After", "basic.target", "wait for the network"),
        ("WatchdogUSec", "0", "when it hangs"),
        ("ActiveState", "failed", "does not run"),
    ],
)
def test_a_service_with_a_fault(ground, systemd, name, value, says):
    """Each fault fails it, by name."""
    systemd({**GOOD, "ExecStart": runs_on(ground.home), name: value})
    found = serving.ServiceInstalled().examine(ground)
    assert found.status is Status.FAIL
    assert says in found.evidence


@pytest.mark.parametrize("name", SC)
def test_windows_answers_are_judged(name):
    """What sc.exe prints of a right service has no fault; without any one field it has."""
    assert serving._wrong_on_windows(SC) == []
    assert len(serving._wrong_on_windows({**SC, name: ""})) == 1


def test_without_a_service_manager_it_is_not_provable(ground, tmp_path, monkeypatch):
    """A machine without systemd says so, and the vault was tried all the same."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unprovable, match="systemd does not run"):
        serving.ServiceInstalled().examine(ground)
    with pytest.raises(Unprovable, match="opens unattended: yes"):
        serving.ServiceAccount().examine(ground)


def test_the_service_account_owns_its_folder_and_opens_the_vault(ground, systemd):
    """It passes with the weakness named, and fails for another's folder, an open one, or a vault that asks."""
    me = ground.home.owner()
    systemd({**GOOD, "User": me})
    found = serving.ServiceAccount().examine(ground)
    assert found.status is Status.PASS
    assert "service account's files" in found.evidence
    systemd({**GOOD, "User": "somebody-else"})
    assert f"belongs to {me}" in serving.ServiceAccount().examine(ground).evidence
    systemd({**GOOD, "User": me})
    ground.home.chmod(0o755)
    assert "read by others" in serving.ServiceAccount().examine(ground).evidence
    ground.home.chmod(0o700)
    Vault.open(ground.home).protect(["passphrase"], passphrase="correct horse battery")
    found = serving.ServiceAccount().examine(ground)
    assert found.status is Status.FAIL
    assert "passphrase needs a person" in found.evidence


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives a file to another")
def test_a_key_file_that_the_service_account_cannot_read_fails(ground, systemd, tmp_path):
    """Root who asks opens it with any key file; the service opens it with its own alone."""
    key = tmp_path / "stick" / "key"
    Vault.open(ground.home).protect(["key-file"], key_file=key)
    systemd({**GOOD, "User": ground.home.owner()})
    assert serving.ServiceAccount().examine(ground).status is Status.PASS
    os.chown(key, 65534, 65534)
    found = serving.ServiceAccount().examine(ground)
    assert found.status is Status.FAIL
    assert f"{key} belongs to" in found.evidence


def test_a_process_that_hides_its_sockets_is_no_pass(monkeypatch):
    """Sockets that cannot be read are not sockets that are not there."""

    def hidden(_process, _kind):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "net_connections", hidden)
    with pytest.raises(Refused, match="does not show its sockets"):
        list(serving.listening(os.getpid()))


def test_listening_sockets_are_listed_and_a_wide_one_is_seen():
    """A socket on loopback is local, one on all addresses is not; both are named with their process."""
    with socket.create_server(("127.0.0.1", 0)) as near, socket.create_server(("0.0.0.0", 0)) as far:
        found = {one.port: one for one in serving.listening(os.getpid())}
        assert found[near.getsockname()[1]].local
        assert not found[far.getsockname()[1]].local
    assert list(serving.listening(2**22 + 1)) == []


class Here:
    """This process, as a scratch engine that opens a wide socket once it serves."""

    def __init__(self, far=None):
        self.process, self._far = psutil.Process(), far

    @property
    def link(self):
        """Serve."""
        if self._far:
            self._far.listen()
        return ""


class Scratch(Ground):
    """Ground whose scratch engine is this process."""

    far = None

    @property
    def trading(self):
        """This process."""
        return Here(self.far)


def test_only_loopback_ports_pass(tmp_path):
    """With one socket on loopback it passes; beside one on all addresses it fails, naming it."""
    ground = Scratch(load(home=tmp_path / "home"), tmp_path / "scratch")
    with socket.create_server(("127.0.0.1", 0)):
        assert serving.OnlyNeededPorts().examine(ground).status is Status.PASS
        with socket.create_server(("0.0.0.0", 0)) as far:
            found = serving.OnlyNeededPorts().examine(ground)
            assert found.status is Status.FAIL
            assert f"0.0.0.0:{far.getsockname()[1]}" in found.evidence


def test_exclusions_leave_imports_scanned(plan):
    """Application and data are passed over; leaving one out, or passing over the imports, is a fail."""
    wanted = [quoted.strip("'") for quoted in windows.excluded(plan)]
    imports = plan.home / "market"
    assert serving.excluded(wanted, plan, imports).status is Status.PASS
    assert "is scanned while" in serving.excluded(wanted[1:], plan, imports).evidence
    assert "files from outside" in serving.excluded([*wanted, str(plan.home)], plan, imports).evidence


def test_ports_are_listed_once_all_of_it_serves(tmp_path):
    """A socket that is opened late is seen: what still starts has not shown all."""
    ground = Scratch(load(home=tmp_path / "home"), tmp_path / "scratch")
    with socket.create_server(("127.0.0.1", 0)), socket.socket() as far:
        far.bind(("0.0.0.0", 0))
        ground.far = far
        assert f"0.0.0.0:{far.getsockname()[1]}" in serving.OnlyNeededPorts().examine(ground).evidence


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has Defender")
def test_only_windows_has_defender(ground):
    """Elsewhere the item is not provable, and says what to do."""
    with pytest.raises(Unprovable, match="only Windows"):
        serving.AntivirusExclusions().examine(ground)


@pytest.mark.parametrize(
    ("daily", "restarts", "at", "says"),
    [
        ("1", "true", "{quiet}", ""), ("1", "false", "now", ""), ("0", "true", "{quiet}", "do not install themselves"),
        ("1", "true", "now", "with a market open"), ("1", "true", "{market_open}", "with a market open"),
    ],
)  # fmt: skip
def test_updates_that_install_themselves_and_wait(plan, daily, restarts, at, says):
    """Daily updates pass, with no restart or one outside market hours; anything else is named."""
    when = at.format(quiet=plan.quiet, market_open=plan.market_open)
    settings = (
        f'{LISTS}APT::Periodic::Unattended-Upgrade "{daily}";\nUnattended-Upgrade::Automatic-Reboot "{restarts}";\n'
        f'Unattended-Upgrade::Automatic-Reboot-Time "{when}";\nAPT "";\n'
    )
    found = serving.apt_updates(settings, plan, installer="/usr/bin/unattended-upgrade")
    assert (found.status is Status.PASS) == (not says)
    assert says in found.evidence


@pytest.mark.parametrize(
    ("settings", "installer", "says"),
    [
        ("", "/usr/bin/x", "do not install themselves"),
        ('APT::Periodic::Update-Package-Lists "0";\n', "/usr/bin/x", "do not install themselves"),
        ('APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Enable "0";\n', "/usr/bin/x", "do not install"),
        ('APT::Periodic::Update-Package-Lists "1";\n', "", "apt-get install unattended-upgrades"),
    ],
)
def test_updates_that_are_asked_for_and_never_come(plan, settings, installer, says):
    """Without lists, with apt's timers off or without the program that installs, the one setting brings nothing."""
    text = f'{settings}APT::Periodic::Unattended-Upgrade "1";\n'
    found = serving.apt_updates(text, plan, installer=installer)
    assert found.status is Status.FAIL
    assert says in found.evidence


def test_hours_over_midnight(plan):
    """A market day that ends after this machine's midnight is still one."""
    late = replace(plan, market_open="20:00", market_close="04:00")
    settings = LISTS + 'APT::Periodic::Unattended-Upgrade "1";\nUnattended-Upgrade::Automatic-Reboot "true";\n'
    for at, status in (("23:00", Status.FAIL), ("03:00", Status.FAIL), ("12:00", Status.PASS)):
        text = f'{settings}Unattended-Upgrade::Automatic-Reboot-Time "{at}";\n'
        assert serving.apt_updates(text, late, installer="/usr/bin/unattended-upgrade").status is status


def test_a_machine_without_apt_is_not_provable(ground, tmp_path, monkeypatch):
    """Its updates are another's: the item says so."""
    monkeypatch.setenv("PATH", str(tmp_path / Path("empty")))
    with pytest.raises(Unprovable, match="not apt's"):
        serving.SecurityUpdates().examine(ground)
