"""The drill: trade, back up, destroy, restore, same ledger; and what is refused before anything is touched."""

import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from traded_home import BOOK, project, shelf, traded

from aitrade.compliance.journal import Journal, frames, segments
from aitrade.compliance.journal import verify as verify_chain
from aitrade.compliance.operations import noted
from aitrade.core.clock import SECOND
from aitrade.core.errors import AitradeError, Conflict, Refused, VaultLocked
from aitrade.core.events import Kind, Line, Record
from aitrade.core.files import FileLock
from aitrade.engine.recovery import recover
from aitrade.engine.settings import EngineSettings
from aitrade.engine.state import Book
from aitrade.ops import backup, ledger
from aitrade.ops.backup.heads import head_of
from aitrade.ops.backup.mirror import Mirror
from aitrade.ops.backup.projections import projected, rebuild
from aitrade.ops.backup.restoring import restore
from aitrade.ops.backup.shelf import LeftOut
from aitrade.ops.backup.verifying import verify
from aitrade.ops.supervisor import LOCK
from aitrade.store.vault import Vault

LEFT_OUT = LeftOut("x", 1, 1, "y")


@pytest.fixture
def home(tmp_path):
    """Return a data folder that has traded."""
    return tmp_path / "home"


@pytest.fixture
def second(tmp_path):
    """Return where its backups go."""
    return tmp_path / "second"


@pytest.fixture
def book(home, second):
    """Return its book, open."""
    made = traded(home, second)
    yield made
    made.journal.close()


def standing(home):
    """Return what each day of the book did, to the paisa, as the ledger has it."""
    return [
        (day.day, day.after, [(row.at.seq, row.body) for row in day.fills], day.head) for day in ledger.walk(home, BOOK)
    ]


