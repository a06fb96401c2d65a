"""A visit to the page as a person makes it: `aitrade up` as a process of its own, and a real browser on its link."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from aitrade.core.errors import Refused, Unreachable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
"""A browser that asks nobody but the page."""
VIEWPORT = {"width": 1366, "height": 768}
START_SECONDS, STOP_SECONDS = 90.0, 30.0
PATIENCE_MS = 60_000
READY = "document.body.dataset.ready === 'true' && aitrade.state.link.engine === 'up'"


class Trading:
    """A running `aitrade up`. `link` logs in once; `said` is what it has printed so far, line by line."""

    def __init__(self, home: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        """Start it on the data folder `home`, on any free port, in this environment or another."""
        command = [sys.executable, "-m", "aitrade", "up", "--no-browser", "--port", "0", "--data-folder", str(home)]
        self.home = home
        self.said: list[str] = []
        self.process = subprocess.Popen(  # noqa: S603 - our own command line
            [*command, *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env={**(os.environ if environment is None else environment), "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    @property
    def link(self) -> str:
        """The link that it printed; waits for it, and raises Unreachable with its words when it ended instead."""
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit:
            for line in self.said:
                if "/login?token=" in line:
                    return line.strip()
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise Unreachable(f"aitrade did not start: {' '.join(self.said).strip()}")

    def renewed_link(self) -> str:
        """Return another link, as `aitrade open` prints it."""
        command = [sys.executable, "-m", "aitrade", "open", "--data-folder", str(self.home)]
        return subprocess.check_output(command, text=True).strip()  # noqa: S603 - our own command line

    def stop(self) -> list[str]:
        """Stop it as Ctrl-C does; return everything that it said."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        return self.said

    def end(self) -> None:
        """Leave nothing of it running, stopped or not."""
        family = [self.process.pid]
        with suppress(psutil.NoSuchProcess):
            family += [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(STOP_SECONDS)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.said.extend(lines)


@contextmanager
def trading(home: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Trading]:
    """Run `aitrade up` while the block does."""
    started = Trading(home, *options, environment=environment)
    try:
        yield started
    finally:
        started.end()


def chromium() -> str:
    """Return the browser's path; raise Refused when there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise Refused("No chromium here; get it by `apt-get install chromium`.")
    return found


@contextmanager
def browser() -> Iterator["Browser"]:
    """Run a headless chromium while the block does; raise Refused when it or playwright is not here."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Refused("playwright is not here; get it by `python -m pip install 'aitrade[test]'`.") from None
    path = chromium()
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        yield started
        started.close()


@contextmanager
def page_at(started: "Browser", link: str, script: str = "") -> Iterator["Page"]:
    """Open the page at `link`, ready, 1366x768, `script` run before its own; `.seen` lists what it asked for."""
    context = started.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    opened.seen = []  # type: ignore[attr-defined]
    opened.on("request", lambda request: opened.seen.append(request.url))  # type: ignore[attr-defined]
    opened.on("websocket", lambda socket: opened.seen.append(socket.url))  # type: ignore[attr-defined]
    opened.add_init_script(script)
    opened.goto(link)
    opened.wait_for_function(READY)
    yield opened
    context.close()
