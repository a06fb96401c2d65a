"""Positions and position limits: by hand, and against the equity that the engine itself marked."""

from datetime import date

import pytest
from made_book import MadeBook

from aitrade.core.instruments import Kind as What
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.market.rules import Rules
from aitrade.ops.ledger import read, walk
from aitrade.ops.reports.closing import closing
from aitrade.ops.reports.exposure import Exposure, exposures
from aitrade.ops.reports.positions import CRORE, index_limits, position_rows, stock_limits

CALL, PUT = "NFO:NIFTY24NOV2624000CE", "NFO:NIFTY24NOV2624000PE"
RULES = Rules.load()


def option(key, kind, units, delta, underlying="NSE:NIFTY"):
    """An exposure with a delta of our own, on a forward of ₹24,000."""
    return Exposure(
        key=key, kind=kind, underlying=underlying, units=units, cost=0, last=200_00, forward=24_000_00.0, delta=delta
    )  # fmt: skip


@pytest.fixture
def day(tmp_path):
    """A day that sold 1,30,000 calls and bought half of them back, and holds 65,000 puts."""
    book = MadeBook(tmp_path)
    book.day("2026-11-23")
    book.trade(CALL, -1_30_000, 200_00, Product.NRML)
    book.trade(PUT, 65_000, 200_00, Product.NRML)
    book.trade(CALL, 65_000, 190_00, Product.NRML)
    book.close()
    book.stop()
    return read(tmp_path, "made-1", "2026-11-23")


def test_index_limits_by_hand(day):
    """Short calls and bought puts are both short: 65,000 x 0.5 x ₹24,000 = ₹78 crore each."""
    rows = [option(CALL, What.CALL, -65_000, 0.5), option(PUT, What.PUT, 65_000, -0.5)]
    used = {row.what: (row.used / CRORE, row.limit // CRORE, row.modelled) for row in index_limits(rows, day, RULES)}
    assert used == {
        "net, end of day": (156.0, 1500, False),
        "gross long, end of day": (0.0, 10_000, False),
        "gross short, end of day": (156.0, 10_000, False),
        "net, most within the day": (234.0, 5_000, True),
        "gross long, most within the day": (0.0, 10_000, True),
        "gross short, most within the day": (234.0, 10_000, True),
    }
    assert {row.confidence for row in index_limits(rows, day, RULES)} == {"B"}


def test_a_long_and_a_short_net(day):
    """Bought calls against bought puts of the same delta: gross on both sides, net nothing."""
    rows = [option(CALL, What.CALL, 65_000, 0.5), option(PUT, What.PUT, 65_000, -0.5)]
    used = [row.used // CRORE for row in index_limits(rows, day, RULES)]
    assert used[:3] == [0, 78, 78]


def test_stock_derivatives_name_what_is_not_known(day):
    """A stock's future counts its shares, against a part of a limit that the book does not have."""
    future = Exposure(
        key="NFO:TCS24NOV26FUT", kind=What.FUTURE, underlying="NSE:TCS", units=-450, cost=0, last=1, forward=3_000_00.0
    )
    [row] = stock_limits([future], date(2026, 11, 23), RULES)
    assert (row.underlying, row.net, row.part, row.confidence) == ("NSE:TCS", 450, 0.1, "M")
    assert not index_limits([future], day, RULES)


def test_a_traded_day_to_the_paisa(tmp_path):
    """Closing prices asked of the feed again value the book exactly as the engine's closing mark did."""
    service = Service(EngineSettings(home=str(tmp_path), day="2026-11-20", start="14:50"))
    try:
        service.step(60)
        rows = service.engine.instruments
        spot = service.engine.quotes.last("NSE:NIFTY")
        options = [row for row in rows.values() if row.is_option and row.underlying == "NSE:NIFTY"]
        near = min(options, key=lambda row: (row.expiry, abs(row.strike - spot)))
        for request in (
            OrderRequest(instrument="NSE:RELIANCE", side=Side.BUY, quantity=10, product=Product.CNC),
            OrderRequest(instrument="NSE:TCS", side=Side.SELL, quantity=5, product=Product.MIS),
            OrderRequest(instrument=near.key, side=Side.BUY, quantity=near.lot, product=Product.NRML),
        ):
            service.engine.place(request, Who("tester", "trader"))
        service.play_through()
        service._next_day()
        service.step(60 * 20)
        sale = OrderRequest(instrument="NSE:RELIANCE", side=Side.SELL, quantity=4, product=Product.CNC)
        service.engine.place(sale, Who("tester", "trader"))
        service.step(120)
    finally:
        service.abandon()
    first, second = walk(tmp_path, "simulated-1")
    market = closing(tmp_path, first, RULES)
    found = {row.key: row for row in exposures(first.close, market)}
    assert set(found) == {"NSE:RELIANCE", near.key}
    assert first.close.cash + sum(row.unrealised for row in found.values()) == first.equity
    assert 0 < abs(found[near.key].delta) < 1
    assert found[near.key].volatility > 0
    told = {(row.instrument, row.product): row for row in position_rows(first, market)}
    assert (told["NSE:TCS", "MIS"].bought, told["NSE:TCS", "MIS"].sold, told["NSE:TCS", "MIS"].closing) == (5, 5, 0)
    assert told["NSE:RELIANCE", "CNC"].closing == 10
    assert sum(row.charges for row in told.values()) == sum(first.close.day_charges)
    assert sum(row.realised for row in told.values()) == first.close.day_realised
    assert not second.opened
    assert second.setup == first.setup
    sold = {
        row.product: row for row in position_rows(second, closing(tmp_path, second, RULES)) if row.sold or row.moved
    }
    assert (sold["CNC"].sold, sold["HOLDING"].moved) == (4, -4)
    assert sold["HOLDING"].realised == second.close.day_realised
    alone = read(tmp_path, "simulated-1", "2026-11-23")
    assert alone.setup == first.setup
    assert [row.product for row in position_rows(alone, closing(tmp_path, alone, RULES))] == ["NRML", "CNC", "HOLDING"]
