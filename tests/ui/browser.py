"""A real browser on a running page; without one the tests skip, and fail where CI is set."""

import os
import shutil
from contextlib import contextmanager

import pytest

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 60_000


def chromium():
    """The browser's path; skip (fail where CI is set) when there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("No chromium here; get it by `apt-get install chromium`.")
    return found


@contextmanager
def launched():
    """A headless browser while the block runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium(), headless=True, args=FLAGS)
        yield started
        started.close()


@contextmanager
def opened(browser, running, *, errors_fail=True):
    """A logged-in page with its tabs there; a script error on it fails the test."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors, page.seen = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: page.seen.append(request.url))
    page.goto(running.link())
    ready(page)
    yield page
    context.close()
    assert not errors_fail or errors == [], errors


def ready(page):
    """Wait until the page is usable: stream up, tabs there."""
    page.wait_for_function("document.body.dataset.ready === 'true' && aitrade.state.link.engine === 'up'")
