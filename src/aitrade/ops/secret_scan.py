"""Looks for hard-coded secrets: in the installed package, notebooks, configuration and git history, by detect-secrets.

Nothing leaves the machine: detect-secrets' verification, which asks the services themselves, is off. A remark in a file
that asks to be passed over is not heeded; what a person has reviewed stands in `reviewed_secrets.toml` with the reason.
"""

import hashlib
import json
import os
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from aitrade.core.errors import Refused
from aitrade.ops import configuration_history

if TYPE_CHECKING:
    from detect_secrets.core.potential_secret import PotentialSecret

HISTORY = "history"
NOTEBOOKS = ("notebooks", "reports")
CONFIGURATION = (
    "*.toml", "facts/*.toml", "*.json", "*.ini", "*.yaml", "*.yml", "*.cfg", "*.conf", "*.env", ".env*", "*.properties",
)  # fmt: skip
PASSED_OVER = ("detect_secrets.filters.allowlist.is_line_allowlisted",)
LARGEST = 2_000_000
"""Bytes of the largest file that is scanned; larger ones are market data or bundles, and are counted as left out."""


class Found(msgspec.Struct, frozen=True):
    """One suspicion: where and of what kind; the secret itself is not kept."""

    where: str
    line: int
    kind: str
    fingerprint: int


class Scan(msgspec.Struct, frozen=True):
    """What was looked at and what was found; `parts` counts files by package, notebooks, configuration, history."""

    parts: dict[str, int]
    found: tuple[Found, ...]
    left_out: int = 0

    @property
    def files(self) -> int:
        """How many files were scanned."""
        return sum(self.parts.values())


class Places(msgspec.Struct, frozen=True):
    """Where to look: the package, folders of notebooks and configuration, and checkouts with a history.

    The history of a data folder's configuration is looked at with its configuration.
    """

    package: Path
    notebooks: tuple[Path, ...]
    configuration: tuple[Path, ...]
    histories: tuple[Path, ...]


def places(home: Path) -> Places:
    """Return where an installation's secrets could lie hard-coded."""
    import aitrade

    package = Path(aitrade.__file__).parent
    checkout = package.parents[1]
    inside = (checkout / ".git").exists()
    notebooks = [home / name for name in NOTEBOOKS] + ([checkout / "notebooks"] if inside else [])
    checkouts = (checkout,) if inside else ()
    return Places(package, tuple(notebooks), (home, *checkouts), checkouts)


def scan(where: Places, scratch: Path) -> Scan:
    """Look everywhere; histories and notebooks are first laid out as plain text under scratch."""
    parts = {
        "package": list(_files(where.package, ("**/*",))),
        "notebooks": list(_notebooks(where.notebooks, scratch / "notebooks")),
        "configuration": [file for folder in where.configuration for file in _files(folder, CONFIGURATION)],
    }
    present = {line for part in parts.values() for file in part for line in _lines(file)}
    parts[HISTORY] = [
        file
        for root, added in (
            *((root, _log(root)) for root in where.histories),
            *((home, _changed(home)) for home in where.configuration),
        )
        for file in _history(added, present, scratch / HISTORY / hashlib.sha256(str(root).encode()).hexdigest()[:8])
    ]
    small = {part: [file for file in found if file.stat().st_size <= LARGEST] for part, found in parts.items()}
    left_out = sum(len(found) for found in parts.values()) - sum(len(found) for found in small.values())
    found = _suspicions([str(file) for part in small.values() for file in part])
    return Scan({part: len(found) for part, found in small.items()}, tuple(_unreviewed(found)), left_out)


def _files(root: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8", errors="replace").splitlines() if file.stat().st_size <= LARGEST else []


def _notebooks(folders: Iterable[Path], into: Path) -> Iterator[Path]:
    """Write each notebook's cells and outputs as lines, for in its JSON every quotation mark is escaped."""
    for folder in folders:
        for path in _files(folder, ("**/*.ipynb",)):
            text = into / str(abs(hash(str(folder)))) / f"{path.relative_to(folder)}.py"
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text("\n".join(_strings(json.loads(path.read_text("utf-8")))), "utf-8")
            yield text


def _strings(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node.rstrip("\n")
    elif isinstance(node, list):
        for part in node:
            yield from _strings(part)
    elif isinstance(node, dict):
        for part in node.values():
            yield from _strings(part)


def _history(added: Iterable[tuple[str, str]], present: set[str], into: Path) -> Iterator[Path]:
    """Write each line that a history ever added, and that no file has now, once, under its file's name."""
    files_: dict[str, list[str]] = {}
    for name, line in added:
        if line not in present:
            present.add(line)
            files_.setdefault(name, []).append(line)
    for name, lines in files_.items():
        file = into / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines), "utf-8")
        yield file


def _log(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the line of everything that a checkout's commits added; raise Refused without git."""
    options = ("--patch", "--unified=0", "--no-color", "--no-ext-diff", "--format=")
    try:
        done = subprocess.run(["git", "-C", str(root), "log", *options], capture_output=True, check=False)  # noqa: S603, S607 - git, which is read from only
    except FileNotFoundError:
        raise Refused(f"There is no git here to read the history of {root} with; install git.") from None
    if done.returncode:
        raise Refused(f"git does not read the history of {root}: {done.stderr.decode(errors='replace').strip()}")
    name = ""
    for line in done.stdout.decode("utf-8", errors="replace").splitlines():
        if line.startswith("+++ "):
            name = line[6:] if line[4:] != "/dev/null" else ""
        elif name and line.startswith("+"):
            yield name, line[1:]


def _changed(home: Path) -> Iterator[tuple[str, str]]:
    for change in configuration_history.changes(home):
        for name, data in configuration_history.at_change(home, change.id).items():
            yield from ((name, line) for line in data.decode("utf-8", errors="replace").splitlines())


def _suspicions(paths: list[str]) -> Iterator[Found]:
    """Scan on as many processors as there are, up to four: it is all regular expressions, line by line."""
    workers = min(4, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for found in pool.map(_suspicions_in, [paths[at::workers] for at in range(workers)]):
            yield from found


def _suspicions_in(paths: list[str]) -> list[Found]:
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    with default_settings() as settings:
        settings.disable_filters(*PASSED_OVER)
        return [_found(path, hit) for path in paths for hit in scan_file(path)]


def _found(path: str, hit: "PotentialSecret") -> Found:
    return Found(path, hit.line_number, hit.type, int(hit.secret_hash[:12], 16))


def _unreviewed(found: Iterable[Found]) -> Iterator[Found]:
    text = files("aitrade.ops").joinpath("reviewed_secrets.toml").read_text("utf-8")
    reviewed = {row["fingerprint"] for row in tomllib.loads(text)["reviewed"]}
    return (one for one in found if one.fingerprint not in reviewed)
