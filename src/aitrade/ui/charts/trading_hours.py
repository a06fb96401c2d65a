"""When an instrument's continuous trading begins and ends, from the trading calendar, for time frames to count from."""

from functools import cache

from aitrade.core.clock import ist_date
from aitrade.core.errors import Refused
from aitrade.core.instruments import Exchange, Instrument
from aitrade.market.calendar import Calendar, Segment, segment_of
from aitrade.ui.charts.bars import Bounds

_SEGMENT_OF_EXCHANGE = {
    Exchange.NSE: Segment.CASH,
    Exchange.BSE: Segment.CASH,
    Exchange.NFO: Segment.DERIVATIVES,
    Exchange.BFO: Segment.DERIVATIVES,
    Exchange.MCX: Segment.COMMODITY,
}


class TradingHours:
    """Open and close by day, remembered."""

    def __init__(self, calendar: Calendar) -> None:
        self._session = cache(calendar.session)

    def of(self, key: str, instrument: Instrument | None) -> Bounds:
        """Return a function of ns UTC: (open, close) of that IST day, or None on a day the calendar does not know."""
        segment = (
            segment_of(instrument)
            if instrument
            else _SEGMENT_OF_EXCHANGE.get(key.split(":", maxsplit=1)[0], Segment.CASH)
        )

        def bounds(ts: int) -> tuple[int, int] | None:
            try:
                session = self._session(ist_date(ts), segment)
            except Refused:
                return None
            return session.open, session.close

        return bounds
