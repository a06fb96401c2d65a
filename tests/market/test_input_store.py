"""The input store: what is imported stays, once, whole; what is not committed does not count."""

import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_files import DAY, NEXT, day_bounds, minutes, place, stock_csv, take

from aitrade.core.clock import MINUTE, LiveClock, at
from aitrade.core.errors import DataRefused, Refused
from aitrade.core.money import from_rupees
from aitrade.core.quotes import Bar
from aitrade.market.importing import Outcome, import_path
from aitrade.market.importing.values import paise
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import Basis, Source


def _tree(store):
    return {path: path.stat().st_mtime_ns for path in store.folder.rglob("*") if path.is_file()}


def test_importing_twice_changes_nothing(store, tmp_path):
    """The second import finds the file's hash and touches no file, whatever the file is called now."""
    content = stock_csv(minutes(DAY, "09:15", 3))
    take(store, place(tmp_path, "TCS.csv", content))
    before = _tree(store)
    assert import_path(tmp_path / "TCS.csv", store).files[0].outcome is Outcome.KNOWN
    (tmp_path / "TCS.csv").rename(tmp_path / "again.csv")
    assert import_path(tmp_path / "again.csv", store).files[0].outcome is Outcome.KNOWN
    assert _tree(store) == before


def test_a_folder_is_imported_file_by_file(store, tmp_path):
    """One damaged file is refused and the others stay."""
    place(tmp_path, "in/TCS.csv", stock_csv(minutes(DAY, "09:15", 3)))
    place(tmp_path, "in/INFY.csv", stock_csv(minutes(DAY, "09:15", 4)))
    place(tmp_path, "in/bad.csv", "not,a,format\n1,2,3\n")
    report = import_path(tmp_path / "in", store)
    assert [one.path.name for one in report.refused] == ["bad.csv"]
    assert "its first line is 'not,a,format'" in report.refused[0].text
    assert [one.subject for one in store.sets()] == ["NSE:INFY", "NSE:TCS"]


def test_the_first_import_of_a_minute_counts(store, tmp_path):
    """A second file about the same minutes adds what is new and changes nothing that was there."""
    take(store, place(tmp_path, "a/TCS.csv", stock_csv(minutes(DAY, "09:15", 2))))
    take(store, place(tmp_path, "b/TCS.csv", stock_csv(minutes(DAY, "09:15", 3), price="100.10")))
    assert [bar.open for bar in store.bars("NSE:TCS", 1, *day_bounds(DAY))] == [10005, 10005, 10010]


def test_bars_are_cut_to_what_was_asked(store, tmp_path):
    """Start is inclusive, end exclusive; another day, symbol or length is empty."""
    take(store, place(tmp_path, "TCS.csv", stock_csv(minutes(DAY, "09:15", 10))))
    found = store.bars("NSE:TCS", 1, at(DAY, "09:17"), at(DAY, "09:20"))
    assert [bar.start for bar in found] == [at(DAY, "09:17"), at(DAY, "09:18"), at(DAY, "09:19")]
    assert store.bars("NSE:TCS", 5, *day_bounds(DAY)) == []
    assert store.bars("NSE:INFY", 1, *day_bounds(DAY)) == []
    assert store.bars("NSE:TCS", 1, *day_bounds(NEXT)) == []


def test_days_and_instruments_of_a_day(store, tmp_path):
    """An instrument of a day comes with the close of the day before."""
    take(store, place(tmp_path, "TCS/1.csv", stock_csv(minutes(date(2025, 3, 27), "09:15", 2))))
    take(store, place(tmp_path, "TCS/2.csv", stock_csv(minutes(DAY, "09:15", 2))))
    assert store.days() == {date(2025, 3, 27): ["NSE:TCS"], DAY: ["NSE:TCS"]}
    (instrument,) = store.instruments(DAY)
    assert (instrument.key, instrument.previous_close) == ("NSE:TCS", 10040)
    assert store.previous_close("NSE:TCS", date(2025, 3, 27)) == 0


