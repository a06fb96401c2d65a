"""Our calendar against others: every difference of 2025 and 2026 is listed here with the reason why ours stands.

`aion-indian-market-calendar` is not a dependency: it bundles 2026 only, asks a host on the network for more, and warns
where it does not know. `exchange_calendars` (XBOM) and `pandas_market_calendars` (NSE) have no segments, no MCX, one
close for all, and no sessions on Saturdays and Sundays; what they answered is written down below.
"""

import csv
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from importlib.resources import files

import aion_indian_market_calendar as aion
import pytest

from aitrade.core.clock import ist
from aitrade.core.instruments import Exchange
from aitrade.market.calendar import Calendar, PhaseName, Segment, us_daylight_saving
from aitrade.market.rules import Rules

CALENDAR = Calendar.load()
FIRST, LAST = date(2025, 1, 1), date(2026, 12, 31)
THEIR_NAMES = {
    Segment.CASH: "NSE_EQUITY",
    Segment.CASH_FNO: "NSE_EQUITY_FNO_UNDERLYING",
    Segment.DERIVATIVES: "NSE_EQUITY_DERIVATIVES",
    Segment.COMMODITY: "MCX",
}
EQUITY = (Segment.CASH, Segment.CASH_FNO, Segment.DERIVATIVES)
COMMODITY = (Segment.COMMODITY,)
NONE_BUNDLED = "it bundles 2026 only and counts every weekday of 2025"

OVERRIDES = {
    "equity holidays of 2025": (
        EQUITY,
        "02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-21 10-22 11-05 12-25",
        2025,
        NONE_BUNDLED,
    ),
    "Budget Saturday": (
        EQUITY,
        "02-01",
        2025,
        "a special session; India VIX was published and the holiday list has it",
    ),
    "Budget Sunday": (EQUITY, "02-01", 2026, "its event says Union Budget, not that the exchanges trade; they did"),
    "Muhurat in derivatives": (
        (Segment.DERIVATIVES,),
        "11-08",
        2026,
        "it opens cash and MCX only; equity derivatives trade in every Muhurat session",
    ),
    "MCX holidays of 2025": (
        COMMODITY,
        "01-01 02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-21 10-22 11-05 12-25",
        2025,
        NONE_BUNDLED,
    ),
}
MCX_WINTER = "MCX trades to 23:55 while US daylight saving time is off (NSE/COM/76446 for NSE's commodities)"


def days() -> Iterator[date]:
    """All days of 2025 and 2026."""
    day = FIRST
    while day <= LAST:
        yield day
        day += timedelta(1)


@pytest.fixture(scope="module")
def theirs() -> aion.IndiaMarketCalendar:
    """Their bundled facts, read without asking the network."""
    return aion.IndiaMarketCalendar.from_json(str(files(aion) / "data" / "holidays_2026.json"))


def their_hours(calendar: aion.IndiaMarketCalendar, day: date, segment: Segment) -> tuple[str, str, str] | None:
    """First moment, end of continuous trading and start of the closing auction; None where it does not trade."""
    noon = datetime.combine(day, time(12), calendar.tz)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not calendar.is_trading_day(noon, market=THEIR_NAMES[segment]):
            return None
        parts = calendar.get_session(noon, market=THEIR_NAMES[segment])
    continuous = [part for part in parts if part.kind == "continuous" and part.close != time(8, 59)]
    auctions = [part.open for part in parts if part.kind != "continuous"]
    return _texts(continuous[0].open, continuous[-1].close, auctions[0] if auctions else None)


def our_hours(day: date, segment: Segment) -> tuple[str, str, str] | None:
    """The same of ours; the cash market's first moment is its pre-open."""
    if not CALENDAR.is_trading_day(day, segment):
        return None
    session = CALENDAR.session(day, segment)
    auctions = [phase.start for phase in session.phases if phase.name is PhaseName.AUCTION_REFERENCE]
    first, close = (ist(ts).time() for ts in (session.phases[0].start, session.close))
    return _texts(first, close, ist(auctions[0]).time() if auctions else None)


def _texts(first: time, close: time, auction: time | None) -> tuple[str, str, str]:
    return f"{first:%H:%M}", f"{close:%H:%M}", f"{auction:%H:%M}" if auction else ""


def listed(name: str) -> set[tuple[Segment, date]]:
    """The segments and days of one override."""
    segments, text, year, _ = OVERRIDES[name]
    return {(segment, date.fromisoformat(f"{year}-{day}")) for segment in segments for day in text.split()}


def mcx_winter() -> set[tuple[Segment, date]]:
    """Days on which MCX closes at 23:55."""
    traded = (day for day in days() if CALENDAR.is_trading_day(day, Segment.COMMODITY))
    late = (day for day in traded if not us_daylight_saving(day) and our_hours(day, Segment.COMMODITY)[1] == "23:55")
    return {(Segment.COMMODITY, day) for day in late}


