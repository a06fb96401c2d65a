"""What a book that begins, continues or was cut off from prices has to know of the day so far."""

from typing import TYPE_CHECKING

from aitrade.engine.supply import Reader
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
