"""The book that backups are measured on is a real one."""

import sqlite3
from contextlib import closing

from aitrade.bench import big_book
from aitrade.bench.big_book import BigBook
from aitrade.compliance.journal import verify
from aitrade.engine.recovery import recover
from aitrade.engine.settings import EngineSettings
from aitrade.ops.backup.projections import rebuild

TABLES = ("books", "orders", "fills", "positions", "cash", "marks", "events")


def rows(home):
    """Return every row of the database."""
    with closing(sqlite3.connect(home / "books" / "big" / "aitrade.db")) as connection:
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in TABLES}


def test_its_rows_are_what_the_projection_makes_of_its_journal(tmp_path, monkeypatch):
    """The journal verifies, the engine recovers from it, and projecting it anew gives the same database."""
    monkeypatch.setattr(big_book, "DAYS", 3)
    book = BigBook(tmp_path, "big", 600)
    book.write(lambda _line: None)
    before = rows(tmp_path)
    assert (book.orders, len(before["orders"])) == (600, 600)
    assert verify(tmp_path / "books" / "big" / "journal").records == rebuild(tmp_path, "big")
    assert rows(tmp_path) == before
    state = recover(EngineSettings(home=str(tmp_path), book="big")).state
    assert (len(state.orders), state.day.ended, state.closed) == (200, True, True)