def test_parts_without_a_manifest_do_not_count(store, tmp_path):
    """An import that was killed before its manifest has changed nothing, and the next one completes it."""
    take(store, place(tmp_path, "TCS.csv", stock_csv(minutes(DAY, "09:15", 3))))
    (manifest,) = (store.folder / "sources").glob("*.json")
    manifest.unlink()
    store.refresh()
    assert store.sets() == []
    assert take(store, tmp_path / "TCS.csv").rows == 3
    assert len(list(store.folder.rglob("*.parquet"))) == 1


def test_a_failed_commit_leaves_no_part(store):
    """Rows that cannot be written take back those of the same file that could."""
    source = Source(sha256="0" * 64, file="x", size=1, imported=LiveClock().now(), formats=(), parts=(), sets=())
    start = at(DAY, "09:15")
    good = Bar("NSE:TCS", start, start + 60_000_000_000, 1, 1, 1, 1)
    far = Bar("NSE:INFY", start, start + 60_000_000_000, 1 << 70, 1, 1, 1)
    with pytest.raises(OverflowError):
        store.commit(source, [(Basis.RAW, [good]), (Basis.RAW, [far])])
    assert not [path for path in store.folder.rglob("*") if path.is_file()]


def test_a_damaged_part_is_refused_by_name(store, tmp_path):
    """The refusal says which part and what to do."""
    take(store, place(tmp_path, "TCS.csv", stock_csv(minutes(DAY, "09:15", 3))))
    (part,) = store.folder.rglob("*.parquet")
    part.write_bytes(b"PAR1 nonsense")
    with pytest.raises(DataRefused, match=r"damaged .* import its file again"):
        store.bars("NSE:TCS", 1, *day_bounds(DAY))


def test_a_damaged_manifest_is_refused_by_name(store, tmp_path):
    """A manifest cut short says so, with its path."""
    take(store, place(tmp_path, "TCS.csv", stock_csv(minutes(DAY, "09:15", 3))))
    (manifest,) = (store.folder / "sources").glob("*.json")
    manifest.write_bytes(manifest.read_bytes()[:40])
    with pytest.raises(DataRefused, match="manifest is damaged"):
        InputStore(store.folder).sets()


def test_a_path_that_is_not_there_is_refused(store, tmp_path):
    """Nothing to import is said before any work."""
    with pytest.raises(Refused, match="There is nothing at"):
        import_path(tmp_path / "nowhere", store)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refused, match="There is no file below"):
        import_path(tmp_path / "empty", store)


def test_a_symbol_can_never_leave_the_folder(store, tmp_path):
    """A file's name is quoted where it becomes a folder."""
    take(store, place(tmp_path, "..%2F..&M+M/1.csv", stock_csv(minutes(DAY, "09:15", 1))))
    assert all(store.folder in path.resolve().parents for path in store.folder.rglob("*"))
    assert [one.subject for one in store.sets()] == ["NSE:..%2F..&M+M"]


def test_opening_a_store_does_not_load_pyarrow():
    """The engine imports the store with every start; Parquet comes in with the first read."""
    code = "import sys, aitrade.market.input_store as s; print([m for m in ('pyarrow', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


PRICES = st.integers(1, 1 << 40)
BARS = st.lists(
    st.tuples(st.integers(0, 374), PRICES, st.integers(0, 1 << 40)),
    min_size=1,
    max_size=20,
    unique_by=lambda row: row[0],
)


@given(BARS)
def test_what_is_committed_is_read_back(rows):
    """Bars of a day come back equal and in time order, whatever their order was."""
    bars = [
        Bar("NSE:M&M", at(DAY, "09:15") + i * MINUTE, at(DAY, "09:16") + i * MINUTE, price, price + 1, 1, price, volume)
        for i, price, volume in rows
    ]
    source = Source(sha256="0" * 64, file="x", size=1, imported=1, formats=(), parts=(), sets=())
    with tempfile.TemporaryDirectory() as folder:
        store = InputStore(Path(folder))
        store.commit(source, [(Basis.RAW, bars)])
        assert store.bars("NSE:M&M", 1, *day_bounds(DAY)) == sorted(bars, key=lambda bar: bar.start)


@given(st.decimals(min_value=-10_000_000, max_value=10_000_000, places=3))
def test_prices_are_read_as_money_is(amount):
    """The fast reading of prices agrees with the exact one, halves included."""
    assert paise(str(amount)) == from_rupees(str(amount))
