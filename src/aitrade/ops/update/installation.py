"""How this package is installed, and how another version of it takes its place and gives it back.

A checkout (`pip install -e` of a git repository) goes forward to what its upstream has, and back to the commit that it
had. Anything else is replaced by a wheel that is given, and comes back from a copy of the files that it consisted of.
"""

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlparse

from aitrade.core.errors import Refused

FROZEN = "frozen.txt"
"""What the dependencies were, in the copy of the version from before."""
SECONDS = 1_200
"""How long pip may take."""


def run_pip(*words: str) -> str:
    """Run pip of this environment; raise Refused with its last words."""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise Refused(f"pip {words[0]} failed: {_last(done.stderr)}")
    return done.stdout


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "without a word"


Pip = Callable[..., str]


class Installation(Protocol):
    """What is installed now, and what could be."""

    def current(self) -> str:
        """Return what is installed: a version or a commit."""
        ...

    def offered(self) -> str:
        """Return what an update would install, the same as `current` where there is nothing newer; raise Refused."""
        ...

    def install(self) -> None:
        """Put what is offered in place; raise Refused with pip's last words."""
        ...

    def put_back(self, before: str) -> None:
        """Put back what was there before `install`, however far that came; `before` is what `current` said then."""
        ...


class Checkout:
    """An editable installation in a git repository."""

    def __init__(self, folder: Path, pip: Pip = run_pip) -> None:
        self._folder = folder
        self._pip = pip

    def current(self) -> str:
        """Return the commit that is checked out."""
        return self._git("rev-parse", "--short=12", "HEAD")

    def offered(self) -> str:
        """Return the newest commit upstream; raise Refused where there is no upstream, or files were changed here."""
        if changed := self._git("status", "--porcelain", "--untracked-files=no"):
            raise Refused(
                f"Files of {self._folder} were changed here: commit or undo them first ({changed.split()[1]})."
            )
        self._git("fetch", "--quiet")
        return self._git("rev-parse", "--short=12", "@{upstream}")

    def install(self) -> None:
        """Go forward to upstream and install it with its page."""
        self._git("merge", "--quiet", "--ff-only", "@{upstream}")
        self._pip("install", "--quiet", "--editable", str(self._folder))

    def put_back(self, before: str) -> None:
        """Go back to the commit that was there."""
        self._git("reset", "--quiet", "--keep", before)
        self._pip("install", "--quiet", "--editable", str(self._folder))

    def _git(self, *words: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own words
            ["git", "-C", str(self._folder), *words],  # noqa: S607 - git is where the person has it
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Refused(
                f"git {words[0]} in {self._folder} failed: {_last(done.stderr)}; put that right, then update."
            )
        return done.stdout.strip()


class Wheel:
    """An installation from a wheel; `given` is the newer one, `kept` where the present one's files are copied to."""

    def __init__(self, given: Path, kept: Path, pip: Pip = run_pip) -> None:
        self._given = given
        self._pip = pip
        self._kept = kept

    def current(self) -> str:
        """Return the version that is installed."""
        return _ours().version

    def offered(self) -> str:
        """Return the version in the wheel's name; raise Refused for a file that is no wheel of ours."""
        name, _, rest = self._given.name.partition("-")
        if name != "aitrade" or self._given.suffix != ".whl" or not self._given.is_file():
            raise Refused(f"{self._given} is no wheel of aitrade: give one by --from.")
        return rest.split("-")[0]

    def install(self) -> None:
        """Copy what is there, which has its name when it is whole, then install the wheel."""
        making = self._kept.with_name(f"{self._kept.name}.new")
        for folder in (self._kept, making):
            shutil.rmtree(folder, ignore_errors=True)
        for relative, path in _files(_ours()):
            target = making / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        (making / FROZEN).write_text(self._pip("freeze", "--exclude", "aitrade"))
        making.rename(self._kept)
        self._pip("install", "--quiet", str(self._given))

    def put_back(self, before: str) -> None:
        """Take the new version's files away, lay the old ones back, and its dependencies with them.

        Without a whole copy nothing was installed yet, and `before` is still there.
        """
        if not self._kept.is_dir():
            return
        root = Path(sysconfig.get_path("purelib"))
        with suppress(PackageNotFoundError):
            for _relative, path in _files(distribution("aitrade")):
                path.unlink(missing_ok=True)
        shutil.copytree(self._kept, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(FROZEN))
        self._pip("install", "--quiet", "--no-deps", "--requirement", str(self._kept / FROZEN))
        if self.current() != before:
            raise Refused(f"{self.current()} is there instead of {before}.")


def installed(given: Path | None, kept: Path, *, taking_back: bool = False) -> Installation:
    """Return how this package is installed; raise Refused where an update needs a wheel and none is given.

    To take an update back, `kept` is enough.
    """
    if taking_back and kept.is_dir():
        return Wheel(given or kept, kept)
    about = _ours().read_text("direct_url.json")
    origin = json.loads(about) if about else {}
    if origin.get("dir_info", {}).get("editable") and given is None:
        return Checkout(Path(unquote(urlparse(origin["url"]).path)))
    if given is None and not taking_back:
        raise Refused("This version was installed from a wheel: give the newer one by --from aitrade-….whl.")
    return Wheel(given or kept, kept)


def _ours() -> Distribution:
    try:
        return distribution("aitrade")
    except PackageNotFoundError:
        raise Refused("aitrade runs from its sources here and is not installed: install it, then update it.") from None


def _files(of: Distribution) -> list[tuple[str, Path]]:
    """Return the files inside site-packages that a distribution consists of."""
    found = [(str(name), Path(str(of.locate_file(name)))) for name in of.files or ()]
    return [(name, path) for name, path in found if not name.startswith("..") and path.is_file()]
