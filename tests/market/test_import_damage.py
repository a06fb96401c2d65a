"""Whatever bytes a file has, an import says what is wrong with it and goes on."""

import gzip
import io
import json
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import DAY, minutes, place, refusal, stock_csv

from aitrade.market.importing import Outcome, import_path
from aitrade.market.importing.documents import LARGEST
from aitrade.market.importing.formats import FORMATS
from aitrade.market.importing.reading import Delimited
from aitrade.market.input_store import InputStore


def _zip(text=b"x"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("TCS.csv", text)
    return buffer.getvalue()


GOOD = stock_csv(minutes(DAY, "09:15", 50))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"\n \n", "not a format that we know"),
        ("a.zip", _zip(GOOD)[:200], "the archive is damaged"),
        ("a.zip", _zip(GOOD)[:-10], "the archive is damaged"),
        ("a.zip", b"PK\x05\x06" + bytes(18), "not a format that we know"),
        ("a.csv.gz", gzip.compress(GOOD)[:-12], "the archive is damaged"),
        ("a.csv", b"\xff\xfe\x00garbage", "neither UTF-8 text nor a format"),
        ("a.csv", b"date,time\x00,", "this is binary"),
        ("a.csv", GOOD.replace(b"09:20:00", b"09:2\xff:00"), "line 7: this is neither UTF-8"),
        ("a.csv", GOOD.replace(b"28-03-2025,09:20", b'"28-03-2025,09:20'), "line"),
        ("a.parquet", b"PAR1" + bytes(40), "Parquet file is damaged"),
        ("a.json", b'{"records": ', "the JSON is damaged"),
        ("a.json", b"[" * 100_000, "the JSON is damaged"),
        ("a.csv", b"hello,world\n1,2\n", "line 1: not a format that we know; its first line is 'hello,world'"),
        ("TCS.csv", GOOD.splitlines()[0], "1-minute stock CSV without a row in it"),
        ("TCS.csv", GOOD.replace(b"28-03-2025,09:15", b"31-02-2025,09:15"), "line 2: '31-02-2025' is not a date"),
        ("TCS.csv", GOOD.replace(b"09:15:00", b"29:15:00"), "line 2: '29:15:00' is not a time of day"),
        ("lots.csv", b"UNDERLYING,SYMBOL,ABC-26\nX,Y,1\n", "taken for a file of kind NSE market lots, and damaged"),
    ],
)
def test_damaged_files_are_refused_with_the_reason(store, tmp_path, name, content, reason):
    """The refusal names the file, and the line where there is one."""
    text = refusal(store, place(tmp_path, name, content))
    assert reason in text
    assert text.startswith(name)
    assert not list(store.folder.rglob("*.parquet"))


def test_an_archive_that_promises_too_much_is_refused_unread(store, tmp_path):
    """A small file that unpacks to more than any market data is not unpacked."""
    bomb = bytearray(_zip(b"0" * 1000))
    entry = bomb.rindex(b"PK\x01\x02")
    bomb[entry + 24 : entry + 28] = (LARGEST + 1).to_bytes(4, "little")
    assert "which no market data file is" in refusal(store, place(tmp_path, "a.zip", bytes(bomb)))


def test_a_store_that_cannot_be_written_refuses_each_file(store, tmp_path):
    """The refusal says what stands in the way, and that nothing was kept."""
    place(tmp_path, "market/sources", "a file where a folder should be")
    text = refusal(store, place(tmp_path, "TCS.csv", GOOD))
    assert text.startswith("TCS.csv: ")
    assert text.endswith("nothing of it was kept.")
    assert not list(store.folder.rglob("*.parquet"))


def test_a_file_larger_than_any_market_data_is_refused_unread(store, tmp_path):
    """A sparse file of more than a gibibyte takes no memory."""
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)
    (one,) = import_path(path, store).files
    assert "which no market data file is" in one.text


HEADERS = [",".join(header).encode() for form in FORMATS if isinstance(form, Delimited) for header in form.headers]
MAGIC = st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08", b"{", b"[", b"\xef\xbb\xbf", *HEADERS])


@settings(max_examples=150, deadline=None)
@given(MAGIC, st.sampled_from([b"", b"\n", b",\n"]), st.one_of(st.binary(max_size=300), st.text("0123456789,-:.\nA")))
def test_random_bytes_are_refused_and_never_crash(magic, between, rest):
    """Behind any header or magic number, garbage ends in a refusal with a reason."""
    content = magic + between + (rest if isinstance(rest, bytes) else rest.encode())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "TCS_2025-03-28.csv")
        path.write_bytes(content)
        (one,) = import_path(path, InputStore(Path(folder, "market"))).files
    assert one.outcome is Outcome.REFUSED
    assert one.text.startswith(path.name)
    assert one.text.endswith((".", "'"))


LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text("0-:N", max_size=4)
NAMES = st.sampled_from(
    ["strikePrice", "call_options", "put_options", "market_data", "instrument_key", "segment", "iep", "CE", "expiry"]
)
ROWS = st.lists(st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner), max_leaves=6), max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    ROWS,
    st.sampled_from(
        [
            lambda rows: rows,
            lambda rows: {"response": {"data": rows}},
            lambda rows: {"records": {"timestamp": "03-May-2023 15:30:00", "data": rows}},
            lambda rows: {"timestamp": "2025-11-17T09:45:36", "all_stocks": rows},
        ]
    ),
)
def test_random_json_is_refused_and_never_crashes(rows, shape):
    """JSON that resembles a chain, a master or a snapshot and is none ends in a refusal with a reason."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.json")
        path.write_text(json.dumps(shape(rows)))
        (one,) = import_path(path, InputStore(Path(folder, "market"))).files
    assert one.outcome is Outcome.REFUSED
    assert one.text.startswith("x.json")
