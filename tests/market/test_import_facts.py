"""Corporate actions, volatility, pre-open, LEAN's zips, notes beside data."""

import io
import json
import zipfile
from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
from made_files import place, real, refusal, take

from aitrade.core.clock import at
from aitrade.market.importing import Outcome, import_path
from aitrade.market.input_tables import Basis


def _parquet(**columns):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


ACTION = {
    "symbol": ["ACME"],
    "exDate": [datetime(2024, 10, 28)],  # noqa: DTZ001 - as the source has it
    "subject": [" Bonus 1:1"],
    "series": ["EQ"],
    "isin": ["INE000A01001"],
    "comp": ["Acme Ltd"],
    "faceVal": ["10"],
    "recDate": ["-"],
}


def test_corporate_actions_keep_the_exchanges_words(store, tmp_path):
    """The subject stays raw text for the parser of subjects; "-" is no date."""
    take(store, place(tmp_path, "ca.parquet", _parquet(**ACTION)))
    (row,) = store.corporate_actions("ACME", "2024-01-01", "2024-12-31")
    assert (row.subject, row.ex_day, row.record_day, row.face_value) == ("Bonus 1:1", "2024-10-28", "", 1000)
    assert store.corporate_actions("ACME", "2025-01-01") == []


def test_parquet_of_something_else_or_damaged_is_refused(store, tmp_path):
    """The refusal says what it lacks."""
    assert "it lacks symbol" in refusal(store, place(tmp_path, "a.parquet", _parquet(x=[1])))
    assert "Parquet file is damaged" in refusal(store, place(tmp_path, "b.parquet", _parquet(**ACTION)[:-9]))


def test_the_list_of_demergers_is_half_comments(store, tmp_path):
    """A number sign begins a comment anywhere."""
    text = "# why\n#\n# ticker,date,note\nticker,date\nACME,2026-04-30        # carved out; -64.9%\n\n"
    take(store, place(tmp_path, "demergers.csv", text))
    (row,) = store.corporate_actions("ACME")
    assert (row.ex_day, row.subject) == ("2026-04-30", "Demerger")
    bad = refusal(store, place(tmp_path, "bad.csv", "# x\nticker,date\nACME # no date\n"))
    assert bad == "bad.csv, line 3: one column where the header has 2."


def test_vix_pads_its_header_and_has_days_without_a_session(store, tmp_path):
    """A row of zeros is no bar."""
    text = (
        "Date ,Open ,High ,Low ,Close ,Prev. Close ,Change ,% Change \n"
        "02-JAN-2012,27.11,28.68,27.11,27.53,27.11,0.42,1.55\n12-FEB-2021,0.0,0.0,0.0,23.045,0.0,23.05,\n"
    )
    take(store, place(tmp_path, "vix.csv", text))
    (bar,) = store.bars("NSE:INDIAVIX", 1440, at("2012-01-01", "00:00"), at("2022-01-01", "00:00"))
    assert (bar.start, bar.close) == (at("2012-01-02", "00:00"), 2753)
    assert store.sets()[0].aside == {"a price of zero or below": 1}


def test_scan_ranges_write_expiries_as_month_or_day(store, tmp_path):
    """201207 is a month, 20120726 a day."""
    text = (
        "date,symbol,expiry,futures_price,price_scan,price_scan_pct,vol_scan\n"
        "2012-07-05,NIFTY,201207,5322.65,373.3,7.0134,0.04\n2012-07-09,NIFTY,20120726,5327.2,374.0,7.0206,0.04\n"
    )
    take(store, place(tmp_path, "span.csv", text))
    first, second = store.scan_ranges("NSE:NIFTY")
    assert (first.expiry, second.expiry) == ("2012-07", "2012-07-26")
    assert (first.price_scan, first.price_scan_percent, first.volatility_scan) == (37330, 7.0134, 0.04)


def test_daily_volatility(store, tmp_path):
    """Closes are paise, sigmas stay what they are."""
    text = (
        "date,symbol,spot_close,spot_prev,fut_close,fut_prev,sigma_underlying,sigma_futures,sigma_applicable,"
        "ann_applicable\n2012-07-05,NIFTY,5327.3,5302.55,5344.5,5322.65,0.0098,0.0109,0.0109,0.2074\n"
    )
    take(store, place(tmp_path, "fovolt.csv", text))
    (row,) = store.volatilities("NSE:NIFTY")
    assert (row.spot_close, row.future_previous, row.sigma_futures, row.annual) == (532730, 532265, 0.0109, 0.2074)


