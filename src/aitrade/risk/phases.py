"""Whether the market takes an order now, and the sentence when it does not."""

from datetime import date

from aitrade.core.clock import ist_date, ist_time
from aitrade.core.errors import Refused, UnknownDate
from aitrade.core.orders import OrderType
from aitrade.market.calendar import Calendar, PhaseName, Segment
from aitrade.risk.refusals import Refusal, Rule

_AUCTION = frozenset({OrderType.LIMIT, OrderType.MARKET})
_LIMIT_ONLY = frozenset({OrderType.LIMIT})
TAKES: dict[PhaseName, frozenset[OrderType]] = {
    PhaseName.PRE_OPEN: _AUCTION,
    PhaseName.PRE_OPEN_LIMIT_ONLY: _LIMIT_ONLY,
    PhaseName.CONTINUOUS: frozenset(OrderType),
    PhaseName.AUCTION: _AUCTION,
    PhaseName.AUCTION_LIMIT_ONLY: _LIMIT_ONLY,
    PhaseName.POST_CLOSE: _AUCTION,
}
"""The order types that each phase takes; a phase that is not here takes none."""


def why_closed(calendar: Calendar, segment: Segment, phase: PhaseName, now: int) -> Refusal:
    """Return why nothing can be sent: a holiday, a date that nobody has published, or the time of day."""
    day = ist_date(now)
    try:
        session = calendar.session(day, segment)
    except UnknownDate as error:
        return Refusal(Rule.DATE, str(error))
    except Refused as error:
        return Refusal(Rule.PHASE, str(error))
    hours = f"{ist_time(session.open)[:5]} to {ist_time(session.close)[:5]}"
    if now >= session.close and phase is PhaseName.CLOSED:
        after = _next(calendar, day, segment)
        return Refusal(Rule.PHASE, f"The market is closed at {ist_time(now)}; it traded {hours}: send it {after}.")
    then = f"at {ist_time(session.open)[:5]}" if now < session.open else "after this phase"
    return Refusal(Rule.PHASE, f"No order is taken in {phase} ({ist_time(now)}); trading is {hours}: send it {then}.")


def _next(calendar: Calendar, day: date, segment: Segment) -> str:
    try:
        return f"on {calendar.next_trading_day(day, segment):%A, %d %B %Y}"
    except UnknownDate:
        return "on the next trading day (not published yet)"