def everything(folder):
    """Return the bytes of every file."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_trade_back_up_destroy_restore_same_ledger(home, second, book):
    """With the data folder gone, the backup, the copies and the recovery key bring the same ledger back."""
    key = Vault.ensure(home).new_recovery_key()
    backup.run(home)
    book.trade("NSE:INFY", -7, 1_950_10, charges=41)
    Mirror(home).copy()
    before, state = standing(home), head_of(BOOK, book.journal.folder)
    shutil.rmtree(home)
    began = time.monotonic()
    restored = restore(home, folder=second, recovery=key)
    assert standing(home) == before
    assert state in restored.books
    assert recover(EngineSettings(home=str(home), book=BOOK)).state == book.book.state
    assert restored.from_copies > 0
    assert 0 < restored.seconds < time.monotonic() - began
    assert project(home) == state.seq
    assert (home / "limits.toml").read_text() == "day_orders = 500\n"
    assert Vault.open(home).sealing_keys()  # opens by this machine from now on
    assert [row.operation.outcome for row in noted(home, "restore")] == ["passed"]


def test_without_the_recovery_key_nothing_comes_back(home, second, book):
    """Without keyring, vault and key, and with the wrong key, it says what is missing and leaves nothing."""
    Vault.ensure(home).new_recovery_key()
    backup.run(home)
    other = Vault.create(home.parent / "other").new_recovery_key()
    shutil.rmtree(home)
    for typed in ("", other):
        with pytest.raises(VaultLocked):
            restore(home, folder=second, recovery=typed)
    assert not (home / "books").exists()


def test_a_vault_that_was_made_after_the_loss_does_not_shut_the_old_backups(home, second, book):
    """Something ran, and backed up, before the restore: the recovery key still brings back books and secrets."""
    vault = Vault.ensure(home)
    vault.add("mail", "alerts by mail", "kept")
    key = vault.new_recovery_key()
    made = backup.run(home)
    before = standing(home)
    shutil.rmtree(home)
    home.mkdir()
    (home / "aitrade.toml").write_text(f'backup_folder = "{second.as_posix()}"\n')
    young = Vault.ensure(home).sealing_keys()
    backup.run(home)
    backup.run(home)
    restored = restore(home, made.id, recovery=key)
    assert standing(home) == before
    assert Vault.open(home).read("mail") == "kept"
    assert Vault.open(home / restored.set_aside).sealing_keys() == young


def test_a_vault_that_is_damaged_is_replaced_and_kept(home, book):
    """The copy beside the backups takes its place, by the recovery key; the damaged one is set aside."""
    key = Vault.ensure(home).new_recovery_key()
    backup.run(home)
    (home / "vault" / "vault.json").write_text("damaged")
    with pytest.raises(AitradeError):
        restore(home)
    restored = restore(home, recovery=key)
    assert Vault.open(home).sealing_keys()
    assert (home / restored.set_aside / "vault" / "vault.json").read_text() == "damaged"


def with_reports(home, text):
    """Write a report and market data, which a daily backup has not."""
    for name in ("reports/day.html", "market/day.parquet"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)


def test_what_a_daily_backup_has_not_comes_from_the_full_one(home, second, book):
    """After a total loss reports and market data are those of the newest full backup, the books those of the daily."""
    key = Vault.ensure(home).new_recovery_key()
    with_reports(home, "old")
    full = backup.run(home, "full")
    book.trade("NSE:INFY", -7, 1_950_10)
    made, before = backup.run(home), standing(home)
    shutil.rmtree(home)
    restored = restore(home, folder=second, recovery=key)
    assert (restored.backup, restored.filled_from) == (made.id, full.id)
    assert standing(home) == before
    assert (home / "reports" / "day.html").read_text() == (home / "market" / "day.parquet").read_text() == "old"


def test_a_full_backup_that_is_damaged_is_passed_over_and_named(home, book):
    """The older one gives what the daily has not; what is there already stays as it is."""
    with_reports(home, "old")
    older = backup.run(home, "full", at=book.now)
    newer = backup.run(home, "full")
    shelf(home).bundle(newer).write_bytes(b"damaged")
    backup.run(home)
    (home / "reports" / "day.html").write_text("new")
    (home / "market" / "day.parquet").unlink()
    restored = restore(home)
    assert (restored.filled_from, newer.id in restored.unfilled) == (older.id, True)
    assert (home / "reports" / "day.html").read_text() == "new"
    assert (home / "market" / "day.parquet").read_text() == "old"


def test_a_copy_of_another_journal_is_not_used_and_is_named(home, book, second, tmp_path):
    """A book that was reset after the backup comes back as it was backed up; that its copy is another's is said."""
    backup.run(home)
    seq = book.journal.seq
    book.journal.close()
    (home / "books" / BOOK).rename(tmp_path / "reset")
    traded(home, second, units=11).journal.close()
    Mirror(home).copy()
    restored = restore(home)
    assert restored.passed_over[0].startswith(f"The copy of {BOOK} is of another journal")
    assert next(head.seq for head in restored.books if head.book == BOOK) == seq


def test_a_restore_to_a_moment_ends_with_its_last_record(home, book):
    """Records after the moment are not there, the chain verifies, and trading goes on from it."""
    backup.run(home)
    moment, seq, before = book.now + 5, book.journal.seq, standing(home)
    book.now += 60 * SECOND
    book.trade("NSE:INFY", -7, 1_950_10)
    Mirror(home).copy()
    after = standing(home)
    restored = restore(home, to=moment)
    assert standing(home) == before
    assert verify_chain(home / "books" / BOOK / "journal").records == seq
    restore(home, to=book.now + 5)
    assert standing(home) == after
    assert restored.to == moment


def test_a_moment_before_the_backup_cuts_the_backup(home, book):
    """The journal in a backup reaches back to the book's first record; a database that is ahead is made anew."""
    first = ledger.read(home, BOOK, "2025-01-01")
    backup.run(home)
    restore(home, to=book.now - 20 * 3600 * SECOND)
    assert ledger.days(home, BOOK) == ["2025-01-01"]
    assert ledger.read(home, BOOK, "2025-01-01").head == first.head
    assert projected(home, BOOK) == 0
    assert project(home) == first.last_seq


