"""Tests for `store.projection`: what the rows say, and that nothing makes a record count twice, or not at all."""

import threading
import time

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_days import BOOK, FIRST, INFY, SECOND, TCS, two_days

from aitrade.core.errors import JournalBroken
from aitrade.core.events import Kind, Line
from aitrade.core.orders import CHARGE_COMPONENTS
from aitrade.store.batches import project, projected
from aitrade.store.database import connect, upgrade
from aitrade.store.projection import Projection, sqlite_url
from aitrade.store.tables import books, cash, events, fills, marks, metadata, orders, positions


def nothing(level, text):
    """Take a report that must not come."""
    pytest.fail(f"{level}: {text}")


def rows(url, table=None):
    """Return all rows of a table, or of all tables by name, in the order of their keys."""
    engine = connect(url)
    found = {}
    with engine.connect() as connection:
        for each in metadata.sorted_tables if table is None else [table]:
            selected = connection.execute(sa.select(each).order_by(*each.primary_key)).mappings()
            found[each.name] = [dict(row) for row in selected]
    engine.dispose()
    return found if table is None else found[table.name]


def projection(url, journal, report=nothing, **how):
    """Return a projection of a journal."""
    return Projection(url, journal.book, journal.read, report, **how)


@pytest.fixture
def both_days(url):
    """Return the URL of a database that holds two days."""
    journal = two_days()
    made = projection(url, journal)
    assert made.catch_up() == len(journal.records)
    made.close()
    return url


def test_orders_are_as_they_stand(both_days):
    """State, terms, fills and reason of each order."""
    found = {row["id"][0]: row for row in rows(both_days, orders)}
    assert {name: row["state"] for name, row in found.items()} == {
        "A": "FILLED", "B": "CANCELLED", "C": "FILLED", "D": "REJECTED", "E": "IN_DOUBT",
    }  # fmt: skip
    assert (found["A"]["filled"], found["A"]["filled_value"]) == (10, 4 * 3_500_00 + 6 * 3_501_00)
    assert (found["B"]["quantity"], found["B"]["price"], found["B"]["reason"]) == (8, 3_490_00, "cancelled by asha")
    assert (found["A"]["day"], found["C"]["day"]) == (FIRST, SECOND)
    assert (found["A"]["algo_id"], found["A"]["role"], found["A"]["strategy"]) == ("ALGO7", "strategy", "orb")
    assert found["A"]["exchange_order_id"] == "X" + "A" * 20
    assert found["D"]["triggered"] is True


def test_fills_keep_their_charges(both_days):
    """A trade id that comes again on another day is another trade."""
    found = rows(both_days, fills)
    assert [(row["id"], row["day"], row["quantity"]) for row in found] == [
        ("T1", FIRST, 4), ("T2", FIRST, 6), ("T3", FIRST, 3), ("T1", SECOND, 7),
    ]  # fmt: skip
    assert all(row[name] == 1 for row in found for name in CHARGE_COMPONENTS)
    assert all(row["charges"] == len(CHARGE_COMPONENTS) for row in found)


def test_positions_add_up_by_day(both_days):
    """Each day's row carries on from the last one before it."""
    found = {(r["day"], r["instrument"], r["product"]): r for r in rows(both_days, positions)}
    first, second = found[FIRST, TCS, "CNC"], found[SECOND, TCS, "CNC"]
    assert (first["opening"], first["bought"], first["closing"]) == (0, 10, 10)
    assert (second["opening"], second["moved"], second["sold"], second["closing"]) == (10, 10, 7, 13)
    assert (found[FIRST, INFY, "MIS"]["closing"], found[FIRST, INFY, "CNC"]["closing"]) == (-2, -1)
    for row in found.values():
        assert row["closing"] == row["opening"] + row["bought"] - row["sold"] + row["moved"]


def test_the_ledger_the_marks_and_the_book(both_days):
    """What moved without an order, what the book was worth, and how far it is projected."""
    ledger = rows(both_days, cash)
    assert (ledger[0]["why"], ledger[0]["amount"]) == ("opening", 10_00_000_00)
    assert sum(row["amount"] for row in ledger if row["why"] == "charge") == -4 * len(CHARGE_COMPONENTS)
    assert [(row["equity"], row["closing"]) for row in rows(both_days, marks)] == [(9_99_920, True)]
    [book] = rows(both_days, books)
    assert (book["book"], book["mode"], book["day"], book["trading"]) == (BOOK, "paper", SECOND, "REDUCING")
    assert book["seq"] == len(two_days().records)
    assert book["closed"] > book["opened"] > 0


def test_the_event_log_says_who_asked(both_days):
    """Refusals, states, strategies, alerts, lines, changes and cancellations are there to be searched."""
    found = rows(both_days, events)
    kinds = {row["kind"] for row in found}
    assert kinds >= {"refusal", "state", "strategy", "alert", "event", "modify", "cancel", "opened", "closed", "day"}
    [cancel] = [row for row in found if row["kind"] == "cancel"]
    assert (cancel["actor"], cancel["role"], cancel["source"]) == ("asha", "trader", "127.0.0.1")


