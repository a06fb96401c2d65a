"""Backups: made while the book trades, sealed, described, rotated; damaged, cut-short and foreign ones are refused."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from traded_home import BOOK, project, shelf, traded

from aitrade.compliance.operations import noted
from aitrade.core.errors import Conflict, Refused, VaultDamaged
from aitrade.ops import backup
from aitrade.ops.backup.bundle import unpack
from aitrade.ops.backup.heads import head_of
from aitrade.ops.backup.making import one_at_a_time
from aitrade.ops.backup.shelf import Mount, on_second_device
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


def unpacked(home, made, folder):
    """Unseal a backup."""
    return unpack(Vault.open(home).sealing_keys(), shelf(home).bundle(made), folder, made.context)


def test_a_daily_backup_has_all_that_trading_needs(home, book, tmp_path):
    """Databases, journals, configuration and the vault's sealed file are in it, and it is described as it is."""
    made = backup.run(home)
    manifest = unpacked(home, made, tmp_path / "out")
    names = {entry.name for entry in manifest.entries}
    journal = {path.relative_to(home).as_posix() for path in book.journal.folder.iterdir()}
    plain = {"aitrade.toml", "limits.toml", "vault/vault.json", f"books/{BOOK}/aitrade.db"}
    assert names >= journal | plain | {"configuration/history.git/HEAD", "operations/journal/000001-first.aij"}
    assert {name.split("/")[0] for name in names - plain} == {"books", "configuration", "operations"}
    assert (made.files, made.clear_size) == (len(names), manifest.clear_size)
    assert backup.last(home) == made
    assert [row.operation.name for row in noted(home, "backup")] == ["daily"]