def test_pre_open(store, tmp_path):
    """The snapshot's moment is naive IST; a stock that nobody asked for has zeros."""
    zero = {"symbol": "NONE", "series": "SM", "iep": 0, "prev_close": 0, "final_quantity": 0, "final_value": 0}
    zero |= {"total_buy_qty": 0, "total_sell_qty": 0}
    some = zero | {"symbol": "ACME", "series": "EQ", "iep": 100.05, "prev_close": 99.5, "final_quantity": 10}
    take(store, place(tmp_path, "p.json", json.dumps({"timestamp": "2025-11-17T09:45:36", "all_stocks": [some, zero]})))
    first, second = store.pre_open(date(2025, 11, 17))
    assert (first.key, first.price, first.quantity) == ("NSE:ACME", 10005, 10)
    assert first.ts == at("2025-11-17", "09:45:36")
    assert (second.key, second.price) == ("NSE:NONE", 0)


def _zip(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.csv", text)
    return path


SHARE = "33300000,2860000,2860000,2850100,2860000,11\n33360000,2852000,2852000,2852000,2852000,2996"
INDEX = "32820000,10699.7,10699.7,10699.7,10699.7,0\n33300000,10695.7,10709.9,10694.55,10709.9,0"


def test_lean_scales_shares_and_not_indices(store, tmp_path):
    """No header; milliseconds since midnight; 2860000 is ₹286.00; the pre-open row of an index is set aside."""
    take(store, _zip(tmp_path / "20190104_trade.zip", **{"20190104_juniorbees_minute_trade": SHARE}))
    (tmp_path / "i").mkdir()
    take(store, _zip(tmp_path / "i" / "20190104_trade.zip", **{"20190104_nifty_minute_trade": INDEX}))
    first = store.bars("NSE:JUNIORBEES", 1, at("2019-01-04", "09:15"), at("2019-01-04", "09:16"))[0]
    assert (first.open, first.low, first.volume) == (28600, 28501, 11)
    sets = {one.subject: one for one in store.sets()}
    assert sets["NSE:NIFTY"].rows == 1
    assert sets["NSE:NIFTY"].aside == {"out of session": 1}
    assert sets["NSE:NIFTY"].basis is Basis.RAW


def test_lean_member_of_another_day_is_passed_over(store, tmp_path):
    """The same rows under the next day's name would invent a session."""
    names = {f"201901{day}_nifty_minute_trade": INDEX for day in ("07", "04")}
    result = take(store, _zip(tmp_path / "20190104_trade.zip", **names))
    assert result.rows == 1
    assert result.notes == ("a member that bears another day than its archive is passed over",)
    assert [str(day) for day in store.days()] == ["2019-01-04"]


def test_notes_beside_data_are_skipped_saying_so(store, tmp_path):
    """By what they say, whatever they are called."""
    place(tmp_path, "in/a.txt", "repo: https://example.org/x\ncommit: 0\nlicence: none\nnote: b\n")
    place(tmp_path, "in/b", f"{'0' * 64}  x/y.csv\n{'1' * 64}  x/z.csv\n")
    report = import_path(tmp_path / "in", store)
    assert [one.outcome for one in report.files] == [Outcome.SKIPPED] * 2
    assert all("no market data" in one.notes[0] for one in report.files)
    assert not report.refused


def test_real_facts(store, real_data):
    """Counts of the remaining sets as they were found."""
    for name in ("corporate-actions", "vix-span-history", "nse-preopen", "lean-india"):
        assert not import_path(real(real_data, name), store).refused
    assert len(store.corporate_actions()) == 16978 + 4
    sets = {(one.table, one.subject): one for one in store.sets()}
    vix = sets["bars", "NSE:INDIAVIX"]
    assert vix.rows + sum(vix.aside.values()) == 3613
    assert sum(day.startswith("2026") for day in vix.days) == 143
    assert sum(one.rows for key, one in sets.items() if key[0] == "span") == 9969
    assert len(store.pre_open(date(2025, 11, 17))) == 2734
    assert list(sets["bars", "NSE:NIFTY"].days.values()) == [375] * 4