def test_every_difference_from_aion_is_explained(theirs):
    """All days of two years, all segments: what differs is exactly what is listed."""
    differing = {
        (segment, day)
        for day in days()
        for segment in Segment
        if their_hours(theirs, day, segment) != our_hours(day, segment)
    }
    explained = mcx_winter().union(*(listed(name) for name in OVERRIDES))
    assert differing == explained


@pytest.mark.parametrize("name", OVERRIDES)
def test_an_override_of_aion(theirs, name):
    """Each listed day is one on which the two disagree about trading at all, or about its hours."""
    for segment, day in listed(name):
        assert their_hours(theirs, day, segment) != our_hours(day, segment), OVERRIDES[name][-1]


@pytest.mark.parametrize("day", ["2026-01-02", "2026-03-06", "2026-11-02", "2026-11-23"])
def test_mcx_in_us_winter(theirs, day):
    """Theirs ends at 23:30 all year; ours runs to 23:55 in US winter."""
    when = date.fromisoformat(day)
    hours = their_hours(theirs, when, Segment.COMMODITY)[1], our_hours(when, Segment.COMMODITY)[1]
    assert hours == ("23:30", "23:55"), MCX_WINTER


@pytest.mark.parametrize(
    ("day", "last"),
    [("2026-03-06", "23:55"), ("2026-03-09", "23:30"), ("2026-10-30", "23:30"), ("2026-11-02", "23:55")],
)
def test_mcx_follows_the_american_clock(day, last):
    """The weeks in which the United States change their clocks."""
    assert our_hours(date.fromisoformat(day), Segment.COMMODITY)[1] == last


@pytest.mark.parametrize(
    ("day", "segment", "ours", "why"),
    [
        ("2026-01-15", Segment.CASH, None, "added three days before; exchange_calendars 4.13.2 traded it"),
        ("2025-02-01", Segment.CASH, ("09:00", "15:30", ""), "both have no weekend sessions"),
        ("2026-02-01", Segment.CASH, ("09:00", "15:30", ""), "both have no weekend sessions"),
        ("2026-11-08", Segment.CASH, ("18:15", "19:15", ""), "both have no weekend sessions"),
        ("2025-10-21", Segment.CASH, ("13:45", "14:45", ""), "a holiday without Muhurat in exchange_calendars"),
        ("2026-08-03", Segment.CASH_FNO, ("09:00", "15:15", "15:15"), "15:30 for all in exchange_calendars"),
        ("2026-08-03", Segment.DERIVATIVES, ("09:15", "15:40", ""), "15:30 for all in both"),
        ("2026-12-07", Segment.DERIVATIVES, ("09:15", "15:45", ""), "15:30 for all in both"),
    ],
)
def test_where_the_other_calendars_differ(day, segment, ours, why):
    """What exchange_calendars and pandas_market_calendars have otherwise."""
    assert our_hours(date.fromisoformat(day), segment) == ours, why


def test_trading_days_are_those_of_india_vix(real_data):
    """NSE published India VIX on every trading day from 2017 to July 2026, evening sessions and a drill apart."""
    if real_data is None:
        pytest.skip("the real market data are not on this machine: set AITRADE_REAL_DATA to their folder")
    with (real_data / "vix-span-history" / "india_vix.csv").open(newline="") as file:
        next(rows := csv.reader(file))
        published = {datetime.strptime(row[0].strip().title(), "%d-%b-%Y").date() for row in rows if row}  # noqa: DTZ007 - a day has no zone
    span = [date(2017, 1, 1) + timedelta(days) for days in range((max(published) - date(2017, 1, 1)).days + 1)]
    trading = {day for day in span if CALENDAR.is_trading_day(day, Segment.CASH)}
    assert published <= trading | {day for day in published if day.year < 2017}
    without = {day for day in trading - published if CALENDAR.session(day, Segment.CASH).special != "Muhurat"}
    assert without == {date(2024, 3, 2)}


def test_settlement_days_of_2026_are_theirs(theirs):
    """Every weekday of 2026 that their bundle covers: banks and clearing work on the same days."""
    covered = [day for day in days() if day.year == 2026 and theirs.covers(day)]
    differing = [day for day in covered if aion.is_settlement_day(day, calendar=theirs) != CALENDAR.settles(day)]
    assert differing == []


@pytest.mark.parametrize(
    ("base", "exchange"), [("NIFTY", Exchange.NFO), ("BANKNIFTY", Exchange.NFO), ("SENSEX", Exchange.BFO)]
)
def test_expiries_of_2026_are_theirs(theirs, base, exchange):
    """The next expiry from every day of 2026 that their bundle covers, holidays shifted alike."""
    rules, covered = Rules.load(), [day for day in days() if date(2026, 1, 1) <= day <= date(2026, 11, 23)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [aion.get_expiry_day(base, day, calendar=theirs) for day in covered]
    assert [rules.expiry(day, base, exchange) for day in covered] == expected
