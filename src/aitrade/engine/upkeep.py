"""What maintenance asks of a running engine: compare the book with the venue, say what it is busy with, shed load.

None of it changes an order, a position or the trading state; the order path never waits for a page.
"""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from aitrade.brokers.venue import Reconnecting, VenueOrder
from aitrade.core.orders import TERMINAL, Order
from aitrade.engine.messages import Profile, Reconciled, Stack
from aitrade.engine.settings import Who

if TYPE_CHECKING:
    from aitrade.engine.loop import Engine

SAMPLE_SECONDS = 0.005
LONGEST_PROFILE = 30.0
KEPT_STACKS, KEPT_FRAMES = 40, 12
_TOLD = 20
"""Differences that are told one by one."""


def reconcile(engine: "Engine", who: Who) -> Reconciled:
    """Connect to the venue anew where it has a connection, and compare its day's orders with the book's.

    A difference is told and never guessed away: the venue's updates settle it, or a person does.
    """
    venue = engine.venue
    connection = venue.reconnect() if isinstance(venue, Reconnecting) else f"{venue.name} has no connection to reset."
    theirs = {order.order_id: order for order in venue.order_book()}
    ours = engine.book.state.orders
    unknown = [f"{venue.name} has order {one}, which this book does not know." for one in theirs if one not in ours]
    differences = unknown + [text for order in ours.values() if (text := _difference(order, theirs.get(order.id)))]
    for text in differences[:_TOLD]:
        engine.say("alert", text, "reconciliation")
    says = f"{len(ours)} orders compared with {venue.name}, {len(differences)} differ."
    engine.say("info", f"{connection} {says}", who.actor)
    return Reconciled(venue=venue.name, connection=connection, orders=len(ours), differences=differences)


def _difference(ours: Order, theirs: VenueOrder | None) -> str:
    if theirs is None:
        return "" if ours.state in TERMINAL else f"Order {ours.id} is {ours.state} here and unknown to the venue."
    ended = {ours.state in TERMINAL, theirs.state in {str(state) for state in TERMINAL}}
    if len(ended) > 1:
        return f"Order {ours.id} is {ours.state} here and {theirs.state} at the venue."
    mine, there = (ours.filled, ours.filled_value), (theirs.filled, theirs.filled_value)
    return f"Order {ours.id} has filled {mine[0]} here and {there[0]} at the venue." if mine != there else ""


def profile(seconds: float) -> Callable[[], Profile]:
    """Return what samples every thread's stack for `seconds`, on the calling thread; it holds the others up little."""
    length = min(max(seconds, 0.0), LONGEST_PROFILE)
    return lambda: _sampled(length)


def _sampled(seconds: float) -> Profile:
    found: Counter[tuple[str, str]] = Counter()
    until, samples = time.monotonic() + seconds, 0
    while not samples or time.monotonic() < until:
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, frame in sys._current_frames().items():  # noqa: SLF001 - CPython's only way to another thread's stack
            if ident != threading.get_ident():
                found[names.get(ident, "native"), _stack(frame)] += 1
        samples += 1
        time.sleep(SAMPLE_SECONDS)
    stacks = [Stack(thread=thread, samples=n, frames=text) for (thread, text), n in found.most_common(KEPT_STACKS)]
    return Profile(seconds=seconds, samples=samples, stacks=stacks)


def _stack(frame: FrameType | None) -> str:
    """Return a stack in one line, the innermost call first."""
    calls: list[str] = []
    while frame is not None and len(calls) < KEPT_FRAMES:
        calls.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(calls)
