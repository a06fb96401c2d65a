"""What is past its term is archived, sealed, read back and compared, and only then removed; nothing else is."""

import ast
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from traded_home import BOOK, shelf, traded

import aitrade
from aitrade.cli import COMMANDS, main
from aitrade.compliance.journal import segments
from aitrade.compliance.journal import verify as verify_chain
from aitrade.compliance.operations import noted
from aitrade.compliance.retention import Retention
from aitrade.core.clock import DAY, ist_date
from aitrade.core.errors import Refused, VaultDamaged
from aitrade.ops import archive
from aitrade.ops.archive import Archived, expire, remove, where
from aitrade.ops.backup.bundle import unpack
from aitrade.ops.backup.completeness import look
from aitrade.store.vault import Vault

NINE_YEARS = 9 * 366 * DAY


@pytest.fixture
def home(tmp_path):
    """Return a data folder that has traded and logged."""
    book = traded(tmp_path / "home", tmp_path / "second")
    book.journal.close()
    (tmp_path / "home" / "logs").mkdir()
    (tmp_path / "home" / "logs" / "engine.jsonl").write_text('{"event": "x"}\n')
    return tmp_path / "home"


def test_nothing_is_removed_within_its_term(home):
    """A journal, a database, a log: the removal is refused, and the file is there."""
    for name in (f"books/{BOOK}/journal/000001-first.aij", f"books/{BOOK}/aitrade.db", "logs/engine.jsonl"):
        with pytest.raises(Refused):
            remove(home, [home / name])
        assert (home / name).exists()
    assert expire(home) is None


def test_one_that_has_to_stay_keeps_all_of_them(home):
    """A list with one file under its term removes nothing."""
    log = home / "logs" / "engine.jsonl"
    journal = segments(home / "books" / BOOK / "journal")[0]
    with pytest.raises(Refused, match="kept for"):
        remove(home, [log, journal], now=time.time_ns() + 100 * DAY)
    assert log.exists()
    assert journal.exists()


def test_what_has_no_term_is_not_removed_here(home):
    """A file outside of every class is refused."""
    with pytest.raises(Refused, match="no term"):
        remove(home, [home / "aitrade.toml"], now=time.time_ns() + NINE_YEARS)
    assert (home / "aitrade.toml").exists()


def test_past_its_term_it_is_archived_first(home, tmp_path):
    """After ninety days the log, and after eight years the journal but for its newest segment; all of it reads back."""
    before = {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    logs = expire(home, now=time.time_ns() + 100 * DAY)
    assert list(logs.files) == ["logs/engine.jsonl"]
    rest = expire(home, now=time.time_ns() + NINE_YEARS)
    journal = home / "books" / BOOK / "journal"
    assert len(segments(journal)) == 1
    assert verify_chain(journal).records > 0
    for archived in (logs, rest):
        folder = tmp_path / archived.id
        unpack(Vault.open(home).sealing_keys(), where(shelf(home), archived.id), folder, archived.context)
        assert archived.files.keys() <= before.keys()
        assert {name: (folder / name).read_bytes() for name in archived.files} == {n: before[n] for n in archived.files}
        assert not any((home / name).exists() for name in archived.files)
    assert [row.detail(Archived) for row in noted(home, "archive")] == [logs, rest]


def test_only_the_classes_that_were_asked_for_go(home):
    """A clean-up of logs leaves journals alone, however old."""
    archived = expire(home, now=time.time_ns() + NINE_YEARS, classes=("logs",))
    assert list(archived.files) == ["logs/engine.jsonl"]
    assert len(segments(home / "books" / BOOK / "journal")) == 3


def test_an_archive_that_does_not_read_back_removes_nothing(home, monkeypatch):
    """The files stay where the sealed bundle is damaged on its way to the disk."""
    pack = archive.pack

    def damaged(key, manifest, sources, target, context):
        done = pack(key, manifest, sources, target, context)
        data = bytearray(target.read_bytes())
        data[-1] ^= 1
        target.write_bytes(bytes(data))
        return done

    monkeypatch.setattr(archive, "pack", damaged)
    with pytest.raises(VaultDamaged):
        expire(home, now=time.time_ns() + 100 * DAY)
    assert (home / "logs" / "engine.jsonl").exists()


def test_a_missing_segment_or_book_is_seen(home):
    """Gaps, a lost beginning and a book that was backed up and is gone are named; what was archived is not missing."""
    from aitrade.ops import backup

    backup.run(home)
    assert look(home).missing == ()
    first, second, _third = segments(home / "books" / BOOK / "journal")
    aside = second.rename(home / "aside")
    assert "does not go on" in look(home).missing[0]
    aside.rename(second)
    aside = first.rename(home / "aside")
    assert "neither here nor archived" in look(home).missing[0]
    aside.rename(first)
    (home / "books").rename(home.parent / "gone")
    assert any(f"of book {BOOK}" in text for text in look(home).missing)
    (home.parent / "gone").rename(home / "books")
    expire(home, now=time.time_ns() + NINE_YEARS)
    assert look(home).missing == ()


def test_book_reset_moves_the_book_into_the_archive(home):
    """Every file of it is there afterwards, and nothing counts as missing."""
    before = sorted(path.read_bytes() for path in (home / "books" / BOOK).rglob("*") if path.is_file())
    done = CliRunner().invoke(main, ["book", "reset", BOOK, "--data-folder", str(home)])
    assert done.exit_code == 0, done.output
    assert sorted(path.read_bytes() for path in (home / "archive").rglob("*") if path.is_file()) == before
    assert look(home).missing == ()
    assert all(Retention(home, ist_date(time.time_ns())).kept(path) for path in (home / "archive").rglob("*.aij"))


MAY_REMOVE = {
    "brokers", "cli/lab.py", "compliance/journal.py", "core/logs.py", "core/unfinished.py", "market/input_files.py",
    "market/input_store.py", "ops/alerts", "ops/archive.py", "ops/backup", "ops/checkpoints.py", "ops/doors.py",
    "ops/maintenance", "ops/preflight", "ops/reports/job.py", "ops/supervisor.py", "ops/update", "store/models.py",
    "store/vault_keys.py", "store/vault_sealing.py", "ui/application.py", "ui/charts/worker.py",
}  # fmt: skip
"""Where a file is removed at all: half-made ones, requests, addresses of processes, backups that were rotated, a rolled
log's plain copy, a journal's empty last segment, an update's copies and old program files, the mark of work that has
ended, scratch. Who adds a place has looked at what it removes."""


def test_files_are_removed_in_known_places_only():
    """No other module of the package calls unlink, rmtree, rmdir or remove of a path."""
    package = Path(aitrade.__file__).parent
    found = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if _removes(path)}
    unknown = {name for name in found if not any(name.startswith(place) for place in MAY_REMOVE)}
    assert unknown == set()


def test_every_command_that_archives_or_cleans_is_known():
    """The commands that could take something away are these; each has its test above or in its own file."""
    assert {"backup", "book", "maintain", "restore", "store", "vault"} <= set(COMMANDS)


def _removes(path):
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    return bool(names & {"unlink", "rmtree", "rmdir", "removedirs"})
