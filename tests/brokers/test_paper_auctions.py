"""Call auctions, the post-close session and market-wide halts, as tables: orders and prints in, the words out."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_market import CALL, FUTURE, SHARE, Market

from aitrade.core.clock import SECOND, at
from aitrade.core.errors import Refused
from aitrade.core.quotes import Tick

DAY = "2026-11-23"
STOCK = msgspec.structs.replace(SHARE, has_derivatives=True)

OPENINGS = [
    # what gathers before the open matches at the first print, all at its one price, market orders first
    (
        "BUY 10 LIMIT 101.00, BUY 10 MARKET, at 09:15:00, 100.50x48/100.45-100.60",
        "#1 ACCEPTED, #2 ACCEPTED, #2 FILL 10@100.50, #1 FILL 2@100.50",
    ),
    ("BUY 10 LIMIT 100.00, at 09:15:00, 100.50x400, 100.00x400", "ACCEPTED, FILL 10@100.00"),
    ("SELL 10 LIMIT 100.00, at 09:15:00, 100.50x400", "ACCEPTED, FILL 10@100.50"),
    # a print in the match period is the auction's; the indicative ones before it are not
    ("BUY 10 MARKET, 100.30x400, at 09:10:01, 100.50x400", "ACCEPTED, FILL 10@100.50"),
    # what the auction leaves of a market order stands as a limit order at its price
    (
        "BUY 10 MARKET, at 09:15:00, 100.50x16, 100.60x400, 100.50x400",
        "ACCEPTED, FILL 4@100.50, MODIFIED 10@100.50, FILL 6@100.50",
    ),
    # stops and IOC stay outside
    ("BUY 10 SL 101.00 101.50", "REJECTED"),
    ("BUY 10 LIMIT 101.00 IOC", "REJECTED"),
    # the last minutes take limit orders only, and market orders stand as they are
    ("at 09:05:01, BUY 10 MARKET", "REJECTED"),
    ("at 09:05:01, BUY 10 LIMIT 101.00, cancel #1", "ACCEPTED, CANCELLED"),
    ("BUY 10 MARKET, at 09:05:01, cancel #1", "ACCEPTED, CANCEL_REJECTED"),
    ("BUY 10 LIMIT 101.00, at 09:10:01, modify #1 20 at 101.00", "ACCEPTED, MODIFY_REJECTED"),
    ("at 09:12:01, BUY 10 LIMIT 101.00", "REJECTED"),
]

CLOSINGS = [
    # a limit order of continuous trading carries over, a stop that has not triggered does not
    (
        "100.00x400, BUY 10 LIMIT 99.00, at 15:15:01, at 15:30:01, 98.90x400",
        "ACCEPTED, FILL 10@98.90",
    ),
    ("100.00x400, BUY 10 SL 101.00 101.50, at 15:15:01", "ACCEPTED, CANCELLED"),
    # nor does one outside 3 % of the reference
    ("100.00x400, BUY 10 LIMIT 96.95, at 15:15:01", "ACCEPTED, CANCELLED"),
    ("100.00x400, BUY 10 LIMIT 97.00, at 15:15:01", "ACCEPTED"),
    # market orders come first
    (
        "100.00x400, BUY 10 LIMIT 101.00, 101.05x400, at 15:20:01, BUY 10 MARKET, at 15:30:01, 100.50x48",
        "#1 ACCEPTED, #2 ACCEPTED, #2 FILL 10@100.50, #1 FILL 2@100.50",
    ),
    # nothing fills before the match, and no match is said at the end
    ("at 15:20:01, BUY 10 MARKET, 100.00x400, close, at 15:50:00", "ACCEPTED, EXPIRED"),
    ("at 15:15:01, BUY 10 LIMIT 100.00", "REJECTED"),
    ("at 15:20:01, BUY 10 SL 101.00 101.50", "REJECTED"),
    ("100.00x400, at 15:20:01, BUY 10 LIMIT 103.05", "REJECTED"),
    ("at 15:25:01, BUY 10 MARKET", "REJECTED"),
    # after the close, deliveries at the close
    ("100.00x400, at 15:50:01, BUY 10 MARKET CNC, 100.00x400", "ACCEPTED, FILL 10@100.00"),
    ("100.00x400, at 15:50:01, BUY 10 LIMIT 100.05 CNC", "REJECTED"),
    ("100.00x400, at 15:50:01, BUY 10 MARKET", "REJECTED"),
    ("100.00x400, at 15:50:01, BUY 10 MARKET CNC, at 16:00:00", "ACCEPTED, EXPIRED"),
]

HALTS = [
    # a halt cancels everything, takes nothing, and reopens with a call auction
    ("BUY 10 LIMIT 99.00, halt 10", "ACCEPTED, CANCELLED"),
    ("halt 10, BUY 10 MARKET", "REJECTED"),
    ("at 10:00:00, halt 10, at 10:45:01, BUY 10 MARKET, 100.00x400", "ACCEPTED"),
    ("at 10:00:00, halt 10, at 10:45:01, BUY 10 MARKET, at 11:00:01, 100.00x400", "ACCEPTED, FILL 10@100.00"),
    # a 10 % move from 14:30 on halts nothing; 20 % ends the day
    ("at 14:30:00, halt 10, BUY 10 MARKET, 100.00x400", "ACCEPTED, FILL 10@100.00"),
    ("at 10:00:00, halt 20, at 15:29:00, BUY 10 MARKET", "REJECTED"),
]


@pytest.mark.parametrize(("script", "said"), OPENINGS)
def test_pre_open(script, said):
    """The pre-open session gathers and matches at the open."""
    assert Market(start="09:01:00", day=DAY).run(script).said == said


@pytest.mark.parametrize(("script", "said"), CLOSINGS)
def test_closing(script, said):
    """The closing auction matches at its print, the post-close session at the close."""
    assert Market(STOCK, start="15:00:00", day=DAY).run(script).said == said


REFERENCES = [
    # day, from when, script: the last order lies on the bound of the band, or a tick beyond it; 103.00 is the average
    ("2026-11-23", "15:00:00", "100.00x400, 104.00x1200, at 15:20:01, BUY 10 LIMIT 106.05", "ACCEPTED"),
    ("2026-11-23", "15:00:00", "100.00x400, 104.00x1200, at 15:20:01, BUY 10 LIMIT 106.10", "REJECTED"),
    ("2026-11-23", "15:00:00", "100.00x400, 104.00x1200, at 15:20:01, BUY 10 LIMIT 99.95", "ACCEPTED"),
    ("2026-11-23", "15:00:00", "100.00x400, 104.00x1200, at 15:20:01, BUY 10 LIMIT 99.90", "REJECTED"),
    # what prints before 15:00, from 15:15 on or without quantity does not count
    ("2026-11-23", "14:59:59", "110.00x9999, 103.00x1, 90.00x0, at 15:20:01, BUY 10 LIMIT 106.05", "ACCEPTED"),
    ("2026-11-23", "14:59:59", "110.00x9999, 103.00x1, at 15:20:01, BUY 10 LIMIT 106.10", "REJECTED"),
    ("2026-11-23", "15:14:59", "103.00x1, 110.00x9999, at 15:20:01, BUY 10 LIMIT 106.10", "REJECTED"),
    # from 2026-12-07 it is 15:15 to 15:30
    ("2026-12-08", "15:14:59", "110.00x9999, 103.00x1, at 15:31:01, BUY 10 LIMIT 106.05", "ACCEPTED"),
    ("2026-12-08", "15:14:59", "110.00x9999, 103.00x1, at 15:31:01, BUY 10 LIMIT 106.10", "REJECTED"),
    # without a print in the window the last price, without any yesterday's close (100.00)
    ("2026-11-23", "14:30:00", "103.00x1, at 15:20:01, BUY 10 LIMIT 106.05", "ACCEPTED"),
    ("2026-11-23", "14:30:00", "at 15:20:01, BUY 10 LIMIT 103.05", "REJECTED"),
]

CLOSES = [
    # instrument, day, script: after the close the last order asks for the close, which alone trades
    # a stock with derivatives: the auction's price, or without a match the auction's reference
    (STOCK, "2026-11-23", "100.00x400, 104.00x1200, at 15:30:01, 102.00x9, at 15:50:01, BUY 10 LIMIT 102.00 CNC"),
    (STOCK, "2026-11-23", "100.00x400, 104.00x1200, at 15:50:01, BUY 10 LIMIT 103.00 CNC"),
    # one without: the average of the last half hour
    (SHARE, "2026-11-23", "100.00x400, at 15:29:00, 104.00x1200, at 15:50:01, BUY 10 LIMIT 103.00 CNC"),
    # and so both before there was an auction; a price between two ticks goes to the nearer one
    (STOCK, "2025-03-28", "100.00x400, at 15:29:00, 104.00x1200, at 15:40:01, BUY 10 LIMIT 103.00 CNC"),
    (SHARE, "2025-03-28", "100.00x400, at 15:29:00, 100.05x500, at 15:40:01, BUY 10 LIMIT 100.05 CNC"),
    (SHARE, "2025-03-28", "at 15:30:00, 101.00x400, at 15:40:01, BUY 10 LIMIT 101.00 CNC"),
]


@pytest.mark.parametrize(("day", "start", "script", "said"), REFERENCES)
def test_the_closing_auction_is_held_against_its_windows_average(day, start, script, said):
    """The band lies around the volume-weighted average of the window that holds on the day."""
    assert Market(STOCK, start=start, day=day).run(script).said == said


@pytest.mark.parametrize(("instrument", "day", "script"), CLOSES)
def test_the_close_is_the_auctions_price_or_the_windows_average(instrument, day, script):
    """The close is taken, one tick more is told what the close is."""
    market = Market(instrument, start="15:00:00", day=day).run(script)
    assert market.said == "ACCEPTED"
    price = script.split()[-2]
    beyond = f"{float(price) + 0.05:.2f}"
    refused = Market(instrument, start="15:00:00", day=day).run(script.replace(f"{price} CNC", f"{beyond} CNC"))
    assert refused.reason == f"After the close only ₹{price}, the closing price, trades, not ₹{beyond}; use that price."


PRINT = st.tuples(st.integers(-30, 1_100), st.integers(9_000, 11_000), st.integers(0, 500))


@given(st.lists(PRINT, min_size=1, max_size=30))
def test_the_reference_is_the_value_over_the_units(prints):
    """Whatever prints around the window, a restart or none: its value over its units, on the grid."""
    opens = at(DAY, "15:00")
    ticks = [Tick(STOCK.key, opens + second * SECOND, price * 5, units) for second, price, units in sorted(prints)]
    inside = [tick for tick in ticks if opens <= tick.ts < at(DAY, "15:15")]
    units = sum(tick.quantity for tick in inside)
    restarted, market = Market(STOCK, start="15:20:01", day=DAY), Market(STOCK, start="15:20:01", day=DAY)
    for place, tick in enumerate(ticks):
        market.exchange.on_tick(tick)
        (restarted.exchange.take_in if place % 2 else restarted.exchange.on_tick)(tick)
    averages = [one.exchange._closing.average(STOCK, one.now) for one in (market, restarted)]
    assert averages[0] == averages[1]
    if units:
        value = sum(tick.price * tick.quantity for tick in inside)
        assert averages[0] % STOCK.tick == 0
        assert abs(averages[0] - value / units) <= STOCK.tick / 2
    else:
        assert averages[0] == 0


@pytest.mark.parametrize(("script", "said"), HALTS)
def test_halts(script, said):
    """A circuit breaker halts the whole market."""
    assert Market().run(script).said == said


REASONS = [
    (
        SHARE,
        "at 09:12:01, BUY 10 LIMIT 101.00",
        "The market is in the pause before the open at 09:12:02 and takes no orders; try again at 09:15:00.",
    ),
    (SHARE, "at 09:05:01, BUY 10 MARKET", "No MARKET orders in the pre-open session's limit-only part; use LIMIT."),
    (SHARE, "BUY 10 LIMIT 100.00 IOC", "No IOC orders in the pre-open session; use DAY."),
    (
        SHARE,
        "BUY 10 MARKET, at 09:05:01, cancel #1",
        ("Market orders cannot be changed or cancelled in the pre-open session's limit-only part at 09:05:02; "
        "try again at 09:10:00."),
    ),
    (
        SHARE,
        "BUY 10 MARKET, at 09:15:00, 100.50x16",
        "The auction left 6 of 10 units; they stay open as a limit order at its price ₹100.50.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("instrument", "script", "reason"), REASONS)
def test_auction_reasons(instrument, script, reason):
    """What the auction does not take is told so in one sentence."""
    assert Market(instrument, start="09:01:00", day=DAY).run(script).reason == reason


def test_a_future_on_its_expiry_day_trades_and_the_day_after_is_refused():
    """A contract trades on the day on which it expires, and never after."""
    expiring = msgspec.structs.replace(FUTURE, expiry="2025-03-28")
    assert Market(expiring).run("BUY 75 MARKET, 23500.00x300").said == "ACCEPTED, FILL 75@23500.00"
    expired = Market(msgspec.structs.replace(FUTURE, expiry="2025-03-27")).run("BUY 75 MARKET")
    assert expired.reason == "NFO:NIFTY27MAR25FUT expired on 2025-03-27; choose a contract that expires later."


def test_a_halt_level_that_does_not_exist_is_refused():
    """Only the table's levels halt the market."""
    with pytest.raises(Refused, match="There is no circuit breaker at 12 %; the levels are 10, 15, 20 %"):
        Market().exchange.halt(at("2025-03-28", "10:00"), 12)


