"""A replayed day is the imported one: real bars walked and marked, real ticks as they are."""

from datetime import date

import msgspec
import pytest
from made_files import DAY, NEXT, index_csv, minutes, place, real, stock_csv, take

from aitrade.core.clock import DAY as WHOLE
from aitrade.core.clock import MINUTE, at
from aitrade.core.errors import DataRefused, Refused
from aitrade.core.instruments import Kind
from aitrade.core.quotes import Tick
from aitrade.market.bars import DAY_MINUTES, BarBuilder
from aitrade.market.calendar import Calendar
from aitrade.market.feeds import ReplayFeed
from aitrade.market.grid import band
from aitrade.market.importing import import_path
from aitrade.market.input_rows import CorporateAction
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import Basis
from aitrade.market.rules import Rules

CALENDAR, RULES = Calendar.load(), Rules.load()


@pytest.fixture
def store(tmp_path):
    """A store with two days of one stock and one index, junk after the close included."""
    made = InputStore(tmp_path / "market")
    before = date(2025, 3, 27)
    for day in (before, DAY):
        moments = minutes(day, "09:15", 375)
        take(made, place(tmp_path, f"RELIANCE/{day:%d-%m-%Y}.csv", stock_csv(moments)))
        take(made, place(tmp_path, f"NIFTY_{day}.csv", index_csv(moments)))
    return made


def bars_of(feed, key):
    """Return the minute bars that the feed's ticks of `key` make."""
    builder, bars = BarBuilder(1, feed.start), []
    for one in feed.batches():
        for tick in one.ticks:
            if tick.instrument == key:
                builder.on_tick(tick)
        bars += builder.close(one.end)
    return bars


def replay(store, day=DAY):
    """Return the feed of a day."""
    return ReplayFeed(store, day, CALENDAR, RULES)


def test_the_ticks_make_the_imported_bars(store):
    """Every bar comes back from the path that it became, and the path says that it is modelled."""
    feed = replay(store)
    for key in feed.watchlist + feed.indices:
        assert bars_of(feed, key) == store.bars(key, 1, feed.start, feed.end)
    assert all(tick.modelled for one in feed.batches() for tick in one.ticks)
    assert any("MODELLED" in said for said in feed.assumed)


def test_an_index_day_gets_a_modelled_chain(store):
    """Where no options were imported but NIFTY was, its chain is modelled on the real index, and says so."""
    feed = replay(store)
    listed = {one.key: one for one in feed.instruments()}
    options = [one for one in listed.values() if one.is_option]
    assert {one.underlying for one in options} == {"NSE:NIFTY"}
    assert all(one.modelled and one.lot == RULES.lot(DAY, "NIFTY") for one in options)
    assert any("option chains are MODELLED" in said for said in feed.assumed)
    near = next(one for one in options if one.strike == 2_000_000 and one.kind is Kind.CALL)
    rebuilt = bars_of(feed, near.key)
    assert feed.history(near.key, 1, 375, feed.end) == rebuilt
    assert len(rebuilt) == 375
    assert all(bar.low > 0 for bar in rebuilt)
    ticks = [tick for one in feed.batches() for tick in one.ticks if listed[tick.instrument].is_option]
    assert all(tick.modelled and tick.bid <= tick.price <= tick.ask for tick in ticks)
    assert all(tick.oi % listed[tick.instrument].lot == 0 for tick in ticks)


def test_a_day_without_an_index_has_no_chain_and_says_so(tmp_path):
    """Nothing is made up where there is nothing to follow."""
    made = InputStore(tmp_path / "market")
    take(made, place(tmp_path, f"RELIANCE/{DAY:%d-%m-%Y}.csv", stock_csv(minutes(DAY, "09:15", 375))))
    feed = replay(made)
    assert not any(one.is_option for one in feed.instruments())
    assert any("no option chain" in said for said in feed.assumed)


def test_two_replays_are_the_same_to_the_byte(store):
    """From the start, or from the minute that contains a moment."""
    whole = list(replay(store).batches())
    assert [one.start for one in whole] == list(range(at(DAY, "09:15"), at(DAY, "15:30"), MINUTE))
    assert list(replay(store).batches(whole[131].start + 5)) == whole[131:]


def test_the_master_follows_the_rules_of_the_day(store):
    """The tick is that of the day and price, the previous close that of the day before, the band a tenth around it."""
    listed = {one.key: one for one in replay(store).instruments()}
    stock = listed["NSE:RELIANCE"]
    assert stock.previous_close == 10_040
    assert stock.tick == RULES.tick(DAY, Kind.EQUITY, stock.exchange, 10_040)
    assert stock.has_derivatives
    assert (stock.lower, stock.upper) == (9_036, 11_044)
    assert listed["NSE:NIFTY"].kind is Kind.INDEX
    assert not listed["NSE:NIFTY"].tradable


def test_volume_runs_over_the_day(store):
    """A tick's volume is what was traded since the open."""
    ticks = [tick for one in replay(store).batches() for tick in one.ticks if tick.instrument == "NSE:RELIANCE"]
    total = 0
    for tick in ticks:
        total += tick.quantity
        assert tick.volume == total


