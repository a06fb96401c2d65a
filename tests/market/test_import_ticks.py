"""Tick files: stamps of 1970, repeats, the next morning, a broken row, depth in the wrong columns."""

from datetime import date

from made_files import place, real, take

from aitrade.core.clock import at
from aitrade.market.importing import import_path

DAY = date(2021, 4, 16)


def test_second_ticks_lose_what_is_not_of_their_session(store, tmp_path):
    """1970 and the evening are set aside; the print at the closing moment and the next morning's session stay."""
    text = "timestamp,ltp,volume\n" + "".join(
        f"{stamp},{price},{volume}\n"
        for stamp, price, volume in [
            ("2021-04-16 09:15:05", "1933.35", 100),
            ("2021-04-16 09:15:05", "1933.6", 90),
            ("2021-04-16 09:15:06", "1933.4", 130),
            ("2021-04-16 15:30:00", "1929.0", 200),
            ("2021-04-16 15:30:55", "1932.1", 200),
            ("1970-01-01 05:30:00", "1932.1", 200),
            ("2021-04-19 09:07:59", "1900.0", 5),
            ("2021-04-19 09:15:18", "1905.8", 10),
        ]
    )
    result = take(store, place(tmp_path, "RELIANCE_2021-04-16.csv", text))
    assert (result.rows, result.aside) == (5, 3)
    (one,) = store.sets()
    assert one.days == {"2021-04-16": 4, "2021-04-19": 1}
    assert one.aside == {"stamp before 1990, of a clock that was not set": 1, "out of session": 2}
    ticks = store.ticks("NSE:RELIANCE", DAY)
    assert [tick.price for tick in ticks] == [193335, 193360, 193340, 192900]
    assert [tick.quantity for tick in ticks] == [0, 0, 30, 70], "the running volume went back once and counts on"
    assert ticks[0].ts == at(DAY, "09:15:05")


HEADER = (
    "Symbol,exchange_timestamp,last_price,volume_traded,last_traded_quantity,open_interest,change_in_oi,"
    + ",".join(f"{side}_{what}_{i}" for side in ("bid", "ask") for i in range(1, 6) for what in ("price", "qty"))
    + ",total_buy_qty,total_sell_qty\n"
)


def _depth(symbol, bids, asks, time="12:07:57.022308"):
    book = ",".join(f"{p},{q}" for side in (bids, asks) for p, q in [*side, *[(0.0, 0)] * 5][:5])
    return f"{symbol},2025-11-17 {time},1518.9,3363500,500,100700000,0,{book},348500,867500\n"


def test_depth_is_kept_and_a_broken_row_set_aside(store, tmp_path):
    """Stamps have microseconds; the short code becomes the exchange's symbol; no month, so it cannot be traded."""
    rows = _depth("RELIND", [(1518.5, 1500), (1518.4, 500)], [(1518.8, 2000)]) + "5\n" + _depth("TCS", [], [])
    result = take(store, place(tmp_path, "all.csv", HEADER + rows))
    assert (result.rows, result.aside) == (2, 1)
    (aside,) = store.set_aside(store.sources[0].sha256)
    assert (aside.line, aside.text) == (3, "5")
    (tick,) = store.depth_ticks("NFO:RELIANCE-FUT", date(2025, 11, 17))
    assert tick.ts == at("2025-11-17", "12:07:57") + 22_308_000
    assert (tick.bid_prices, tick.bid_quantities) == ((151850, 151840), (1500, 500))
    assert (tick.bid, tick.ask, tick.ask_quantity, tick.oi) == (151850, 151880, 2000, 100700000)
    assert all("contract month" in one.untradable for one in store.sets())


def test_an_ask_in_the_second_bid_is_read_as_the_ask(store, tmp_path):
    """A second bid above the first, with no ask at all, is where one recorder wrote the ask."""
    result = take(store, place(tmp_path, "all.csv", HEADER + _depth("TCS", [(1518.5, 1500), (1518.8, 2000)], [])))
    (tick,) = store.depth_ticks("NFO:TCS-FUT", date(2025, 11, 17))
    assert (tick.bid, tick.ask, tick.bid_prices) == (151850, 151880, (151850,))
    assert "second bid" in result.notes[0]


def test_real_ticks(store, real_data):
    """21,353 of 26,080 rows of RELIANCE lie in a session; of the futures one row is broken."""
    import_path(real(real_data, "ticks-2021"), store)
    import_path(real(real_data, "ticks-breeze-fut-20251117"), store)
    sets = {one.subject: one for one in store.sets()}
    one = sets["NSE:RELIANCE"]
    assert one.rows == 21353
    assert one.rows + sum(one.aside.values()) == 26080
    assert {key: sets[f"NFO:{key}-FUT"].rows for key in ("RELIANCE", "TRENT", "TCS", "MCX")} == {
        "RELIANCE": 1524,
        "TRENT": 1446,
        "TCS": 1309,
        "MCX": 1256,
    }
    ticks = store.ticks("NFO:TCS-FUT", date(2025, 11, 17))
    assert all(0 < tick.bid < tick.ask for tick in ticks)
