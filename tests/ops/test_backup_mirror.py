"""Copies of the journals: they go on where they stopped, and a journal that is another one is seen."""

import shutil
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_book import MadeBook
from traded_home import BOOK, shelf, traded

from aitrade.compliance.journal import Journal, segments, whole
from aitrade.compliance.operations import BOOK as OPERATIONS
from aitrade.compliance.operations import note
from aitrade.core.errors import JournalBroken, VaultDamaged
from aitrade.core.events import Kind, Line, Record
from aitrade.ops import backup
from aitrade.ops.alerts import standing
from aitrade.ops.backup import mirror
from aitrade.ops.backup.mirror import Mirror, behind, copied_segments, parts, unsealed
from aitrade.ops.backup.process import RULE, Rounds
from aitrade.ops.backup.restoring import restore
from aitrade.store.vault import Vault


@pytest.fixture
def home(tmp_path):
    """Return a data folder that has traded."""
    return tmp_path / "home"


@pytest.fixture
def book(home, tmp_path):
    """Return its book, open."""
    made = traded(home, tmp_path / "second")
    yield made
    made.journal.close()


def copied(home, book=BOOK):
    """Return the bytes of each copied segment by its name."""
    folder = shelf(home).folder / mirror.FOLDER / book
    keys = Vault.open(home).sealing_keys()
    return {name: unsealed(keys, book, at) for name, at in copied_segments(folder).items()}


def own(folder):
    """Return the whole records of each segment by its name."""
    return {path.stem: whole(path)[0] for path in segments(folder)}


def test_every_round_copies_what_was_added(home, book):
    """Open and closed segments of every book and of the operations journal are the same after a round."""
    copies = Mirror(home)
    note(home, "drill", "test", "passed")
    for _ in range(3):
        book.trade("NSE:INFY", 1, 1_900_00)
        assert copies.copy().size > 0
        assert copied(home) == own(book.journal.folder)
    assert copies.copy().size == 0
    assert copied(home, OPERATIONS) == own(home / "operations" / "journal")


def test_a_closed_segment_becomes_one_part(home, book):
    """Its parts are joined when the next segment has begun, whether or not anything was added to it."""
    copies = Mirror(home)
    name = book.journal.path.stem
    for _ in range(3):
        book.trade("NSE:INFY", 1, 1_900_00)
        copies.copy()
    folder = copies.folder / BOOK / name
    assert len(parts(folder)) == 3
    book.day("2025-01-03")
    copies.copy()
    assert [(part.begin, part.path) for part in parts(folder)] == [(0, part) for part in folder.iterdir()]
    assert copied(home) == own(book.journal.folder)


def test_a_half_written_record_is_copied_when_it_is_whole(home, book):
    """What is cut short is left for the next round."""
    copies = Mirror(home)
    copies.copy()
    before = copied(home)
    data = book.journal.path.read_bytes()
    book.trade("NSE:INFY", 1, 1_900_00)
    grown = book.journal.path.read_bytes()
    book.journal.path.write_bytes(grown[: len(data) + 40])
    assert copies.copy().size == 0
    assert copied(home) == before
    book.journal.path.write_bytes(grown)
    assert copies.copy().size == len(grown) - len(data)


def test_a_copy_goes_on_in_another_process(home, book):
    """A new copier needs nothing but what lies there."""
    Mirror(home).copy()
    book.trade("NSE:INFY", 1, 1_900_00)
    size = book.journal.size
    added = Mirror(home).copy().size
    assert 0 < added < size
    assert copied(home) == own(book.journal.folder)


def test_a_reset_book_does_not_touch_the_copy_of_the_old_one(home, book, tmp_path):
    """The old copy is set aside under another name, the new book's begins anew."""
    Mirror(home).copy()
    old = copied(home)
    book.journal.close()
    (home / "books" / BOOK).rename(tmp_path / "archived")
    again = traded(home, tmp_path / "second", units=11)
    again.trade("NSE:TCS", 1, 3_000_00)
    again.journal.close()
    done = Mirror(home).copy()
    assert done.set_aside == (BOOK,)
    assert copied(home) == own(again.journal.folder) != old
    aside = [path for path in Mirror(home).folder.iterdir() if path.name.startswith(f"{BOOK}.until-")]
    assert len(aside) == 1
    assert copied_segments(aside[0]).keys() == old.keys()


def test_an_archived_first_segment_leaves_the_copy_as_it_is(home, book):
    """Old segments may go from the journal after their term; the copy keeps them."""
    Mirror(home).copy()
    first = segments(book.journal.folder)[0]
    first.unlink()
    book.trade("NSE:INFY", 1, 1_900_00)
    assert Mirror(home).copy().set_aside == ()
    assert first.stem in copied(home)


def test_a_damaged_record_is_not_copied(home, book):
    """A flipped bit before the end stops the copying, by its file and byte."""
    copies = Mirror(home)
    copies.copy()
    at = book.journal.size
    book.trade("NSE:INFY", 1, 1_900_00)
    data = bytearray(book.journal.path.read_bytes())
    data[at + 60] ^= 1
    book.journal.path.write_bytes(bytes(data))
    with pytest.raises(JournalBroken, match=book.journal.path.name):
        copies.copy()


