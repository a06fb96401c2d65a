"""What a pass is bound to: hashes of what runs, the machine it runs on, and one trading day.

A change of any of them ends the pass: what was examined is then no longer what would trade.
"""

import hashlib
import os
import platform
import time
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import msgspec
import psutil

import aitrade
from aitrade.core.clock import ist_date
from aitrade.core.config import Configuration
from aitrade.engine.runner import code_hash
from aitrade.market.calendar import Calendar, Segment
from aitrade.risk.limits import FILE, Limits
from aitrade.store.models import ACTIVE, Models
from aitrade.strategies import KERNELS

_PACKAGE = Path(aitrade.__file__).parent
_MACHINE_ID = Path("/etc/machine-id")


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """SHA-256 of each thing, in hexadecimal; `day` is the trading day that the pass is for, ISO."""

    code: str
    """Every file of the installed package."""
    configuration: str
    """Settings in force, the configuration files of the data folder, its market facts, and the active models."""
    limits: str
    strategies: str
    lock: str
    """Every installed distribution with its version, and requirements.lock where it lies beside the package."""
    machine: str
    day: str

    def changes(self, now: "Binding") -> list[str]:
        """Return the names of what differs."""
        return [name for name in self.__struct_fields__ if getattr(self, name) != getattr(now, name)]


def binding(configuration: Configuration, ts: int = 0) -> Binding:
    """Return what a run at `ts` (ns UTC; 0 is now) is bound to; raise DataRefused for a damaged registry of models."""
    home = configuration.home
    return Binding(
        code=_files(_PACKAGE, (path for path in _PACKAGE.rglob("*") if "__pycache__" not in path.parts)),
        configuration=_hashed(
            configuration.model_dump_json().encode(),
            _settings_files(home).encode(),
            Models(home).fingerprint().encode(),
        ),
        limits=_hashed(msgspec.json.encode(Limits.load(home)), _files(home, [home / FILE]).encode()),
        strategies=_hashed(*(f"{name} {code_hash(kernel)}".encode() for name, kernel in sorted(KERNELS.items()))),
        lock=_hashed(*_distributions()),
        machine=_hashed(*_machine()),
        day=trading_day(home, ts or time.time_ns()),
    )


def trading_day(home: Path, ts: int) -> str:
    """Return the trading day at `ts`: today, or the next one; raise UnknownDate beyond what the calendar knows."""
    calendar, today = Calendar.load(home), ist_date(ts)
    if calendar.is_trading_day(today, Segment.CASH):
        return today.isoformat()
    return calendar.next_trading_day(today, Segment.CASH).isoformat()


def _settings_files(home: Path) -> str:
    own = (path for path in home.glob("*.toml") if path.name != FILE)
    return _files(home, [*own, *(home / "facts").rglob("*"), home / ACTIVE])


def _files(root: Path, paths: Iterable[Path]) -> str:
    """Return one hash over the names and contents of files, whatever order they come in."""
    found = sorted((path.relative_to(root).as_posix(), path) for path in paths if path.is_file())
    return _hashed(*(part for name, path in found for part in (name.encode(), path.read_bytes())))


def _hashed(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def _distributions() -> list[bytes]:
    lock = _PACKAGE.parents[1] / "requirements.lock"
    rows = sorted({f"{one.name}=={one.version}" for one in metadata.distributions()})
    return [*(row.encode() for row in rows), lock.read_bytes() if lock.is_file() else b""]


def _machine() -> list[bytes]:
    known = _MACHINE_ID.read_bytes() if _MACHINE_ID.is_file() else b""
    size = f"{os.cpu_count()} {psutil.virtual_memory().total}"
    return [known, platform.node().encode(), platform.machine().encode(), platform.processor().encode(), size.encode()]
