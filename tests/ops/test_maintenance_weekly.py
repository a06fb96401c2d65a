"""Tests for the weekly tasks that need no notebook: the security scan and the caches."""

import os
import socket

import pytest

from aitrade.compliance.operations import noted
from aitrade.core.clock import DAY, at
from aitrade.core.config import load
from aitrade.core.errors import AitradeError
from aitrade.core.files import write_private
from aitrade.core.quotes import Bar
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import Basis, Source
from aitrade.ops import secret_scan
from aitrade.ops.archive import Archived
from aitrade.ops.backup import listed
from aitrade.ops.maintenance import caches
from aitrade.ops.maintenance.backups import ModelCheckpoint
from aitrade.ops.maintenance.caches import OptimizeCaches
from aitrade.ops.maintenance.job import Job, perform
from aitrade.ops.maintenance.old_logs import OldLogs
from aitrade.ops.maintenance.security import Scanned, SecurityScan, beyond_loopback, exposed
from aitrade.ops.maintenance.task import Ground
from aitrade.store.models import Models

NOW = at("2026-11-28", "10:00")


def ground(home):
    """What a task stands on here."""
    return Ground(load(home=home), NOW)


@pytest.fixture
def home(tmp_path):
    """A data folder with a token, a configuration and a journal, as the product leaves them."""
    write_private(tmp_path / "run" / "token", "t")
    write_private(tmp_path / "aitrade.toml", 'strategy = "trend"\n')
    (tmp_path / "books" / "one" / "journal").mkdir(parents=True)
    (tmp_path / "books" / "one" / "journal" / "000001-2026-11-27.aij").write_bytes(b"1")
    return tmp_path


@pytest.fixture
def only_the_folder(monkeypatch):
    """Scan the data folder's configuration only: the whole installation is scanned by the checklist's own test."""
    monkeypatch.setattr(secret_scan, "places", lambda home: secret_scan.Places(home / "no-package", (), (home,), ()))


def test_a_sound_folder_passes_and_the_scan_is_recorded(home, only_the_folder):
    """What was looked at is counted; nothing looked at would say nothing."""
    done = SecurityScan().run(ground(home))
    assert done.measured["source_files"] == 1
    assert done.measured["own_files"] >= 2
    (record,) = noted(home, "scan", "security")
    assert (record.operation.outcome, record.detail(Scanned).findings) == ("passed", ())


def test_a_planted_secret_fails_the_scan(home, only_the_folder):
    """The file and the line are named, the secret is not."""
    key = "AKIA" + "QYLPMN5HHHFPZAM2"
    (home / "aitrade.toml").write_text(f'client = "{key}"\n')
    with pytest.raises(AitradeError, match=r"aitrade\.toml:1 looks like a secret") as failed:
        SecurityScan().run(ground(home))
    assert key not in str(failed.value)
    (record,) = noted(home, "scan", "security")
    assert record.operation.outcome == "failed"


@pytest.mark.skipif(os.name == "nt", reason="Windows has access lists instead of modes")
def test_open_files_are_found(home):
    """A token that others read, a journal that others write; both with what to do."""
    assert exposed(home)[1] == []
    (home / "run" / "token").chmod(0o644)
    (home / "books" / "one" / "journal" / "000001-2026-11-27.aij").chmod(0o666)
    found = " ".join(exposed(home)[1])
    assert "token can be read by others; `chmod 600` it" in found
    assert "000001-2026-11-27.aij can be written by others" in found


def test_a_socket_beyond_loopback_is_found():
    """One that every machine can reach is told; one on loopback is not."""
    with socket.create_server(("127.0.0.1", 0)):
        assert beyond_loopback([os.getpid()]) == []
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        assert beyond_loopback([os.getpid()]) == [
            f"Process {os.getpid()} listens on 0.0.0.0:{port}, beyond this machine."
        ]


