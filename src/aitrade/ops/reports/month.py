"""A month of a book: each of its market days in figures, and what was done to the system while it was traded."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Self

import msgspec

from aitrade.compliance.operations import Noted, noted
from aitrade.core.clock import SECOND, at
from aitrade.core.events import Kind
from aitrade.ops import ledger, trail
from aitrade.ops.ledger import Day, Row, Stamp
from aitrade.ops.reports.subject import segment

OWN = frozenset({"report", "task"})
"""Operations that making a report adds to: left out, so that the same month gives the same report."""


class Traffic(msgspec.Struct):
    """What went to one exchange segment; peaks are within one second of market time."""

    orders: int = 0
    changes: int = 0
    cancellations: int = 0
    trades: int = 0
    turnover: int = 0
    peak: int = 0
    """Orders, changes and cancellations in the busiest second."""
    peak_at: int = 0
    over: int = 0
    """Seconds with more of them than the threshold."""

    @property
    def messages(self) -> int:
        """Everything that was sent."""
        return self.orders + self.changes + self.cancellations

    @property
    def ratio(self) -> float:
        """Messages to a trade; all messages where nothing traded."""
        return self.messages / max(self.trades, 1)


class DayFigures(msgspec.Struct, kw_only=True):
    """One market day in figures; money in paise."""

    day: str
    orders: int
    trades: int
    turnover: int
    charges: int
    pnl: int
    refusals: int
    gaps: int
    records: int
    first_wall: int
    last_wall: int
    traffic: dict[str, Traffic]


class Untagged(msgspec.Struct, frozen=True):
    """An order without a tag that it should have."""

    day: str
    order: str
    whose: str
    missing: str


class Month(msgspec.Struct, kw_only=True):
    """A book's month up to a day."""

    book: str
    first: str
    last: str
    home: Path
    days: list[DayFigures] = []
    untagged: list[Untagged] = []
    rules: Counter[str] = msgspec.field(default_factory=Counter)
    """Refusals by rule."""
    states: list[tuple[int, str, str, str, str]] = []
    """Changes of the trading state: ns UTC, state, actor, role, reason."""
    starts: list[tuple[int, int, str, str, str, str]] = []
    """Engine starts and stops: market and machine's time, event, version, hashes of configuration and code."""
    algos: dict[tuple[str, str, str], int] = {}
    """Orders by algo, algo id and code hash."""
    people: Counter[tuple[str, str, str]] = msgspec.field(default_factory=Counter)
    """Commands by actor, role and address."""
    settings: list[tuple[int, str, str, str]] = []
    """Settings that differ from one start to the next: ns UTC, name, before, after."""
    operations: list[Noted] = []

    @classmethod
    def of(cls, home: Path, book: str, day: str, threshold: int) -> Self:
        """Read the month of `day` up to it; `threshold` is the orders a second that want a registered algo."""
        first = date.fromisoformat(day).replace(day=1).isoformat()
        month = cls(book=book, first=first, last=day, home=home)
        before: dict[str, object] = {}
        for found in ledger.walk(home, book, first, day):
            month._take(found, threshold)
            before = month._compare_settings(found, before)
        month.operations = done_between(home, first, day, [(one.first_wall, one.last_wall) for one in month.days])
        return month

    def done(self, *whats: str) -> list[Noted]:
        """Return the operations of these kinds, oldest first."""
        return [one for one in self.operations if one.operation.what in whats]

    @property
    def traffic(self) -> dict[str, Traffic]:
        """What went to each segment over the month."""
        found: dict[str, Traffic] = defaultdict(Traffic)
        for day in self.days:
            for name, one in day.traffic.items():
                _add(found[name], one)
        return dict(sorted(found.items()))

    def _take(self, day: Day, threshold: int) -> None:
        self.days.append(_figures(day, threshold))
        self.rules.update(rule for row in day.refusals for rule, _ in row.body.problems)
        self.states += [(row.at.ts, row.body.state, row.at.actor, row.at.role, row.body.reason) for row in day.trading]
        self._take_orders(day)
        for row in day.opened:
            hashes = (row.body.configuration_hash[:12], row.body.code_hash[:12])
            self.starts.append((row.at.ts, row.at.wall, "started", row.body.version, *hashes))
        self.starts += [(row.at.ts, row.at.wall, f"stopped: {row.body.reason}", "", "", "") for row in day.closed]

    def _take_orders(self, day: Day) -> None:
        for story in day.stories.values():
            sent, strategy = story.sent, story.order.request.strategy
            if sent is None:
                continue
            self.untagged += [
                Untagged(day.day, sent.order_id, strategy or sent.actor, what) for what in _untagged(sent)
            ]
            if strategy:
                key = (strategy, sent.algo_id, sent.code_hash)
                self.algos[key] = self.algos.get(key, 0) + 1
        for at_ in _commands(day):
            self.people[at_.actor, at_.role, at_.source] += 1

    def _compare_settings(self, day: Day, before: dict[str, object]) -> dict[str, object]:
        for row in day.opened:
            now = dict(row.body.configuration)
            if before:
                names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
                self.settings += [(row.at.ts, name, str(before.get(name)), str(now.get(name))) for name in names]
            before = now
        return before


