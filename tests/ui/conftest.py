"""One running aitrade and one browser for the tests of a module."""

import pytest
from browser import launched, opened
from running import running


@pytest.fixture(scope="module")
def trading(tmp_path_factory):
    """A running aitrade."""
    with running(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture(scope="module")
def browser():
    """A browser."""
    with launched() as started:
        yield started


@pytest.fixture
def page(browser, trading):
    """A logged-in page."""
    with opened(browser, trading) as there:
        yield there
