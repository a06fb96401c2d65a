"""The ledger: a book's market days as rows, read from its journal and from nothing else.

One reader for reports, preflight and reconciliation. Rows keep what the journal says of who, when and where (`Stamp`);
what a day did to positions, holdings, cash and charges is worked out by the engine's own `Book`, the only place that
knows how. Each segment begins with a snapshot, so a day is read without the days before it. Every frame's hash is
verified on the way: a damaged journal is JournalBroken, never a report.

A market day begins with its DAY record and takes in the night that follows it (expiry, settlement, corporate actions).
Money in paise, quantities in units, times in ns UTC.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from aitrade.compliance.journal import HEADER, frames, segments
from aitrade.core.errors import Refused
from aitrade.core.events import (
    Ask,
    CashMove,
    Closed,
    Conversion,
    Kind,
    Line,
    Mark,
    Opened,
    PriceAlert,
    RawRecord,
    Refusal,
    StateChange,
    StrategyChange,
)
from aitrade.core.orders import CHARGE_COMPONENTS, Fill, Order, OrderState, Update, VenueUpdate
from aitrade.engine.lots import Lot
from aitrade.engine.state import Book, Holding, State

T = TypeVar("T")


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What a record says beside its body: `ts` is market time, `wall` the machine's, `exchange_ts` the venue's."""

    seq: int
    kind: Kind
    ts: int
    wall: int
    actor: str = ""
    role: str = ""
    strategy: str = ""
    code_hash: str = ""
    algo_id: str = ""
    client: str = ""
    session: str = ""
    source: str = ""
    order_id: str = ""
    broker_order_id: str = ""
    exchange_order_id: str = ""
    exchange_ts: int = 0
    reason: str = ""

    @classmethod
    def of(cls, record: RawRecord) -> "Stamp":
        """Return the stamp of a record."""
        return cls(
            record.seq, record.kind, record.ts, record.wall, record.actor, record.role, record.strategy,
            record.code_hash, record.algo_id, record.client, record.session, record.source, record.order_id,
            record.broker_order_id, record.exchange_order_id, record.exchange_ts, record.reason,
        )  # fmt: skip


class Row(msgspec.Struct, Generic[T], frozen=True):
    """A record of the journal: its stamp and its body."""

    at: Stamp
    body: T


class Story(msgspec.Struct):
    """An order with everything that was said about it, in the journal's order; `order` is as the day left it.

    `sent` is the record of its intent, None for an order that was carried in from an earlier day.
    """

    order: Order
    sent: Stamp | None
    asked: list[Row[Ask]] = []
    updates: list[Row[VenueUpdate]] = []

    @property
    def fills(self) -> list[Fill]:
        """Its executions of this day, with their charges."""
        return [row.body.fill for row in self.updates if row.body.fill is not None]

    @property
    def acknowledged(self) -> int:
        """When the venue's first word came, ns UTC; 0 while there is none."""
        return self.updates[0].body.ts if self.updates else 0

    @property
    def steps(self) -> list[Row[Ask] | Row[VenueUpdate]]:
        """Changes and cancellations that were asked for, and updates, in the journal's order."""
        return sorted([*self.asked, *self.updates], key=lambda row: row.at.seq)


class Standing(msgspec.Struct, frozen=True):
    """What a book has at one moment. `realised` is after charges and of earlier days, `day_realised` before them."""

    positions: dict[str, Lot]
    """By instrument|product, flat ones of the day included."""
    holdings: dict[str, Holding]
    owned: dict[str, Lot]
    """By strategy|instrument|product."""
    money: int
    """Put in."""
    realised: int
    day_realised: int
    day_charges: tuple[int, ...]
    """By CHARGE_COMPONENTS."""
    charges: tuple[int, ...]
    """Since the book began."""
    trading: str
    closings: tuple[tuple[int, int], ...] = ()
    """(ts, equity) at the end of every market day so far."""

    @property
    def cash(self) -> int:
        """Money put in and all that was realised, less all charges: equity without what is open."""
        return self.money + self.realised + self.day_realised - sum(self.day_charges)

    @property
    def open(self) -> dict[str, Lot]:
        """Positions that are not flat."""
        return {key: lot for key, lot in self.positions.items() if lot.quantity}

    @classmethod
    def of(cls, state: State) -> "Standing":
        """Return a copy of what a state says, which later records do not change."""
        return cls(
            _copied(state.positions, Lot), _copied(state.holdings, Holding), _copied(state.owned, Lot), state.opening,
            state.realised, state.day.realised, tuple(state.day.charges), tuple(state.charges), state.trading,
            tuple(state.equity),
        )  # fmt: skip


