"""Tests for the weekly tasks that need no notebook: the security scan and the caches."""

import os
import socket

import pytest

from aitrade.compliance.operations import noted
from aitrade.core.clock import DAY, at
from aitrade.core.config import load
from aitrade.core.errors import AitradeError
from aitrade.core.files import write_private
from aitrade.ops import secret_scan
from aitrade.ops.maintenance import caches
from aitrade.ops.maintenance.caches import OptimizeCaches
from aitrade.ops.maintenance.job import Job, perform
from aitrade.ops.maintenance.security import Scanned, SecurityScan, beyond_loopback, exposed
from aitrade.ops.maintenance.task import Ground

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
    """Parts that no manifest names, half-written files, old profiles; nothing of today."""
    gone = [
        leave(home, "market/bars/day=1/x.parquet"), leave(home, "market/sources/.y.json.7.tmp"),
        leave(home, "run/token.new"), leave(home, "logs/profiles/old.txt", 31 * DAY),
    ]  # fmt: skip
    stay = [
        leave(home, "market/bars/day=1/young.parquet", 0), leave(home, "logs/profiles/new.txt", 29 * DAY),
        home / "run" / "token",
    ]  # fmt: skip
    outcome = perform(Job(home=str(home), task="optimize_caches", now=NOW))
    assert (outcome.status, outcome.measured["removed"], outcome.measured["bytes"]) == ("done", 4, 16)
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in stay)
    assert perform(Job(home=str(home), task="optimize_caches", now=NOW)).measured["removed"] == 0


def test_a_failure_puts_every_leftover_back(home, monkeypatch):
    """The third move fails: the first two files are where they were."""
    left = [leave(home, f"market/bars/{name}.parquet") for name in "abc"]
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
    path = leave(home, "market/bars/x.parquet")
    assert OptimizeCaches().plan(ground(home)) == ["Remove 1 leftovers of 4 bytes."]
    assert path.exists()
