"""What a book that begins, continues or was cut off from prices has to know of the day so far."""

from typing import TYPE_CHECKING

from aitrade.core.clock import ist_date
from aitrade.core.errors import Refused
from aitrade.core.quotes import Bar, Tick
from aitrade.engine.supply import Reader
from aitrade.market.bars import DAY_MINUTES
from aitrade.market.feeds import Feed

if TYPE_CHECKING:
    from aitrade.brokers.simulator.exchange import PaperExchange
    from aitrade.engine.loop import Engine


def recall(engine: "Engine", venue: "PaperExchange", feed: Feed, read_to: int = 0) -> None:
    """Let the exchange know the whole minutes since `read_to` (ns UTC) that the close is made of."""
    now = engine.clock.now()
    since = venue.remembers_from(now)
    if not since:
        return
    reader = Reader(lambda: feed.batches(max(since, read_to)))
    try:
        while (batch := reader.next(engine.settings.feed_seconds)) is not None and batch.end <= now:
            for tick in batch.ticks:
                venue.take_in(tick)
    except Exception as error:
        why = str(error) or "the feed does not answer"
        engine.say("alert", f"The close is made without prices that cannot be read again: {why.rstrip('.')}.", "feed")
    finally:
        reader.close()


def take_opening(engine: "Engine", feed: Feed) -> None:
    """Know the pre-open auction's prices, if it is over."""
    opening = feed.opening()
    if opening is not None and opening.end <= engine.clock.now():
        for tick in opening.ticks:
            engine.quotes.on_tick(tick)


def take_unlisted(engine: "Engine", feed: Feed) -> None:
    """Know of what is held and not in the day's data the last price that is stored, or its cost; say so."""
    state = engine.book.state
    lots = {key.rsplit("|", 1)[0]: lot for key, lot in state.positions.items() if lot.quantity}
    lots |= {key: holding.lot for key, holding in state.holdings.items()}
    for key in [key for key in lots if key not in engine.instruments]:
        last = _last_stored(feed, key)
        price = last.close if last else round(lots[key].average)
        engine.quotes.on_tick(Tick(key, last.end - 1 if last else feed.start - 1, price, modelled=True))
        shown = f"its close of {ist_date(last.start)}" if last else "what it cost"
        text = f"{key} is held and not in the data of {feed.day}: it is shown at {shown}; import them, then restart."
        engine.say("alert", text, "feed")


def _last_stored(feed: Feed, key: str) -> Bar | None:
    """Return the last day before the feed's that it knows of an instrument, or None."""
    try:
        return next(iter(feed.history(key, DAY_MINUTES, 1, feed.start)), None)
    except Refused:
        return None
