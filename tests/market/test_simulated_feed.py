"""The simulated session keeps what a feed promises, and is a market: continuous, quoted, on the grid."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from aitrade.core.clock import MINUTE, SECOND, at, ist_date
from aitrade.core.errors import Refused, UnknownDate
from aitrade.core.instruments import Kind
from aitrade.core.quotes import Bar
from aitrade.market.bars import DAY_MINUTES, BarBuilder
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.feeds import SimulatedFeed, digest, whole_day
from aitrade.market.rules import Rules
from aitrade.market.simulated.universe import VIX

CALENDAR, RULES = Calendar.load(), Rules.load()
OLD, NEW = date(2026, 7, 15), date(2026, 11, 18)
"""A day with continuous trading to 15:30, and one with a closing auction."""


@pytest.fixture(scope="module", params=[OLD, NEW], ids=["old hours", "closing auction"])
def feed(request):
    """A day of the simulated market."""
    return SimulatedFeed(request.param, 7, CALENDAR, RULES)


@pytest.fixture(scope="module")
def batches(feed):
    """All of the day's minutes."""
    return list(feed.batches())


def of(batches, key):
    """Return one instrument's ticks."""
    return [tick for one in batches for tick in one.ticks if tick.instrument == key]


def rebuilt(feed, batches, key):
    """Return the minute bars that the ticks of `key` make."""
    builder, bars = BarBuilder(1, feed.start), []
    for one in batches:
        for tick in one.ticks:
            if tick.instrument == key:
                builder.on_tick(tick)
        bars += builder.close(one.end)
    return bars


def test_the_same_seed_and_day_play_the_same_market(feed, batches):
    """To the byte, from the start or from the middle; another seed plays another one."""
    again = SimulatedFeed(feed.day, 7, CALENDAR, RULES)
    later = batches[200]
    assert next(again.batches(later.start + 17)) == later
    assert next(again.batches()).digest == batches[0].digest == digest(batches[0].ticks)
    assert next(SimulatedFeed(feed.day, 8, CALENDAR, RULES).batches()).digest != batches[0].digest


def test_minutes_follow_each_other_over_the_whole_day(feed, batches):
    """Every minute from the open to the last segment's close, ticks in time order inside it."""
    assert [one.start for one in batches] == list(range(feed.start, feed.end, MINUTE))
    assert feed.start == at(feed.day, "09:15")
    assert feed.end == max(CALENDAR.session(feed.day, segment).close for segment in (Segment.CASH, Segment.DERIVATIVES))
    for one in batches:
        stamps = [tick.ts for tick in one.ticks]
        assert stamps == sorted(stamps)
        assert all(one.start <= stamp < one.end for stamp in stamps)


def test_it_says_simulated(feed, batches):
    """Source, instruments and every tick carry the mark."""
    assert feed.source == "SIMULATED"
    assert any("SIMULATED" in said for said in feed.assumed)
    assert all(one.modelled for one in feed.instruments())
    assert all(tick.modelled for tick in batches[0].ticks)


def test_the_master_lists_a_market(feed):
    """Indices and India VIX, thirty stocks, futures, and two underlyings' option chains with 31 strikes a side."""
    listed = feed.instruments()
    keys = {one.key: one for one in listed}
    assert len(keys) == len(listed)
    assert {"NSE:NIFTY", "NSE:BANKNIFTY", "BSE:SENSEX", "NSE:INDIAVIX"} == set(feed.indices) <= set(keys)
    assert set(feed.watchlist) == {one.key for one in listed if one.kind is Kind.EQUITY}
    assert len(feed.watchlist) >= 25
    chains = {}
    for one in listed:
        if one.is_derivative:
            assert one.underlying in keys
            assert one.expiry >= feed.day.isoformat()
            assert one.lot == RULES.lot(feed.day, one.symbol)
        if one.is_option:
            chains.setdefault((one.underlying, one.expiry), set()).add((one.strike, one.kind))
    assert len({expiry for underlying, expiry in chains if underlying == "NSE:NIFTY"}) in (2, 3)
    assert len({expiry for underlying, expiry in chains if underlying == "NSE:BANKNIFTY"}) == 1
    for (underlying, _), strikes in chains.items():
        spot = keys[underlying].previous_close
        assert {kind for _, kind in strikes} == {Kind.CALL, Kind.PUT}
        assert len(strikes) >= 62
        assert min(strike for strike, _ in strikes) < spot < max(strike for strike, _ in strikes)
    futures = [one for one in listed if one.kind is Kind.FUTURE and one.symbol == "NIFTY"]
    assert len({one.expiry for one in futures}) == 2


def test_the_master_says_what_was_open_on_the_evening_before(feed, batches):
    """A contract's first print of the day is what its change in open interest is counted from."""
    contracts = {one.key: one.previous_oi for one in feed.instruments() if one.is_derivative}
    first = {}
    for tick in batches[0].ticks:
        first.setdefault(tick.instrument, tick.oi)
    opened = first.keys() & contracts.keys()
    assert opened
    assert all(first[key] == contracts[key] > 0 for key in opened)


