"""The Environment items on backups, configuration, logs and models: each passes, and fails when its thing is broken."""

import os
import shutil
import time
from datetime import timedelta

import pytest
from traded_home import BOOK, shelf, traded

from aitrade.compliance.operations import note
from aitrade.core.clock import DAY, at, ist_date
from aitrade.core.config import load
from aitrade.ops import backup, checkpoints
from aitrade.ops.backup import shelf as shelves
from aitrade.ops.backup.mirror import Mirror
from aitrade.ops.configuration_history import folder, keep
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.compliance_items import RetentionInForce
from aitrade.ops.preflight.environment_items import BackedUp, ConfigurationVersioned, LogsKept, ModelsCheckpointed
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.reports import Manifest
from aitrade.ops.reports.canonical import file_hash
from aitrade.store.models import Models

HOUR = DAY // 24


@pytest.fixture
def home(tmp_path):
    """Return a data folder that has traded and logged."""
    book = traded(tmp_path / "home", tmp_path / "second")
    book.journal.close()
    (tmp_path / "home" / "logs").mkdir()
    (tmp_path / "home" / "logs" / "engine.jsonl").write_text('{"event": "x"}\n')
    return tmp_path / "home"


@pytest.fixture
def examine(home, tmp_path):
    """Return a function that examines an item on new ground."""

    def run(item):
        scratch = tmp_path / f"scratch-{time.time_ns()}"
        scratch.mkdir()
        return item.examine(Ground(load(home=home), scratch))

    return run


@pytest.fixture
def elsewhere(monkeypatch):
    """Let the backups' folder be on a second device: tests have only one."""
    monkeypatch.setattr(shelves, "on_second_device", lambda _home: True)


# Backup


def test_a_backup_of_today_that_restores_elsewhere_passes(home, examine, elsewhere):
    """With its figures: age, time to restore, files, no difference."""
    backup.run(home)
    Mirror(home).copy()
    found = examine(BackedUp())
    assert found.status is Status.PASS, found.evidence
    assert found.measured["differences"] == 0
    assert found.examined == backup.last(home).files


def test_backups_on_the_same_device_fail(home, examine):
    """The same volume is lost with the data."""
    backup.run(home)
    Mirror(home).copy()
    found = examine(BackedUp())
    assert found.status is Status.FAIL
    assert "own device" in found.evidence


def test_an_old_backup_fails(home, examine, elsewhere):
    """More than a day and two hours."""
    Mirror(home).copy()
    backup.run(home, at=time.time_ns() - 27 * HOUR)
    assert "27 hours old" in examine(BackedUp()).evidence
    backup.run(home)
    assert examine(BackedUp()).status is Status.PASS


def test_a_backup_that_does_not_restore_fails(home, examine, elsewhere):
    """A flipped bit raises, and the runner takes what is raised as a fail; so does no backup at all."""
    with pytest.raises(backup_errors(), match="no backup"):
        examine(BackedUp())
    made = backup.run(home)
    path = shelf(home).bundle(made)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(backup_errors(), match="damaged"):
        examine(BackedUp())


def test_a_backup_of_another_ledger_fails(home, examine, elsewhere, tmp_path):
    """The chain of the installation's book is another at the backup's last record."""
    backup.run(home)
    Mirror(home).copy()
    shutil.rmtree(home / "books")
    other = traded(tmp_path / "other", tmp_path / "other-second", units=11)
    other.journal.close()
    (tmp_path / "other" / "books").rename(home / "books")
    found = examine(BackedUp())
    assert found.status is Status.FAIL
    assert f"the chain of {BOOK} is another" in found.evidence


def test_journals_that_nobody_copies_fail(home, examine, elsewhere):
    """Without copies each minute a day is lost with the disk."""
    backup.run(home)
    found = examine(BackedUp())
    assert found.status is Status.FAIL
    assert f"not copied: {BOOK} for" in found.evidence


# Configuration


def test_a_configuration_that_is_committed_passes(home, examine):
    """As it is now."""
    keep(home)
    found = examine(ConfigurationVersioned())
    assert found.status is Status.PASS, found.evidence
    assert found.measured["changes"] == 1


def test_a_change_that_is_not_committed_fails(home, examine):
    """It is named; without the repository everything is."""
    keep(home)
    (home / "limits.toml").write_text("day_orders = 1\n")
    found = examine(ConfigurationVersioned())
    assert (found.status, found.measured["unkept"]) == (Status.FAIL, 1)
    assert "limits.toml" in found.evidence
    shutil.rmtree(folder(home))
    assert examine(ConfigurationVersioned()).measured["unkept"] == 2


# Logs


def test_logs_with_their_term_pass(home, examine):
    """Logs are there, the term is 90 days, a removal within it is refused."""
    found = examine(LogsKept())
    assert found.status is Status.PASS, found.evidence
    assert (found.measured["days"], found.examined) == (90, 1)


def test_a_log_long_past_its_term_fails(home, examine):
    """Nobody has archived it."""
    day = ist_date(time.time_ns()) - timedelta(days=120)
    (home / "logs" / f"engine.jsonl.{day}.gz").write_bytes(b"x")
    found = examine(LogsKept())
    assert found.status is Status.FAIL
    assert str(day) in found.evidence