def test_a_date_that_the_calendar_does_not_know_is_closed():
    """The order is refused; the exchange goes on."""
    market = Market(day="2031-03-28").run("BUY 10 MARKET")
    assert market.reason == "The market is closed at 09:30:00 and takes no orders; send it in a trading session."


def test_options_wait_for_the_end_of_a_halts_call_auction():
    """They have no call auction."""
    market = Market(CALL).run("at 10:00:00, halt 10, at 10:45:01, BUY 75 MARKET")
    assert market.reason == "Options do not trade in the pre-open session; send the order at 11:00:01 or later."


class TestExpiringIndexContracts:
    """From 2026-12-07 index contracts stop at 15:30 on their expiry day, others trade on to 15:45."""

    EXPIRING = msgspec.structs.replace(CALL, expiry="2026-12-08", lot=65, freeze=1_755)
    LATER = msgspec.structs.replace(EXPIRING, expiry="2026-12-15")

    @pytest.mark.parametrize(
        ("instrument", "said"),
        [(EXPIRING, "#1 ACCEPTED, #1 EXPIRED, #2 REJECTED"), (LATER, "#1 ACCEPTED, #2 ACCEPTED")],
    )
    def test_last_trade(self, instrument, said):
        """What works at 15:30 expires, what comes later is refused."""
        market = Market(instrument, day="2026-12-08").run("BUY 65 LIMIT 100.00, at 15:35:00, BUY 65 LIMIT 100.00")
        assert market.said == said

    def test_it_says_so(self):
        """With the time."""
        market = Market(self.EXPIRING, day="2026-12-08").run("at 15:35:00, BUY 65 LIMIT 100.00")
        assert market.reason == (
            "NFO:NIFTY24APR2523500CE stopped trading at 15:30:00 on its expiry day; it settles in cash."
        )