def test_prices_lie_on_the_grid_inside_the_band_with_bid_and_ask(feed, batches):
    """Every price is a multiple of its tick, quotes straddle the print, and derivatives trade in whole lots."""
    listed = {one.key: one for one in feed.instruments()}
    for one in batches[::30]:
        for tick in one.ticks:
            row = listed[tick.instrument]
            assert tick.price > 0
            assert tick.price % row.tick == tick.bid % row.tick == tick.ask % row.tick == 0
            if row.tradable and tick.ask:
                assert tick.bid <= tick.price <= tick.ask
                assert tick.ask > tick.bid > 0
                assert row.lower <= tick.price <= row.upper
            if row.is_derivative:
                assert tick.quantity % row.lot == tick.bid_quantity % row.lot == tick.oi % row.lot == 0


def test_volume_adds_up_over_the_day(feed, batches):
    """The running volume of a tick is the sum of the quantities so far, the pre-open auction's among them."""
    option = next(one.key for one in feed.instruments() if one.is_option and one.strike >= 2_400_000)
    for key in ("NSE:RELIANCE", "NSE:SOUTHBANK", option, "NFO:" + option.split(":")[1][:14]):
        ticks = of(batches, key)
        ticks = of([feed.opening()], key) + ticks
        quantities = np.cumsum([tick.quantity for tick in ticks]).tolist()
        assert [tick.volume for tick in ticks] == quantities


def test_a_future_ticks_at_its_fair_value(feed, batches):
    """It stays within a few basis points of the index carried to its expiry."""
    future = min(
        (one for one in feed.instruments() if one.kind is Kind.FUTURE and one.symbol == "NIFTY"),
        key=lambda one: one.expiry,
    )
    for one in batches[5:300:60]:
        index = [tick.price for tick in one.ticks if tick.instrument == "NSE:NIFTY"]
        prices = [tick.price for tick in one.ticks if tick.instrument == future.key]
        assert min(index) * 0.999 < min(prices) <= max(prices) < max(index) * 1.012


def test_calls_and_puts_keep_parity(feed, batches):
    """At a strike near the money, call less put is forward less strike, within spreads and what moved in between."""
    listed = {one.key: one for one in feed.instruments()}
    spot = of(batches[:100], "NSE:NIFTY")[-1].price
    expiry = min(one.expiry for one in listed.values() if one.is_option and one.symbol == "NIFTY")
    strike = round(spot / 5000) * 5000
    last = {}
    for tick in batches[100].ticks:
        row = listed[tick.instrument]
        if (row.expiry, row.strike, row.underlying) == (expiry, strike, "NSE:NIFTY"):
            last[row.kind] = tick.price
        elif row.key == "NSE:NIFTY":
            spot = tick.price
    assert last[Kind.CALL] - last[Kind.PUT] == pytest.approx(spot - strike, abs=0.004 * spot)


@pytest.mark.parametrize("key", ["NSE:NIFTY", "NSE:RELIANCE", "NSE:INDIAVIX", "future", "option"])
def test_history_of_the_day_is_what_was_played(feed, batches, key):
    """Bars built from the ticks are the bars that history tells, and what has not closed is not told."""
    kinds = {"future": Kind.FUTURE, "option": Kind.PUT}
    if key in kinds:
        key = next(one.key for one in feed.instruments() if one.kind is kinds[key] and one.strike in (0, 2_400_000))
    played = [bar for bar in rebuilt(feed, batches, key) if bar.end <= batches[60].end]
    told = feed.history(key, 1, len(played), batches[60].end)
    prices = [
        Bar(bar.instrument, bar.start, bar.end, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in told
    ]
    assert prices == [Bar(b.instrument, b.start, b.end, b.open, b.high, b.low, b.close, b.volume) for b in played]
    assert feed.history(key, 1, 5, batches[60].end - 1)[-1] == told[-2]


def test_history_reaches_back_and_joins_on(feed):
    """Ten days of minutes and a year of days, in order, the last close being the day's previous close."""
    listed = {one.key: one for one in feed.instruments()}
    for key in ("NSE:NIFTY", "NSE:TCS", "NSE:RAILTEL"):
        days = feed.history(key, DAY_MINUTES, 250, feed.start)
        assert len(days) == 250
        assert days[-1].close == listed[key].previous_close
        assert all(one.end <= other.start for one, other in pairwise(days))
        assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in days)
        minutes = feed.history(key, 5, 500, feed.start)
        assert len(minutes) == 500
        assert minutes[-1].end <= feed.start
        assert len({ist_date(bar.start) for bar in minutes}) >= 6


def test_an_unknown_instrument_has_no_history(feed):
    """The refusal names it."""
    with pytest.raises(Refused, match="NSE:NOSUCH"):
        feed.history("NSE:NOSUCH", 1, 5, feed.end)


