"""Tests for `market.rules`."""

import csv
import gzip
import re
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.errors import DataRefused, UnknownDate
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.orders import Product, Side
from aitrade.market.calendar import Segment
from aitrade.market.rules import Rules

RULES = Rules.load()


@pytest.mark.parametrize(
    ("day", "kind", "base", "rupees", "paise"),
    [
        ("2024-06-09", Kind.EQUITY, "", 100, 5),
        ("2024-06-10", Kind.EQUITY, "", 100, 1),
        ("2025-03-28", Kind.EQUITY, "", 1280, 5),
        ("2026-08-18", Kind.EQUITY, "", 1280, 10),
        ("2026-08-18", Kind.EQUITY, "", 25000, 500),
        ("2026-08-18", Kind.FUTURE, "RELIANCE", 1280, 10),
        ("2026-08-18", Kind.FUTURE, "NIFTY", 24500, 10),
        ("2026-08-18", Kind.FUTURE, "BANKNIFTY", 56000, 20),
        ("2026-08-18", Kind.FUTURE, "MIDCPNIFTY", 13000, 5),
        ("2026-08-18", Kind.CALL, "NIFTY", 120, 5),
        ("2024-07-07", Kind.FUTURE, "PNB", 100, 5),
        ("2024-07-08", Kind.FUTURE, "PNB", 100, 1),
        ("2025-03-28", Kind.FUTURE, "NIFTY", 24500, 5),
        ("2025-03-28", Kind.ETF, "NIFTYBEES", 265, 1),
    ],
)
def test_ticks(day, kind, base, rupees, paise):
    """The grid by date, kind and price."""
    assert RULES.tick(date.fromisoformat(day), kind, Exchange.NSE, rupees * 100, base) == paise


@pytest.mark.parametrize(
    ("day", "base", "lot", "freeze"),
    [
        ("2024-11-19", "NIFTY", 25, 1800),
        ("2025-03-28", "NIFTY", 75, 1800),
        ("2026-08-18", "NIFTY", 65, 1800),
        ("2026-05-04", "BANKNIFTY", 30, 900),
        ("2025-09-30", "BANKNIFTY", 35, 900),
        ("2026-03-02", "FINNIFTY", 60, 1200),
        ("2021-04-16", "NIFTY", 75, 1800),
        ("2026-04-28", "TCS", 175, None),
        ("2026-04-29", "TCS", 225, None),
        ("2026-08-18", "BANKNIFTY", 30, 600),
        ("2026-08-18", "ZZZ", None, None),
    ],
)
def test_lots_and_freeze(day, base, lot, freeze):
    """Lots and freeze quantities by date; what is not known is None."""
    assert (RULES.lot(date.fromisoformat(day), base), RULES.freeze(date.fromisoformat(day), base)) == (lot, freeze)


@pytest.mark.parametrize(
    ("day", "segment", "time"),
    [
        ("2025-03-28", Segment.CASH_FNO, "15:20"),
        ("2026-09-07", Segment.CASH_FNO, "15:05"),
        ("2026-09-07", Segment.DERIVATIVES, "15:30"),
        ("2025-10-21", Segment.CASH, "14:35"),
    ],
)
def test_square_off_is_ten_minutes_before_the_close(day, segment, time):
    """It follows the session of the day, special ones too."""
    assert RULES.square_off(date.fromisoformat(day), segment) == time


def test_expiries_follow_the_weekday_and_the_holidays():
    """Thursdays before September 2025, Tuesdays after; 2026-03-31 and 2026-04-14 are holidays."""
    assert RULES.expiries(date(2025, 3, 24), "BANKNIFTY", Exchange.NFO, 1) == [date(2025, 3, 27)]
    found = RULES.expiries(date(2026, 3, 23), "NIFTY", Exchange.NFO, 4)
    assert found == [date(2026, 3, 24), date(2026, 3, 30), date(2026, 4, 7), date(2026, 4, 13)]


def test_expiries_before_and_after_the_change_of_weekday():
    """NIFTY: the last Thursday is in August 2025, the first Tuesday on 2 September; SENSEX the other way round."""
    days = [day.isoformat() for day in RULES.expiries(date(2025, 8, 25), "NIFTY", Exchange.NFO, 3)]
    assert days == ["2025-08-28", "2025-09-02", "2025-09-09"]
    assert RULES.expiry(date(2025, 9, 1), "SENSEX", Exchange.BFO) == date(2025, 9, 4)
    assert RULES.expiry(date(2026, 11, 23), "NIFTY", Exchange.NFO) == date(2026, 11, 23)


def test_expiries_end_where_the_calendar_does():
    """A contract of January 2027 has no known expiry day; MCX has its master only."""
    with pytest.raises(UnknownDate):
        RULES.expiries(date(2026, 12, 28), "BANKNIFTY", Exchange.NFO, 2)
    with pytest.raises(UnknownDate, match="MCX"):
        RULES.expiry(date(2026, 8, 18), "CRUDEOIL", Exchange.MCX)


