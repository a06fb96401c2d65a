"""Tests for the task that checks, compacts and analyses databases."""

import sqlite3
from contextlib import closing

import pytest

from aitrade.core.clock import at
from aitrade.core.config import load
from aitrade.core.errors import AitradeError
from aitrade.ops.maintenance.databases import OptimizeDatabases
from aitrade.ops.maintenance.job import Job, perform
from aitrade.ops.maintenance.task import Ground

NOW = at("2026-11-24", "18:30")


@pytest.fixture
def home(tmp_path):
    """A data folder with a book's database of which nine tenths were deleted."""
    (tmp_path / "books" / "one").mkdir(parents=True)
    write(tmp_path / "books" / "one" / "aitrade.db")
    return tmp_path


def write(path):
    """Write a database with room to win."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE rows (number INTEGER, text TEXT)")
        database.execute("CREATE INDEX numbers ON rows (number)")
        database.executemany("INSERT INTO rows VALUES (?, ?)", ((one, "x" * 200) for one in range(5_000)))
        database.execute("DELETE FROM rows WHERE number % 10")
        database.commit()


def damage(path):
    """Turn the bytes in the middle of a file over."""
    data = bytearray(path.read_bytes())
    for place in range(8192, 8192 + 4096):
        data[place] ^= 0xFF
    path.write_bytes(data)


def run(home):
    """Run the task; return what it says it did."""
    return OptimizeDatabases().run(Ground(load(home=home), NOW))


def test_a_database_becomes_smaller_and_keeps_its_rows(home):
    """What was deleted is given back, every row left is there, and the statistics are fresh."""
    done = run(home)
    assert done.measured["databases"] == 1
    assert done.measured["bytes_after"] < done.measured["bytes_before"] / 2
    with closing(sqlite3.connect(home / "books" / "one" / "aitrade.db")) as database:
        assert database.execute("SELECT count(*) FROM rows").fetchone() == (500,)
        assert database.execute("SELECT stat FROM sqlite_stat1 WHERE idx = 'numbers'").fetchone() == ("500 1",)


def test_a_second_run_changes_nothing(home):
    """The task is idempotent."""
    run(home)
    again = run(home)
    assert again.measured["bytes_before"] == again.measured["bytes_after"]


def test_a_damaged_database_is_named_and_the_others_are_still_optimised(home):
    """Damage is a failure of the task that says what to do; a sound database beside it is made small."""
    (home / "books" / "two").mkdir()
    write(home / "books" / "two" / "aitrade.db")
    damage(home / "books" / "one" / "aitrade.db")
    before = (home / "books" / "two" / "aitrade.db").stat().st_size
    with pytest.raises(AitradeError, match=r"Database one .*aitrade store rebuild"):
        run(home)
    assert (home / "books" / "two" / "aitrade.db").stat().st_size < before / 2


def test_a_dry_run_names_the_databases_and_writes_nothing(home):
    """The plan has name and size; the file keeps its bytes."""
    path = home / "books" / "one" / "aitrade.db"
    before = path.read_bytes()
    outcome = perform(Job(home=str(home), task="optimize_database", now=NOW, dry=True))
    assert outcome.status == "planned"
    assert f"one ({len(before):,} bytes)" in outcome.says
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_fails_the_task_kindly(home):
    """A foreign file is told with its name."""
    (home / "books" / "one" / "aitrade.db").write_bytes(b"not a database" * 1000)
    outcome = perform(Job(home=str(home), task="optimize_database", now=NOW))
    assert outcome.status == "failed"
    assert outcome.step == "check the databases"
    assert "Database one is damaged" in outcome.says
