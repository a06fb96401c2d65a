"""Tests for `compliance.journal`."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aitrade.compliance import journal as journal_module
from aitrade.compliance.journal import HEADER, Journal, JournalUnwritable, frames, segments, verify
from aitrade.core.errors import JournalBroken
from aitrade.core.events import Kind, Line, Record


def line(text: str) -> Record:
    """A record that carries `text`."""
    return Record(0, Kind.EVENT, 1, 2, "book", Line(level="info", text=text), actor="tester")


def texts(folder) -> list[str]:
    """The texts of all records in the folder, in order."""
    return [frame.record.decoded().text for path in segments(folder) for frame in frames(path)]


@pytest.fixture
def filled(tmp_path):
    """A folder with a closed journal of two segments and six records."""
    journal = Journal(tmp_path)
    for number in range(3):
        journal.append(line(f"one {number}"))
    journal.rotate("2025-03-28")
    for number in range(3):
        journal.append(line(f"two {number}"))
    journal.close()
    return tmp_path


@pytest.mark.parametrize("durability", ["os", "disk"])
def test_what_is_appended_is_read_again(tmp_path, durability):
    """Both durabilities keep every record, over a restart too, with sequence numbers that go on."""
    for run in range(3):
        journal = Journal(tmp_path, durability=durability)
        journal.append(line(f"run {run}"))
        journal.close()
    assert texts(tmp_path) == ["run 0", "run 1", "run 2"]
    assert verify(tmp_path).records == 3
    assert journal.seq == 3


def test_the_chain_runs_through_segments(filled):
    """Six records in two segments verify as one chain."""
    verdict = verify(filled)
    assert (verdict.records, verdict.segments, verdict.torn_bytes) == (6, 2, 0)
    assert len(verdict.head) == 64


def test_a_missing_segment_is_noticed(filled):
    """The second segment alone verifies, but with a third that continued from it, a gap shows."""
    journal = Journal(filled)
    journal.rotate("later")
    journal.append(line("three"))
    journal.close()
    segments(filled)[1].unlink()
    with pytest.raises(JournalBroken, match="does not continue"):
        verify(filled)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_a_flipped_bit_is_found(filled, data):
    """Any single flipped bit of a record or header is reported, or counted as a damaged tail; never overlooked."""
    path = segments(filled)[data.draw(st.integers(0, 1))]
    original = path.read_bytes()
    position = data.draw(st.integers(0, len(original) - 1))
    damaged = bytearray(original)
    damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(damaged)
    try:
        verdict = verify(filled)
    except JournalBroken:
        verdict = None
    finally:
        path.write_bytes(original)
    assert verdict is None or verdict.torn_bytes > 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(cut=st.integers(0, 10_000))
def test_a_journal_cut_at_any_byte_goes_on(filled, tmp_path_factory, cut):
    """A torn tail is kept aside, every whole record before it stays, and appending goes on."""
    copy = tmp_path_factory.mktemp("cut")
    for path in segments(filled):
        (copy / path.name).write_bytes(path.read_bytes())
    last = segments(copy)[-1]
    whole = last.read_bytes()
    last.write_bytes(whole[: cut % len(whole)])
    journal = Journal(copy)
    journal.append(line("after"))
    journal.close()
    kept = texts(copy)
    assert kept[:3] == ["one 0", "one 1", "one 2"]
    assert kept == [*[f"one {n}" for n in range(3)], *[f"two {n}" for n in range(len(kept) - 4)], "after"]
    assert verify(copy).torn_bytes == 0
    if journal.torn:
        assert journal.torn.kept.exists()


def test_a_broken_record_is_named(filled):
    """The first broken record is named by the number before it."""
    path = segments(filled)[0]
    data = bytearray(path.read_bytes())
    data[HEADER.size + 12] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalBroken, match="the first record"):
        verify(filled)


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    """A write that the disk takes only in part is taken back, and the journal goes on when there is room."""
    journal = Journal(tmp_path)
    journal.append(line("before"))
    real = os.write
    monkeypatch.setattr(journal_module.os, "write", lambda fd, data: real(fd, data[: len(data) // 2]))
    with pytest.raises(JournalUnwritable, match="free space"):
        journal.append(line("lost"))
    monkeypatch.undo()
    journal.append(line("after"))
    journal.close()
    assert texts(tmp_path) == ["before", "after"]
    assert verify(tmp_path).records == 2
