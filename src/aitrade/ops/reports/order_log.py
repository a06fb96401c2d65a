"""The order and algo log: every order of a day with each step of its life, every algo with the code that it ran."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from aitrade.core.clock import ist
from aitrade.core.events import Ask, Kind
from aitrade.core.orders import TERMINAL, Update, VenueUpdate
from aitrade.ops.ledger import Day, Row, Story
from aitrade.ops.percentiles import percentile
from aitrade.ops.reports.charts import Bars
from aitrade.ops.reports.pieces import Figures, Pieces, Table, table
from aitrade.ops.reports.subject import Totals, cover, day_of, headline, home, segment, who

_HALVES = 30


class OrderLog(msgspec.Struct):
    """A day's orders, ready to be shown."""

    day: Day
    folder: Path

    @classmethod
    def of(cls, book: str, day: str) -> Self:
        """Read a book's day from its journal."""
        return cls(day_of(home(), book, day), home())

    def cover(self) -> Pieces:
        """Return where the figures come from."""
        return cover(self.day, self.folder, counted="orders", number=len(self.stories) + len(self.day.refusals))

    def summary(self) -> Figures:
        """Return the day in figures."""
        orders = [story.order for story in self.stories]
        by_algo = sum(bool(order.request.strategy) for order in orders)
        states = Counter(str(order.state) for order in orders)
        open_ = sum(order.state not in TERMINAL for order in orders)
        return Figures(
            [
                headline("Orders", len(orders), f"{by_algo} by algos, {len(orders) - by_algo} by people"),
                headline("Filled", states["FILLED"]),
                headline("Cancelled or expired", states["CANCELLED"] + states["EXPIRED"]),
                headline("Rejected by the venue", states["REJECTED"], mood="warn" if states["REJECTED"] else ""),
                headline("Refused by our checks", len(self.day.refusals)),
                headline("Not ended", open_, "still working when this was made" if open_ else ""),
            ],
            how="An order is one intent record: it passed every check and was sent. Its state is the one that the "
            "venue's updates left it in. A refusal never left this system.",
        )

    def by_time(self) -> Bars:
        """Return how many orders were sent in each half hour."""
        slots = Counter(
            f"{ist(story.order.created):%H}:{ist(story.order.created).minute // _HALVES * _HALVES:02d}"
            for story in self.stories
        )
        names = sorted(slots)
        return Bars(
            "Orders by half hour (IST)", names, [slots[name] for name in names],
            how="Orders by the market time at which they were recorded, before they were sent.",
        )  # fmt: skip

    def algos(self) -> Table:
        """Return what each algo did and the code that it ran."""
        groups: dict[tuple[str, str, str], list[Story]] = defaultdict(list)
        for story in self.stories:
            if story.order.request.strategy and story.sent is not None:
                groups[story.order.request.strategy, story.sent.algo_id, story.sent.code_hash].append(story)
        rows = [(*key, *_counts(stories)) for key, stories in sorted(groups.items())]
        return table(
            "Algo, Algo id, Code:code, Orders:count, Trades:count, Units:count, Changes and cancellations:count, "
            "Rejected:count",
            [(name, algo, code[:16], *rest) for name, algo, code, *rest in rows],
            empty="No algo sent an order.",
            how="Code is the beginning of the SHA-256 of the strategy's sources, as its orders carry it. GENERIC is "
            "the tag of an unregistered algo within the order-rate threshold.",
        )

    def changes(self) -> Table:
        """Return every start, stop and failure of an algo."""
        rows = [
            (
                row.at.ts, row.body.name, row.body.state, row.at.actor, row.body.quantity,
                ", ".join(row.body.instruments), _pairs(row.body.parameters), row.body.reason,
            )
            for row in self.day.strategies
        ]  # fmt: skip
        return table(
            "Time (IST):clock, Algo, State, By, Units:count, Instruments:words, Parameters:words, Reason:words", rows,
            empty="No algo was started or stopped on this day.",
            how="One row for each record of a start, a stop or a failure.",
        )  # fmt: skip

    def refusals(self) -> Table:
        """Return what our own checks refused, and why."""
        rows = [
            (
                row.at.ts, row.body.request.instrument, row.body.request.side, row.body.request.quantity,
                who(row.body.request.strategy, row.body.request.actor or row.at.actor),
                "; ".join(f"{rule}: {text}" for rule, text in row.body.problems),
            )
            for row in self.day.refusals
        ]  # fmt: skip
        return table(
            "Time (IST):clock, Instrument:code, Side, Quantity:count, For, Rules and reasons:words", rows,
            empty="Nothing was refused.",
            how="One row for each refused request with every rule that it broke. It was never sent to a venue.",
        )  # fmt: skip

    def trading_states(self) -> Table:
        """Return every change of the trading state."""
        rows = [(row.at.ts, row.body.state, row.at.actor, row.at.role, row.body.reason) for row in self.day.trading]
        return table(
            "Time (IST):clock, State, By, Role, Reason:words", rows, empty="The trading state did not change.",
            how="ACTIVE lets all orders pass, REDUCING exits and cancellations, HALTED cancellations and a person's "
            "exits.",
        )  # fmt: skip

    def pace(self) -> Table:
        """Return how long the venue took to answer, by exchange segment."""
        waits: dict[str, list[int]] = defaultdict(list)
        for story in self.stories:
            if story.acknowledged and story.sent is not None:
                waits[segment(story.order.request.instrument)].append(story.acknowledged - story.order.created)
        rows = [
            (name, len(found), *(percentile(found, share) / 1e6 for share in (0.5, 0.95, 0.99)), max(found) / 1e6)
            for name, found in sorted(waits.items())
        ]
        return table(
            "Segment, Orders:count, Median ms:figure, 95 % ms:figure, 99 % ms:figure, Longest ms:figure", rows,
            empty="No order was answered.",
            how="Market time from the order's record to the venue's first word about it, in milliseconds.",
        )  # fmt: skip

    def orders(self) -> Table:
        """Return every order as the day left it."""
        return table(
            "Time (IST):clock, Order:code, Instrument:code, Side, Type, Product, Validity, Quantity:count, "
            "Price:rupees, Trigger:rupees, Filled:count, Average:rupees, State, For, Algo id, Client, Address",
            [_order_row(story) for story in self.stories],
            empty="No orders.",
            how="Quantity, price and trigger as asked for first; what changed is in the log below. A market order "
            "has no price of its own. The address is the one that a person's command came from.",
        )

    def log(self) -> Table:
        """Return every step of every order, in the journal's order."""
        steps = sorted((step for story in self.stories for step in _steps(story)), key=lambda step: step[0])
        return table(
            "Record:count, Time (IST):clock, Exchange time:clock, Order:code, Event, Quantity:count, Price:rupees, By, "
            "Exchange order:code, Reason:words",
            steps,
            empty="No events.",
            how="One row for each record of the journal that is about an order; the record's number finds it by "
            "aitrade audit show. Quantity and price are the trade's for FILL, the new terms for changes.",
        )

    def totals(self) -> Totals:
        """Return the control totals."""
        updates = [row.body for story in self.stories for row in story.updates]
        return Totals(
            {
                "orders": sum(story.sent is not None for story in self.stories),
                "refusals": len(self.day.refusals),
                "updates": len(updates),
                "changes_asked": sum(row.at.kind is Kind.MODIFY for story in self.stories for row in story.asked),
                "cancellations_asked": sum(row.at.kind is Kind.CANCEL for story in self.stories for row in story.asked),
                "fills": sum(update.what is Update.FILL for update in updates),
            }
        )

    @property
    def stories(self) -> list[Story]:
        """The day's orders, oldest first."""
        return list(self.day.stories.values())


