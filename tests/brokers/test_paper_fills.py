"""How an order fills in continuous trading, as a table: orders and prints in, the exchange's words out."""

import msgspec
import pytest
from paper_market import CALL, FUTURE, SHARE, Market

from aitrade.core.instruments import Exchange, Kind

BANDED = msgspec.structs.replace(SHARE, lower=9_000, upper=11_000)
INDEX = msgspec.structs.replace(SHARE, key="NSE:NIFTY", kind=Kind.INDEX)

FILLS = [
    # a market order fills at the first print after it arrived
    ("BUY 10 MARKET, 100.05x400", "ACCEPTED, FILL 10@100.05"),
    ("SELL 10 MARKET, 99.95x400", "ACCEPTED, FILL 10@99.95"),
    # at the worse of print and opposite quote, or at the print alone where the print is modelled
    ("BUY 10 MARKET, 100.05x400/100.00-100.10", "ACCEPTED, FILL 10@100.10"),
    ("SELL 10 MARKET, 100.05x400/100.00-100.10", "ACCEPTED, FILL 10@100.00"),
    ("BUY 10 MARKET, ~100.05x400/100.00-100.10", "ACCEPTED, FILL 10@100.05"),
    # never at the print that it saw, only at one that comes after its arrival
    ("100.00x400, BUY 10 MARKET", "ACCEPTED"),
    ("100.00x400, BUY 10 MARKET, 100.10x400", "ACCEPTED, FILL 10@100.10"),
    # a tick without quantity moves quotes and fills nothing
    ("BUY 10 MARKET, 100.05x0/100.00-100.10, 100.20x400", "ACCEPTED, FILL 10@100.20"),
    # a limit order waits until a print trades at or through it
    ("BUY 10 LIMIT 100.00, 100.05x400, 100.00x400", "ACCEPTED, FILL 10@100.00"),
    ("BUY 10 LIMIT 100.00, 100.05x400, 100.05x400/100.00-100.05", "ACCEPTED"),
    ("SELL 10 LIMIT 100.00, 99.95x400, 100.00x400", "ACCEPTED, FILL 10@100.00"),
    # a better print gives the better price, but no better than the opposite quote
    ("BUY 10 LIMIT 100.00, 99.90x400", "ACCEPTED, FILL 10@99.90"),
    ("BUY 10 LIMIT 100.00, 99.90x400/99.90-99.95", "ACCEPTED, FILL 10@99.95"),
    ("BUY 10 LIMIT 100.00, 99.90x400/99.90-100.20", "ACCEPTED, FILL 10@100.00"),
    ("SELL 10 LIMIT 100.00, 100.10x400", "ACCEPTED, FILL 10@100.10"),
    # a stop triggers at its trigger or beyond, and fills at the worse of trigger and next print
    ("SELL 10 SL-M 99.00, 99.50x400, 99.00x400, 98.95x400", "ACCEPTED, TRIGGERED, FILL 10@98.95"),
    ("SELL 10 SL-M 99.00, 99.00x400, 99.40x400", "ACCEPTED, TRIGGERED, FILL 10@99.00"),
    ("BUY 10 SL-M 101.00, 100.95x400, 101.20x400, 101.30x400", "ACCEPTED, TRIGGERED, FILL 10@101.30"),
    ("BUY 10 SL 101.00 101.50, 101.00x400, 101.30x400", "ACCEPTED, TRIGGERED, FILL 10@101.30"),
    # a stop whose limit the market jumped stays open, and fills when the market comes back
    ("BUY 10 SL 101.00 101.50, 101.00x400, 102.00x400, 101.40x400", "ACCEPTED, TRIGGERED, FILL 10@101.40"),
    ("BUY 10 SL 101.00 101.50, 101.00x0", "ACCEPTED"),
    # its trigger can move until it has triggered
    (
        "BUY 10 SL 101.00 101.50, modify #1 10 at 100.60 trigger 100.50, 100.50x400, 100.55x400",
        "ACCEPTED, MODIFIED 10@100.60, TRIGGERED, FILL 10@100.55",
    ),
    (
        "BUY 10 SL 101.00 101.50, 101.00x400, modify #1 10 at 101.50 trigger 100.50, 101.20x400",
        "ACCEPTED, TRIGGERED, MODIFY_REJECTED, FILL 10@101.20",
    ),
    # a stop that the last price has reached is refused, and so is such a change; before a print, the close counts
    ("100.00x400, SELL 10 SL-M 100.00", "REJECTED"),
    ("100.00x400, SELL 10 SL-M 101.00", "REJECTED"),
    ("100.00x400, BUY 10 SL 99.50 99.60", "REJECTED"),
    ("BUY 10 SL-M 100.00", "REJECTED"),
    ("BUY 10 SL 101.00 101.50, 100.60x400, modify #1 10 at 100.60 trigger 100.50", "ACCEPTED, MODIFY_REJECTED"),
    ("BUY 10 SL 101.00 101.50, 100.60x400, modify #1 10 at 102.00 trigger 101.00", "ACCEPTED, MODIFIED 10@102.00"),
    # IOC takes what the first print gives and cancels the rest
    ("BUY 10 LIMIT 100.00 IOC, 100.00x400", "ACCEPTED, FILL 10@100.00"),
    ("BUY 10 LIMIT 100.00 IOC, 100.00x20, 100.00x400", "ACCEPTED, FILL 5@100.00, CANCELLED"),
    ("BUY 10 LIMIT 100.00 IOC, 100.05x400", "ACCEPTED, CANCELLED"),
    ("BUY 10 MARKET IOC, 100.05x20", "ACCEPTED, FILL 5@100.05, CANCELLED"),
    # a market order pays no more than its protection price: 1 % beyond the last price of ₹100.00 to ₹500.00
    ("100.00x400, BUY 10 MARKET, 101.00x400", "ACCEPTED, FILL 10@101.00"),
    ("100.00x400, BUY 10 MARKET, 101.05x400, 101.00x400", "ACCEPTED, MODIFIED 10@101.00, FILL 10@101.00"),
    ("100.00x400, SELL 10 MARKET, 98.90x400, 99.10x400", "ACCEPTED, MODIFIED 10@99.00, FILL 10@99.10"),
    ("100.00x400, BUY 10 MARKET, 100.90x400/100.90-101.10", "ACCEPTED, MODIFIED 10@101.00"),
    # before the day's first print there is no last price: the first print itself bounds it
    ("BUY 10 MARKET, 120.00x20, 121.25x400, 121.20x400", "ACCEPTED, FILL 5@120.00, MODIFIED 10@121.20, FILL 5@121.20"),
    # what its first print does not fill stays open at the protection price
    ("100.00x400, BUY 10 MARKET, 100.05x20, 100.10x400", "ACCEPTED, FILL 5@100.05, MODIFIED 10@101.00, FILL 5@100.10"),
    # our orders take a quarter of what prints, whole units, the remainder carried to the next print
    ("BUY 100 LIMIT 100.00, 100.00x40, 100.00x40", "ACCEPTED, FILL 10@100.00, FILL 10@100.00"),
    ("BUY 100 LIMIT 100.00, 100.00x3, 100.00x3, 100.00x3", "ACCEPTED, FILL 1@100.00, FILL 1@100.00"),
    ("BUY 100 LIMIT 100.00, 100.00x3, 100.05x400, 100.00x3", "ACCEPTED"),
    # they share it by price, then by time
    (
        "BUY 10 LIMIT 100.00, BUY 10 LIMIT 100.05, 100.00x48",
        "#1 ACCEPTED, #2 ACCEPTED, #2 FILL 10@100.00, #1 FILL 2@100.00",
    ),
    (
        "BUY 10 LIMIT 100.00, BUY 10 LIMIT 100.00, 100.00x48",
        "#1 ACCEPTED, #2 ACCEPTED, #1 FILL 10@100.00, #2 FILL 2@100.00",
    ),
    # a change of price or a larger quantity loses the place in the queue, a smaller quantity keeps it
    (
        "BUY 10 LIMIT 100.00, BUY 10 LIMIT 100.00, modify #1 20 at 100.00, 100.00x40",
        "#1 ACCEPTED, #2 ACCEPTED, #1 MODIFIED 20@100.00, #2 FILL 10@100.00",
    ),
    (
        "BUY 10 LIMIT 100.00, BUY 10 LIMIT 100.00, modify #1 8 at 100.00, 100.00x40",
        "#1 ACCEPTED, #2 ACCEPTED, #1 MODIFIED 8@100.00, #1 FILL 8@100.00, #2 FILL 2@100.00",
    ),
    # quantity in a change is the total, what has filled included
    ("BUY 10 LIMIT 100.00, 100.00x16, modify #1 6 at 100.00, 100.00x400",
     "ACCEPTED, FILL 4@100.00, MODIFIED 6@100.00, FILL 2@100.00"),
    ("BUY 10 LIMIT 100.00, 100.00x16, modify #1 4 at 100.00", "ACCEPTED, FILL 4@100.00, MODIFY_REJECTED"),
    ("BUY 10 LIMIT 100.00, modify #1 10 at 100.10, 100.10x400", "ACCEPTED, MODIFIED 10@100.10, FILL 10@100.10"),
    # too late is said
    ("BUY 10 LIMIT 100.00, 100.00x400, cancel #1", "ACCEPTED, FILL 10@100.00, CANCEL_REJECTED"),
    ("BUY 10 LIMIT 100.00, 100.00x400, modify #1 20 at 100.00", "ACCEPTED, FILL 10@100.00, MODIFY_REJECTED"),
    ("BUY 10 LIMIT 100.00, 100.00x16, cancel #1, 100.00x400", "ACCEPTED, FILL 4@100.00, CANCELLED"),
    # an order that would trade with our own resting one is cancelled, the resting one stays
    (
        "SELL 10 LIMIT 100.00, BUY 10 LIMIT 100.05, 100.00x400",
        "#1 ACCEPTED, #2 ACCEPTED, #2 CANCELLED, #1 FILL 10@100.00",
    ),
    (
        "99.90x400/99.85-100.00, SELL 10 LIMIT 100.00, BUY 10 MARKET",
        "#1 ACCEPTED, #2 ACCEPTED, #2 CANCELLED",
    ),
    (
        "99.90x400/99.85-99.95, SELL 10 LIMIT 100.50, BUY 10 MARKET, 99.90x400/99.85-99.95",
        "#1 ACCEPTED, #2 ACCEPTED, #2 FILL 10@99.95",
    ),
    # a stop that triggers into our own resting order goes the same way
    (
        "BUY 10 LIMIT 99.00, SELL 10 SL 99.50 98.00, 99.50x400/99.00-99.60",
        "#1 ACCEPTED, #2 ACCEPTED, #2 TRIGGERED, #2 CANCELLED",
    ),
    # the day ends
    ("BUY 10 LIMIT 100.00, 100.00x16, close", "ACCEPTED, FILL 4@100.00, EXPIRED"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "said"), FILLS, ids=[script for script, _ in FILLS])