def test_the_next_day_continues_from_the_close(feed, batches):
    """Tomorrow's previous closes are today's last prices, and today's open interest is where tomorrow's begins."""
    after = feed.next_day()
    assert after.day == CALENDAR.next_trading_day(feed.day, Segment.CASH)
    listed = {one.key: one for one in after.instruments()}
    for key in ("NSE:RELIANCE", "NSE:NIFTY", "NSE:SOUTHBANK"):
        assert listed[key].previous_close == of(batches[300:], key)[-1].price
    assert after.history("NSE:TCS", 1, 5, after.start) == feed.history("NSE:TCS", 1, 5, after.start)
    kept = next(
        one
        for one in feed.instruments()
        if one.kind is Kind.CALL and one.expiry > after.day.isoformat() and one.strike == 2_400_000
    )
    assert kept.key in listed
    first, last = of([next(after.batches())], kept.key)[0], of(batches, kept.key)[-1]
    assert first.oi == pytest.approx(last.oi, rel=0.05, abs=5 * kept.lot)
    assert listed[kept.key].previous_close == pytest.approx(last.price, rel=0.1, abs=50)


@pytest.mark.parametrize(
    ("day", "match"),
    [
        (date(2026, 11, 23), "09:10"),  # since 2026-09-07 two minutes later
        (date(2026, 9, 4), "09:08"),
        (date(2025, 3, 28), "09:08"),
        (date(2025, 10, 21), ""),  # an evening of Muhurat has none
    ],
)
def test_the_pre_open_auction_prints_once(day, match):
    """Every stock and index once, within a second of its match, at the price with which the session begins."""
    feed = SimulatedFeed(day, 7, CALENDAR, RULES)
    opening = feed.opening()
    if not match:
        assert opening is None
        assert next(whole_day(feed, 0)).start == feed.start
        return
    kinds = {one.key: one.kind for one in feed.instruments()}
    assert opening.start == at(day, match)
    assert opening == SimulatedFeed(day, 7, CALENDAR, RULES).opening()
    assert {tick.instrument for tick in opening.ticks} == {*feed.watchlist, *feed.indices} - {VIX}
    first = next(feed.batches())
    for tick in opening.ticks:
        assert 0 <= tick.ts - opening.start < SECOND
        assert tick.price == of([first], tick.instrument)[0].price
        assert bool(tick.quantity) == (kinds[tick.instrument] is Kind.EQUITY)
        assert tick.modelled
    assert [one.start for one, _ in zip(whole_day(feed, at(day, "09:00")), range(2), strict=False)] == [
        opening.start, feed.start,
    ]  # fmt: skip
    assert next(whole_day(feed, opening.end)).start == feed.start


def test_the_closing_auction_prints_once():
    """On a day with one, a stock with derivatives prints the auction's price after 15:15, and only then."""
    feed = SimulatedFeed(NEW, 7, CALENDAR, RULES)
    close = CALENDAR.session(NEW, Segment.CASH_FNO).close
    late = of(list(feed.batches(close)), "NSE:RELIANCE")
    assert len(late) == 1
    assert late[0].quantity > 0
    assert (late[0].bid, late[0].ask) == (0, 0)


def test_a_holiday_is_refused():
    """With the calendar's reason."""
    with pytest.raises(Refused):
        SimulatedFeed(date(2026, 11, 21), 7, CALENDAR, RULES)


@pytest.mark.parametrize(
    ("day", "minutes", "quiet"),
    [
        (date(2025, 10, 21), 60, 0),  # an evening of Muhurat
        (date(2024, 3, 2), 195, 90),  # a drill in two pieces
        (date(2026, 12, 31), 390, 0),  # no expiry after it is known
        (date(2020, 6, 1), 375, 0),  # before the calendar begins
    ],
)
def test_special_days_play_their_own_hours(day, minutes, quiet):
    """Whatever the hours, the day's minutes are there, and pauses are silent."""
    feed = SimulatedFeed(day, 7, CALENDAR, RULES)
    counts = [len(one.ticks) for one in feed.batches()]
    assert len(counts) == minutes
    assert counts.count(0) == quiet


def test_the_calendar_ends_and_says_so():
    """After the last published day there is no next one."""
    with pytest.raises(UnknownDate):
        SimulatedFeed(date(2026, 12, 31), 7, CALENDAR, RULES).next_day()


def test_expiring_index_contracts_stop_before_the_session_does():
    """From 2026-12-07 an index's contracts trade to 15:30 on their last day, and all others go on."""
    day = date(2026, 12, 8)
    feed = SimulatedFeed(day, 7, CALENDAR, RULES)
    listed = {one.key: one for one in feed.instruments()}
    assert day.isoformat() in {one.expiry for one in listed.values()}
    for one in feed.batches(at(day, "15:28")):
        expiring = [tick for tick in one.ticks if listed[tick.instrument].expiry == day.isoformat()]
        others = [tick for tick in one.ticks if listed[tick.instrument].expiry > day.isoformat()]
        assert bool(expiring) == (one.start < at(day, "15:30"))
        assert others
    key = next(one.key for one in listed.values() if one.expiry == day.isoformat())
    assert feed.history(key, 1, 1, feed.end)[0].end == at(day, "15:30")