def _counts(stories: Sequence[Story]) -> tuple[int, int, int, int, int]:
    fills = [fill for story in stories for fill in story.fills]
    return (
        len(stories), len(fills), sum(fill.quantity for fill in fills), sum(len(story.asked) for story in stories),
        sum(row.body.what is Update.REJECTED for story in stories for row in story.updates),
    )  # fmt: skip


def _order_row(story: Story) -> tuple[Any, ...]:
    order, request, sent = story.order, story.order.request, story.sent
    actor = request.actor or (sent.actor if sent else "")
    return (
        order.created, order.id, request.instrument, request.side, request.type, request.product, request.validity,
        request.quantity, request.price or None, request.trigger or None, order.filled,
        round(order.average) if order.filled else None, order.state, who(request.strategy, actor),
        sent.algo_id if sent else "", sent.client if sent else "", sent.source if sent else "",
    )  # fmt: skip


def _steps(story: Story) -> Iterator[tuple[Any, ...]]:
    order, sent = story.order, story.sent
    if sent is not None:
        request = order.request
        yield (
            sent.seq, sent.ts, 0, order.id, "SENT", request.quantity, request.price or None, sent.actor, "",
            "an exit" if order.is_exit else "",
        )  # fmt: skip
    for row in story.steps:
        yield _step(order.id, row)


def _step(order_id: str, row: Row[Ask] | Row[VenueUpdate]) -> tuple[Any, ...]:
    at, body = row.at, row.body
    if isinstance(body, Ask):
        event = "CHANGE ASKED" if at.kind is Kind.MODIFY else "CANCELLATION ASKED"
        return (at.seq, at.ts, 0, order_id, event, body.quantity or None, body.price or None, at.actor, "", at.reason)
    terms = body.fill or body
    return (
        at.seq, at.ts, body.exchange_ts, order_id, body.what, terms.quantity or None, terms.price or None, "venue",
        at.exchange_order_id, body.reason or (f"trade {body.fill.id}" if body.fill else ""),
    )  # fmt: skip


def _pairs(parameters: dict[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(parameters.items()))