class Day(msgspec.Struct):
    """One market day of a book. Rows are in the journal's order."""

    book: str
    day: str
    """ISO."""
    source: str
    """Where its market data come from."""
    assumed: list[str]
    before: Standing
    """As the day began."""
    close: Standing
    """As trading ended (the closing mark), or as far as it went: before expiry, settlement and corporate actions."""
    after: Standing
    """As the night left it."""
    setup: Opened | None = None
    """How the engine that traded it was set up, whenever that was; None for a journal that lost its beginning."""
    set_up_at: int = 0
    """When that engine started by the machine's clock, ns UTC."""
    ended: bool = False
    carried: int = 0
    """Unrealised P&L that it began with."""
    stories: dict[str, Story] = {}
    """By order id, oldest first."""
    refusals: list[Row[Refusal]] = []
    fills: list[Row[Fill]] = []
    cash: list[Row[CashMove]] = []
    conversions: list[Row[Conversion]] = []
    marks: list[Row[Mark]] = []
    trading: list[Row[StateChange]] = []
    strategies: list[Row[StrategyChange]] = []
    alerts: list[Row[PriceAlert]] = []
    lines: list[Row[Line]] = []
    opened: list[Row[Opened]] = []
    closed: list[Row[Closed]] = []
    records: int = 0
    first_seq: int = 0
    last_seq: int = 0
    head: str = ""
    """The chain's hash after its last record, hex."""

    @property
    def orders(self) -> list[Order]:
        """Every order that passed the checks, as the day left it."""
        return [story.order for story in self.stories.values()]

    @property
    def charged(self) -> list[Row[CashMove]]:
        """What was charged without a trade: conversions."""
        return [row for row in self.cash if row.body.charges]

    @property
    def charges(self) -> tuple[int, ...]:
        """What trades and conversions were charged, by CHARGE_COMPONENTS, summed over the rows."""
        rows = [row.body.charges for row in (*self.fills, *self.charged) if row.body.charges]
        return tuple(sum(one[index] for one in rows) for index in range(len(CHARGE_COMPONENTS)))

    @property
    def night(self) -> list[Row[CashMove]]:
        """What moved after the closing mark."""
        last = self.marks[-1].at.seq if self.ended else self.last_seq
        return [row for row in self.cash if row.at.seq > last]

    @property
    def pnl(self) -> int:
        """The day's P&L after charges at its newest mark, paise; 0 without one."""
        return self.marks[-1].body.day_pnl if self.marks else 0

    @property
    def equity(self) -> int:
        """What the book was worth at its newest mark, paise; 0 without one."""
        return self.marks[-1].body.equity if self.marks else 0

    @property
    def mode(self) -> str:
        """Which world it is: simulated, replay …; "" where nothing says so."""
        return self.setup.mode if self.setup else ""


def books(home: Path) -> list[str]:
    """Return the names of the books that have a journal."""
    return sorted(folder.parent.name for folder in (home / "books").glob("*/journal"))


def days(home: Path, book: str) -> list[str]:
    """Return the market days of a book, ISO, oldest first; a day whose engine died before it began may be among them.

    Raises Refused for a book that there is not.
    """
    return list(dict.fromkeys(name for path in _segments(home, book) if (name := _named(path))))


def read(home: Path, book: str, day: date | str) -> Day:
    """Return one market day of a book.

    Raises Refused where the book or the day is not there, JournalBroken where its segment is damaged.
    """
    wanted = str(day)
    for found in walk(home, book, wanted, wanted):
        return found
    known = days(home, book)
    span = f"it has {len(known)} days, {known[0]} to {known[-1]}" if known else "it has no market day yet"
    raise Refused(f"Book {book} did not trade on {wanted}: {span}. Choose one of them, or another book.")


def walk(home: Path, book: str, first: str = "", last: str = "") -> Iterator[Day]:
    """Yield the market days of a book from `first` to `last` (ISO, both included; empty: no bound), oldest first.

    Only one day is in memory at a time. Raises as `read` does; a span without days yields nothing.
    """
    paths = _segments(home, book)
    chosen = _between(paths, first, last)
    reader = _Reader(book, _opened_before(paths, chosen))
    for path in chosen:
        if path.stat().st_size < HEADER.size:
            continue
        for frame in frames(path):
            finished = reader.take(frame.record, frame.head)
            if finished is not None:
                yield finished
    finished = reader.finish()
    if finished is not None:
        yield finished


