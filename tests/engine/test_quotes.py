"""The latest price of everything, and what the day has been."""

import pytest

from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.quotes import Tick
from aitrade.engine.quotes import Quotes

KEY = "NFO:NIFTY01DEC2624300PE"


def put(previous_oi):
    """An option of which so much was open on the evening before."""
    return Instrument(key=KEY, exchange=Exchange.NFO, symbol="NIFTY", kind=Kind.PUT, previous_oi=previous_oi)


@pytest.mark.parametrize(("before", "change"), [(600, 150), (0, 50)])
def test_open_interest_changes_since_the_evening_before(before, change):
    """A day begun in its middle counts from the evening before, or where that is unknown from its first print."""
    quotes = Quotes([put(before)])
    assert quotes.oi_change(KEY) == 0
    for oi in (700, 750):
        quotes.on_tick(Tick(KEY, 1, 100, oi=oi))
    assert quotes.oi_change(KEY) == change
