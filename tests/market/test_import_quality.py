"""The quality report: whole against the calendar, adjusted or raw by what shows it."""

import io
from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_files import index_csv, minutes, place, real, stock_csv, take

from aitrade.market.importing import import_path
from aitrade.market.importing.hours import Sessions
from aitrade.market.importing.quality import judge, keep, kept

FRIDAY, MONDAY = date(2025, 1, 3), date(2025, 1, 6)


def _quality(store):
    return {(one.subject, one.table, one.minutes): one for one in judge(store)}


def test_short_and_missing_days_are_named(store, tmp_path):
    """A day with 5 of its 375 bars is short; Tuesday traded and has none; Saturday and Sunday were closed."""
    take(store, place(tmp_path, "TCS/1.csv", stock_csv(minutes(FRIDAY, "09:15", 375))))
    take(store, place(tmp_path, "TCS/2.csv", stock_csv(minutes(MONDAY, "09:15", 5))))
    take(store, place(tmp_path, "TCS/4.csv", stock_csv(minutes(date(2025, 1, 8), "09:15", 375))))
    one = _quality(store)["NSE:TCS", "bars", 1]
    assert one.short == {"2025-01-06": (5, 375)}
    assert one.gaps == 370
    assert one.missing == ("2025-01-07",)
    assert (one.days, one.zone) == (3, "IST")


def test_a_special_session_is_measured_by_its_own_hours(store, tmp_path):
    """The drill of two short sessions has 105 minutes, and nothing between them counts."""
    saturday = date(2024, 3, 2)
    moments = [*minutes(saturday, "09:15", 45), *minutes(saturday, "10:30", 3), *minutes(saturday, "11:30", 60)]
    take(store, place(tmp_path, "NIFTY.csv", index_csv(moments)))
    one = _quality(store)["NSE:NIFTY", "bars", 1]
    assert (one.rows, one.short, one.outside) == (105, {}, 3)


def test_a_stock_with_derivatives_trades_less_since_the_closing_auction(store):
    """From 2026-08-03 continuous trading of such a stock ends at 15:15; others and contracts go on."""
    sessions = Sessions()
    assert sessions.of("NSE:RELIANCE", "2026-07-31").bars(1) == 375
    assert sessions.of("NSE:RELIANCE", "2026-08-03").bars(1) == 360
    assert sessions.of("NSE:NIFTY25AUG26X", "2026-08-03").bars(1) == 375
    assert sessions.of("NFO:NIFTY25AUG26FUT", "2026-08-03").bars(1) == 385
    assert sessions.of("MCX:CRUDEOIL", "2026-07-27").bars(1) == 870


def test_hours_of_a_day_that_the_calendar_calls_closed_are_assumed(store, tmp_path):
    """Rows of a Sunday that nobody announced are judged by regular hours, and the report says so."""
    take(store, place(tmp_path, "NIFTY.csv", index_csv(minutes(date(2025, 1, 5), "09:15", 2))))
    assert _quality(store)["NSE:NIFTY", "bars", 1].assumed == 1


def _daily(day_prices):
    lines = ["timestamp,open,high,low,close,volume,oi"]
    lines += [f"{day} 00:00:00+05:30,{price},{price},{price},{price},10,0" for day, price in day_prices]
    return "\n".join(lines)


def _bonus(store, tmp_path, symbol="ACME"):
    columns = {"symbol": symbol, "subject": "Bonus 1:1", "series": "EQ", "isin": "", "comp": "", "faceVal": "10"}
    columns |= {"recDate": "-", "exDate": datetime(2024, 10, 28)}  # noqa: DTZ001 - as the source has it
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: [value] for name, value in columns.items()}), buffer)
    take(store, place(tmp_path, "ca.parquet", buffer.getvalue()))


@pytest.mark.parametrize(
    ("after", "verdict"), [(50.5, "raw: prices fall at"), (101, "adjusted: prices do not fall at")]
)
def test_a_bonus_shows_whether_prices_are_adjusted(store, tmp_path, after, verdict):
    """Raw prices halve on the ex-day of a bonus of one for one; adjusted ones go on."""
    _bonus(store, tmp_path)
    take(store, place(tmp_path, "ACME.csv", _daily([("2024-10-24", 99), ("2024-10-25", 100), ("2024-10-28", after)])))
    assert _quality(store)["NSE:ACME", "bars", 1440].prices == f"{verdict} the bonus of 2024-10-28"


LEGACY = (
    "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,\n"
    "ACME,EQ,200,201,199,{close},200,200,5,1000,25-OCT-2024,1,INE000A01001,\n"
)


@pytest.mark.parametrize(
    ("close", "prices"),
    [
        (200, "adjusted: the official close of 2024-10-25 is 2.00 times the file's"),
        (101, "as printed: equal to the official close on 1 days"),
    ],
)
def test_the_official_close_shows_it_too(store, tmp_path, close, prices):
    """A file whose price is half of what the exchange printed is adjusted for what came later."""
    take(store, place(tmp_path, "cm.csv", LEGACY.format(close=close)))
    take(store, place(tmp_path, "ACME.csv", _daily([("2024-10-24", 99), ("2024-10-25", 100)])))
    assert _quality(store)["NSE:ACME", "bars", 1440].prices == prices


def test_what_shows_nothing_is_not_proven(store, tmp_path):
    """The declared basis stands, and the report says that nothing proves it; an index has nothing to adjust."""
    take(store, place(tmp_path, "TCS.csv", stock_csv(minutes(FRIDAY, "09:15", 2))))
    take(store, place(tmp_path, "NIFTY.csv", index_csv(minutes(FRIDAY, "09:15", 2))))
    quality = _quality(store)
    assert quality["NSE:TCS", "bars", 1].prices.startswith("unknown: not proven")
    assert quality["NSE:NIFTY", "bars", 1].prices == "raw: nothing to adjust for"


def test_the_report_is_kept_beside_the_data(store, tmp_path):
    """What was judged can be read again without judging."""
    assert kept(store) == []
    take(store, place(tmp_path, "TCS.csv", stock_csv(minutes(FRIDAY, "09:15", 2))))
    report = judge(store)
    keep(store, report)
    assert kept(store) == report


def test_real_quality(store, real_data):
    """Adjusted daily files are found out by the bhavcopies and the bonus; the budget Saturday is missed."""
    for name in ("daily-nifty50", "bhav-cm-sec-full", "corporate-actions", "nse-1min-stocks-2025"):
        import_path(real(real_data, name), store)
    quality = _quality(store)
    assert "2.00 times" in quality["NSE:HDFCBANK", "bars", 1440].prices
    assert quality["NSE:BAJFINANCE", "bars", 1440].prices.startswith("adjusted: prices do not fall at the bonus")
    assert quality["NSE:TCS", "bars", 1440].prices == "as printed: equal to the official close on 6 days"
    minute = quality["NSE:RELIANCE", "bars", 1]
    assert (minute.short, minute.missing) == ({}, ("2025-02-01",))