def test_a_damaged_copy_gives_what_lies_before_the_damage(home, book, second):
    """It does not stand in the way of the backup, and says which part is damaged."""
    backup.run(home)
    book.trade("NSE:INFY", -1, 1_950_10)
    Mirror(home).copy()
    wanted = standing(home)
    book.trade("NSE:INFY", -1, 1_950_10)
    Mirror(home).copy()
    last = max((second / "mirror" / BOOK).rglob("*.aib"))
    last.write_bytes(last.read_bytes()[:-1])
    restored = restore(home)
    assert standing(home) == wanted
    assert restored.passed_over == (f"The copy of {BOOK} is damaged ({last}): what was written after is not in it.",)


def test_a_moment_before_the_first_record_is_refused(home, book):
    """It says when the first record was written, and touches nothing."""
    backup.run(home)
    before = everything(home / "books")
    with pytest.raises(Refused, match=r"No book had begun by 01 Jan 1970 .*the first record is of 01 Jan 2025"):
        restore(home, to=1)
    assert everything(home / "books") == before


def test_a_moment_after_the_last_record_is_all_there_is(home, book):
    """Also one that lies years ahead."""
    backup.run(home)
    before = standing(home)
    restore(home, to=2**62)
    assert standing(home) == before


def test_a_book_that_had_not_begun_by_the_moment_is_set_aside(home, book):
    """It is neither in the way nor lost."""
    moment = book.now
    late, after = Journal(home / "books" / "late" / "journal"), moment + 3600 * SECOND
    late.append(Record(0, Kind.EVENT, after, after, "late", Line(level="info", text="begun")))
    late.close()
    backup.run(home)
    restored = restore(home, to=moment)
    assert restored.gone == ("late",)
    assert not (home / "books" / "late").exists()
    assert (home / restored.set_aside / "books" / "late" / "journal").is_dir()


@settings(max_examples=12)
@given(share=st.floats(0, 1))
def test_any_moment_brings_back_exactly_the_records_until_then(tmp_path_factory, share):
    """Whichever record is the last one, the restored state is the one that the engine had after it."""
    folder = tmp_path_factory.mktemp("any")
    home = folder / "home"
    traded(home, folder / "second").journal.close()
    records = [frame.record for path in segments(home / "books" / BOOK / "journal") for frame in frames(path)]
    last = records[round(share * (len(records) - 1))]
    state = Book()
    for record in records:
        if record.wall <= last.wall:
            state.restore(record)
    backup.run(home)
    restored = restore(home, to=last.wall)
    assert recover(EngineSettings(home=str(home), book=BOOK)).state == state.state
    until = [record.seq for record in records if record.wall <= last.wall]
    assert next(head.seq for head in restored.books if head.book == BOOK) == until[-1]


def test_after_a_restore_to_a_moment_an_old_backup_is_of_another_past(home, book):
    """Once trading went on, verifying it says so until a new backup is made."""
    moment = book.now + 5
    book.now += 60 * SECOND
    book.trade("NSE:INFY", -7, 1_950_10)
    made = backup.run(home)
    restore(home, made.id, to=moment)
    book.journal.close()
    journal = Journal(home / "books" / BOOK / "journal")
    while journal.seq < made.books[0].seq:
        journal.append(Record(0, Kind.EVENT, moment, moment, BOOK, Line(level="info", text="another past")))
    journal.close()
    assert "is another" in verify(home).differences[0]
    backup.run(home)
    assert verify(home).differences == ()


def test_what_was_there_is_set_aside_not_lost(home, book):
    """The data folder's books move into the archive; files that a backup has not stay where they are."""
    backup.run(home)
    (home / "reports").mkdir()
    (home / "reports" / "kept.html").write_text("x")
    book.trade("NSE:INFY", -7, 1_950_10)
    before = everything(home / "books")
    restored = restore(home)
    assert everything(home / restored.set_aside / "books") == before
    assert everything(home / "books") != before
    assert (home / "reports" / "kept.html").exists()


@pytest.mark.parametrize("damage", ["flipped", "cut", "foreign", "gone"])
def test_a_bad_backup_is_refused_before_anything_is_touched(home, book, tmp_path, damage):
    """Damaged, truncated, of another installation or gone: the data folder is as it was, byte by byte."""
    made = backup.run(home)
    path = shelf(home).bundle(made)
    _spoil(path, damage, tmp_path)
    before = everything(home)
    with pytest.raises(AitradeError):
        restore(home)
    after = everything(home)
    assert {name for name in after.keys() | before.keys() if after.get(name) != before.get(name)} <= _locks(home)


