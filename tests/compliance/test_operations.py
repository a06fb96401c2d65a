"""The operations journal keeps what was done to the system, from any process, and proves it."""

import subprocess
import sys

import msgspec
import pytest

from aitrade.compliance.journal import segments, verify
from aitrade.compliance.operations import journal_folder, note, noted
from aitrade.core.errors import JournalBroken


class Done(msgspec.Struct):
    """What a task of these tests found."""

    files: int
    freed: int = 0


def test_what_was_done_is_read_back_in_order_with_its_detail(tmp_path):
    """Operations come back oldest first, filtered by kind and name, with the owner's struct."""
    note(tmp_path, "task", "cleanup_old_logs", "passed", Done(3, 4096), actor="asha", reason="daily")
    note(tmp_path, "report", "trade_register", "passed")
    note(tmp_path, "task", "backup_database", "failed", at=17)
    assert [one.operation.name for one in noted(tmp_path)] == ["cleanup_old_logs", "trade_register", "backup_database"]
    first, last = noted(tmp_path, "task")
    assert (first.actor, first.reason, first.detail(Done)) == ("asha", "daily", Done(3, 4096))
    assert (last.at, last.operation.outcome, last.seq) == (17, "failed", 3)
    assert [one.seq for one in noted(tmp_path, name="trade_register")] == [2]


def test_processes_write_at_the_same_time_and_the_chain_holds(tmp_path):
    """Four processes with ten operations each leave forty records, one chain."""
    code = (
        "import sys; from pathlib import Path; from aitrade.compliance.operations import note\n"
        "for number in range(10): note(Path(sys.argv[1]), 'task', f'{sys.argv[2]}-{number}', 'passed')"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(one)]) for one in range(4)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    assert verify(journal_folder(tmp_path)).records == 40
    assert len({one.operation.name for one in noted(tmp_path)}) == 40


def test_a_changed_operation_is_found(tmp_path):
    """A flipped byte breaks the chain, and reading says which record."""
    for number in range(3):
        note(tmp_path, "task", f"task-{number}", "passed")
    path = segments(journal_folder(tmp_path))[0]
    data = bytearray(path.read_bytes())
    data[data.index(b"task-1")] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalBroken, match="after number 1"):
        list(noted(tmp_path))
