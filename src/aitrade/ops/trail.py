"""Whether every order has its whole story: every field that is asked for, every question answered, every unit counted.

What is asked for is the usable minimum of the exchanges' layouts (client, algo id, address, session, segment, side,
type, validity, prices, quantity, client, broker and exchange order number, exchange time, event, reason, trade number,
price and quantity); no official list of audit-trail fields was found.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from aitrade.brokers.venue import VenueOrder
from aitrade.core.events import Kind, Refusal
from aitrade.core.orders import TERMINAL, Update, VenueUpdate
from aitrade.ops import ledger
from aitrade.ops.ledger import Day, Row, Stamp, Story

MACHINES = frozenset({"strategy", "system"})
"""Roles that have no address: whatever is not a person's."""


class Gap(msgspec.Struct, frozen=True):
    """What is missing: of which order (a record's number for a refusal), and what, in words."""

    order: str
    what: str


def gaps(day: Day) -> list[Gap]:
    """Return everything that is missing of a day's orders and refusals, in the journal's order."""
    found = [gap for story in day.stories.values() for gap in _of_story(story, day)]
    found += [gap for row in day.refusals for gap in _of_refusal(row)]
    twice = [trade for trade, times in Counter(row.body.id for row in day.fills).items() if times > 1]
    return found + [Gap(trade, "the trade number was reported more than once") for trade in twice]


def against_venue(day: Day, venue: Iterable[VenueOrder]) -> list[Gap]:
    """Return what the venue's own book and the journal do not say alike: orders, their end, their units and value."""
    theirs = {order.order_id: order for order in venue}
    found = [Gap(one, "the venue has it and the journal does not") for one in theirs if one not in day.stories]
    for story in day.stories.values():
        order, there = story.order, theirs.get(story.order.id)
        if there is None:
            if story.sent is not None and order.state not in TERMINAL:
                found.append(Gap(order.id, "the journal has it working and the venue does not know it"))
        elif (order.filled, order.filled_value) != (there.filled, there.filled_value):
            found.append(Gap(order.id, f"{order.filled} units filled in the journal, {there.filled} at the venue"))
    return found


def days(home: Path, since: str = "") -> Iterator[Day]:
    """Yield every market day of every book, from the day `since` (ISO) on."""
    for book in ledger.books(home):
        yield from ledger.walk(home, book, since)


def examined(day: Day) -> int:
    """Return how many orders a day's examination looks at: those sent and those refused."""
    return len(day.stories) + len(day.refusals)


Check = tuple[str, Callable[[Any], object]]
_SENDING: tuple[Check, ...] = (
    ("client code", lambda at: at.client),
    ("who asked", lambda at: at.actor),
    ("their role", lambda at: at.role),
    ("our order number", lambda at: at.order_id),
    ("time", lambda at: at.ts and at.wall),
    ("address of the person", lambda at: at.source or at.role in MACHINES),
    ("algo id of the strategy", lambda at: at.algo_id or not at.strategy),
    ("code hash of the strategy", lambda at: at.code_hash or not at.strategy),
)
_TERMS: tuple[Check, ...] = (
    ("exchange and symbol", lambda order: ":" in order.request.instrument),
    ("quantity", lambda order: order.request.quantity > 0),
    ("venue", lambda order: order.venue),
    ("price of a limit order", lambda order: order.request.price or order.request.type in ("MARKET", "SL-M")),
    ("trigger of a stop order", lambda order: order.request.trigger or not order.request.type.startswith("SL")),
)
_ANSWERS: dict[Update, tuple[Check, ...]] = {
    Update.ACCEPTED: (
        ("exchange order number", lambda body: body.exchange_order_id),
        ("broker's order number", lambda body: body.broker_order_id),
        ("exchange time", lambda body: body.exchange_ts),
    ),
    Update.FILL: (
        ("trade", lambda body: body.fill and body.fill.id and body.fill.quantity > 0 and body.fill.price > 0),
        ("exchange order number of the trade", lambda body: body.exchange_order_id),
        ("exchange time of the trade", lambda body: body.exchange_ts),
        ("charges of the trade", lambda body: body.fill is None or body.fill.charges),
    ),
    Update.REJECTED: (("reason of the rejection", lambda body: body.reason),),
    Update.CANCELLED: (("reason of the cancellation", lambda body: body.reason),),
    Update.EXPIRED: (("reason of the expiry", lambda body: body.reason),),
}
_ANSWERED_BY = {
    Kind.MODIFY: frozenset({Update.MODIFIED, Update.MODIFY_REJECTED}),
    Kind.CANCEL: frozenset({Update.CANCELLED, Update.CANCEL_REJECTED}),
}
_ENDS = frozenset({Update.CANCELLED, Update.REJECTED, Update.EXPIRED})


def _of_story(story: Story, day: Day) -> Iterator[Gap]:
    order = story.order
    yield from _missing(order.id, order, _TERMS)
    if story.sent is not None:
        yield from _missing(order.id, story.sent, _SENDING)
    for row in story.updates:
        yield from _missing(order.id, row.body, _ANSWERS.get(row.body.what, ()))
    yield from _unanswered(story, day)
    fills = story.fills
    if story.sent is not None and sum(fill.quantity for fill in fills) != order.filled:
        yield Gap(
            order.id, f"its trades are {sum(fill.quantity for fill in fills)} units, the order says {order.filled}"
        )


def _unanswered(story: Story, day: Day) -> Iterator[Gap]:
    """Yield the questions to the venue that stand open once the day has ended."""
    order = story.order
    if day.ended and story.sent is not None and not story.updates:
        yield Gap(order.id, "the venue never said a word about it")
    if day.ended and order.state not in TERMINAL:
        yield Gap(order.id, f"the day ended and it is {order.state}")
    if order.state in TERMINAL:
        return
    for kind, answers in _ANSWERED_BY.items():
        asked = sum(row.at.kind is kind for row in story.asked)
        if day.ended and asked > sum(row.body.what in answers for row in story.updates):
            yield Gap(order.id, f"a {kind} was asked for and never answered")


def _of_refusal(row: Row[Refusal]) -> Iterator[Gap]:
    number = f"record {row.at.seq}"
    yield from _missing(number, row.at, _SENDING[:3])
    if not row.body.problems:
        yield Gap(number, "reason of the refusal is missing")


def _missing(number: str, body: Stamp | VenueUpdate | Any, checks: Iterable[Check]) -> Iterator[Gap]:
    for words, check in checks:
        if not check(body):
            yield Gap(number, f"{words} is missing")