def test_projecting_again_changes_nothing(both_days):
    """A new projection of the same journal finds all of it there."""
    before = rows(both_days)
    again = projection(both_days, two_days())
    assert again.catch_up() == len(two_days().records)
    again.close()
    assert rows(both_days) == before


def test_a_rebuild_gives_the_same_rows(both_days):
    """From nothing, and for one book only."""
    other = projection(both_days, two_days("paper-2"))
    other.catch_up()
    other.close()
    before = rows(both_days)
    again = projection(both_days, two_days())
    again.rebuild()
    again.close()
    assert rows(both_days) == before


@given(st.lists(st.integers(1, 50), max_size=12), st.lists(st.integers(0, 10), max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cutting_into_batches_gives_the_same_rows(tmp_path_factory, sizes, overlaps):
    """Batches of any size, each repeating some of what went before, as after a crash."""
    whole, cut = (sqlite_url(tmp_path_factory.mktemp("db")) for _ in range(2))
    journal = two_days()
    once = projection(whole, journal)
    once.catch_up()
    once.close()
    engine = connect(cut, writing=True)
    upgrade(engine)
    at = 0
    for size, overlap in zip([*sizes, len(journal.records)], [*overlaps, *[0] * 20], strict=False):
        with engine.begin() as connection:
            at = project(connection, BOOK, journal.records[max(0, at - overlap) : at + size])
            assert projected(connection, BOOK) == at
    engine.dispose()
    assert rows(cut) == rows(whole)


def test_a_batch_that_fails_leaves_nothing(url):
    """Rows and number are one transaction: after a failure in the middle, the same batch goes in once."""
    engine = connect(url, writing=True)
    upgrade(engine)
    journal = two_days()
    with engine.connect() as connection:
        project(connection, BOOK, journal.records)
        connection.rollback()
    with engine.begin() as connection:
        assert projected(connection, BOOK) == 0
        assert project(connection, BOOK, journal.records) == len(journal.records)
    engine.dispose()


def test_a_missing_record_is_refused(url):
    """Rows after a gap would be wrong for ever."""
    engine = connect(url, writing=True)
    upgrade(engine)
    records = two_days().records
    with pytest.raises(JournalBroken, match="Record 7 follows 5"), engine.begin() as connection:
        project(connection, BOOK, [*records[:5], *records[6:]])
    engine.dispose()


def wait_for(condition, seconds=20):
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not become so"
        time.sleep(0.01)


def test_the_thread_follows_the_journal(url):
    """What is appended while it runs is there soon, and `close` brings in the rest."""
    journal = two_days()
    made = projection(url, journal)
    made.start()
    wait_for(lambda: made.status.seq == len(journal.records))
    journal.add(Kind.EVENT, Line(level="info", text="later"))
    made.close()
    assert "later" in {row["text"] for row in rows(url, events)}
    assert made.status.trouble == ""


@pytest.fixture
def small_disk():
    """Return a switch: while it is on, SQLite databases may not grow (the error is a full disk's)."""
    full = threading.Event()

    def limit(connection, _record):
        if full.is_set():
            connection.execute("PRAGMA max_page_count=1")

    sa.event.listen(sa.Engine, "connect", limit)
    yield full
    sa.event.remove(sa.Engine, "connect", limit)


def test_a_full_disk_is_told_once_and_caught_up(tmp_path, small_disk):
    """It stops nothing: one warning while it lasts, one line when all is in, every record once."""
    url, said = sqlite_url(tmp_path), []
    journal = two_days()
    for n in range(400):
        journal.add(Kind.EVENT, Line(level="info", text=f"{n}" * 100))
    ready = projection(url, journal)
    ready._opened()
    ready.close()
    small_disk.set()
    made = projection(url, journal, lambda level, text: said.append((level, text)), pause=0.01)
    made.start()
    wait_for(lambda: made.status.trouble)
    time.sleep(0.1)
    assert [level for level, _text in said] == ["warning"]
    assert "full" in said[0][1]
    small_disk.clear()
    wait_for(lambda: not made.status.trouble)
    made.close()
    assert [level for level, _text in said] == ["warning", "info"]
    assert [row["seq"] for row in rows(url, books)] == [len(journal.records)]
    assert len({row["text"] for row in rows(url, events) if row["kind"] == "event"}) == 401


def test_a_file_that_is_no_database_stops_nothing(tmp_path):
    """The report names what is wrong; when the file is gone, the projection is built from nothing."""
    (tmp_path / "aitrade.db").write_bytes(b"not a database" * 100)
    said = []
    made = projection(sqlite_url(tmp_path), two_days(), lambda level, text: said.append((level, text)), pause=0.01)
    made.start()
    wait_for(lambda: said)
    assert "not a database" in said[0][1]
    (tmp_path / "aitrade.db").unlink()
    wait_for(lambda: made.status.seq == len(two_days().records))
    made.close()
    assert len(rows(sqlite_url(tmp_path), fills)) == 4
