"""Hours come from the trading calendar: by segment and date, None where a day does not trade or is not known."""

import numpy as np
import pytest

from aitrade.core.clock import MINUTE, at
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.quotes import Bar
from aitrade.market.calendar import Calendar
from aitrade.ui.charts.bars import Bars, resample, sessions
from aitrade.ui.charts.trading_hours import TradingHours

HOURS = TradingHours(Calendar.load())


def stock(has_derivatives):
    """A share with or without derivatives."""
    return Instrument(key="NSE:X", exchange=Exchange.NSE, symbol="X", kind=Kind.EQUITY, has_derivatives=has_derivatives)


@pytest.mark.parametrize(
    ("key", "day", "open_", "close"),
    [
        ("NSE:RELIANCE", "2025-03-28", "09:15", "15:30"),
        ("NFO:NIFTY27MAR25FUT", "2025-03-27", "09:15", "15:30"),
    ],
)
def test_hours_by_exchange(key, day, open_, close):
    """Without the instrument at hand, its exchange says the segment."""
    assert HOURS.of(key, None)(at(day, "11:00")) == (at(day, open_), at(day, close))


def test_closing_auction_ends_the_last_bar():
    """With the closing auction, a derivative stock stops trading continuously early, and its last bar ends there."""
    day = "2026-08-04"
    with_auction, without = (HOURS.of("NSE:X", stock(has))(at(day, "11:00"))[1] for has in (True, False))
    assert with_auction < without
    starts = [at(day, "09:15") + i * MINUTE for i in range((with_auction - at(day, "09:15")) // MINUTE)]
    bars = Bars.of([Bar("NSE:X", ts, ts + MINUTE, 1000, 1010, 990, 1005, 1) for ts in starts])
    made = resample(bars, 60, *sessions(bars, HOURS.of("NSE:X", stock(has_derivatives=True))))
    assert made.end[-1] == with_auction
    assert (np.diff(made.start) == 60 * MINUTE).all()


def test_commodities_trade_in_the_evening():
    """MCX opens at 09:00 and trades into the night."""
    open_, close = HOURS.of("MCX:GOLD", None)(at("2025-03-27", "20:00"))
    assert open_ == at("2025-03-27", "09:00")
    assert close > at("2025-03-27", "23:00")


@pytest.mark.parametrize("day", ["2025-03-29", "2025-08-15", "2099-01-05"])
def test_no_hours_on_days_without_trading(day):
    """A Saturday, a holiday and a day beyond what is published have no hours."""
    assert HOURS.of("NSE:RELIANCE", None)(at(day, "11:00")) is None
