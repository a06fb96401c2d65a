"""A small desk for rehearsals: an engine plays every simulated day, and on some of them a few orders are placed."""

from datetime import date
from pathlib import Path

from aitrade.core.errors import Refused
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who

BOOK = "rehearsal"
PEOPLE = Who("rehearsal", "trader", "127.0.0.1", "rehearsal")
PAUSE = 1800
"""Market seconds from one order to the next, and before the first."""
ORDERS = (
    (0, Side.BUY, 10, Product.CNC), (1, Side.BUY, 25, Product.MIS), (2, Side.SELL, 5, Product.MIS),
    (1, Side.SELL, 25, Product.MIS), (2, Side.BUY, 5, Product.MIS), (3, Side.BUY, 0, Product.MIS),
)  # fmt: skip
"""Which share of the watch list, how much, and as what: one for the night, two round trips, one that is refused."""


class Desk:
    """Places orders on each `every`th day that it is asked for, from the first on."""

    def __init__(self, every: int = 3) -> None:
        self._every = every
        self._asked = 0

    def __call__(self, home: Path, day: date) -> bool:
        """Play a day to its end; return whether orders were placed. A book's days follow each other, none is left out.

        Raises Refused where the book's next day is another one.
        """
        trades = self._asked % self._every == 0
        self._asked += 1
        service = Service(EngineSettings(home=str(home), book=BOOK, day=day.isoformat()))
        try:
            if service.feed.day != day:
                raise Refused(
                    f"The book's next day is {service.feed.day}, not {day}; ask for each trading day in turn."
                )
            for share, side, quantity, product in ORDERS if trades else ():
                service.step(PAUSE)
                _ask(service, share, side, quantity, product)
            service.play_through()
        finally:
            service.close()
        return trades


def _ask(service: Service, share: int, side: Side, quantity: int, product: Product) -> None:
    """Ask for an order; one that is refused stands in the journal with its reason."""
    request = OrderRequest(
        instrument=service.feed.watchlist[share], side=side, quantity=quantity, product=product, actor=PEOPLE.actor
    )
    try:
        service.commands.place(request, PEOPLE)
    except Refused:
        return
