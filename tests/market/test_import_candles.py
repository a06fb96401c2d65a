"""Candles of vendors: UTC without saying so, offsets, newest first, three header rows, splices."""

from datetime import UTC, date, timedelta

import pytest
from made_files import minutes, place, real, refusal, take

from aitrade.core.clock import DAY as DAY_NS
from aitrade.core.clock import MINUTE, at
from aitrade.core.quotes import Bar
from aitrade.market.importing import import_path
from aitrade.market.input_tables import Basis

MONDAY = date(2026, 7, 13)


def _lines(header, moments, form, tail="", price=100.0):
    body = [f"{form(m)},{price},{price + 1},{price - 1},{price + 0.5},1000.0{tail}" for m in moments]
    return "\n".join([header, *body]) + "\n"


def _utc(moment):
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _session(step=5, count=75, day=MONDAY):
    return minutes(day, "09:15", count, step)


def test_naive_utc_stamps_are_found_out(store, tmp_path):
    """03:45 without a zone is 09:15 in India, because read as UTC the rows fall into the session."""
    text = _lines("timestamp,open,high,low,close,volume", _session(), _utc)
    take(store, place(tmp_path, "nifty50_infy_5min.csv", text))
    (one,) = store.sets()
    assert (one.subject, one.minutes, one.zone, one.basis) == ("NSE:INFY", 5, "UTC", Basis.UNKNOWN)
    first = store.bars("NSE:INFY", 5, at(MONDAY, "09:15"), at(MONDAY, "09:20"))
    assert first == [Bar("NSE:INFY", at(MONDAY, "09:15"), at(MONDAY, "09:20"), 10000, 10100, 9900, 10050, 1000)]


def test_naive_indian_stamps_stay(store, tmp_path):
    """The same rows stamped in IST give the same bars."""
    text = _lines("timestamp,open,high,low,close,volume", _session(), lambda m: f"{m:%Y-%m-%d %H:%M:%S}")
    take(store, place(tmp_path, "INFY.csv", text))
    assert store.sets()[0].zone == "IST"
    assert len(store.bars("NSE:INFY", 5, at(MONDAY, "09:15"), at(MONDAY, "15:30"))) == 75


def test_a_stray_row_after_the_session_is_set_aside(store, tmp_path):
    """An index file carries one more row hours after the close."""
    text = _lines("timestamp,open,high,low,close,volume", [*_session(), *minutes(MONDAY, "19:05", 1)], _utc)
    result = take(store, place(tmp_path, "nifty_5min.csv", text))
    assert (result.rows, result.aside) == (75, 1)
    assert store.sets()[0].basis is Basis.RAW, "an index has no splits"


def test_daily_rows_stamped_on_the_evening_before_in_utc(store, tmp_path):
    """18:30 UTC is midnight in India: the row belongs to the next day, and is known when that day is over."""
    days = [minutes(MONDAY + timedelta(days=i), "00:00", 1)[0] for i in range(3)]
    take(store, place(tmp_path, "banknifty_daily.csv", _lines("timestamp,open,high,low,close,volume", days, _utc)))
    (one,) = store.sets()
    assert (one.minutes, one.first, one.last) == (1440, "2026-07-13", "2026-07-15")
    (bar,) = store.bars("NSE:BANKNIFTY", 1440, at(MONDAY, "00:00"), at(MONDAY, "00:01"))
    assert bar.end == bar.start + DAY_NS


def test_a_rolling_series_named_for_it_is_a_splice(store, tmp_path):
    """It is stored under a key of its own, cannot be traded, and is no instrument of its days."""
    text = _lines("timestamp,open,high,low,close,volume", _session(), _utc)
    take(store, place(tmp_path, "nifty_atm_call_5min.csv", text))
    (one,) = store.sets()
    assert one.subject == "NFO:NIFTY-ATM-CE"
    assert not one.tradable
    assert "splice" in one.untradable
    assert store.days(5) == {}


