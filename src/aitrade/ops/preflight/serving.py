"""Checks of the service around the engine: installed, its account, its ports, antivirus and security updates."""

import ipaddress
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

from aitrade.core.clock import LiveClock, ist_date
from aitrade.core.errors import AitradeError, Refused
from aitrade.ops.preflight.check import Finding, Measured, Section, Source, finding
from aitrade.ops.preflight.ground import Ground, Unprovable
from aitrade.ops.service import NAME, linux, windows
from aitrade.ops.service.plan import RESTART_SECONDS, Plan, plan_for, run

WINDOWS = sys.platform == "win32"
INSTALL = "install it by `aitrade service install --apply`"


def _plan(ground: Ground) -> Plan:
    return plan_for(ground.configuration, "least", "", ist_date(LiveClock().now()))


def _shown() -> dict[str, str]:
    """Return what the system says of the service; raise Unprovable where it has no service manager to ask."""
    if WINDOWS:
        return windows.shown()
    if not linux.reachable():
        raise Unprovable("systemd does not run this machine; run preflight on the one that the service is for.")
    return linux.shown()


class ServiceInstalled:
    """The system says that the service is there, starts by itself, after the network, and again after a failure."""

    id = "service"
    section = Section.ENVIRONMENT
    words = "Service AITradingEngine installed, automatic, restarts on failure"
    seconds = 20.0

    def examine(self, ground: Ground) -> Finding:
        """Ask the service manager."""
        shown = _shown()
        wrong = _wrong_on_windows(shown) if WINDOWS else _wrong_on_linux(shown, ground.home.resolve())
        measured: Measured = {name: value[:120] for name, value in shown.items()}
        right = f"{NAME} starts with the machine, after the network, and again on failure."
        return finding(wrong, right, measured, Source.SYSTEM, 5)


def _wrong_on_linux(shown: dict[str, str], home: Path) -> list[str]:
    if shown.get("LoadState") != "loaded":
        return [f"{NAME} is not installed: {INSTALL}"]
    after = shown.get("After", "").split()
    checks = {
        f"it does not run on {home}": f"--data-folder {home} " in f"{shown.get('ExecStart', '')} ",
        "it does not start with the machine": shown.get("UnitFileState") == "enabled",
        "it is not restarted on failure": shown.get("Restart") in ("on-failure", "always"),
        "it does not wait for the network": "network-online.target" in after,
        "nobody notices when it hangs": shown.get("WatchdogUSec", "0") not in ("0", "infinity", ""),
        "it does not run: `aitrade service start`": shown.get("ActiveState") == "active",
    }
    return [text for text, holds in checks.items() if not holds]


def _wrong_on_windows(shown: dict[str, str]) -> list[str]:
    restarts = shown.get("FAILURE_ACTIONS", "")
    checks = {
        "it does not start with the machine": "AUTO_START" in shown.get("START_TYPE", ""),
        "it is not restarted on failure": all(
            f"{seconds * 1000} milliseconds" in restarts for seconds in RESTART_SECONDS
        ),
        "it does not wait for the network": all(name in shown.get("DEPENDENCIES", "") for name in windows.NETWORK),
        "its failures are not counted anew each day": shown.get("RESET_PERIOD (in seconds)") == "86400",
        "it does not run: `aitrade service start`": "RUNNING" in shown.get("STATE", ""),
    }
    return [text for text, holds in checks.items() if not holds]


