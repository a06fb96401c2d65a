"""Turns a batch of journal records into rows, in one transaction that also notes the last record's number.

Rows that records change (orders, positions, the book) are read once a batch, changed in memory and written at its end;
the rest are inserted. A record that is in already is passed over; a gap is refused: rows would be wrong ever after.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from aitrade.core.errors import JournalBroken
from aitrade.core.events import (
    Ask,
    CashMove,
    Conversion,
    DayBegan,
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
from aitrade.core.orders import CHARGE_COMPONENTS, Fill, Order, OrderState, Side, Update, VenueUpdate
from aitrade.store.tables import OF_A_BOOK, books, cash, events, fills, marks, orders, positions

Row = dict[str, Any]
_STATES = {
    Update.ACCEPTED: OrderState.OPEN,
    Update.CANCELLED: OrderState.CANCELLED,
    Update.REJECTED: OrderState.REJECTED,
    Update.EXPIRED: OrderState.EXPIRED,
    Update.IN_DOUBT: OrderState.IN_DOUBT,
}
_PASSED_OVER = frozenset({Kind.SNAPSHOT, Kind.INPUT})


def projected(connection: Connection, book: str) -> int:
    """Return the number of the last record that the book's rows hold, 0 for none."""
    return connection.scalar(select(books.c.seq).where(books.c.book == book)) or 0


def forget(connection: Connection, book: str) -> None:
    """Delete a book's rows."""
    for table in (*OF_A_BOOK, books):
        connection.execute(delete(table).where(table.c.book == book))


def project(connection: Connection, book: str, records: Sequence[RawRecord]) -> int:
    """Write the rows of `records` and return the last one's number; raise JournalBroken when one is missing."""
    batch = Batch(connection, book)
    for record in records:
        batch.take(record)
    batch.write()
    return batch.seq