class _Reader:
    """Takes records in and hands days out: a day is finished when the next one's snapshot or DAY record comes."""

    def __init__(self, book: str, opened: RawRecord | None) -> None:
        self._name = book
        self._opened = opened
        self._book = Book()
        self._day: Day | None = None
        self._early: list[tuple[RawRecord, bytes]] = []
        """Records of a day that came before its DAY record."""

    def take(self, record: RawRecord, head: bytes) -> Day | None:
        """Take one record; return the day that it shows to be finished."""
        starts = record.kind in (Kind.SNAPSHOT, Kind.DAY)
        finished = self.finish() if starts else None
        self._book.restore(record)
        if record.kind is Kind.DAY:
            self._begin(record)
        if self._day is None:
            self._early.append((record, head))
        else:
            self._enter(self._day, record, head)
        return finished

    def finish(self) -> Day | None:
        """Return the day that was being read, or None."""
        day, self._day = self._day, None
        if day is not None:
            day.after = Standing.of(self._book.state)
            day.close = day.close if day.ended else day.after
        return day

    def _begin(self, record: RawRecord) -> None:
        body, state = record.decoded(), self._book.state
        standing = Standing.of(state)
        self._day = day = Day(self._name, body.day, body.source, body.assumed, standing, standing, standing)
        day.carried = body.carried
        self._set_up(day)
        day.stories = {order.id: Story(order, None) for order in state.orders.values()}
        for early, head in self._early:
            self._enter(day, early, head)
        self._early = []

    def _enter(self, day: Day, record: RawRecord, head: bytes) -> None:
        day.records += 1
        day.first_seq = day.first_seq or record.seq
        day.last_seq, day.head = record.seq, head.hex()
        if record.kind in _ROWS:
            getattr(day, _ROWS[record.kind]).append(Row(Stamp.of(record), record.decoded()))
        elif record.kind in _OF_ORDERS:
            self._tell(day, record)
        if record.kind is Kind.OPENED:
            self._opened = record
            self._set_up(day)
        if record.kind is Kind.MARK and day.marks[-1].body.closing:
            day.close, day.ended = Standing.of(self._book.state), True

    def _set_up(self, day: Day) -> None:
        """An engine that starts on an ended day trades the next one."""
        if self._opened is not None and not day.ended:
            day.setup, day.set_up_at = self._opened.decoded(), self._opened.wall

    def _tell(self, day: Day, record: RawRecord) -> None:
        at, body = Stamp.of(record), record.decoded()
        if record.kind is Kind.INTENT:
            day.stories[body.id] = Story(self._book.state.orders[body.id], at)
        elif record.kind is Kind.UPDATE:
            day.stories[body.order_id].updates.append(Row(at, body))
            if body.what is Update.FILL and body.fill is not None:
                day.fills.append(Row(at, body.fill))
        else:
            day.stories[body.order_id].asked.append(Row(at, body))


_ROWS = {
    Kind.REFUSAL: "refusals",
    Kind.CASH: "cash",
    Kind.CONVERT: "conversions",
    Kind.MARK: "marks",
    Kind.STATE: "trading",
    Kind.STRATEGY: "strategies",
    Kind.ALERT: "alerts",
    Kind.EVENT: "lines",
    Kind.OPENED: "opened",
    Kind.CLOSED: "closed",
}
_OF_ORDERS = frozenset({Kind.INTENT, Kind.UPDATE, Kind.MODIFY, Kind.CANCEL})
UNFINISHED = frozenset({OrderState.NEW, OrderState.PENDING, OrderState.IN_DOUBT})
"""States in which nobody has proven yet what became of an order."""


def _copied(rows: dict[str, Any], of: type[Any]) -> dict[str, Any]:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(rows), type=dict[str, of])  # type: ignore[valid-type]


def _segments(home: Path, book: str) -> list[Path]:
    found = segments(home / "books" / book / "journal")
    if not found:
        known = ", ".join(books(home)) or "none"
        raise Refused(f"There is no journal of book {book} under {home}; the books there are: {known}.")
    return found


def _opened_before(paths: list[Path], chosen: list[Path]) -> RawRecord | None:
    """Return the newest OPENED of the segments before the chosen ones: an engine may trade for weeks."""
    earlier = paths[: paths.index(chosen[0])] if chosen else []
    for path in reversed(earlier):
        whole = path.stat().st_size >= HEADER.size
        found = [frame.record for frame in frames(path) if frame.record.kind is Kind.OPENED] if whole else []
        if found:
            return found[-1]
    return None


def _named(path: Path) -> str:
    """Return the market day that a segment is named for, "" for the one that a book begins with."""
    name = path.stem.partition("-")[2]
    return name if name[:1].isdigit() else ""


def _between(paths: list[Path], first: str, last: str) -> list[Path]:
    """Return the segments of a span of days; what comes before the book's first day belongs to that day."""
    dated = [name for path in paths if (name := _named(path))]
    reached = not dated or not first or first <= dated[0]
    names = [(_named(path), path) for path in paths]
    return [path for name, path in names if (first <= name <= (last or name) if name else reached)]
