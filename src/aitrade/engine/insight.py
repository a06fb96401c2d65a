"""Option chains and BTST lists: prices are taken on the trading thread, the figures are worked out off it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from aitrade.core.clock import at
from aitrade.core.errors import Refused
from aitrade.core.instruments import Instrument, Kind
from aitrade.intelligence import btst
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.feeds import Feed
from aitrade.market.simulated.universe import VIX
from aitrade.options.chain import Chain, OptionQuote, build_chain

if TYPE_CHECKING:
    from aitrade.engine.loop import Engine

BTST_OPENS = "14:15:00"
"""IST: nothing of BTST shows or sends before (the specification's gate)."""


def option_chain(engine: "Engine", calendar: Calendar, underlying: str, expiry: str) -> Callable[[], Chain]:
    """Take the quotes of an expiry (the nearest for an empty one); raise Refused for what has no options today."""
    rows = [row for row in engine.instruments.values() if row.is_option and row.underlying == underlying]
    expiries = sorted({row.expiry for row in rows})
    if not expiries:
        others = ", ".join(underlyings(engine)) or "none"
        raise Refused(f"{underlying or 'That'} has no options today; choose one of {others}.")
    chosen = expiry or expiries[0]
    if chosen not in expiries:
        raise Refused(f"{underlying} has no expiry {chosen}; there are {', '.join(expiries)}.")
    quotes = [_quote(engine, row) for row in rows if row.expiry == chosen]
    spot, now = engine.quotes.last(underlying), engine.clock.now()
    ends = calendar.session(date.fromisoformat(chosen), Segment.DERIVATIVES).close
    return lambda: build_chain(underlying, expiries, spot, quotes, now, ends)


def underlyings(engine: "Engine") -> list[str]:
    """Return the keys of what has options today, indices first."""
    found = {row.underlying for row in engine.instruments.values() if row.is_option}
    rows = engine.instruments
    return sorted(found, key=lambda key: (key not in rows or rows[key].kind is not Kind.INDEX, key))


def _quote(engine: "Engine", row: Instrument) -> OptionQuote:
    tick = engine.quotes.tick(row.key)
    if tick is None:
        return OptionQuote(instrument=row, last=row.previous_close, modelled=row.modelled)
    return OptionQuote(
        instrument=row,
        last=tick.price,
        bid=tick.bid,
        ask=tick.ask,
        volume=tick.volume,
        oi=tick.oi,
        oi_change=engine.quotes.oi_change(row.key),
        modelled=tick.modelled,
    )


def btst_list(engine: "Engine", feed: Feed, now: int, scorer: btst.Scorer) -> Callable[[], btst.Btst]:
    """Return what works out the list of `now`; before 14:15:00 it only says that it is locked."""
    opens = at(feed.day, BTST_OPENS)
    if now < opens:
        return lambda: btst.locked(opens, scorer.says)
    shares = [row for key in feed.watchlist if (row := engine.instruments.get(key)) is not None and row.tradable]

    def work_out() -> btst.Btst:
        yardstick = _yardstick(feed.indices)
        index = feed.history(yardstick, 1, btst.MINUTES, now) if yardstick else []
        days = {row.key: feed.history(row.key, btst.DAY_MINUTES, btst.DAYS, now) for row in shares}
        minutes = {row.key: feed.history(row.key, 1, btst.MINUTES, now) for row in shares}
        return btst.ranked(shares, days, minutes, index, opens, scorer)

    return work_out


def _yardstick(indices: Sequence[str]) -> str:
    """Return the index that shares are measured against: NIFTY, else the first that is one of shares; or none."""
    return "NSE:NIFTY" if "NSE:NIFTY" in indices else next((key for key in indices if key != VIX), "")