@pytest.mark.parametrize("change", [{"at": 2**62}, {"kind": "full"}, {"books": ()}, {"left_out": (LEFT_OUT,)}])
def test_a_description_that_was_changed_is_refused(home, book, change):
    """What lies in clear beside a backup has to say what is sealed in it: an old one cannot pass for the newest."""
    made = backup.run(home)
    changed = replace(made, **change)
    if changed.kind != made.kind:
        shelf(home).bundle(changed).parent.mkdir()
        shelf(home).bundle(made).rename(shelf(home).bundle(changed))
        shelf(home).bundle(made).with_suffix(".json").unlink()
    shelf(home).add(changed)
    before = everything(home / "books")
    with pytest.raises(Refused, match="describes another backup"):
        restore(home)
    assert everything(home / "books") == before


def test_a_running_engine_keeps_its_data_folder(home, book):
    """Nothing is restored under an engine."""
    backup.run(home)
    for lock, words in ((Path("engine.lock"), "stop it"), (LOCK, "end it by `aitrade stop`")):
        with FileLock(home / lock), pytest.raises(Conflict, match=words):
            restore(home)


def test_verify_restores_into_scratch_and_compares(home, book):
    """A good backup has no difference, trading on changes nothing about it, and it is recorded as a drill."""
    made = backup.run(home)
    book.trade("NSE:INFY", -7, 1_950_10)
    verified = verify(home)
    assert (verified.backup, verified.differences, verified.books) == (made.id, (), made.books)
    assert [row.operation.outcome for row in noted(home, "drill")] == ["passed"]
    assert not (home / "run" / "verify.scratch").exists()


def test_verify_sees_a_backup_of_another_past(home, book, second, tmp_path):
    """When the book's journal is another one at the backup's last record, it says so."""
    backup.run(home)
    book.journal.close()
    (home / "books" / BOOK).rename(tmp_path / "gone")
    other = traded(home, second, units=11)
    other.trade("NSE:TCS", 2, 3_000_00)
    other.journal.close()
    backup_of_old = verify(home)
    assert backup_of_old.differences == (f"the chain of {BOOK} is another at record {book.journal.seq}",)


def test_verify_sees_a_database_that_is_damaged_or_ahead(home, book, tmp_path):
    """A database that does not check, or that knows more than its journal, is a difference."""
    database = home / "books" / BOOK / "aitrade.db"
    data = bytearray(database.read_bytes())
    data[4096 * 3 : 4096 * 4] = bytes(4096)
    (home / "books" / BOOK / "aitrade.db").write_bytes(bytes(data))
    backup.run(home)
    assert "is damaged" in verify(home).differences[0]


def test_a_rebuilt_database_is_the_same(home, book):
    """Projecting a journal anew gives the same rows."""
    import sqlite3
    from contextlib import closing

    def rows():
        with closing(sqlite3.connect(home / "books" / BOOK / "aitrade.db")) as connection:
            return list(connection.iterdump())

    before = rows()
    with closing(sqlite3.connect(home / "books" / BOOK / "aitrade.db")) as connection:
        connection.execute("DELETE FROM fills")
        connection.commit()
    assert rows() != before
    assert rebuild(home, BOOK) == book.journal.seq
    assert rows() == before


def _spoil(path, damage, tmp_path):
    if damage == "flipped":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    elif damage == "gone":
        path.unlink()
    else:
        other = traded(tmp_path / "foreign", tmp_path / "foreign-second")
        foreign = backup.run(tmp_path / "foreign")
        other.journal.close()
        described = shelf(tmp_path / "foreign").bundle(foreign)
        path.unlink()
        path.with_suffix(".json").unlink()
        shutil.copytree(described.parent, path.parent, dirs_exist_ok=True)


def _locks(home):
    return {path.relative_to(home) for path in home.rglob("*.lock")}
