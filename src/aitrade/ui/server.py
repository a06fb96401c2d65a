"""The page server: our own Voila application, on 127.0.0.1. `python -m aitrade.ui.server`, settings as JSON on stdin.

It serves one notebook, `aitrade.ipynb`, from kernels that are started ahead; logs visitors in; and stands, on the
page's own origin, in front of the engine and the chart worker.
"""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

HERE = Path(__file__).parent
REFUSED = 3


class PageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to run a page server."""

    home: str
    """The data folder: the engine's and the chart worker's addresses lie in its `run`."""
    port: int = 8765
    """On 127.0.0.1; 0 takes a free one, written into run/page.json, and after a crash the same again."""
    pool: int = 2
    """Kernels that wait, started, for a page, once one was visited."""


class PageAddress(msgspec.Struct, frozen=True):
    """Where a page server listens, as it wrote it into run/page.json."""

    port: int
    pid: int


def notebook() -> Path:
    """Return the page's notebook: beside the sources in a checkout, inside the package otherwise."""
    packaged = HERE / "aitrade.ipynb"
    return packaged if packaged.is_file() else HERE.parents[2] / "apps" / "aitrade.ipynb"


def bundle_is_there() -> bool:
    """Return whether the page's bundle was built on installation."""
    return (HERE / "static" / "page.js").is_file()


def _use_our_template() -> None:
    """Voila looks for templates where JUPYTER_PATH said when it was imported."""
    share = str(HERE / "share")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [share, os.environ.get("JUPYTER_PATH", "")]))


def serve(settings: PageSettings) -> None:
    """Run the server until it is told to stop; raise Conflict when the port is taken."""
    _use_our_template()
    from aitrade.ui.application import PageApplication

    os.environ["AITRADE_HOME"] = settings.home
    application = PageApplication.instance(settings=settings)
    application.initialize([])
    application.start()


def content_hash(path: Path) -> str:
    """Return a short hash of a file: its name in the browser's cache."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def main() -> None:
    """Read settings from standard input and serve."""
    from aitrade.core import logs
    from aitrade.core.errors import AitradeError
    from aitrade.core.lifeline import tie

    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=PageSettings)
    tie()
    logs.configure("page", Path(settings.home) / "logs")
    try:
        serve(settings)
    except AitradeError as error:
        logs.get(__name__).warning("page refuses to start", reason=str(error))
        logs.shut()
        sys.stderr.write(f"{error}\n")
        sys.exit(REFUSED)


POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' blob:; worker-src 'self' blob:; frame-ancestors 'none'; "
    "base-uri 'self'; form-action 'self'"
)
"""No request leaves the machine. `blob:` is where anywidget's views come from; BokehJS and ipywidgets evaluate."""
STOCK_POLICY = POLICY.replace("'unsafe-eval'", "'unsafe-eval' 'unsafe-inline'")
"""The same for the stock template, which writes its scripts into the page."""

Handlers = list[tuple[Any, ...]]

if __name__ == "__main__":
    main()