def test_a_full_backup_has_the_whole_data_folder(home, book, tmp_path):
    """Market data and reports too, but no lock, no address of a process and no backup."""
    for name in ("market/day.parquet", "reports/2025-01-01/register.html", "run/token", "engine.lock"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    names = {entry.name for entry in unpacked(home, backup.run(home, "full"), tmp_path / "out").entries}
    assert {"market/day.parquet", "reports/2025-01-01/register.html"} <= names
    assert not {"run/token", "engine.lock"} & names


def test_market_data_elsewhere_are_named_as_left_out(home, book, tmp_path):
    """Imported data in a folder of their own, and what a link leads to, stand in the backup's description."""
    market, linked = tmp_path / "market", tmp_path / "linked"
    for folder in (market, linked):
        folder.mkdir()
        (folder / "day.parquet").write_text("12345")
    (home / "notes").symlink_to(linked)
    with (home / "aitrade.toml").open("a") as settings:
        settings.write(f'market = "{market.as_posix()}"\n')
    made = backup.run(home, "full")
    assert [(place.path, place.files, place.size) for place in made.left_out] == [
        (str(market), 1, 5),
        (str(home / "notes"), 1, 5),
    ]
    assert unpacked(home, made, tmp_path / "out").left_out == made.left_out
    assert not [entry for entry in (tmp_path / "out").rglob("*") if entry.name == "day.parquet"]


def test_market_data_in_the_data_folder_are_in_the_full_backup(home, book, tmp_path):
    """Nothing is left out where nothing lies elsewhere."""
    (home / "market").mkdir()
    (home / "market" / "day.parquet").write_text("12345")
    made = backup.run(home, "full")
    assert made.left_out == ()
    assert "market/day.parquet" in {entry.name for entry in unpacked(home, made, tmp_path / "out").entries}


def test_no_key_travels_with_what_it_opens(home, book, tmp_path):
    """The vault's key file is in no backup, and the vault's sealed file lies beside them for the recovery key."""
    made = backup.run(home, "full")
    names = {entry.name for entry in unpacked(home, made, tmp_path / "out").entries}
    assert (home / "vault" / "key").is_file()
    assert {name for name in names if name.startswith("vault/")} == {"vault/vault.json"}
    assert (tmp_path / "second" / "vault" / "vault.json").read_bytes() == (home / "vault" / "vault.json").read_bytes()


def test_a_backup_is_taken_in_the_middle_of_a_write(home, book, tmp_path):
    """While a writer holds the database and a record is half written, the copy holds what was committed and whole."""
    database = home / "books" / BOOK / "aitrade.db"
    segment = book.journal.path
    seq = book.journal.seq
    with closing(sqlite3.connect(database, isolation_level=None)) as writer, segment.open("ab") as half:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM orders")
        half.write(b"\x00\x00\x00\x40\xff\xff\xff\xbfcut")
        half.flush()
        made = backup.run(home)
        writer.execute("ROLLBACK")
    unpacked(home, made, tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "out" / "books" / BOOK / "aitrade.db")) as copy:
        assert copy.execute("SELECT count(*) FROM orders").fetchone() == (3,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert head_of(BOOK, tmp_path / "out" / "books" / BOOK / "journal") == made.books[0]
    assert made.books[0].seq == seq


def test_the_ledger_of_a_backup_is_that_of_the_book_to_the_paisa(home, book, tmp_path):
    """The state that the copy's journal leads to is the state of the book."""
    made = backup.run(home)
    unpacked(home, made, tmp_path / "out")
    copied, own = (head_of(BOOK, folder / "books" / BOOK / "journal") for folder in (tmp_path / "out", home))
    assert copied == own == made.books[0]
    assert own.cash == book.book.state.opening + book.book.state.realised + book.book.state.day.realised - 113
    book.trade("NSE:INFY", -7, 1_900_05)
    assert head_of(BOOK, book.journal.folder).state != copied.state


def test_the_database_of_a_backup_is_never_ahead_of_its_journal(home, book, tmp_path):
    """The database is copied before the journal."""
    made = backup.run(home)
    unpacked(home, made, tmp_path / "out")
    assert project(tmp_path / "out") == made.books[0].seq


@pytest.mark.parametrize("damage", ["flipped", "short", "long", "gone"])
def test_a_damaged_bundle_is_refused(home, book, damage):
    """One flipped bit, a missing byte, a byte too many, or no file."""
    made = backup.run(home)
    path = shelf(home).bundle(made)
    _damaged(path, damage)
    with pytest.raises(Refused, match="choose another backup"):
        shelf(home).check(made)


@pytest.mark.parametrize("damage", ["flipped", "short", "long"])
def test_a_damaged_bundle_with_a_description_to_match_is_refused(home, book, tmp_path, damage):
    """The seal is proven whatever lies beside it."""
    made = backup.run(home)
    _damaged(shelf(home).bundle(made), damage)
    with pytest.raises(VaultDamaged):
        unpacked(home, made, tmp_path / "out")


def test_a_foreign_backup_is_refused(home, book, tmp_path):
    """A backup of another vault does not open, nor does one that was given another backup's name."""
    made = backup.run(home)
    other = Vault.create(tmp_path / "other")
    with pytest.raises(VaultDamaged, match="another vault"):
        unpack(other.sealing_keys(), shelf(home).bundle(made), tmp_path / "out", made.context)
    with pytest.raises(VaultDamaged):
        unpack(Vault.open(home).sealing_keys(), shelf(home).bundle(made), tmp_path / "out2", "backup daily-other")


def test_rotation_keeps_the_newest_and_leaves_other_kinds_alone(home, book, monkeypatch):
    """Beyond the owner's count the oldest goes; a larger count keeps what there is."""
    monkeypatch.setenv("AITRADE_KEEP_DAILY_BACKUPS", "7")
    full = backup.run(home, "full", at=1)
    made = [backup.run(home, at=n * 10**9) for n in range(1, 10)]
    assert backup.listed(home, "daily") == made[2:]
    assert backup.listed(home, "full") == [full]
    assert not shelf(home).bundle(made[0]).exists()
    monkeypatch.setenv("AITRADE_KEEP_DAILY_BACKUPS", "8")
    assert backup.listed(home, "daily") == made[2:]
    newest = backup.run(home, at=10 * 10**9)
    assert backup.listed(home, "daily") == [*made[2:], newest]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("keep_daily_backups", 6), ("keep_daily_backups", 367), ("keep_full_backups", 1), ("keep_full_backups", -3),
        ("keep_model_checkpoints", 3), ("keep_model_checkpoints", '"many"'),
    ],
)  # fmt: skip
def test_a_count_that_makes_no_sense_is_refused_and_nothing_is_removed(home, book, setting, value):
    """The setting is named, with its bound and where it stands; no backup is made or goes."""
    made = backup.run(home)
    file = home / "aitrade.toml"
    written = file.read_text() if file.exists() else ""
    file.write_text(f"{setting} = {value}\n{written}")
    with pytest.raises(Refused, match=rf"Setting '{setting}' is wrong: .+; correct it in aitrade.toml"):
        backup.run(home)
    file.write_text(written)
    assert backup.listed(home) == [made]