class Batch:
    """The rows of one transaction."""

    def __init__(self, connection: Connection, book: str) -> None:
        self._connection = connection
        self._name = book
        self._books = _Rows(connection, books, ("book",))
        self._orders = _Rows(connection, orders, ("book", "id"))
        self._positions = _Rows(connection, positions, ("book", "day", "instrument", "product"))
        self._added: dict[Table, list[Row]] = {table: [] for table in (fills, cash, marks, events)}
        self._book = self._books.get(book) or self._books.add({"book": book, "trading": "ACTIVE"})
        self.seq: int = self._book["seq"]

    def take(self, record: RawRecord) -> None:
        """Take one record in."""
        if record.seq <= self.seq:
            return
        if record.seq != self.seq + 1:
            raise JournalBroken(f"Record {record.seq} follows {self.seq} in book {self._name}: verify the journal.")
        if record.kind not in _PASSED_OVER:
            _TAKE[record.kind](self, record, record.decoded())
        self.seq = record.seq

    def write(self) -> None:
        """Write everything, the book's number with it."""
        self._book["seq"] = self.seq
        self._books.write()
        self._orders.write()
        self._positions.write()
        for table, rows in self._added.items():
            if rows:
                self._connection.execute(insert(table), rows)

    # Records

    def opened(self, record: RawRecord, body: Opened) -> None:
        """The engine opened the book."""
        self._book.update(
            mode=body.mode, seed=body.seed, version=body.version, configuration_hash=body.configuration_hash,
            code_hash=body.code_hash, configuration=msgspec.json.encode(body.configuration).decode(),
            opened=record.wall, closed=0,
        )  # fmt: skip
        self._event(record, "info", f"Opened by aitrade {body.version}.", "engine")

    def closed(self, record: RawRecord, body: Any) -> None:
        """The engine stopped cleanly."""
        self._book["closed"] = record.wall
        self._event(record, "info", f"Closed: {body.reason}", "engine")

    def day(self, record: RawRecord, body: DayBegan) -> None:
        """A market day began."""
        self._book.update(day=body.day, day_source=body.source)
        self._event(record, "info", f"Market day {body.day} from {body.source}.", "engine")

    def intent(self, record: RawRecord, order: Order) -> None:
        """An order is about to be sent."""
        request = msgspec.structs.asdict(order.request)
        kept = {name: value for name, value in request.items() if name in orders.c}
        self._orders.add(kept | {
            "book": self._name, "id": order.id, "seq": record.seq, "day": self._book["day"], "state": str(order.state),
            "quantity": order.quantity, "price": order.price, "trigger": order.trigger, "is_exit": order.is_exit,
            "venue": order.venue, "actor": record.actor or order.request.actor, "role": record.role,
            "code_hash": record.code_hash, "algo_id": record.algo_id, "session": record.session,
            "source": record.source, "client": record.client, "created": order.created, "updated": order.updated,
        })  # fmt: skip

    def update(self, record: RawRecord, body: VenueUpdate) -> None:
        """A venue said something about an order."""
        order = self._orders.get(self._name, body.order_id)
        if order is None:
            raise JournalBroken(f"Record {record.seq} is about order {body.order_id}, which has no intent before it.")
        order["updated"] = record.ts
        for name in ("broker_order_id", "exchange_order_id", "reason"):
            order[name] = getattr(body, name) or order[name]
        if body.what in _STATES:
            order["state"] = str(_STATES[body.what])
        elif body.what is Update.TRIGGERED:
            order["triggered"] = True
        elif body.what is Update.MODIFIED:
            order.update(quantity=body.quantity, price=body.price, trigger=body.trigger)
            self._filled(order)
        elif body.fill is not None:
            self._fill(record, order, body.fill)

    def cash(self, record: RawRecord, body: CashMove) -> None:
        """Money or units moved without an order."""
        charges = sum(body.charges)
        self._ledger(record, **(msgspec.structs.asdict(body) | {"amount": body.amount - charges}))
        if body.quantity or charges:
            position = self._position(body.instrument, body.product)
            position["moved"] += body.quantity
            position["closing"] += body.quantity
            position["charges"] += charges

    def mark(self, record: RawRecord, body: Mark) -> None:
        """The book was worth this."""
        self._add(marks, record, **msgspec.structs.asdict(body))

    def convert(self, record: RawRecord, body: Conversion) -> None:
        """Units changed product."""
        source = self._position(body.instrument, body.product)
        units = min(abs(body.quantity), abs(source["closing"]))
        signed = units if source["closing"] > 0 else -units
        for position, change in ((source, -signed), (self._position(body.instrument, body.to), signed)):
            position["moved"] += change
            position["closing"] += change
        text = f"{units} {body.instrument} converted from {body.product} to {body.to}."
        self._event(record, "info", text, "person")

    def state(self, record: RawRecord, body: StateChange) -> None:
        """The trading state changed."""
        self._book.update(trading=body.state, trading_reason=body.reason)
        level = "info" if body.state == "ACTIVE" else "alert"
        self._event(record, level, f"Trading is {body.state}: {body.reason}", "risk")

    def strategy(self, record: RawRecord, body: StrategyChange) -> None:
        """A strategy was started, stopped, or failed."""
        level = "alert" if body.state == "failed" else "info"
        self._event(record, level, f"Strategy {body.name} is {body.state}. {body.reason}".rstrip(), body.name)

    def alert(self, record: RawRecord, body: PriceAlert) -> None:
        """A price alert was set, removed, or fired."""
        what = "removed" if body.removed else "fired" if body.fired else "set"
        text = body.note or f"Alert {body.id} on {body.instrument} {what}."
        self._event(record, "alert" if body.fired else "info", text, "alerts")

    def refusal(self, record: RawRecord, body: Refusal) -> None:
        """Our own checks refused an order."""
        text = " ".join(sentence for _rule, sentence in body.problems)
        self._event(record, "warning", f"{body.request.instrument}: {text}", "risk")

    def line(self, record: RawRecord, body: Line) -> None:
        """A line of the event log."""
        self._event(record, body.level, body.text, body.source)

    def asked(self, record: RawRecord, body: Ask) -> None:
        """New terms, or a cancellation, are about to be asked for."""
        what = (
            f"quantity {body.quantity}, price {body.price}, trigger {body.trigger} asked" if body.quantity else "asked"
        )
        self._event(record, "info", f"{record.kind} of order {body.order_id}: {what}.", "orders")

    # Rows

    def _fill(self, record: RawRecord, order: Row, fill: Fill) -> None:
        order["filled"] += fill.quantity
        order["filled_value"] += fill.quantity * fill.price
        order["state"] = str(OrderState.PARTIALLY_FILLED)
        self._filled(order)
        charges = dict(zip(CHARGE_COMPONENTS, fill.charges or (0,) * len(CHARGE_COMPONENTS), strict=True))
        kept = {name: value for name, value in msgspec.structs.asdict(fill).items() if name in fills.c}
        total = sum(charges.values())
        self._add(fills, record, **(kept | charges | {"charges": total, "exchange_ts": record.exchange_ts}))
        self._book_fill(fill, total)
        if total:
            self._ledger(record, why="charge", amount=-total, instrument=fill.instrument, product=str(fill.product))

    def _filled(self, order: Row) -> None:
        if order["filled"] and order["filled"] >= order["quantity"]:
            order["state"] = str(OrderState.FILLED)

    def _book_fill(self, fill: Fill, charges: int) -> None:
        position = self._position(fill.instrument, str(fill.product))
        way = "bought" if fill.side is Side.BUY else "sold"
        position[way] += fill.quantity
        position[f"{way}_value"] += fill.quantity * fill.price
        position["closing"] += fill.side.sign * fill.quantity
        position["charges"] += charges

    def _position(self, instrument: str, product: str) -> Row:
        key = {"book": self._name, "day": self._book["day"], "instrument": instrument, "product": product}
        row = self._positions.get(*key.values())
        if row is None:
            carried = self._carried(instrument, product)
            row = self._positions.add(key | {"opening": carried, "closing": carried})
        return row

    def _carried(self, instrument: str, product: str) -> int:
        """Return what the last day before this one left of a position."""
        earlier = self._positions.latest(
            lambda row: (row["instrument"], row["product"]) == (instrument, product), lambda row: row["day"]
        )
        if earlier is not None:
            return int(earlier["closing"])
        found = self._connection.scalar(
            select(positions.c.closing)
            .where(positions.c.book == self._name, positions.c.instrument == instrument, positions.c.product == product)
            .order_by(positions.c.day.desc())
            .limit(1)
        )
        return found or 0

    def _ledger(self, record: RawRecord, **values: Any) -> None:
        self._add(cash, record, **values)

    def _event(self, record: RawRecord, level: str, text: str, origin: str) -> None:
        self._add(
            events, record, wall=record.wall, kind=str(record.kind), level=level, text=text, origin=origin,
            actor=record.actor, role=record.role, source=record.source, order_id=record.order_id,
        )  # fmt: skip

    def _add(self, table: Table, record: RawRecord, **values: Any) -> None:
        about = {"book": self._name, "seq": record.seq, "day": self._book["day"], "ts": record.ts}
        self._added[table].append(_complete(table, about | values))