def test_fills(script, said):
    """The exchange says what the table says."""
    assert Market().run(script).said == said


REASONS = [
    (SHARE, "BUY 10 LIMIT 100.02", "Price ₹100.02 is not on the tick grid of ₹0.05; use ₹100.00 or ₹100.05."),
    (
        BANDED,
        "BUY 10 LIMIT 110.05",
        "Price ₹110.05 is outside today's band of ₹90.00 to ₹110.00; choose a price inside it.",
    ),
    (
        BANDED,
        "SELL 10 SL-M 89.95",
        "Trigger ₹89.95 is outside today's band of ₹90.00 to ₹110.00; choose a price inside it.",
    ),
    (
        INDEX,
        "BUY 10 MARKET",
        "NSE:NIFTY is an index, which is watched and never traded; trade its future, option or ETF.",
    ),
    (
        SHARE,
        "100.00x400, at 09:32:31, BUY 10 MARKET",
        "NSE:ACME has not printed since 09:30:00; the order waits for the next price, and can be cancelled.",
    ),
    (SHARE, "100.00x400, at 09:31:58, BUY 10 MARKET", ""),
    (SHARE, "100.00x400, at 09:32:31, BUY 10 LIMIT 100.00", ""),
    (SHARE, "SELL 10 SL-M", "A SL-M order needs a trigger price above zero; give one."),
    (
        SHARE,
        "BUY 10 SL 101.00 101.50, 101.00x400, modify #1 10 at 101.50 trigger 100.50",
        "The stop at ₹101.00 has triggered and its trigger cannot change; change its price instead.",
    ),
    (SHARE, "BUY 0 LIMIT 100.00", "Quantity 0 is not positive; ask for at least 1."),
    (FUTURE, "BUY 100 LIMIT 23500.00", "Quantity 100 is not a multiple of the lot of 75; ask for 75 or 150."),
    (
        FUTURE,
        "BUY 1875 LIMIT 23500.00",
        "Quantity 1875 is over the freeze quantity of 1800; slice it into orders of at most 1800.",
    ),
    (CALL, "BUY 75 SL-M 120.00", "The exchange takes no SL-M orders in CALL contracts; use SL with a limit."),
    (SHARE, "BUY 10 LIMIT", "A LIMIT order needs a limit price above zero; give one."),
    (
        SHARE,
        "BUY 10 SL 101.00 100.00",
        (
            "The limit ₹100.00 lies below the trigger ₹101.00, so the BUY stop could not trade when triggered; "
            "move one of them."
        ),
    ),
    (
        SHARE,
        "close, BUY 10 MARKET",
        "The market is closed at 15:30:01 and takes no orders; send it in a trading session.",
    ),
    (
        SHARE,
        "100.00x400, BUY 10 MARKET, 101.05x400",
        (
            "10 of 10 units stay open as a limit order at the protection price ₹101.00; "
            "the print was ₹101.05, beyond ₹101.00."
        ),
    ),
    (
        SHARE,
        "BUY 10 MARKET IOC, 100.05x20",
        "Immediate or cancel: 5 of 10 filled; orders take at most 25 % of the 20 units printed.",
    ),
    (
        SHARE,
        "BUY 10 LIMIT 100.00, 100.05x400, close",
        "The session ended at 15:30:00 with 0 of 10 filled; the print was ₹100.05, beyond ₹100.00.",
    ),
    (
        SHARE,
        "BUY 10 LIMIT 100.00, close",
        "The session ended at 15:30:00 with 0 of 10 filled; nothing printed after it arrived.",
    ),
    (
        SHARE,
        "BUY 10 LIMIT 100.00, 100.00x400, cancel #1",
        "The order filled (10 units) before the message arrived; nothing is left to be cancelled.",
    ),
]


@pytest.mark.parametrize(("instrument", "script", "reason"), REASONS, ids=[row[1] for row in REASONS])
def test_reasons(instrument, script, reason):
    """What did not go as asked says why, with its numbers, in one sentence."""
    assert Market(instrument).run(script).reason == reason


def test_the_dated_rules_fill_in_a_freeze_quantity_that_the_master_lacks():
    """A contract without a freeze quantity of its own is held to the one of its underlying."""
    market = Market(msgspec.structs.replace(FUTURE, freeze=0))
    assert "freeze quantity of 1800" in market.run("BUY 1875 MARKET").reason


def test_commodities_trade_on_through_a_halt():
    """The circuit breaker is the equity market's."""
    gold = msgspec.structs.replace(SHARE, key="MCX:GOLD", exchange=Exchange.MCX)
    assert Market(gold).run("BUY 10 MARKET, halt 20, 100.00x400").said == "ACCEPTED, FILL 10@100.00"