class Listening(msgspec.Struct, frozen=True, order=True):
    """A socket of ours that takes connections."""

    port: int
    host: str
    process: str

    @property
    def local(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.ip_address(self.host).is_loopback


class OnlyNeededPorts:
    """Every socket on which our processes listen is reached from this machine alone."""

    id = "ports"
    section = Section.ENVIRONMENT
    words = "Only the needed ports open"
    seconds = 90.0

    def examine(self, ground: Ground) -> Finding:
        """List the sockets of the scratch engine and its page, and of the installation where it runs."""
        ground.trading.link  # noqa: B018 - waits until all of it serves: before, not every socket is there to be seen
        families = [ground.trading.process.pid, *_running(ground.home)]
        sockets = sorted({socket for pid in families for socket in listening(pid)})
        wide = [socket for socket in sockets if not socket.local]
        wrong = [f"{one.process} listens on {one.host}:{one.port}, which other machines reach" for one in wide]
        ours = ", ".join(f"{one.process} {one.host}:{one.port}" for one in sockets)
        measured: Measured = {"sockets": len(sockets), "reached_from_outside": len(wide), "listening": ours}
        right = f"No inbound rule is needed: all {len(sockets)} sockets are on loopback ({ours})."
        return finding(wrong, right, measured, Source.SYSTEM, len(sockets))


def listening(pid: int) -> Iterator[Listening]:
    """Yield the sockets on which a process and its children take connections; raise Refused where one hides them."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            found, name = process.net_connections("inet"), _called(process)
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            raise Refused(f"Process {process.pid} of ours does not show its sockets: ask as its account.") from None
        for socket in found:
            if socket.status == psutil.CONN_LISTEN:
                yield Listening(socket.laddr.port, socket.laddr.ip, name)


def _called(process: psutil.Process) -> str:
    """Return a process's module, its name where it has none."""
    words = process.cmdline()
    module = words[words.index("-m") + 1] if "-m" in words[:-1] else process.name()
    return module.removeprefix("aitrade.")


def _running(home: Path) -> list[int]:
    """Return the process ids that the installation's running parts have left."""
    pids = []
    for path in (home / "run").glob("*.json"):
        try:
            pids.append(msgspec.json.decode(path.read_bytes(), type=_Left).pid)
        except (msgspec.DecodeError, FileNotFoundError):
            continue
    return pids


class _Left(msgspec.Struct):
    pid: int


class AntivirusExclusions:
    """Defender passes over application and data, and does not pass over what is imported."""

    id = "antivirus"
    section = Section.ENVIRONMENT
    words = "Antivirus exclusions"
    seconds = 60.0

    def examine(self, ground: Ground) -> Finding:
        """Ask Defender, where there is one."""
        if not WINDOWS:
            raise Unprovable("only Windows has Defender; where another scanner runs, give it docs/service.md's list.")
        said = run(("powershell.exe", "-NoProfile", "-Command", "(Get-MpPreference).ExclusionPath"))
        if said.returncode:
            raise Unprovable(f"Defender cannot be asked: {' '.join(said.stderr.split())}")
        return excluded(said.stdout.splitlines(), _plan(ground), ground.configuration.market_folder)


def excluded(passed_over: list[str], plan: Plan, imports: Path) -> Finding:
    """Judge the folders that a scanner passes over."""
    have = [Path(line.strip()) for line in passed_over if line.strip()]
    wanted = [Path(quoted.strip("'")) for quoted in windows.excluded(plan)]
    wrong = [f"{path} is scanned while the engine writes there" for path in wanted if not _under(path, have)]
    wrong += [f"{imports} is passed over, where files from outside arrive"] if _under(imports, have) else []
    right = f"{len(wanted)} folders of application and data are passed over, {imports} is scanned."
    measured: Measured = {"excluded": len(have), "wanted": len(wanted)}
    return finding(wrong, right, measured, Source.SYSTEM, len(wanted))


def _under(path: Path, folders: list[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


class SecurityUpdates:
    """Security updates install themselves, and the machine does not restart for them while a market is open."""

    id = "security-updates"
    section = Section.ENVIRONMENT
    words = "Security updates"
    seconds = 30.0

    def examine(self, ground: Ground) -> Finding:
        """Ask apt, or Windows Update's policy."""
        if WINDOWS:
            return _windows_updates()
        return apt_updates(_apt_settings(), _plan(ground), installer=shutil.which("unattended-upgrade") or "")


def _apt_settings() -> str:
    try:
        said = run(("apt-config", "dump"))
    except Refused as refused:
        raise Unprovable(f"{refused} This machine's updates are not apt's: see docs/service.md.") from None
    return said.stdout


def apt_updates(settings: str, plan: Plan, *, installer: str) -> Finding:
    """Judge what `apt-config dump` says; `installer` is the program that does it, empty where it is not there."""
    found = dict(line.rstrip(";").replace('"', "").split(" ", 1) for line in settings.splitlines() if " " in line)
    daily = found.get("APT::Periodic::Unattended-Upgrade", "0")
    asked = found.get("APT::Periodic::Update-Package-Lists", "0")
    at_all = found.get("APT::Periodic::Enable", "1")
    restarts = found.get("Unattended-Upgrade::Automatic-Reboot", "false")
    at = found.get("Unattended-Upgrade::Automatic-Reboot-Time", "now")
    works = all(value not in ("0", "") for value in (daily, asked, at_all))
    wrong = [] if works else [f"security updates do not install themselves: {INSTALL}"]
    wrong += [] if installer else ["nothing installs them: `apt-get install unattended-upgrades`"]
    if restarts == "true" and (at == "now" or _between(plan.market_open, at, plan.market_close)):
        wrong.append(f"the machine may restart for updates at {at}, with a market open")
    measured: Measured = {"daily": daily, "lists": asked, "enabled": at_all, "restarts": restarts, "restart_at": at,
                          "market_open": plan.market_open, "market_close": plan.market_close}  # fmt: skip
    restart = f"a restart waits until {at}, when no market is open" if restarts == "true" else "no restart does"
    return finding(wrong, f"Security updates install themselves each day; {restart}.", measured, Source.SYSTEM, 3)


def _windows_updates() -> Finding:
    question = f"Get-ItemProperty '{windows.UPDATE_POLICY}\\AU' | Select AUOptions, ScheduledInstallTime | Format-List"
    said = run(("powershell.exe", "-NoProfile", "-Command", question))
    automatic = f"AUOptions : {windows.INSTALL_AT_NIGHT}" in " ".join(said.stdout.split())
    wrong = [] if automatic else [f"security updates do not install themselves at night: {INSTALL}"]
    measured: Measured = {"policy": " ".join(said.stdout.split())}
    return finding(wrong, "Security updates install themselves at night.", measured, Source.SYSTEM, 1)


def _between(start: str, at: str, end: str) -> bool:
    return start <= at < end if start <= end else at >= start or at < end


class ServiceAccount:
    """The service runs as its own account, owns the data folder alone, and opens the vault with nobody logged in."""

    id = "service-account"
    section = Section.ENVIRONMENT
    words = "Service account"
    seconds = 20.0

    def examine(self, ground: Ground) -> Finding:
        """Ask the service manager who it is, and try the vault."""
        opens, how = _vault(ground.home)
        try:
            shown = _shown()
        except Unprovable as reason:
            raise Unprovable(f"{reason} The vault opens unattended: {'yes' if opens else 'no'} ({how}).") from None
        account = shown.get("SERVICE_START_NAME") or shown.get("User") or "root"
        if not WINDOWS and shown.get("LoadState") != "loaded":
            return finding([f"{NAME} is not installed: {INSTALL}"], "", {}, Source.SYSTEM, 1)
        wrong = [] if opens else [f"the vault does not open with nobody logged in: {how}"]
        wrong += [] if WINDOWS else _foreign(ground.home, account)
        kind = (
            "an administrator" if account in ("root", "LocalSystem") or "Administrator" in account else "least rights"
        )
        measured: Measured = {"account": account, "rights": kind, "vault_opens_unattended": "yes" if opens else "no",
                              "weakness": how}  # fmt: skip
        right = f"It runs as {account} ({kind}), which owns {ground.home} alone; the vault opens, though {how}."
        return finding(wrong, right, measured, Source.SYSTEM, 3)


def _vault(home: Path) -> tuple[bool, str]:
    from aitrade.store.vault import can_open_unattended

    try:
        return can_open_unattended(home)
    except AitradeError as error:
        return False, str(error)


def _foreign(home: Path, account: str) -> list[str]:
    """Return which of the data folder, the vault and its key files are not the account's, or the folder not alone."""
    mode = home.stat().st_mode & 0o777
    wrong = [
        f"{path} belongs to {path.owner()}, not to {account}"
        for path in (home, *_vault_files(home))
        if path.owner() != account
    ]
    return wrong + ([f"{home} can be read by others (mode {mode:o})"] if mode & 0o077 else [])


def _vault_files(home: Path) -> list[Path]:
    """Return the files that the service has to read to open the vault: whoever asks here may read more than it."""
    from aitrade.store.vault_file import path_of, read
    from aitrade.store.vault_keys import KeyFile, holder_of

    if not path_of(home).exists():
        return []
    holders = [holder_of(wrap.method, wrap.place, home) for wrap in read(home).wraps]
    files = [path_of(home), *[holder.path for holder in holders if isinstance(holder, KeyFile)]]
    return [path for path in files if path.exists()]


ITEMS = (ServiceInstalled(), OnlyNeededPorts(), AntivirusExclusions(), SecurityUpdates(), ServiceAccount())
