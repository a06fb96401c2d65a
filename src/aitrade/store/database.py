"""Opens the database that a URL names and brings its schema up to date. SQLite by default, PostgreSQL by URL."""

import threading
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

_MIGRATIONS = Path(__file__).with_name("migrations")
_one_at_a_time = threading.Lock()


def connect(url: str, *, writing: bool = False) -> Engine:
    """Return an engine for `url`; "postgresql:" means the psycopg driver. A writer takes SQLite's lock as it begins."""
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_writing if writing else _begin)
    return engine


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to `revision`, from whatever it is: nothing, or any earlier one."""
    with _one_at_a_time, engine.begin() as connection:
        command.upgrade(_configuration(connection), revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Take the schema back to `revision`."""
    with _one_at_a_time, engine.begin() as connection:
        command.downgrade(_configuration(connection), revision)


def _configuration(connection: Any) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", _MIGRATIONS.as_posix().replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Write-ahead log, so that readers never wait; we begin transactions, not the driver."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
