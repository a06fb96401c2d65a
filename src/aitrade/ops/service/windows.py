"""The service under Windows: the steps as PowerShell that a person reviews, and what the service manager says of it."""

from collections.abc import Iterable
from pathlib import Path

from aitrade.core.errors import Refused
from aitrade.ops.service import NAME
from aitrade.ops.service.plan import KEPT_FROM_SCANNING, RESET_SECONDS, RESTART_SECONDS, Plan, Step, chosen, run

CLASS = "aitrade.ops.service.windows_service.AITradingEngine"
NETWORK = ("Tcpip", "Dnscache", "NlaSvc")
"""The network stack: the service starts after these."""
LEAST = f"NT SERVICE\\{NAME}"
"""The account that Windows makes for this service alone; it has no password and nobody logs in with it."""
KEY = f"HKLM:\\SYSTEM\\CurrentControlSet\\Services\\{NAME}"
UPDATE_POLICY = "HKLM:\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate"
INSTALL_AT_NIGHT = 4
"""AUOptions: download by itself, install at the scheduled hour."""


def install(plan: Plan) -> list[Step]:
    """Return the steps that install the service, as PowerShell lines; they start nothing.

    The password of an administrator's account is asked for by Windows, so that it stands in no command line.
    """
    account = LEAST if plan.account == "least" else plan.user or ".\\Administrator"
    restarts = "/".join(f"restart/{seconds * 1000}" for seconds in RESTART_SECONDS)
    host = _path(plan.python.parent / "pythonservice.exe")
    vault, run_as = ("key-file", "") if plan.account == "least" else ("dpapi", f"; run this line as {account}")
    return [
        _step(chosen(plan, account), "$null"),
        _step("the service, which starts with Windows and after the network stack", _create(plan, account, host)),
        _step("what it runs", f"New-Item -Force -Path '{KEY}\\PythonClass' -Value '{CLASS}' | Out-Null"),
        _step("by which Python", f"New-Item -Force -Path '{KEY}\\Python' -Value {_path(plan.python)} | Out-Null"),
        _step("its data folder", f"New-Item -Force -Path '{KEY}\\Home' -Value {_path(plan.home)} | Out-Null"),
        _step(
            f"restarted on failure after {RESTART_SECONDS} s, counted anew after a day",
            f"sc.exe failure {NAME} reset= {RESET_SECONDS} actions= {restarts}",
        ),
        _step("an end with an error is a failure, too", f"sc.exe failureflag {NAME} 1"),
        _step(
            "the data folder is the service account's and the administrators' alone",
            f"icacls {_path(plan.home)} /inheritance:r /grant:r '{account}:(OI)(CI)F' 'Administrators:(OI)(CI)F'",
        ),
        *[step for path in plan.elsewhere for step in _writable(path, account)],
        _step(
            f"the vault opens after a boot without log-in{run_as}",
            f"& {_path(plan.python)} -m aitrade vault protect {vault} --data-folder {_path(plan.home)}",
        ),
        _step("no inbound firewall rule: the page listens on 127.0.0.1 only", "$null"),
        *_defender(plan),
        *_updates(plan),
        *[
            _step(f"no {what}, so none in market hours", f"powercfg /change {what}-timeout-{power} 0")
            for what in ("standby", "hibernate")
            for power in ("ac", "dc")
        ],
    ]


def uninstall(plan: Plan) -> list[Step]:
    """Return the steps that take the service and its exclusions away; the data folder stays."""
    return [
        _step("it stops", f"Stop-Service -Name {NAME} -ErrorAction SilentlyContinue", may_fail=True),
        _step("Windows forgets it", f"sc.exe delete {NAME}"),
        *[
            _step("scanned again", f"Remove-MpPreference -ExclusionPath {path}", may_fail=True)
            for path in excluded(plan)
        ],
    ]


def excluded(plan: Plan) -> list[str]:
    """Return the folders that Defender passes over, quoted; where files are imported to is not among them."""
    return [_path(plan.package), *[_path(plan.home / folder) for folder in KEPT_FROM_SCANNING]]