class _Rows:
    """Rows of one table that a batch reads, changes and adds."""

    def __init__(self, connection: Connection, table: Table, key: tuple[str, ...]) -> None:
        self._connection = connection
        self._table = table
        self._key = key
        self._rows: dict[tuple[str, ...], Row] = {}
        self._new: set[tuple[str, ...]] = set()

    def get(self, *key: str) -> Row | None:
        """Return a row to change, or None."""
        if key not in self._rows:
            where = [self._table.c[name] == value for name, value in zip(self._key, key, strict=True)]
            found = self._connection.execute(select(self._table).where(*where)).mappings().first()
            if found is None:
                return None
            self._rows[key] = dict(found)
        return self._rows[key]

    def add(self, row: Row) -> Row:
        """Add a row; columns that it leaves out have their defaults."""
        row = _complete(self._table, row)
        key = tuple(row[name] for name in self._key)
        self._rows[key] = row
        self._new.add(key)
        return row

    def latest(self, chosen: Callable[[Row], bool], by: Callable[[Row], str]) -> Row | None:
        """Return the greatest of the chosen rows that this batch has seen, or None."""
        return max((row for row in self._rows.values() if chosen(row)), key=by, default=None)

    def write(self) -> None:
        """Insert what is new and update what was there."""
        new = [row for key, row in self._rows.items() if key in self._new]
        old = [row for key, row in self._rows.items() if key not in self._new]
        if new:
            self._connection.execute(insert(self._table), new)
        if old:
            where = [self._table.c[name] == bindparam(f"key_{name}") for name in self._key]
            values: Row = {
                column.name: bindparam(column.name) for column in self._table.c if column.name not in self._key
            }
            keyed = [row | {f"key_{name}": row[name] for name in self._key} for row in old]
            self._connection.execute(update(self._table).where(*where).values(values), keyed)


def _complete(table: Table, row: Row) -> Row:
    """Return the row with every column, so that rows of one statement have the same ones."""
    return {column.name: row.get(column.name, _default(column)) for column in table.c}


def _default(column: Any) -> Any:
    return column.default.arg if column.default is not None else None


_TAKE: dict[Kind, Callable[[Batch, RawRecord, Any], None]] = {
    Kind.OPENED: Batch.opened,
    Kind.CLOSED: Batch.closed,
    Kind.DAY: Batch.day,
    Kind.INTENT: Batch.intent,
    Kind.UPDATE: Batch.update,
    Kind.CASH: Batch.cash,
    Kind.MARK: Batch.mark,
    Kind.CONVERT: Batch.convert,
    Kind.STATE: Batch.state,
    Kind.STRATEGY: Batch.strategy,
    Kind.ALERT: Batch.alert,
    Kind.REFUSAL: Batch.refusal,
    Kind.EVENT: Batch.line,
    Kind.MODIFY: Batch.asked,
    Kind.CANCEL: Batch.asked,
}
