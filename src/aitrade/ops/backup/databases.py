"""The projection on a PostgreSQL server: written out at one moment while it is written to, and read in again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import MetaData, Table, text

from aitrade.core.errors import Refused
from aitrade.ops.backup.bundle import Source
from aitrade.store.database import connect, upgrade
from aitrade.store.tables import metadata

FOLDER = "database"
_ABOUT = "about.json"
_POSTGRES = ("postgres:", "postgresql:", "postgresql+")


class Tables(msgspec.Struct, frozen=True):
    """What was written out: the schema's revision, and the tables in an order in which they can be read in."""

    revision: str
    tables: list[str]


def on_server(url: str) -> bool:
    """Return whether a projection's URL names a PostgreSQL server."""
    return url.startswith(_POSTGRES)


def write_out(url: str, scratch: Path) -> Iterator[Source]:
    """Yield each table as a file, all of the same moment (REPEATABLE READ), by COPY; a server without ours has none."""
    folder = scratch / FOLDER
    folder.mkdir(parents=True)
    with _connected(url) as connected:
        connection = connected.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        found = Tables(_revision(connection), [str(table.name) for table in _present(connection)])
        for name in found.tables:
            with (folder / name).open("wb") as file, _cursor(connection).copy(f'COPY "{name}" TO STDOUT') as copy:
                file.writelines(copy)
            yield _source(folder / name)
    (folder / _ABOUT).write_bytes(msgspec.json.encode(found))
    yield _source(folder / _ABOUT)


def read_in(url: str, folder: Path) -> int:
    """Replace the server's tables with those that were written out, in one transaction; return how many tables.

    Raises Refused where the server's schema cannot be brought to theirs.
    """
    about = msgspec.json.decode((folder / FOLDER / _ABOUT).read_bytes(), type=Tables)
    if not about.tables:
        return 0
    with _engine(url) as engine:
        upgrade(engine)
        with engine.begin() as connection:
            if _revision(connection) != about.revision:
                raise Refused(f"The backup's tables are of schema {about.revision}: run `aitrade store rebuild`.")
            for name in reversed(about.tables):
                connection.execute(text(f'DELETE FROM "{name}"'))  # noqa: S608 - names of our own schema
            for name in about.tables:
                _copied_in(connection, folder / FOLDER / name)
    return len(about.tables)


def _copied_in(connection: Any, path: Path) -> None:
    with path.open("rb") as file, _cursor(connection).copy(f'COPY "{path.name}" FROM STDIN') as copy:
        while chunk := file.read(1 << 20):
            copy.write(chunk)


def _present(connection: Any) -> list[Table]:
    """Return the server's tables that are ours, those that others refer to first."""
    there = MetaData()
    there.reflect(connection)
    return [there.tables[table.name] for table in metadata.sorted_tables if table.name in there.tables]


def _revision(connection: Any) -> str:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return ""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")


def _cursor(connection: Any) -> Any:
    return connection.connection.driver_connection.cursor()


def _source(path: Path) -> Source:
    return Source(f"{FOLDER}/{path.name}", path, path.stat().st_size)


@contextmanager
def _engine(url: str) -> Iterator[Any]:
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    with _engine(url) as engine, engine.connect() as connection:
        yield connection