def test_history_is_the_imported_past_and_the_day_so_far(store):
    """Minutes reach over the night, day bars end with the day, and nothing that has not closed is told."""
    feed = replay(store)
    noon = at(DAY, "12:00")
    told = feed.history("NSE:RELIANCE", 1, 300, noon)
    assert len(told) == 300
    assert told[-1].end == noon
    assert told[0].start < feed.start
    assert feed.history("NSE:RELIANCE", 15, 3, noon)[-1].end == noon
    days = feed.history("NSE:RELIANCE", DAY_MINUTES, 5, feed.end)
    assert [(bar.start, bar.end) for bar in days] == [
        (at(day, "09:15"), at(day, "15:30")) for day in (date(2025, 3, 27), DAY)
    ]
    assert len(feed.history("NSE:RELIANCE", DAY_MINUTES, 5, noon)) == 1


def test_history_is_paged_back_from_any_moment(store, tmp_path):
    """Bars before a moment weeks ago are counted from that moment, not from the day that plays."""
    early = date(2025, 2, 10)
    take(store, place(tmp_path, f"RELIANCE/{early:%d-%m-%Y}.csv", stock_csv(minutes(early, "09:15", 375))))
    told = replay(store).history("NSE:RELIANCE", 1, 100, at("2025-02-12", "09:15"))
    assert [told[0].end, told[-1].end] == [at(early, "13:51"), at(early, "15:30")]


def test_the_next_day_is_the_next_market_day(store, tmp_path):
    """By the calendar: where nothing of it is imported the replay ends there, whatever later day is."""
    first = replay(store, date(2025, 3, 27))
    assert first.next_day().day == DAY
    moments = minutes(date(2025, 4, 2), "09:15", 375)
    take(store, place(tmp_path, "RELIANCE/02-04-2025.csv", stock_csv(moments)))
    last = replay(store)
    with pytest.raises(Refused, match=f"market day is {NEXT}, and nothing of it is imported: import it, or end here"):
        last.next_day()
    take(store, place(tmp_path, "RELIANCE/01-04-2025.csv", stock_csv(minutes(NEXT, "09:15", 375))))
    assert last.next_day().day == NEXT


def test_a_day_of_other_data_does_not_follow(store, tmp_path):
    """Minutes are not gone on with in 5-minute bars, nor with an index alone."""
    five = [f"{m:%Y-%m-%d %H:%M:%S+05:30},100,101,99,100,10" for m in minutes(NEXT, "09:15", 75, 5)]
    file = "\n".join(["timestamp,open,high,low,close,volume", *five])
    take(store, place(tmp_path, "RELIANCE_5.csv", file))
    take(store, place(tmp_path, f"NIFTY_{NEXT}.csv", index_csv(minutes(NEXT, "09:15", 375))))
    with pytest.raises(Refused, match="no 1-minute bars of it are imported"):
        replay(store).next_day()


def test_adjusted_prices_are_not_played(tmp_path, monkeypatch):
    """Nobody traded at them: a day of nothing else is refused, and they are no previous close."""
    made = InputStore(tmp_path / "market")
    take(made, place(tmp_path, f"RELIANCE/{DAY:%d-%m-%Y}.csv", stock_csv(minutes(DAY, "09:15", 375))))
    adjusted = [msgspec.structs.replace(one, basis=Basis.ADJUSTED) for one in made.sets()]
    monkeypatch.setattr(made, "_merged", adjusted)
    with pytest.raises(DataRefused, match="Nothing is imported"):
        replay(made)


def test_real_adjusted_prices_are_marked(tmp_path, real_data):
    """Yahoo's 5-minute bars, restated and off the tick, can be looked at and are never traded on."""
    made = InputStore(tmp_path / "market")
    import_path(next(real(real_data, "yf-5min-2026").glob("*RELIANCE*")), made)
    (one,) = made.sets()
    assert one.why_untradable.startswith("adjusted prices")
    assert made.days(5) == {}
    with pytest.raises(DataRefused, match="Nothing is imported"):
        replay(made, date(2026, 5, 21))
    assert made.previous_close("NSE:RELIANCE", date(2026, 5, 21)) == 0


def test_nothing_prints_off_the_tick(tmp_path):
    """Prices off the tick are rounded to it, and the feed says so: no fill can lie between two ticks."""
    made = InputStore(tmp_path / "market")
    rows = [f"{m:%Y-%m-%d %H:%M:%S+05:30},1230.21,1231.33,1229.87,1230.06,500" for m in minutes(DAY, "09:15", 30)]
    take(made, place(tmp_path, "RELIANCE_1.csv", "\n".join(["timestamp,open,high,low,close,volume", *rows])))
    feed = replay(made)
    (stock,) = feed.instruments()
    ticks = [tick for one in feed.batches() for tick in one.ticks]
    assert stock.tick == 5
    assert len(ticks) == 30 * 20
    assert not any(price % stock.tick for tick in ticks for price in (tick.price, tick.bid, tick.ask))
    assert feed.history("NSE:RELIANCE", 1, 30, feed.end) == bars_of(feed, "NSE:RELIANCE")
    assert any("NSE:RELIANCE lie off the tick" in said for said in feed.assumed)
    assert not any("off the tick" in said for said in replay(made_whole(tmp_path)).assumed)


