"""Tests for `store.tables` and the migrations: what they build is what the tables say, on both databases."""

import subprocess
import sys

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from aitrade.store.database import connect, downgrade, upgrade
from aitrade.store.projection import sqlite_url
from aitrade.store.tables import metadata


def test_the_migrations_build_the_tables(url):
    """From nothing to head, Alembic finds no difference to the declared tables; doing it again changes nothing."""
    engine = connect(url, writing=True)
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() is not None
    engine.dispose()


def test_the_migrations_go_back(url):
    """At base nothing of ours is left."""
    engine = connect(url, writing=True)
    upgrade(engine)
    downgrade(engine)
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()


def test_money_and_times_fit(url):
    """A time in ns and a crore of crores in paise come back as they went in."""
    engine = connect(url, writing=True)
    upgrade(engine)
    books, marks = metadata.tables["books"], metadata.tables["marks"]
    row = {"book": "b", "seq": 1, "day": "2025-03-28", "ts": 1_900_000_000_000_000_000, "day_pnl": -(10**16)}
    with engine.begin() as connection:
        connection.execute(sa.insert(books), {"book": "b"})
        connection.execute(sa.insert(marks), row)
        kept = connection.execute(sa.select(marks)).mappings().one()
    assert {name: kept[name] for name in row} == row
    engine.dispose()


def test_readers_do_not_wait_for_the_writer(tmp_path):
    """SQLite keeps a write-ahead log: while a batch is being written, what was there before can be read."""
    url = sqlite_url(tmp_path)
    writer, reader = connect(url, writing=True), connect(url)
    upgrade(writer)
    with writer.begin() as connection:
        connection.execute(sa.insert(metadata.tables["books"]), {"book": "b"})
        with reader.connect() as other:
            assert other.scalar(sa.select(sa.func.count()).select_from(metadata.tables["books"])) == 0
    writer.dispose()
    reader.dispose()


def test_the_projection_costs_the_engine_no_import():
    """The database library comes with the thread that uses it, not with the module."""
    code = "import sys, aitrade.store.projection; sys.exit('sqlalchemy' in sys.modules or 'alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