def test_a_failure_is_recorded_and_leaves_the_last_backup(home, book):
    """A shelf that cannot be written to fails the backup by its reason; nothing half-made lies there."""
    made = backup.run(home)
    folder = shelf(home).folder / "full"
    folder.write_text("in the way")
    with pytest.raises(Refused, match="mend that"):
        backup.run(home, "full")
    assert backup.listed(home) == [made]
    assert [row.operation.outcome for row in noted(home, "backup")] == ["passed", "failed"]
    assert not (home / "run" / "backup.scratch").exists()


def test_what_a_killed_backup_left_is_swept_away(home, book):
    """A part without its name and a bundle without its description are no backups, and go with the next one."""
    made = backup.run(home)
    folder = shelf(home).folder / "daily"
    for name in ("daily-20200101-000000.aib.part", "daily-20200101-000000.aib"):
        (folder / name).write_bytes(b"half")
    assert backup.listed(home) == [made]
    again = backup.run(home)
    beside = {f"{one.id}{suffix}" for one in (made, again) for suffix in (".aib", ".json")}
    assert {path.name for path in folder.iterdir()} == beside


def test_one_backup_at_a_time(home, book):
    """A second one is refused, and a kind that there is not."""
    with one_at_a_time(home), pytest.raises(Conflict, match="being made"):
        backup.run(home)
    with pytest.raises(Refused, match="hourly"):
        backup.run(home, "hourly")


@pytest.mark.parametrize(
    ("number", "device", "type_", "second"),
    [
        (2, "/dev/sdb1", "ext4", True),
        (2, "", "", True),
        (1, "/dev/sda1", "ext4", False),
        (2, "/dev/sda1", "btrfs", False),
        (2, "tmpfs", "tmpfs", False),
    ],
    ids=["another disk", "another, of which nobody knows more", "the same", "another volume of the same", "memory"],
)
def test_a_second_device_is_another_that_outlives_a_power_cut(number, device, type_, second):
    """Beside a data folder on the first partition of the first disk."""
    assert Mount(number, device, type_).another_than(Mount(1, "/dev/sda1", "btrfs")) is second


def test_a_folder_on_the_same_file_system_or_in_memory_is_no_second_device(home, book):
    """The backups' own folder is asked, or the nearest above it that is there."""
    assert not on_second_device(home)
    if Path("/dev/shm").is_dir():
        (home / "aitrade.toml").write_text('backup_folder = "/dev/shm/not-there-yet"\n')
        assert not on_second_device(home)


def test_descriptions_hold_nothing_but_what_is_known_in_clear(home, book):
    """The description beside a bundle decodes to the backup and has no field besides."""
    made = backup.run(home)
    beside = shelf(home).bundle(made).with_suffix(".json")
    assert msgspec.json.decode(beside.read_bytes(), type=backup.Backup) == made
    assert set(msgspec.json.decode(beside.read_bytes())) == set(backup.Backup.__struct_fields__)


def _damaged(path, damage):
    data = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
        return
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data[:-1]) if damage == "short" else bytes(data) + b"x" * (damage == "long"))
