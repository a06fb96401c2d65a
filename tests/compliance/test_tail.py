"""Tests for `compliance.tail`: a journal is followed while it grows."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aitrade.compliance.journal import HEADER, Journal, segments
from aitrade.compliance.tail import Tail
from aitrade.core.errors import JournalBroken
from aitrade.core.events import Kind, Line, Record


def line(text):
    """Return a record that carries `text`."""
    return Record(0, Kind.EVENT, 1, 2, "book", Line(level="info", text=text))


def numbers(tail, after=0):
    """Return the numbers of the records after `after`."""
    return [record.seq for record in tail.read(after)]


@given(st.lists(st.sampled_from(["append", "large", "rotate", "read"]), max_size=40))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_record_is_read_once_whenever_one_looks(tmp_path_factory, steps):
    """Appending, rotating and reading in any order: the reader gets 1, 2, 3 … and misses none."""
    folder = tmp_path_factory.mktemp("journal")
    journal, tail, got = Journal(folder, durability="disk"), Tail(folder), []
    for step in steps:
        if step == "rotate":
            journal.rotate("day")
        elif step == "read":
            got += numbers(tail, got[-1] if got else 0)
        else:
            journal.append(line("x" * (600_000 if step == "large" else 10)))
    journal.close()
    got += numbers(tail, got[-1] if got else 0)
    assert got == list(range(1, journal.seq + 1))


def test_reading_starts_anywhere_and_goes_back(tmp_path):
    """A reader whose database kept less than it had read gets the rest again."""
    journal = Journal(tmp_path)
    for number in range(6):
        journal.append(line(str(number)))
        if number == 2:
            journal.rotate("day")
    tail = Tail(tmp_path)
    assert numbers(tail, 4) == [5, 6]
    assert numbers(tail, 2) == [3, 4, 5, 6]
    assert numbers(tail, 6) == []
    journal.close()


def test_a_reader_that_stops_in_the_middle_goes_on_there(tmp_path):
    """A batch is a part of what is written."""
    journal = Journal(tmp_path)
    for number in range(5):
        journal.append(line(str(number)))
    tail = Tail(tmp_path)
    records = tail.read(0)
    assert [next(records).seq, next(records).seq] == [1, 2]
    records.close()
    assert numbers(tail, 2) == [3, 4, 5]
    journal.close()


def test_an_empty_folder_has_no_records(tmp_path):
    """Nor has one whose first segment is being begun."""
    tail = Tail(tmp_path)
    assert numbers(tail) == []
    (tmp_path / "000001-first.aij").write_bytes(b"AITJ")
    assert numbers(tail) == []


def test_a_record_cut_short_is_waited_for(tmp_path):
    """It is read when it is whole."""
    journal = Journal(tmp_path)
    for number in range(2):
        journal.append(line(str(number)))
    journal.close()
    [path] = segments(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    tail = Tail(tmp_path)
    assert numbers(tail) == [1]
    path.write_bytes(whole)
    assert numbers(tail, 1) == [2]


def test_damage_is_told(tmp_path):
    """A record that does not verify twice is damaged, and so is a length that contradicts itself."""
    journal = Journal(tmp_path)
    for number in range(3):
        journal.append(line(str(number)))
    journal.close()
    [path] = segments(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[HEADER.size + 20] ^= 1
    path.write_bytes(whole)
    tail = Tail(tmp_path)
    assert numbers(tail) == []
    with pytest.raises(JournalBroken, match="after number 0"):
        numbers(tail)
    whole[HEADER.size] ^= 1
    path.write_bytes(whole)
    with pytest.raises(JournalBroken, match="after number 0"):
        numbers(Tail(tmp_path))
