"""The weekly security scan: hard-coded secrets, files that others can read or write, sockets beyond loopback."""

import ipaddress
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import psutil

from aitrade.compliance.operations import note
from aitrade.core.errors import AitradeError
from aitrade.ops import doors
from aitrade.ops.maintenance.engine_state import engine_address
from aitrade.ops.maintenance.task import Done, Ground

PRIVATE = ("run/token", "run/*.key", "run/*.json", "vault/*", "backups/**/*", "models/**/*.json")
"""What only its owner may read: addresses and tokens, secrets, backups, what is active."""
OWN = ("*.toml", "facts/*", "books/**/*", "operations/**/*", "models/**/*")
"""What only its owner may write."""
_TOLD = 5


class Scanned(msgspec.Struct, frozen=True):
    """What was looked at, and what was found, a sentence each."""

    source_files: int
    own_files: int
    processes: int
    findings: tuple[str, ...]


class SecurityScan:
    """Looks only; a finding fails the task and so alerts, and the scan is recorded either way."""

    name = "scan_security"

    def plan(self, ground: Ground) -> list[str]:
        """Say what is looked at."""
        return [
            f"Scan package, notebooks, configuration and history for secrets; permissions and sockets of {ground.home}."
        ]

    def run(self, ground: Ground) -> Done:
        """Scan; record; fail on any finding."""
        from aitrade.ops import secret_scan

        with ground.step("look for hard-coded secrets"):
            ground.scratch.mkdir(parents=True, exist_ok=True)
            scan = secret_scan.scan(secret_scan.places(ground.home), ground.scratch)
        secrets = [f"{one.where}:{one.line} looks like a secret ({one.kind})." for one in scan.found]
        with ground.step("look at permissions and sockets"):
            files, open_files = exposed(ground.home)
            pids = processes(ground.home)
            findings = (*secrets, *open_files, *beyond_loopback(pids))
        found = Scanned(scan.files, files, len(pids), findings)
        note(ground.home, "scan", "security", "failed" if findings else "passed", found, at=ground.now)
        if findings:
            ground.at_step = "judge the findings"
            more = f" … and {len(findings) - _TOLD} more" if len(findings) > _TOLD else ""
            raise AitradeError(" ".join(findings[:_TOLD]) + more)
        measured = {"source_files": scan.files, "own_files": files, "processes": len(pids)}
        return Done(f"{scan.files} files, {files} of the data folder, {len(pids)} processes: nothing found.", measured)


def exposed(home: Path) -> tuple[int, list[str]]:
    """Return how many files were looked at, and those that others can read or write where they may not."""
    if os.name == "nt":
        return 0, []
    private, own = _files(home, PRIVATE), _files(home, OWN)
    found = [f"{path} can be read by others; `chmod 600` it." for path in private if _mode(path) & 0o077]
    found += [f"{path} can be written by others; `chmod go-w` it." for path in own if _mode(path) & 0o022]
    return len(private) + len(own), found


def _files(home: Path, patterns: Iterable[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in home.glob(pattern) if _counts(path)})


def _counts(path: Path) -> bool:
    return path.is_file() and not path.name.endswith("lock")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def processes(home: Path) -> list[int]:
    """Return the process ids of what runs on a data folder: engine, chart worker, page and their children."""
    engine = engine_address(home)
    roots = [engine.pid if engine else 0, *(doors.process_of(home, name) for name in doors.RESTARTABLE)]
    return sorted({pid for root in roots if root for pid in _family(root)})


def _family(pid: int) -> Iterator[int]:
    try:
        process = psutil.Process(pid)
        yield from (pid, *(child.pid for child in process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return


def beyond_loopback(pids: Iterable[int]) -> list[str]:
    """Return which processes listen where other machines can reach them."""
    found = []
    for pid in pids:
        try:
            sockets = psutil.Process(pid).net_connections("inet")
        except psutil.Error:
            continue
        listens = [one.laddr for one in sockets if one.status == psutil.CONN_LISTEN]
        wide = [address for address in listens if not ipaddress.ip_address(address.ip).is_loopback]
        found += [f"Process {pid} listens on {at.ip}:{at.port}, beyond this machine." for at in wide]
    return found