def script(steps: Iterable[Step]) -> str:
    """Return steps as PowerShell that a person can read and run."""
    lines = [
        f"# The service {NAME}: read each step, then run this as administrator.",
        "$ErrorActionPreference = 'Stop'",
        "",
    ]
    for step in steps:
        lines += [f"# {step.why}", *([] if step.command[-1] == "$null" else [step.command[-1]])]
    return "\r\n".join(lines) + "\r\n"


def shown() -> dict[str, str]:
    """Return what the service manager says of the service; raise Refused, in its words, where it is not installed."""
    fields: dict[str, str] = {}
    for question in ("queryex", "qc", "qfailure"):
        said = run(("sc.exe", question, NAME))
        if said.returncode:
            raise Refused(f"Windows knows no service {NAME}: {' '.join(said.stdout.split())}")
        fields |= fields_of(said.stdout)
    return fields


def fields_of(text: str) -> dict[str, str]:
    """Return the fields of what sc.exe prints; a field's further lines are joined to it."""
    fields: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        before, colon, after = line.partition(" : ")
        if colon and before.strip():
            name = before.strip()
            fields[name] = after.strip()
        elif name and line.strip():
            fields[name] += " " + line.strip().lstrip(": ")
    return fields


def _create(plan: Plan, account: str, host: str) -> str:
    who = "" if plan.account == "least" else f" -Credential (Get-Credential '{account}')"
    line = f"New-Service -Name {NAME} -DisplayName {NAME} -BinaryPathName {host} -StartupType Automatic"
    line += f" -DependsOn {','.join(NETWORK)}{who} | Out-Null"
    return line if who else f"{line}; sc.exe config {NAME} obj= '{account}'"


def _writable(path: Path, account: str) -> list[Step]:
    return [
        _step("a folder that it writes to", f"New-Item -Force -ItemType Directory -Path {_path(path)} | Out-Null"),
        _step("the service account may write there", f"icacls {_path(path)} /grant '{account}:(OI)(CI)M'"),
    ]


def _defender(plan: Plan) -> list[Step]:
    why = "Defender passes over application and data, not over imports"
    return [_step(why, f"Add-MpPreference -ExclusionPath {path}") for path in excluded(plan)]


def _updates(plan: Plan) -> list[Step]:
    automatic = f"'{UPDATE_POLICY}\\AU'"
    settings = {
        "AUOptions": INSTALL_AT_NIGHT, "ScheduledInstallDay": 0, "ScheduledInstallTime": int(plan.quiet[:2]),
        "NoAutoRebootWithLoggedOnUsers": 1,
    }  # fmt: skip
    hours = {
        "SetActiveHours": 1, "ActiveHoursStart": int(plan.market_open[:2]),
        "ActiveHoursEnd": (int(plan.market_close[:2]) + 1) % 24,
    }  # fmt: skip
    return [
        _step("settings of Windows Update", f"New-Item -Force -Path {automatic} | Out-Null"),
        *[
            _step(f"security updates install themselves, at {plan.quiet}", _dword(automatic, name, value))
            for name, value in settings.items()
        ],
        *[
            _step("no restart in market hours", _dword(f"'{UPDATE_POLICY}'", name, value))
            for name, value in hours.items()
        ],
    ]


def _dword(key: str, name: str, value: int) -> str:
    return f"Set-ItemProperty -Path {key} -Name {name} -Type DWord -Value {value}"


def _step(why: str, line: str, *, may_fail: bool = False) -> Step:
    shell = ("powershell.exe", "-NoProfile", "-NonInteractive", "-Command")
    asks = "Get-Credential" in line
    return Step(why, ("powershell.exe", "-NoProfile", "-Command", line) if asks else (*shell, line), may_fail=may_fail)


def _path(path: object) -> str:
    return "'" + str(path).replace("'", "''") + "'"