def test_a_series_that_jumps_between_bars_is_a_splice_whatever_its_name(store, tmp_path):
    """One contract does not open ten percent off its last price every fourth bar."""
    lines = ["timestamp,open,high,low,close,volume"]
    for i, moment in enumerate(_session()):
        price = 100 + 12 * ((i // 4) % 2)
        lines.append(f"{_utc(moment)},{price},{price},{price},{price},10")
    take(store, place(tmp_path, "SOMEOPTION.csv", "\n".join(lines)))
    assert "splice" in store.sets()[0].untradable


def test_kite_candles_count_as_adjusted(store, tmp_path):
    """Hourly and daily, with an offset; adjusted prices are never mixed into an answer about raw ones."""
    moments = minutes(MONDAY, "09:15", 7, 60)
    text = _lines("datetime,open,high,low,close,volume,oi", moments, lambda m: f"{m:%Y-%m-%d %H:%M:%S}+05:30", ",0")
    take(store, place(tmp_path, "HDFCBANK.csv", text))
    (one,) = store.sets()
    assert (one.minutes, one.basis, one.rows) == (60, Basis.ADJUSTED, 7)
    assert store.bars("NSE:HDFCBANK", 60, at(MONDAY, "00:00"), at(MONDAY, "23:00"), Basis.RAW) == []
    assert len(store.bars("NSE:HDFCBANK", 60, at(MONDAY, "00:00"), at(MONDAY, "23:00"))) == 7


def test_an_evening_session_newest_first_is_a_commodity(store, tmp_path):
    """Crude oil comes newest first with open interest; nothing says which month it is, so it cannot be traded."""
    moments = list(reversed(minutes(MONDAY, "09:00", 870)))
    text = _lines("timestamp,open,high,low,close,volume,open_interest", moments, lambda m: m.isoformat(), ",12335")
    take(store, place(tmp_path, "crude_oil_candles.csv", text))
    (one,) = store.sets()
    assert (one.subject, one.rows, one.basis) == ("MCX:CRUDEOIL", 870, Basis.RAW)
    assert "contract month" in one.untradable
    bars = store.bars("MCX:CRUDEOIL", 1, at(MONDAY, "09:00"), at(MONDAY, "23:30"))
    assert [bars[0].start, bars[-1].end] == [at(MONDAY, "09:00"), at(MONDAY, "23:30")]
    assert bars[0].oi == 12335


def test_yfinance_says_its_symbol_in_the_second_row(store, tmp_path):
    """Three header rows, columns in an order of their own, float dust that moves no paisa."""
    head = "Price,Close,High,Low,Open,Volume\nTicker" + ",TCS.NS" * 5 + "\nDatetime,,,,,\n"
    rows = "".join(
        f"{m.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00:00,1319.9000244140625,1320.5,1310.0,1312.699951171875,{i}\n"
        for i, m in enumerate(_session())
    )
    take(store, place(tmp_path, "x.csv", head + rows))
    bar = store.bars("NSE:TCS", 5, at(MONDAY, "09:15"), at(MONDAY, "09:20"))[0]
    assert (bar.open, bar.close, bar.volume, bar.end - bar.start) == (131270, 131990, 0, 5 * MINUTE)


@pytest.mark.parametrize(
    ("tickers", "reason"),
    [("TCS.NS,INFY.NS,TCS.NS,TCS.NS,TCS.NS", "names no single symbol"), ("AAPL" + ",AAPL" * 4, "names no single")],
)
def test_yfinance_without_one_indian_symbol_is_refused(store, tmp_path, tickers, reason):
    """A sheet of several symbols, or one of another exchange, is not guessed at."""
    text = f"Price,Close,High,Low,Open,Volume\nTicker,{tickers}\nDatetime,,,,,\n"
    assert reason in refusal(store, place(tmp_path, "x.csv", text))


@pytest.mark.parametrize(
    ("name", "rows", "reason"),
    [
        ("INFY.csv", ["2026-07-13 03:45:00,1,1,1,1,1"], "one moment does not say how long its bar is"),
        ("INFY.csv", [], "candles without a row"),
        ("2026.csv", ["2026-07-13 09:15:00,1,1,1,1,1", "2026-07-13 09:16:00,1,1,1,1,1"], "does not say the symbol"),
        ("INFY.csv", ["2026-07-13 09:15:00,1,1,1,1,1", "2026-07-13 09:16:00+05:30,1,1,1,1,1"], "line 3: some stamps"),
        ("INFY.csv", ["2026-07-13 09:15:00,1,1,1,1,1", "2026-07-13 09:22:00,1,1,1,1,1"], "bars 7 minutes apart"),
        ("INFY.csv", ["yesterday,1,1,1,1,1"], "line 2: 'yesterday' is not a date and time"),
        ("INFY.csv", ["2026-07-13 09:15:00,1,1,1,1,1.5"], "line 2: '1.5' is not a whole number of units"),
    ],
)
def test_what_cannot_be_told_from_the_content_is_refused(store, tmp_path, name, rows, reason):
    """Each refusal names what is missing."""
    text = "\n".join(["timestamp,open,high,low,close,volume", *rows])
    assert reason in refusal(store, place(tmp_path, name, text))


def test_real_five_minute_files(store, real_data):
    """121 days of 75 bars of the rolling series; the index loses its two stray rows."""
    import_path(real(real_data, "dhan-5min-2026"), store)
    sets = {(one.subject, one.minutes): one for one in store.sets()}
    for side in ("CE", "PE"):
        one = sets[f"NFO:NIFTY-ATM-{side}", 5]
        assert list(one.days.values()) == [75] * 121
        assert not one.tradable
    assert sets["NSE:NIFTY", 5].aside == {"out of session": 2}
    assert {len(one.days) for key, one in sets.items() if key[1] == 5 and one.tradable} == {5}
    daily = store.bars("NSE:NIFTY", 1440, at("2026-03-23", "00:00"), at("2026-03-26", "00:00"))
    assert [bar.close for bar in daily] == [2251265, 2291240, 2330645]
    assert "2026-02-01" in sets["NSE:NIFTY", 1440].days, "the Sunday of the budget"


def test_real_vendor_files(store, real_data):
    """Counts of the yfinance, Kite and MCX files as they were found."""
    for name in ("yf-5min-2026", "kite-60min-2025", "mcx-1min-2026", "daily-nifty50"):
        assert not import_path(real(real_data, name), store).refused
    sets = {(one.subject, one.minutes): one for one in store.sets()}
    five = [one for key, one in sets.items() if key[1] == 5]
    assert len(five) == 8
    assert all(list(one.days.values()) == [75] * 22 for one in five)
    assert sets["NSE:RELIANCE", 60].rows == 1905
    assert len(sets["NSE:RELIANCE", 60].days) == 273
    assert sets["MCX:CRUDEOIL", 1].rows == 870
    daily = [one for key, one in sets.items() if key[1] == 1440]
    assert [one.rows for one in daily] == [1241] * 16
    assert {one.basis for one in daily} == {Basis.ADJUSTED}