def made_whole(folder):
    """Return a store of one stock whose prices lie on its tick."""
    made = InputStore(folder / "whole")
    take(made, place(folder, f"RELIANCE/{DAY:%d-%m-%Y}.csv", stock_csv(minutes(DAY, "09:15", 30))))
    return made


@pytest.mark.parametrize(("symbol", "percent"), [("RELIANCE", 10), ("UNLISTED", 20)])
def test_without_a_previous_close_the_first_price_stands_for_it(tmp_path, symbol, percent):
    """There is always a band: a tenth around it with derivatives, else the widest that there is; both are said."""
    made = InputStore(tmp_path / "market")
    take(made, place(tmp_path, f"{symbol}/{DAY:%d-%m-%Y}.csv", stock_csv(minutes(DAY, "09:15", 30))))
    feed = replay(made)
    (stock,) = feed.instruments()
    assert stock.previous_close == 0
    assert (stock.lower, stock.upper) == band(10_005, percent, stock.tick)
    assert stock.tick == RULES.tick(DAY, Kind.EQUITY, stock.exchange, 10_005)
    assert any("ASSUMED from the day's first price" in said for said in feed.assumed)
    assert any("ASSUMED to be 20 %" in said for said in feed.assumed) == (percent == 20)


def test_a_day_without_data_is_refused_with_the_days_that_there_are(store, tmp_path):
    """The refusal says what is imported, or how to import."""
    with pytest.raises(DataRefused, match="2 days from 2025-03-27 to 2025-03-28"):
        replay(store, date(2025, 3, 26))
    with pytest.raises(DataRefused, match="aitrade data import"):
        replay(InputStore(tmp_path / "empty"))


def test_real_ticks_are_replayed_as_they_are(store, monkeypatch):
    """Where ticks are stored, they play instead of the bars, unmarked; what lies outside the session does not."""
    inside = [
        Tick("NSE:RELIANCE", at(DAY, "10:00") + 7 * n, 10_000 + n, 5, 9_995, 10_005, 10, 20, 5 * n) for n in range(3)
    ]
    late = Tick("NSE:RELIANCE", at(DAY, "15:31"), 10_000, 5)
    monkeypatch.setattr(store, "ticks", lambda key, _: [*inside, late] if key == "NSE:RELIANCE" else [])
    played = [tick for one in replay(store).batches() for tick in one.ticks if tick.instrument == "NSE:RELIANCE"]
    assert played == inside
    assert not any(tick.modelled for tick in played)


def test_a_real_day_comes_back(tmp_path, real_data):
    """2025-03-28 of three stocks: 375 minutes, the real bars rebuilt from the path, yesterday's close before it."""
    made = InputStore(tmp_path / "market")
    for name in ("RELIANCE", "TCS", "ICICIBANK"):
        for day in ("27-03-2025", "28-03-2025"):
            assert not import_path(real(real_data, "nse-1min-stocks-2025", name, f"{day}.csv"), made).refused
    feed = replay(made)
    assert feed.watchlist == ["NSE:ICICIBANK", "NSE:RELIANCE", "NSE:TCS"]
    for key in feed.watchlist:
        rebuilt = bars_of(feed, key)
        assert rebuilt == made.bars(key, 1, feed.start, feed.end)
        assert len(rebuilt) == 375
    yesterday = made.bars("NSE:TCS", 1, feed.start - WHOLE, feed.end - WHOLE)[-1].close
    assert next(one for one in feed.instruments() if one.key == "NSE:TCS").previous_close == yesterday


def test_a_holiday_is_refused(store):
    """Even where some file claims bars on it."""
    with pytest.raises(Refused):
        replay(store, date(2025, 3, 29))


@pytest.mark.parametrize(("close", "restated"), [(20_080, True), (10_040, False)])
def test_a_bonus_restates_the_previous_close_where_the_market_did(tmp_path, monkeypatch, close, restated):
    """On its ex-day a stock opens at half the price: the close before is halved, unless the data are so already."""
    made = InputStore(tmp_path / "market")
    action = CorporateAction(symbol="RELIANCE", ex_day=DAY.isoformat(), subject="Bonus 1:1")
    take(made, place(tmp_path, f"RELIANCE/{DAY:%d-%m-%Y}.csv", stock_csv(minutes(DAY, "09:15", 375))))
    monkeypatch.setattr(made, "previous_close", lambda *_: close)
    monkeypatch.setattr(made, "corporate_actions", lambda **_: [action])
    feed = replay(made)
    (stock,) = feed.instruments()
    assert stock.previous_close == 10_040
    assert (stock.lower, stock.upper) == (9_036, 11_044)
    assert any("Bonus 1:1" in said for said in feed.assumed) == restated
    assert feed.corporate_actions == [action]
