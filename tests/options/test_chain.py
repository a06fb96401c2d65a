"""A chain tells the forward, volatilities and Greeks that its quotes imply."""

import pytest

from aitrade.core.clock import DAY, at
from aitrade.core.instruments import Exchange, Instrument, Kind, derivative_key
from aitrade.options.chain import OptionQuote, build_chain
from aitrade.options.pricing import price

TS = at("2025-03-20", "11:00")
ENDS = at("2025-03-27", "15:30")
YEARS = (ENDS - TS) / (365 * DAY)
SPOT, FORWARD = 2_350_000, 2_354_000


def quote(strike, kind, volatility=0.13, **changes):
    """A quote at Black-76's premium, two ticks wide."""
    key = derivative_key(Exchange.NFO, "NIFTY", "2025-03-27", kind, strike)
    instrument = Instrument(
        key=key,
        exchange=Exchange.NFO,
        symbol="NIFTY",
        kind=kind,
        lot=75,
        underlying="NSE:NIFTY",
        expiry="2025-03-27",
        strike=strike,
    )
    worth = float(price(FORWARD, strike, YEARS, volatility, kind is Kind.CALL))
    terms = {
        "last": round(worth),
        "bid": round(worth) - 5,
        "ask": round(worth) + 5,
        "oi": 75,
        "modelled": True,
    } | changes
    return OptionQuote(instrument=instrument, **terms)


def chain(**changes):
    """A chain of 41 strikes a side."""
    quotes = [
        quote(strike, kind, **changes)
        for strike in range(2_250_000, 2_455_000, 5_000)
        for kind in (Kind.PUT, Kind.CALL)
    ]
    return build_chain("NSE:NIFTY", ["2025-03-27", "2025-04-03"], SPOT, quotes, TS, ENDS, around=10)


def test_the_forward_comes_from_parity():
    """Not from the spot: calls less puts say where the market sees the expiry."""
    assert chain().forward == pytest.approx(FORWARD, abs=5)


def test_volatility_and_greeks_are_told_around_the_money():
    """Near the money the volatility that went in comes out; far from it nothing is told."""
    made = chain()
    near = [row for row in made.strikes if abs(row.strike - FORWARD) <= 40_000]
    assert [row.call.iv for row in near] == pytest.approx([13.0] * len(near), abs=0.05)
    assert all(row.call.iv == row.put.iv for row in near)
    assert all(row.call.delta - row.put.delta == pytest.approx(1, abs=1e-5) for row in near)
    assert all(row.call.gamma > 0 > row.call.theta for row in near)
    assert made.strikes[0].call.iv == made.strikes[-1].put.iv == 0.0
    assert made.strikes[0].call.last > 0


def test_a_chain_holds_its_quotes():
    """Strikes ascend, each with both sides, and the modelled mark stays."""
    made = chain()
    assert [row.strike for row in made.strikes] == list(range(2_250_000, 2_455_000, 5_000))
    assert made.lot == 75
    assert made.modelled
    assert made.at_the_money == 2_355_000
    assert made.strikes[3].put.oi == 75
    assert made.expiries == ["2025-03-27", "2025-04-03"]


def test_a_strike_with_one_side_and_no_bid_still_stands():
    """A lone put without quotes is valued by its last price; the missing call is None."""
    made = build_chain("NSE:NIFTY", ["2025-03-27"], SPOT, [quote(2_300_000, Kind.PUT, bid=0, ask=0)], TS, ENDS)
    assert made.strikes[0].call is None
    assert made.forward == SPOT
    assert made.strikes[0].put.iv > 0


def test_a_chain_without_prices_tells_no_volatility():
    """Before the first trade there is no volatility to tell, and nothing breaks."""
    made = build_chain(
        "NSE:NIFTY", [], SPOT, [quote(2_350_000, k, last=0, bid=0, ask=0) for k in (Kind.CALL, Kind.PUT)], TS, ENDS
    )
    assert made.strikes[0].call.iv == made.strikes[0].put.iv == 0.0


def test_no_quotes_is_no_chain():
    """A chain of nothing is a mistake of the caller."""
    with pytest.raises(ValueError, match="at least one quote"):
        build_chain("NSE:NIFTY", [], SPOT, [], TS, ENDS)