@given(
    st.dates(date(2025, 1, 1), date(2026, 10, 1)),
    st.sampled_from(
        [("NIFTY", Exchange.NFO), ("BANKNIFTY", Exchange.NFO), ("RELIANCE", Exchange.NFO), ("SENSEX", Exchange.BFO)]
    ),
)
def test_expiries_are_trading_days_ahead(day, contract):
    """They ascend from the day on and trade; asked again on an expiry, it is that day."""
    base, exchange = contract
    found = RULES.expiries(day, base, exchange, 3)
    assert day <= found[0] < found[1] < found[2]
    assert all(RULES.calendar.is_trading_day(one, Segment.DERIVATIVES) for one in found)
    assert RULES.expiry(found[0], base, exchange) == found[0]


@given(st.dates(date(2017, 1, 1), date(2026, 12, 31)), st.sampled_from(list(Kind)), st.integers(1, 10**8))
def test_a_dearer_share_never_has_a_finer_tick(day, kind, price):
    """Ticks grow with the price, on every exchange that lists the kind."""
    for exchange in (Exchange.NSE, Exchange.BSE):
        assert 0 < RULES.tick(day, kind, exchange, price) <= RULES.tick(day, kind, exchange, price * 2)


def test_an_exchange_of_derivatives_and_its_underlying_answer_alike():
    """An option's tick may be asked by NFO or by NSE."""
    asked = [RULES.tick(date(2026, 8, 18), Kind.FUTURE, one, 128000) for one in (Exchange.NSE, Exchange.NFO)]
    assert asked == [10, 10]


@pytest.mark.parametrize(
    ("day", "base", "units"),
    [
        ("2025-08-18", "NIFTY", 1800),
        ("2026-08-18", "NIFTY", 1755),
        ("2026-08-18", "BANKNIFTY", 600),
        ("2026-08-18", "ZZZ", None),
    ],
)
def test_the_largest_legal_order(day, base, units):
    """Whole lots within the freeze quantity."""
    assert RULES.largest_order(date.fromisoformat(day), base) == units


def test_limits_through_time():
    """End-of-day limits since July 2025, intraday ones since October; records eight years since 2026."""
    limits = [RULES.position_limit(date.fromisoformat(day)) for day in ("2025-08-01", "2025-12-08")]
    assert [(limit.net_end_of_day, limit.net_intraday) for limit in limits] == [(1500, 0), (1500, 5000)]
    kept = [RULES.retention(date.fromisoformat(day)) for day in ("2025-12-31", "2026-01-07")]
    assert [days["orders, trades, audit, contract data"] for days in kept] == [1827, 2922]
    assert RULES.stock_limit(date(2026, 1, 1)).ban_above == 950_000


def test_the_retail_algo_framework():
    """In force for all brokers from April 2026: two addresses, changed weekly at most; ten orders a second."""
    assert RULES.retail_algo(date(2026, 3, 31)) is None
    rules = RULES.retail_algo(date(2026, 4, 1))
    assert (rules.static_addresses, rules.address_change_days, RULES.order_rate(date(2026, 4, 1))) == (2, 7, 10)


def test_margin_rates_are_those_of_the_clearing_house():
    """9.3 % of an index and 14.2 % of a stock, 2 % more on expiry day, a fifth for intraday shares."""
    rates = RULES.margin(date(2026, 8, 18))
    assert (rates.index_scan, rates.stock_scan, rates.expiry_elm, rates.intraday) == (93_000, 142_000, 20_000, 200_000)


def test_what_is_assumed_is_said():
    """A day before the facts lists what is taken from later, and one within them lists what was not read."""
    early = RULES.assumed(date(2015, 1, 2))
    assert any("holidays before 2017-01-01" in sentence for sentence in early)
    assert any("charges than those of 2024-10-01" in sentence for sentence in early)
    assert RULES.assumed(date(2026, 8, 18)) == [
        "ASSUMED: freeze quantities of SENSEX, BANKEX: not published for 2026-08-18, the nearest that is known holds."
    ]
    assert "ASSUMED: Not verified of the charges on 2025-03-28: investor-protection fee." in RULES.assumed(
        date(2025, 3, 28)
    )
    assert any("verify before 7 December" in sentence for sentence in RULES.assumed(date(2026, 12, 7)))
    assert any("beyond the calendar" in sentence for sentence in RULES.assumed(date(2027, 3, 1)))