def test_parts_are_sealed_for_their_place(home, book):
    """A part that was put in the place of another book's, or changed, does not open."""
    copies = Mirror(home)
    copies.copy()
    keys = Vault.open(home).sealing_keys()
    folder = copies.folder / BOOK / book.journal.path.stem
    with pytest.raises(VaultDamaged):
        unsealed(keys, "other", folder)
    part = parts(folder)[0].path
    assert b"INFY" not in part.read_bytes()
    data = bytearray(part.read_bytes())
    data[-1] ^= 1
    part.write_bytes(bytes(data))
    with pytest.raises(VaultDamaged):
        unsealed(keys, BOOK, folder)


def test_a_folder_that_takes_nothing_alerts_until_it_does(home, book):
    """After a minute without a copy there is an alert, and it is over with the next copy; the journals lose nothing."""
    folder = shelf(home).folder
    folder.write_text("a file where the folder should be")
    rounds = Rounds(home, 0.01)
    thread = threading.Thread(target=rounds.run)
    thread.start()
    try:
        _until(lambda: [alert.rule for alert in standing(home)] == [RULE])
        folder.unlink()
        _until(lambda: not standing(home) and copied(home) == own(book.journal.folder))
    finally:
        rounds.stop()
        thread.join()


def test_a_disk_lost_on_the_first_day_comes_back(home, book, tmp_path):
    """Before any maintenance the copier has made the first backup, and the recovery key brings all back."""
    key = Vault.ensure(home).new_recovery_key()
    rounds = Rounds(home, 0.01)
    thread = threading.Thread(target=rounds.run)
    thread.start()
    try:
        _until(lambda: backup.listed(home))
        book.trade("NSE:INFY", 1, 1_900_00)
        _until(lambda: copied(home) == own(book.journal.folder))
    finally:
        rounds.stop()
        thread.join()
    assert len(backup.listed(home)) == 1
    before, toml = own(book.journal.folder), (home / "aitrade.toml").read_bytes()
    shutil.rmtree(home)
    restore(home, folder=tmp_path / "second", recovery=key)
    assert own(book.journal.folder) == before
    assert (home / "aitrade.toml").read_bytes() == toml


def test_a_disk_lost_after_a_restore_to_a_moment_comes_back(home, book, tmp_path):
    """What was traded since the moment goes on from no older backup: the copier makes a new one, and all comes back."""
    backup.run(home)
    key, moment = Vault.ensure(home).new_recovery_key(), book.now + 5
    book.now += 60 * 10**9
    book.trade("NSE:INFY", 1, 1_900_00)
    backup.run(home)
    Mirror(home).copy()
    restore(home, to=moment)
    journal = Journal(home / "books" / BOOK / "journal")
    line = Line(level="info", text="another way")
    journal.append(Record(0, Kind.EVENT, moment + 10**9, moment + 10**9, BOOK, line))
    rounds = Rounds(home, 0.01)
    thread = threading.Thread(target=rounds.run)
    thread.start()
    try:
        _until(lambda: len(backup.listed(home)) == 3 and copied(home) == own(journal.folder))
    finally:
        rounds.stop()
        thread.join()
        journal.close()
    before = own(home / "books" / BOOK / "journal")
    shutil.rmtree(home)
    restore(home, folder=tmp_path / "second", recovery=key)
    assert own(home / "books" / BOOK / "journal") == before


def test_a_damaged_book_keeps_no_other_from_being_copied(home, book):
    """The book that trades goes on being copied; the one that is damaged is named."""
    other = MadeBook(home, "made-0")
    other.day("2025-01-02")
    other.journal.close()
    path = segments(other.journal.folder)[-1]
    data = bytearray(path.read_bytes())
    data[len(data.rstrip(b"\0")) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalBroken, match=path.name):
        Mirror(home).copy()
    assert copied(home) == own(book.journal.folder)


def test_what_waits_to_be_copied_is_told_by_its_age(home, book):
    """Per book, from its oldest record without a copy."""
    folder = Mirror(home).folder
    assert behind(home, folder, book.now)[BOOK] > 0
    Mirror(home).copy()
    assert behind(home, folder, book.now) == {}
    book.trade("NSE:INFY", 1, 1_900_00)
    assert behind(home, folder, book.now + 5 + 60 * 10**9)[BOOK] == pytest.approx(62, abs=1)


def _until(true, seconds=30):
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["trade", "copy", "day", "new"]), max_size=12))
def test_whatever_happens_the_copy_is_the_journal(tmp_path_factory, steps):
    """Trades, new days, rounds and new copiers in any order: after a last round, the copy is the journal."""
    folder = tmp_path_factory.mktemp("any")
    book, days = traded(folder / "home", folder / "second"), 3
    copies = Mirror(folder / "home")
    for step in steps:
        if step == "trade":
            book.trade("NSE:INFY", 1, 1_900_00)
        elif step == "day":
            book.day(f"2025-01-{days:02d}")
            days += 1
        elif step == "copy":
            copies.copy()
        else:
            copies = Mirror(folder / "home")
    copies.copy()
    assert copied(folder / "home") == own(book.journal.folder)
    book.journal.close()
