"""The service under systemd: a hardened unit, the steps around it, and what systemd says of it."""

import shlex
from collections.abc import Iterable

from aitrade.core.errors import Refused
from aitrade.ops.service import NAME
from aitrade.ops.service.plan import RESTART_SECONDS, STOP_SECONDS, WATCHDOG_SECONDS, Plan, Step, chosen, run

UNIT = f"/etc/systemd/system/{NAME}.service"
UPDATES = "/etc/apt/apt.conf.d/52aitrade"
USER = "aitrade"
SLEEPS = ("sleep.target", "suspend.target", "hibernate.target", "hybrid-sleep.target")
GRADUAL_FROM = 254
"""The first systemd that lets the pause between restarts grow (RestartSteps=, systemd.service(5))."""
HARDENING = """
NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
PrivateUsers=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
KeyringMode=private
CapabilityBoundingSet=
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""
"""What the service cannot do. MemoryDenyWriteExecute is not among it, for compiled strategies are made in memory, nor
PrivateDevices, for an accelerator is a device; DevicePolicy lets it have those alone."""
DEVICES = ("/dev/accel", "/dev/dri", "/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm")


def unit(plan: Plan, version: int) -> str:
    """Return the unit's text for a systemd of this version."""
    first, _second, last = RESTART_SECONDS
    lines = [
        "[Unit]",
        "Description=aitrade: trading engine, page and schedule",
        "Wants=network-online.target time-sync.target",
        "After=network-online.target time-sync.target",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=notify",
        f"ExecStart={' '.join(_quoted(word) for word in plan.command)}",
        f"User={plan.user or USER}",
        f"WorkingDirectory={str(plan.home).replace('%', '%%')}",
        "Environment=PYTHONUNBUFFERED=1",
        "Restart=on-failure",
        f"RestartSec={first}",
        *([f"RestartSteps=2\nRestartMaxDelaySec={last}"] if version >= GRADUAL_FROM else []),
        "RestartPreventExitStatus=2",
        "TimeoutStartSec=180",
        f"TimeoutStopSec={STOP_SECONDS}",
        f"WatchdogSec={WATCHDOG_SECONDS}",
        "KillMode=mixed",
        "LimitNOFILE=65536",
        "LimitCORE=0",
        *[f"LoadCredentialEncrypted={name}:/etc/credstore.encrypted/{name}" for name in plan.credentials],
        "",
        f"ReadWritePaths={' '.join(_quoted(str(path)) for path in (plan.home, *plan.elsewhere))}",
        f"ProtectHome={'no' if _in_a_home(plan) else 'yes'}",
        "DevicePolicy=closed",
        *[f"DeviceAllow={device} rw" for device in DEVICES],
        *HARDENING.split("\n")[1:-1],
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def install(plan: Plan, version: int) -> list[Step]:
    """Return the steps that install the service; they start nothing."""
    user = plan.user or USER
    vault = (*plan.command[:3], "vault", "protect", "key-file", "--data-folder", str(plan.home))
    as_user = ("runuser", "-u", user, "--")
    made = [] if user == "root" else [
        Step(
            f"an account that can do nothing else: {user} has no shell and no password",
            ("useradd", "--system", "--home-dir", str(plan.home), "--shell", "/usr/sbin/nologin", user), may_fail=True,
        )
    ]  # fmt: skip
    return [
        Step(chosen(plan, user), ("true",)),
        *made,
        Step("that account can run this Python", (*as_user, str(plan.python), "-c", "import aitrade")),
        Step("the data folder", ("install", "-d", "-m", "0700", "-o", user, str(plan.home))),
        Step("the data folder's files belong to that account", ("chown", "-R", f"{user}:", str(plan.home))),
        *[
            Step("a folder that it writes to", ("install", "-d", "-m", "0700", "-o", user, str(path)))
            for path in plan.elsewhere
        ],
        Step(
            "the vault opens after a boot without log-in (a systemd credential is stronger: docs/vault.md)",
            (*as_user, *vault) if not plan.credentials else ("true",), may_fail=True,
        ),
        Step("the unit", path=UNIT, text=unit(plan, version)),
        Step("security updates install themselves; a restart waits until the markets have closed",
             path=UPDATES, text=updates(plan)),
        Step("no sleep, so none in market hours", ("systemctl", "mask", *SLEEPS), may_fail=True),
        Step("systemd reads the unit", ("systemctl", "daemon-reload")),
        Step("it starts with the machine", ("systemctl", "enable", f"{NAME}.service")),
    ]  # fmt: skip


def uninstall() -> list[Step]:
    """Return the steps that take the service away; data folder, account and update settings stay."""
    return [
        Step("it stops", ("systemctl", "disable", "--now", f"{NAME}.service"), may_fail=True),
        Step("the unit goes", ("rm", "-f", UNIT)),
        Step("systemd forgets it", ("systemctl", "daemon-reload")),
    ]


def updates(plan: Plan) -> str:
    """Return apt's settings: security updates each day, a restart that they need only in the quiet hour."""
    return (
        'APT::Periodic::Update-Package-Lists "1";\n'
        'APT::Periodic::Unattended-Upgrade "1";\n'
        'Unattended-Upgrade::Automatic-Reboot "true";\n'
        f'Unattended-Upgrade::Automatic-Reboot-Time "{plan.quiet}";\n'
    )


def script(steps: Iterable[Step]) -> str:
    """Return steps as a shell script that a person can read and run."""
    lines = ["#!/bin/sh", f"# The service {NAME}: read each step, then run this as root.", "set -e", ""]
    for step in steps:
        lines.append(f"# {step.why}")
        if step.path:
            lines += [f"cat > {step.path} <<'END'", step.text.rstrip("\n"), "END", f"chmod 644 {step.path}"]
        else:
            lines.append(shlex.join(step.command) + (" || true" if step.may_fail else ""))
    return "\n".join(lines) + "\n"


def version() -> int:
    """Return systemd's version, 0 where there is none."""
    try:
        words = run(("systemctl", "--version")).stdout.split()
    except Refused:
        return 0
    return int(words[1].split(".")[0]) if len(words) > 1 and words[1].split(".")[0].isdigit() else 0


def reachable() -> bool:
    """Return whether this machine was started by systemd, and it can be asked."""
    try:
        return run(("systemctl", "is-system-running")).stdout.strip() not in ("", "offline", "unknown")
    except Refused:
        return False


SHOWN = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "Restart", "RestartUSec", "NRestarts", "MainPID", "User",
    "After", "WatchdogUSec", "TimeoutStopUSec", "ExecStart",
)  # fmt: skip


def shown() -> dict[str, str]:
    """Return what systemd says of the service; raise Refused, in its words, where it cannot be asked."""
    said = run(("systemctl", "show", f"{NAME}.service", "--property", ",".join(SHOWN)))
    if said.returncode:
        raise Refused(f"systemd cannot be asked: {' '.join(said.stderr.split()) or said.returncode}")
    return dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line)


def _quoted(word: str) -> str:
    """Return a word as systemd reads it back (systemd.syntax(7)); % stands for itself."""
    if word and all(letter.isalnum() or letter in "-_./:=,+@" for letter in word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _in_a_home(plan: Plan) -> bool:
    paths = (plan.home, plan.python, plan.python.resolve(), plan.package)
    return any(str(path).startswith(("/home/", "/root")) for path in paths)
