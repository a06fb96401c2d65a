"""1-minute stock and index CSV: their traps, and the real files where they are."""

from datetime import date

from made_files import DAY, day_bounds, index_csv, minutes, place, real, refusal, stock_csv, take

from aitrade.core.clock import MINUTE, at
from aitrade.core.quotes import Bar
from aitrade.market.importing import Outcome, import_path
from aitrade.market.input_tables import Basis


def test_a_stock_file_gives_bars_in_paise_at_the_right_moment(store, tmp_path):
    """The byte-order mark is no part of the header, IST becomes UTC, rupees become paise, the folder is the symbol."""
    result = take(store, place(tmp_path, "TCS/28-03-2025.csv", stock_csv(minutes(DAY, "09:15", 2))))
    start = at(DAY, "09:15")
    assert result.rows == 2
    assert store.bars("NSE:TCS", 1, *day_bounds(DAY)) == [
        Bar("NSE:TCS", start, start + MINUTE, 10005, 10150, 9900, 10040, 10),
        Bar("NSE:TCS", start + MINUTE, start + 2 * MINUTE, 10005, 10150, 9900, 10040, 11),
    ]


def test_a_file_name_with_a_symbol_beats_its_folder(store, tmp_path):
    """`downloads/INFY_1min.csv` is INFY."""
    take(store, place(tmp_path, "downloads/INFY_1min.csv", stock_csv(minutes(DAY, "09:15", 1))))
    assert [one.subject for one in store.sets()] == ["NSE:INFY"]


def test_the_index_is_what_the_file_is_called(store, tmp_path):
    """The Instrument column says NIFTY in BANKNIFTY's file too."""
    take(store, place(tmp_path, "BANKNIFTY_2024-01_to_2024-04.csv", index_csv(minutes(date(2024, 1, 2), "09:15", 3))))
    assert [(one.subject, one.basis, one.rows) for one in store.sets()] == [("NSE:BANKNIFTY", Basis.RAW, 3)]


def test_rows_after_the_close_are_set_aside_and_kept(store, tmp_path):
    """On a Saturday with a full session, what comes after 15:30 is junk: counted, kept with its line, not stored."""
    saturday = date(2024, 1, 20)
    content = index_csv(minutes(saturday, "09:15", 542))
    result = take(store, place(tmp_path, "NIFTY.csv", content))
    assert (result.rows, result.aside) == (375, 167)
    kept = store.set_aside(store.sources[0].sha256)
    assert len(kept) == 167
    assert kept[0].line == 377
    assert kept[0].reason == "out of session"


def test_bad_rows_and_repeats_are_counted_apart(store, tmp_path):
    """A repeat is dropped, a second row with other values and a high below the close are set aside."""
    lines = index_csv(minutes(DAY, "09:15", 3)).decode().splitlines()
    lines += [lines[1], lines[2].replace("20001.15", "20002.15"), "NIFTY,20250328,09:20,10.00,10.05,9.00,11.00"]
    take(store, place(tmp_path, "NIFTY.csv", "\n".join(lines)))
    (one,) = store.sets()
    assert one.rows == 3
    assert one.duplicates == 1
    assert one.aside == {
        "second row for the same bar with other values": 1,
        "high or low does not span open and close": 1,
    }


def test_a_line_with_too_few_columns_refuses_the_whole_file(store, tmp_path):
    """The refusal names file, line and reason, and nothing of the file stays."""
    lines = stock_csv(minutes(DAY, "09:15", 5)).splitlines()
    lines[3] = lines[3][:20]
    text = refusal(store, place(tmp_path, "TCS.csv", b"\n".join(lines)))
    assert text == "TCS.csv, line 4: 3 columns where the header has 11."
    assert store.sets() == []
    assert not list(store.folder.rglob("*.parquet"))


def test_a_price_that_is_no_number_names_its_line(store, tmp_path):
    """So does a word that only a computer takes for a number."""
    bad = stock_csv(minutes(DAY, "09:15", 1), price="1x0.05")
    assert refusal(store, place(tmp_path, "TCS.csv", bad)) == "TCS.csv, line 2: '1x0.05' is not a number."
    nan = stock_csv(minutes(DAY, "09:15", 1), price="nan")
    assert refusal(store, place(tmp_path, "TCS.csv", nan)) == "TCS.csv, line 2: 'nan' is no price."


def test_a_price_of_zero_is_set_aside(store, tmp_path):
    """A row without a price is no bar; the rest of the file stays."""
    lines = stock_csv(minutes(DAY, "09:15", 3)).replace(b"09:16:00,100.05", b"09:16:00,0")
    assert take(store, place(tmp_path, "TCS.csv", lines)).rows == 2
    assert store.sets()[0].aside == {"a price of zero or below": 1}


def test_real_stock_days_have_375_bars_on_61_days(store, real_data):
    """Every session of the quarter is whole and nothing is set aside; the Saturday budget session is missing."""
    report = import_path(real(real_data, "nse-1min-stocks-2025", "RELIANCE"), store)
    assert {one.outcome for one in report.files} == {Outcome.IMPORTED}
    (one,) = store.sets()
    assert list(one.days.values()) == [375] * 61
    assert (one.duplicates, one.aside) == (0, {})
    assert "2025-02-01" not in one.days
    assert len(store.days()) == 61


def test_real_index_days_keep_the_specials_and_lose_the_junk(store, real_data):
    """542 rows of 2024-01-20 become 375; the drill of 2024-03-02 keeps its 105 bars; Instrument lies in one file."""
    import_path(real(real_data, "index-1min-2024"), store)
    sets = {one.subject: one for one in store.sets()}
    assert set(sets) == {"NSE:NIFTY", "NSE:BANKNIFTY"}
    for one in sets.values():
        assert len(one.days) == 79
        assert one.days["2024-01-20"] == 375
        assert one.days["2024-03-02"] == 105
        assert one.aside == {"out of session": 167}