def test_a_rule_can_be_set_in_the_data_folder(tmp_path):
    """One row over the package's: a broker that squares off twenty minutes early, and a lot of 2027."""
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "rules.toml").write_text(
        """
        [[square_off]]
        from = 2026-01-01
        segments = ["CASH"]
        minutes_before_close = 20
        source = "my broker"
        confidence = "A"
        [[lot]]
        from = 2026-12-30
        units = { NIFTY = 50 }
        source = "NSE circular"
        confidence = "A"
        """
    )
    own, day = Rules.load(tmp_path), date(2026, 12, 30)
    assert (own.square_off(day, Segment.CASH), own.square_off(day, Segment.DERIVATIVES)) == ("15:10", "15:35")
    assert (own.lot(day, "NIFTY"), own.lot(date(2026, 12, 29), "NIFTY"), own.lot(day, "TCS")) == (50, 65, 225)


def test_a_share_never_ties_more_than_its_value(tmp_path):
    """A rate over the whole value is refused by file and field: the margin check counts on it."""
    (tmp_path / "facts").mkdir()
    rates = dict.fromkeys(("index_scan", "stock_scan", "index_exposure", "stock_exposure", "expiry_elm"), 10000)
    rates |= {"intraday": 200_000, "delivery": 1_000_001}
    lines = ["[[margin]]", "from = 2026-01-01", 'source = "my broker"', 'confidence = "A"']
    lines += [f"{name} = {rate}" for name, rate in rates.items()]
    (tmp_path / "facts" / "rules.toml").write_text("\n".join(lines))
    with pytest.raises(DataRefused, match=r"rules\.toml does not fit: .*1000000.*delivery"):
        Rules.load(tmp_path)


def test_the_examples_of_the_guide_work(tmp_path):
    """Each TOML block of docs/market-rules.md, put where the text says, is understood and holds."""
    (tmp_path / "facts").mkdir()
    text = (Path(__file__).parents[2] / "docs" / "market-rules.md").read_text(encoding="utf-8")
    for name, blocks in re.findall(r"`facts/(\w+\.toml)`[^`]*(?:`[^`]+`[^`]*)*?```toml\n(.*?)```", text, re.DOTALL):
        with (tmp_path / "facts" / name).open("a", encoding="utf-8") as file:
            file.write(blocks)
    own = Rules.load(tmp_path)
    assert own.calendar.known_until(Segment.CASH) == date(2027, 12, 31)
    assert own.square_off(date(2026, 11, 8), Segment.CASH) == "14:30"
    assert own.lot(date(2026, 12, 30), "NIFTY") == 50
    share = Instrument(key="NSE:X", exchange=Exchange.NSE, symbol="X", kind=Kind.EQUITY)
    assert own.charges.rates(date(2026, 9, 1), share, Product.MIS, "mine").leg(Side.BUY, 10**8, 1).brokerage == 1000


def masters(folder):
    """Day, underlying and lot of the real masters' futures."""
    with ZipFile(folder / "bhav-fo-udiff" / "BhavCopy_NSE_FO_0_0_0_20250228_F_0000.csv.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode()
    for row in csv.DictReader(text.splitlines()):
        if row["FinInstrmTp"] in {"IDF", "STF"}:
            yield date(2025, 2, 28), row["TckrSymb"], int(row["NewBrdLotQty"])
    with gzip.open(folder / "instruments" / "zerodha_kite_instruments_subset_2026-08-18.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if row["instrument_type"] == "FUT":
                yield date(2026, 8, 18), row["name"], int(row["lot_size"])


def test_lots_are_those_of_the_real_masters(real_data):
    """Every lot that we state for a day is the one that the exchange listed."""
    if real_data is None:
        pytest.skip("the real market data are not on this machine: set AITRADE_REAL_DATA to their folder")
    known = [(day, base, lot) for day, base, lot in masters(real_data) if RULES.lot(day, base) is not None]
    assert len({base for _, base, _ in known}) > 30
    assert [(day, base, lot) for day, base, lot in known if RULES.lot(day, base) != lot] == []


def test_ticks_of_futures_are_those_of_the_real_master(real_data):
    """Index futures on the grid of August 2026, by the last price of the master."""
    if real_data is None:
        pytest.skip("the real market data are not on this machine: set AITRADE_REAL_DATA to their folder")
    with gzip.open(real_data / "instruments" / "zerodha_kite_instruments_subset_2026-08-18.csv.gz", "rt") as file:
        listed = {
            (row["name"], row["exchange"]): float(row["tick_size"])
            for row in csv.DictReader(file)
            if row["instrument_type"] == "FUT"
        }
    prices = {
        "NIFTY": 24_500,
        "BANKNIFTY": 56_000,
        "FINNIFTY": 26_000,
        "MIDCPNIFTY": 13_000,
        "SENSEX": 80_000,
        "RELIANCE": 1_300,
    }
    for (base, exchange), tick in listed.items():
        if base in prices:
            asked = RULES.tick(date(2026, 8, 18), Kind.FUTURE, Exchange(exchange), prices[base] * 100, base)
            assert (base, asked) == (base, round(tick * 100))
