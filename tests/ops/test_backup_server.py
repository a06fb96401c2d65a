"""A projection on a PostgreSQL server: backed up at one moment, lost, and read in again."""

import pytest
from sqlalchemy import text
from traded_home import BOOK, traded

from aitrade.compliance.tail import Tail
from aitrade.ops import backup
from aitrade.ops.backup.databases import on_server
from aitrade.ops.backup.projections import projected
from aitrade.ops.backup.restoring import restore
from aitrade.store.database import connect
from aitrade.store.projection import Projection
from aitrade.store.tables import metadata

TABLES = [table.name for table in metadata.sorted_tables]


@pytest.fixture
def url(postgres):
    """Return the URL of an empty database."""
    _run(postgres, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return postgres


@pytest.fixture
def home(tmp_path, url):
    """Return a data folder that projects into the server."""
    book = traded(tmp_path / "home", tmp_path / "second")
    book.journal.close()
    with (tmp_path / "home" / "aitrade.toml").open("a") as file:
        file.write(f'database = "{url}"\n')
    project(tmp_path / "home", url)
    return tmp_path / "home"


def project(home, url):
    """Bring the server up to the journal."""
    projection = Projection(url, BOOK, Tail(home / "books" / BOOK / "journal").read, print)
    projection.catch_up()
    projection.close()


def rows(url):
    """Return every row of every table."""
    engine = connect(url)
    with engine.connect() as connection:
        found = {name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")))) for name in TABLES}
    engine.dispose()
    return found


def test_a_server_comes_back_as_it_was_backed_up(home, url):
    """Tables of no journal too: the scheduler's row is there again."""
    _run(url, "INSERT INTO tasks VALUES ('backup', 1, 2, 'done', 'a\tb\\n', 3)")
    before = rows(url)
    backup.run(home)
    _run(url, "DELETE FROM fills", "DELETE FROM tasks", "UPDATE orders SET filled = 99")
    assert rows(url) != before
    restore(home)
    assert rows(url) == before


def test_a_lost_server_comes_back_with_its_schema(home, url):
    """An empty server is given the tables and their rows."""
    before = rows(url)
    backup.run(home)
    _run(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    restore(home)
    assert rows(url) == before


def test_a_server_that_is_ahead_of_the_moment_is_projected_anew(home, url):
    """After a restore to a moment the database knows what the journal knows."""
    backup.run(home)
    restored = restore(home, to=1_735_700_000 * 10**9 + 20_000 * 10**9)
    seq = next(head.seq for head in restored.books if head.book == BOOK)
    assert projected(home, BOOK) == seq


def test_a_server_that_does_not_answer_is_told_of(home, url):
    """The journals are back, and what is to be done about the database is said."""
    backup.run(home)
    settings = (home / "aitrade.toml").read_text()
    broken = settings.replace(url, "postgresql://nobody@127.0.0.1:1/none")
    (home / "aitrade.toml").write_text(broken)
    backup_of_now = backup.listed(home)[-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AITRADE_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
        restored = restore(home, backup_of_now.id)
    assert "aitrade store rebuild" in restored.trouble
    assert restored.books == backup_of_now.books


def test_the_url_says_whether_it_is_a_server(url):
    """Every way to write PostgreSQL's URL, and none of SQLite's."""
    assert on_server(url)
    assert all(on_server(f"{scheme}://h/d") for scheme in ("postgres", "postgresql", "postgresql+psycopg"))
    assert not on_server("sqlite:///x.db")
    assert not on_server("")


def _run(url, *statements):
    engine = connect(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
