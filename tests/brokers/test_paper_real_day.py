"""A real day's minutes through the exchange: what is decided at a bar's end fills at the next bar's open."""

import csv
import os
from pathlib import Path

import pytest
from paper_market import CALENDAR, RULES, SHARE, new_order

from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.core.clock import MINUTE, at
from aitrade.core.money import from_rupees
from aitrade.core.orders import OrderRequest, Side
from aitrade.core.quotes import Bar
from aitrade.market.tick_path import path

DAY = "2025-03-28"
DATA = Path(os.environ.get("AITRADE_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = DATA / "nse-1min-stocks-2025" / "RELIANCE" / "28-03-2025.csv"


def real_bars():
    """Return the minutes of continuous trading, oldest first."""
    with FILE.open(encoding="utf-8-sig") as lines:
        rows = [row for row in csv.DictReader(lines) if "09:15:00" <= row["time"] < "15:30:00"]
    return [bar_of(row) for row in rows]


def bar_of(row):
    """Return a row of the file as a bar."""
    start = at(DAY, row["time"])
    prices = [from_rupees(row[name]) for name in ("open", "high", "low", "close")]
    return Bar(SHARE.key, start, start + MINUTE, *prices, int(row["volume"]))


@pytest.mark.skipif(not FILE.exists(), reason=f"the real session is not here: {FILE.name}")
def test_decided_at_a_bars_end_filled_at_the_next_open():
    """Every one of the day's 374 orders for one share fills at the open of the minute after it was sent."""
    exchange = PaperExchange(CALENDAR, RULES, {SHARE.key: SHARE}, seed=5)
    fills = []
    exchange.connect(lambda update: fills.append(update.fill.price) if update.fill else None)
    bars = real_bars()
    for number, bar in enumerate(bars[1:]):
        order = new_order(OrderRequest(instrument=SHARE.key, side=Side.BUY, quantity=1), bar.start, number)
        exchange.place(order, SHARE)
        for tick in path(bar, 5, 12, SHARE.tick):
            exchange.on_tick(tick)
    assert len(bars) == 375
    assert fills == [bar.open for bar in bars[1:]]
