"""The databases of a data folder against their journals: how far they are, and made anew from the first record."""

from pathlib import Path

from sqlalchemy import inspect

from aitrade.compliance.journal import segments
from aitrade.compliance.tail import Tail
from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.ops.backup.contents import is_sqlite
from aitrade.store.projection import FILE, Projection, sqlite_url


def rebuild(home: Path, book: str) -> int:
    """Project a book's journal anew, from the first record; return the last record's number. Raises Refused."""
    projection = _projection(home, book)
    try:
        return projection.rebuild()
    finally:
        projection.close()


def projected(home: Path, book: str) -> int:
    """Return the number of the last record that a book's database holds, 0 without a database."""
    url = url_of(home, book)
    if url == sqlite_url(home / "books" / book) and not (home / "books" / book / FILE).exists():
        return 0
    return held(url, book)


def held(url: str, book: str) -> int:
    """Return the number of the last record of a book that the database at a URL holds, 0 where it has none."""
    from aitrade.store.batches import projected as number
    from aitrade.store.database import connect

    engine = connect(url)
    try:
        with engine.connect() as connection:
            return number(connection, book) if inspect(connection).has_table("books") else 0
    finally:
        engine.dispose()


def url_of(home: Path, book: str) -> str:
    """Return the URL of the database that a book is projected into."""
    return load(home=home).database or sqlite_url(home / "books" / book)


def integrity(path: Path) -> str:
    """Return "ok", or what SQLite finds wrong with a database."""
    import sqlite3
    from contextlib import closing

    if not is_sqlite(path):
        return "it is not a SQLite database"
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])


def _projection(home: Path, book: str) -> Projection:
    folder = home / "books" / book
    if not segments(folder / "journal"):
        raise Refused(f"There is no journal of book {book} under {home}; `aitrade book list` names the books.")
    return Projection(url_of(home, book), book, Tail(folder / "journal").read, lambda _level, _text: None)