def done_between(home: Path, first: str, last: str, traded: Iterable[tuple[int, int]]) -> list[Noted]:
    """Return what was done to the system from one day to another (ISO, both included), or while their days were traded.

    A simulated or replayed day is traded at another time than its own: `traded` are the machine's times of it, ns UTC.
    """
    spans = [(at(first, "00:00"), at(last, "24:00") - 1), *(span for span in traded if span[0])]
    return [
        one
        for one in noted(home)
        if one.operation.what not in OWN and any(began <= one.at <= ended for began, ended in spans)
    ]


def walls(day: Day) -> tuple[int, int]:
    """Return the machine's times, ns UTC, between which a day was traded; zeros for one that was not."""
    rows = (day.opened, day.marks, day.fills, day.lines, day.closed)
    found = [row.at.wall for part in rows for row in part]  # type: ignore[attr-defined]
    return min(found, default=0), max(found, default=0)


def _figures(day: Day, threshold: int) -> DayFigures:
    fills = [row.body for row in day.fills]
    first_wall, last_wall = walls(day)
    return DayFigures(
        day=day.day, orders=sum(story.sent is not None for story in day.stories.values()), trades=len(fills),
        turnover=sum(fill.quantity * fill.price for fill in fills), charges=sum(day.charges),
        pnl=day.pnl, refusals=len(day.refusals), gaps=len(trail.gaps(day)), records=day.records,
        first_wall=first_wall, last_wall=last_wall, traffic=_traffic(day, threshold),
    )  # fmt: skip


def _traffic(day: Day, threshold: int) -> dict[str, Traffic]:
    found: dict[str, Traffic] = defaultdict(Traffic)
    seconds: dict[str, Counter[int]] = defaultdict(Counter)
    for story in day.stories.values():
        name = segment(story.order.request.instrument)
        one = found[name]
        one.orders += story.sent is not None
        one.changes += sum(row.at.kind is Kind.MODIFY for row in story.asked)
        one.cancellations += sum(row.at.kind is Kind.CANCEL for row in story.asked)
        sent = [story.sent] if story.sent else []
        seconds[name].update(stamp.ts // SECOND for stamp in [*sent, *(row.at for row in story.asked)])
    for row in day.fills:
        one = found[segment(row.body.instrument)]
        one.trades, one.turnover = one.trades + 1, one.turnover + row.body.quantity * row.body.price
    for name, counted in seconds.items():
        busiest = max(counted.items(), key=lambda pair: (pair[1], -pair[0]), default=(0, 0))
        found[name].peak_at, found[name].peak = busiest[0] * SECOND, busiest[1]
        found[name].over = sum(number > threshold for number in counted.values())
    return dict(found)


def _add(whole: Traffic, one: Traffic) -> None:
    for name in ("orders", "changes", "cancellations", "trades", "turnover", "over"):
        setattr(whole, name, getattr(whole, name) + getattr(one, name))
    if one.peak > whole.peak:
        whole.peak, whole.peak_at = one.peak, one.peak_at


def _untagged(sent: Stamp) -> Iterable[str]:
    if not sent.client:
        yield "client code"
    if sent.strategy and not sent.algo_id:
        yield "algo id"
    if sent.strategy and not sent.code_hash:
        yield "code hash"
    if not sent.actor:
        yield "who asked"


def _commands(day: Day) -> Iterable[Stamp]:
    """Return the stamps of what people commanded: orders, changes, cancellations, states, strategies, conversions."""
    sent = [story.sent for story in day.stories.values() if story.sent]
    asked = [row.at for story in day.stories.values() for row in story.asked]
    rows: list[Row[object]] = [*day.trading, *day.strategies, *day.conversions, *day.refusals]  # type: ignore[list-item]
    return [stamp for stamp in [*sent, *asked, *(row.at for row in rows)] if stamp.role not in trail.MACHINES]