def leave(home, name, age=2 * DAY):
    """Leave a file behind, two days ago."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left")
    moment = path.stat().st_mtime_ns - age
    os.utime(path, ns=(moment, moment))
    return path


def test_leftovers_go_and_what_is_young_or_known_stays(home):
    """Half-written files of days ago; nothing of today, nothing known, and no market data: that is under retention."""
    gone = [leave(home, "run/token.new"), leave(home, "run/page.new")]
    stay = [leave(home, "market/bars/day=1/x.parquet"), leave(home, "run/charts.new", 0), home / "run" / "token"]
    outcome = perform(Job(home=str(home), task="optimize_caches", now=NOW))
    assert (outcome.status, outcome.measured["removed"], outcome.measured["bytes"]) == ("done", 2, 8)
    assert outcome.measured["unnamed_parts"] == 1
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in stay)
    assert perform(Job(home=str(home), task="optimize_caches", now=NOW)).measured["removed"] == 0


def test_a_failure_puts_every_leftover_back(home, monkeypatch):
    """The third move fails: the first two files are where they were."""
    left = [leave(home, f"run/{name}.new") for name in "abc"]
    moved, real = [], caches._aside

    def aside(ground, path, number):
        if len(moved) == 2:
            raise OSError("The disk went away")
        moved.append(path)
        real(ground, path, number)

    monkeypatch.setattr(caches, "_aside", aside)
    outcome = perform(Job(home=str(home), task="optimize_caches", now=NOW))
    assert (outcome.status, outcome.step) == ("failed", "remove leftovers")
    assert len(moved) == 2
    assert all(path.read_bytes() == b"left" for path in left)


def test_a_dry_run_counts_and_removes_nothing(home):
    """The plan has number and bytes."""
    path = leave(home, "run/x.new")
    assert OptimizeCaches().plan(ground(home)) == ["Check the imported data; remove 1 leftovers of 4 bytes."]
    assert path.exists()


def test_imported_data_that_are_gone_fail_the_check(home):
    """A manifest that names a part that is not there is told, with what to do."""
    store = InputStore(home / "market")
    bar = Bar("NSE:TCS", at("2026-11-27", "09:15"), at("2026-11-27", "09:16"), 1, 1, 1, 1, 1)
    source = Source(sha256="a" * 64, file="x.csv", size=1, imported=1, formats=("candles",), parts=(), sets=())
    kept = store.commit(source, [(Basis.RAW, [bar])])
    assert perform(Job(home=str(home), task="optimize_caches", now=NOW)).measured["parts"] == 1
    (store.folder / kept.parts[0].path).unlink()
    outcome = perform(Job(home=str(home), task="optimize_caches", now=NOW))
    assert outcome.status == "failed"
    assert "import their files again" in outcome.says


def test_old_logs_are_archived_and_then_removed(home):
    """Past 90 days they go into an archive; younger ones and other files stay; a second run finds none."""
    old, young = home / "logs" / "engine.jsonl.2026-08-01.gz", home / "logs" / "engine.jsonl.2026-11-01.gz"
    old.parent.mkdir()
    for path in (old, young):
        path.write_bytes(b"log")
    assert "Archive and remove 1 logs older than 90 days" in OldLogs().plan(ground(home))[0]
    outcome = perform(Job(home=str(home), task="cleanup_old_logs", now=NOW))
    assert (outcome.status, outcome.measured["removed"]) == ("done", 1)
    assert young.exists()
    assert not old.exists()
    (record,) = noted(home, "archive")
    assert list(record.detail(Archived).files) == ["logs/engine.jsonl.2026-08-01.gz"]
    assert perform(Job(home=str(home), task="cleanup_old_logs", now=NOW)).measured == {"removed": 0}


def test_models_are_checkpointed(home):
    """The candidate is in the checkpoint with what the package brings."""
    Models(home).add("btst-rule", b"{}", "weights.json", made=1, source="a test", metrics={})
    assert "Seal 1 model versions" in ModelCheckpoint().plan(ground(home))[0]
    outcome = perform(Job(home=str(home), task="checkpoint_models", now=NOW))
    assert outcome.status == "done"
    assert outcome.measured["files"] >= 4
    assert any(backup.id == outcome.measured["checkpoint"] for backup in listed(home))
