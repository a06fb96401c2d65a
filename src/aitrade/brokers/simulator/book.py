"""The working orders of one instrument, sorted as the exchange would serve them: price, then time."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from heapq import merge
from operator import attrgetter

from aitrade.brokers.simulator.working import Working
from aitrade.core.instruments import Instrument
from aitrade.market.calendar import Segment

_rank = attrgetter("rank")


def _time(order: Working) -> int:
    return order.rank[1]


class Book:
    """Four sorted queues: what a falling price reaches (bids, sell stops) and what a rising one reaches."""

    __slots__ = ("auction", "bids", "buy_stops", "carry", "fresh", "instrument", "offers", "segment", "sell_stops")

    def __init__(self, instrument: Instrument, segment: Segment) -> None:
        self.instrument = instrument
        self.segment = segment
        self.bids: list[Working] = []
        self.offers: list[Working] = []
        self.buy_stops: list[Working] = []
        self.sell_stops: list[Working] = []
        self.fresh: list[Working] = []
        """Orders whose first print decides something: market orders, triggered stops, IOC."""
        self.auction = False
        """The orders have gathered for a call auction."""
        self.carry = 0
        """Percent-units of volume share that were too small for one lot."""

    def __bool__(self) -> bool:
        return bool(self.bids or self.offers or self.buy_stops or self.sell_stops)

    def __iter__(self) -> Iterator[Working]:
        yield from merge(self.bids, self.offers, self.buy_stops, self.sell_stops, key=_time)

    def queue(self, order: Working) -> list[Working]:
        """Return the queue in which `order` stands or would stand."""
        if order.waiting:
            return self.buy_stops if order.sign > 0 else self.sell_stops
        return self.bids if order.sign > 0 else self.offers

    def add(self, order: Working) -> None:
        """Put `order` behind what has its price already."""
        insort(self.queue(order), order, key=_rank)

    def remove(self, order: Working) -> None:
        """Take `order` out; it must not have changed since it was put in."""
        queue = self.queue(order)
        del queue[bisect_left(queue, order.rank, key=_rank)]
        if order in self.fresh:
            self.fresh = [other for other in self.fresh if other is not order]

    def rerank(self, order: Working, limit: int) -> None:
        """Give `order` a new limit; its time stays."""
        fresh = self.fresh
        self.remove(order)
        order.limit = limit
        order.ranked(order.rank[1])
        self.add(order)
        self.fresh = fresh

    def crossed(self, price: int) -> list[Working]:
        """Return the active orders that a print at `price` reaches, in the order in which they are served."""
        buys = _leading(self.bids, -price)
        sells = _leading(self.offers, price)
        return list(merge(buys, sells, key=_time)) if buys and sells else buys or sells

    def triggered(self, price: int) -> list[Working]:
        """Return the stops that a print at `price` triggers, in the order in which they came."""
        stops = _leading(self.buy_stops, price) + _leading(self.sell_stops, -price)
        return sorted(stops, key=_time)


def _leading(queue: list[Working], bound: int) -> list[Working]:
    if not queue or queue[0].rank[0] > bound:
        return []
    return queue[: bisect_left(queue, (bound + 1,), key=_rank)]