def test_no_log_at_all_is_nothing_examined(home, examine):
    """The runner makes a fail of it."""
    shutil.rmtree(home / "logs")
    assert examine(LogsKept()).examined == 0


# Models


def test_a_checkpoint_of_this_week_passes(home, examine):
    """It opens and has the registry, the package's models and the strategies as they are."""
    Models(home).add("btst-weights", b"{}", "weights.json", made=1, source="test", metrics={})
    made = checkpoints.run(home)
    found = examine(ModelsCheckpointed())
    assert found.status is Status.PASS, found.evidence
    assert found.examined == made.files > 4


def test_a_model_that_is_not_in_the_checkpoint_fails(home, examine):
    """Made or changed since."""
    checkpoints.run(home)
    Models(home).add("btst-weights", b"{}", "weights.json", made=1, source="test", metrics={})
    found = examine(ModelsCheckpointed())
    assert found.status is Status.FAIL
    assert "models/btst-weights/1/weights.json" in found.evidence


def test_an_old_a_missing_and_a_damaged_checkpoint_fail(home, examine):
    """By its age, by its absence, by its seal."""
    assert examine(ModelsCheckpointed()).status is Status.FAIL
    checkpoints.run(home, at=time.time_ns() - 9 * DAY)
    assert "9 days old" in examine(ModelsCheckpointed()).evidence
    made = checkpoints.run(home)
    path = shelf(home).bundle(made)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(backup_errors(), match="cut short"):
        examine(ModelsCheckpointed())


# Retention


def test_retention_in_force_passes(home, examine):
    """Nothing is missing, every removal within the term was refused, and archived first after it."""
    backup.run(home)
    found = examine(RetentionInForce())
    assert found.status is Status.PASS, found.evidence
    assert found.measured["refused"] == found.measured["archived"] == 4
    assert found.examined == found.measured["segments"] >= 4


def test_a_missing_segment_fails(home, examine):
    """Whoever deleted it."""
    backup.run(home)
    sorted((home / "books" / BOOK / "journal").iterdir())[1].unlink()
    found = examine(RetentionInForce())
    assert found.status is Status.FAIL
    assert "does not go on" in found.evidence


def test_a_missing_operations_journal_fails(home, examine):
    """What was done to the system is kept as long as what was traded: the backups know how far it went."""
    backup.run(home)
    backup.run(home)
    shutil.rmtree(home / "operations")
    found = examine(RetentionInForce())
    assert found.status is Status.FAIL
    assert "of book operations" in found.evidence


def test_a_report_that_is_gone_fails(home, examine):
    """A report that was made stays eight years; only an archive takes its place."""
    page = home / "reports" / "2026-11-23" / "trade-register.html"
    page.parent.mkdir(parents=True)
    page.write_text("made")
    made = Manifest(
        report="trade-register", day="2026-11-23", book=BOOK, asked={}, version=1, content_hash="", totals={},
        files={"2026-11-23/trade-register.html": file_hash(page)},
    )  # fmt: skip
    note(home, "report", "trade-register", "made", made)
    assert examine(RetentionInForce()).status is Status.PASS
    page.unlink()
    found = examine(RetentionInForce())
    assert found.status is Status.FAIL
    assert "reports/2026-11-23/trade-register.html was made and is gone" in found.evidence


def test_a_shortened_term_fails(home, examine):
    """The rule's is used all the same, and the installation's own row is named."""
    (home / "facts").mkdir()
    (home / "facts" / "rules.toml").write_text(
        '[[retention]]\nfrom = 2026-02-01\nclass = "logs"\ndays = 1\nsource = "ours"\nconfidence = "A"\n'
    )
    found = examine(RetentionInForce())
    assert found.status is Status.FAIL
    assert "'logs' 1 days" in found.evidence


def test_a_removal_that_is_not_refused_fails(home, examine, monkeypatch):
    """The drill does remove, and sees that it could."""
    from aitrade.compliance import retention

    monkeypatch.setattr(retention.Retention, "require_past", lambda _self, _path: None)
    found = examine(RetentionInForce())
    assert found.status is Status.FAIL
    assert "could be removed on the last day" in found.evidence


def test_a_data_folder_without_a_journal_examines_nothing(tmp_path, examine, home):
    """The runner makes a fail of it."""
    shutil.rmtree(home / "books")
    shutil.rmtree(home / "operations", ignore_errors=True)
    assert examine(RetentionInForce()).examined == 0


def backup_errors():
    """Return what a check may raise to fail: any refusal of ours."""
    from aitrade.core.errors import AitradeError

    return AitradeError


def test_the_drill_leaves_the_installation_alone(home, examine, monkeypatch, tmp_path):
    """Whatever the environment names as the backups' folder, the drill archives beside itself."""
    backup.run(home)
    monkeypatch.setenv("AITRADE_BACKUP_FOLDER", str(tmp_path / "second"))
    before = {path: path.stat().st_mtime_ns for top in (home, tmp_path / "second") for path in top.rglob("*")}
    os.utime(home / "logs" / "engine.jsonl", (at("2026-01-01", "09:00") // 10**9,) * 2)
    before[home / "logs" / "engine.jsonl"] = (home / "logs" / "engine.jsonl").stat().st_mtime_ns
    examine(RetentionInForce())
    assert {path: path.stat().st_mtime_ns for top in (home, tmp_path / "second") for path in top.rglob("*")} == before
