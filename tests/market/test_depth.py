"""Depth: what is stored is shown as stored, what is modelled is a book, and neither is invented."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from made_files import place, take
from msgspec.structs import replace

from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.quotes import Level, Tick
from aitrade.market.calendar import Calendar
from aitrade.market.depth import LEVELS, best, modelled
from aitrade.market.feeds import ReplayFeed, SimulatedFeed
from aitrade.market.input_tables import Basis
from aitrade.market.rules import Rules

FUTURE = Instrument(key="NSE:X", exchange=Exchange.NSE, symbol="X", kind=Kind.EQUITY, tick=5, lot=25)


def print_at(bid, ask, quantity=100, ts=7):
    """Return a print with a touch."""
    return Tick("NSE:X", ts, bid or ask, 1, bid, ask, quantity, quantity)


@given(st.integers(1, 10**7).map(lambda n: 5 * n), st.integers(1, 10**6), st.integers(0, 2**60))
def test_a_modelled_book_lies_beyond_its_touch_on_the_grid(bid, lots, seed):
    """Prices go away from the touch by whole ticks, quantities are whole lots beyond it, and none is below zero."""
    book = modelled(print_at(bid, bid + 5, lots * 25), FUTURE, seed)
    assert (book.bids[0], book.asks[0]) == (Level(bid, lots * 25), Level(bid + 5, lots * 25))
    assert [level.price for level in book.bids] == sorted({level.price for level in book.bids}, reverse=True)
    assert [level.price for level in book.asks] == sorted({level.price for level in book.asks})
    assert all(level.price > 0 and level.price % 5 == 0 for level in [*book.bids, *book.asks])
    assert all(level.quantity > 0 and level.quantity % 25 == 0 for level in [*book.bids, *book.asks])
    assert len(book.asks) == LEVELS
    assert book == modelled(print_at(bid, bid + 5, lots * 25), FUTURE, seed)


def test_a_side_that_has_no_quote_has_no_levels():
    """A print without a bid has asks only."""
    book = modelled(print_at(0, 100), FUTURE, 1)
    assert (book.bids, len(book.asks)) == ([], LEVELS)
    assert best(print_at(0, 100)).bids == []


def test_the_simulated_market_shows_five_levels():
    """Each print of a share has a book around it, marked as made."""
    feed = SimulatedFeed(date(2026, 11, 18), 7, Calendar.load(), Rules.load())
    rows = {row.key: row for row in feed.instruments()}
    tick = next(tick for tick in next(feed.batches()).ticks if tick.bid and tick.ask)
    book = feed.depth(tick, rows[tick.instrument])
    assert (len(book.bids), len(book.asks), book.modelled) == (LEVELS, LEVELS, True)
    assert (book.bids[0].price, book.asks[0].price) == (tick.bid, tick.ask)


def as_shares(store):
    """Store the recorded future's ticks as a share's too: a future without a contract month is not traded."""
    source = store.sources[0]
    ticks = [replace(one, instrument="NSE:TCS") for one in store.depth_ticks("NFO:TCS-FUT", date(2025, 11, 17))]
    sets = tuple(replace(one, subject="NSE:TCS", untradable="") for one in source.sets)
    store.commit(replace(source, sha256="0" * 64, sets=sets, parts=()), [(Basis.RAW, ticks)])


def test_stored_levels_are_shown_as_they_were_recorded(store, tmp_path):
    """A replayed book is the recording's, to the level; before its first tick only the touch of the print is known."""
    columns = [f"{side}_{what}_{i}" for side in ("bid", "ask") for i in range(1, 6) for what in ("price", "qty")]
    header = "Symbol,exchange_timestamp,last_price,volume_traded,last_traded_quantity,open_interest,change_in_oi"
    book = "1518.5,1500,1518.4,500,1518.2,700,0,0,0,0,1518.8,2000,1518.9,250,0,0,0,0,0,0"
    row = f"TCS,2025-11-17 12:07:57.022308,1518.9,3363500,500,100700000,0,{book},348500,867500"
    names = [header, *columns, "total_buy_qty", "total_sell_qty"]
    take(store, place(tmp_path, "all.csv", ",".join(names) + "\n" + row + "\n"))
    as_shares(store)
    feed = ReplayFeed(store, date(2025, 11, 17), Calendar.load(), Rules.load())
    (share,) = feed.instruments()
    (tick,) = store.ticks(share.key, feed.day)
    seen = feed.depth(tick, share)
    assert seen.bids == [Level(151850, 1500), Level(151840, 500), Level(151820, 700)]
    assert seen.asks == [Level(151880, 2000), Level(151890, 250)]
    assert not seen.modelled
    assert feed.depth(Tick(share.key, tick.ts - 1, 100, 1, 95, 105, 3, 4), share).bids == [Level(95, 3)]
