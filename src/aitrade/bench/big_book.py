"""A book of a million orders on disk: a real journal, record by record, and the database that is projected from it.

Each of a hundred market days has the same orders at other times and numbers: bought and sold in turn, each accepted and
filled with charges, flat at the end. The journal is written by `Journal` and every state in it is worked out by the
engine's `Book`. The database's first day is made by the projection itself; the other days are that day's rows moved to
their numbers, times and days, which is what the projection makes of them (a test compares).
"""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import msgspec

from aitrade.bench import Say
from aitrade.compliance.journal import Journal
from aitrade.compliance.tail import Tail
from aitrade.core.clock import at
from aitrade.core.events import CashMove, Closed, DayBegan, Kind, Mark, Opened, Record
from aitrade.core.orders import Fill, Order, OrderRequest, OrderState, Product, Side, Update, VenueUpdate
from aitrade.engine.state import Book
from aitrade.market.calendar import Calendar, Segment
from aitrade.store.projection import FILE, Projection, sqlite_url

LAST_DAY = date(2025, 3, 27)
DAYS = 100
SHARES, PRICE, CHARGES = 50, 1_000_00, (20, 1, 2, 3, 0, 0, 0, 0)
MONEY = 10_00_00_000_00
_GAP = 1_000_000
"""Nanoseconds between two records."""
_TIMES = ("created", "updated", "ts", "wall")


class BigBook:
    """Writes a book; afterwards `orders` is how many it has."""

    def __init__(self, home: Path, name: str, orders: int) -> None:
        self.name = name
        self.folder = home / "books" / name
        self.per_day = max(orders // DAYS // (2 * SHARES), 1) * 2 * SHARES
        self.orders = self.per_day * DAYS
        self._journal = Journal(self.folder / "journal")
        self._book = Book()
        self._now = 0
        self._sent = 0

    def write(self, say: Say) -> None:
        """Write the journal and then the database."""
        days = trading_days()
        say(f"a journal of {self.orders:,} orders on {DAYS} market days …")
        self._open(days[0])
        ends = []
        for day in days:
            self._day(day)
            ends.append(self._journal.seq)
        self._add(Kind.CLOSED, Closed(reason="bench", open_orders=0, open_positions=0))
        self._journal.close()
        say("its database …")
        self._database(days, ends)

    def _open(self, day: date) -> None:
        self._now = at(day, "09:00")
        opened = Opened(
            version="bench", mode="simulated", book=self.name, seed=1, configuration={}, configuration_hash="",
            code_hash="",
        )  # fmt: skip
        self._add(Kind.OPENED, opened)
        self._add(Kind.CASH, CashMove(why="opening", amount=MONEY))

    def _day(self, day: date) -> None:
        """A snapshot, the day, its orders, its closing mark: always as many records."""
        self._now = at(day, "09:15")
        self._journal.rotate(day.isoformat())
        state = msgspec.Raw(msgspec.msgpack.encode(self._book.state))
        self._journal.append(Record(0, Kind.SNAPSHOT, self._now, self._now, self.name, state))
        self._add(Kind.DAY, DayBegan(day=day.isoformat(), source="BENCH", assumed=[]))
        for number in range(self.per_day):
            self._order(number)
        spent = sum(self._book.state.day.charges)
        self._add(Kind.MARK, Mark(day_pnl=-spent, equity=MONEY + self._book.state.realised - spent, closing=True))

    def _order(self, number: int) -> None:
        """An order that is accepted and filled: fifty shares bought, then the same sold."""
        self._sent += 1
        key, id_ = f"NSE:BENCH{number % SHARES}", order_id(self._sent)
        side = Side.BUY if number // SHARES % 2 == 0 else Side.SELL
        request = OrderRequest(instrument=key, side=side, quantity=1, product=Product.MIS, actor="bench")
        order = Order(id=id_, request=request, state=OrderState.PENDING, venue="paper", quantity=1, created=self._now)
        self._add(Kind.INTENT, order, actor="bench", role="trader", client="PAPER", order_id=id_)
        accepted = VenueUpdate(order_id=id_, what=Update.ACCEPTED, ts=self._now, exchange_order_id=f"X{id_}")
        self._add(Kind.UPDATE, accepted, order_id=id_)
        fill = Fill(
            id=f"T{number}", order_id=id_, instrument=key, side=side, quantity=1, price=PRICE, ts=self._now,
            product=Product.MIS, charges=CHARGES,
        )  # fmt: skip
        self._add(Kind.UPDATE, VenueUpdate(order_id=id_, what=Update.FILL, ts=self._now, fill=fill), order_id=id_)

    def _add(self, kind: Kind, body: object, **about: str) -> None:
        self._now += _GAP
        record = Record(0, kind, self._now, self._now, self.name, body, **about)
        self._journal.append(record)
        self._book.apply(record)

    def _database(self, days: list[date], ends: list[int]) -> None:
        """Project the first day, move its rows to the others, and let the projection take the journal's end."""
        self._project(until=ends[0])
        with closing(sqlite3.connect(self.folder / FILE, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA cache_size=-262144")
            connection.execute("BEGIN")
            for number, day in enumerate(days[1:], 1):
                self._moved(connection, days[0], day, number, ends[number] - ends[0])
            connection.execute("UPDATE books SET seq = ?, day = ?", (ends[-1], days[-1].isoformat()))
            connection.execute("COMMIT")
        self._project()

    def _moved(self, connection: sqlite3.Connection, first: date, day: date, number: int, records: int) -> None:
        """Insert the first day's rows as those of a later day: numbers, times and day move, all else is the same."""
        time, sent = at(day, "09:15") - at(first, "09:15"), number * self.per_day
        for table in ("orders", "fills", "positions", "cash", "marks", "events"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            moved = {name: f'"{name}" + {time}' for name in _TIMES if name in columns}
            moved |= {"day": f"'{day.isoformat()}'", "seq": f"seq + {records}", **_moved_ids(table, sent)}
            moved |= {"equity": f"equity - {sent * sum(CHARGES)}", "text": f"replace(text, '{first}', '{day}')"}
            values = ", ".join(moved.get(name, f'"{name}"') for name in columns)
            where = f"book = '{self.name}' AND day = '{first.isoformat()}'"
            connection.execute(f"INSERT INTO {table} SELECT {values} FROM {table} WHERE {where}")  # noqa: S608 - ours

    def _project(self, until: int = 0) -> None:
        tail = Tail(self.folder / "journal")
        read = (lambda after: (row for row in tail.read(after) if row.seq <= until)) if until else tail.read
        projection = Projection(sqlite_url(self.folder), self.name, read, lambda _level, _text: None)
        projection.catch_up()
        projection.close()


def order_id(number: int) -> str:
    """Return the name of the n-th order, as long as the engine's."""
    return f"BENCH{number:015d}"


def trading_days() -> list[date]:
    """Return the market days that the book traded on, oldest first."""
    calendar, days = Calendar.load(), [LAST_DAY]
    while len(days) < DAYS:
        days.append(calendar.previous_trading_day(days[-1], Segment.CASH_FNO))
    return days[::-1]


def _moved_ids(table: str, sent: int) -> dict[str, str]:
    """Return how the names of orders move: their number is in them."""

    def moved(column: str, prefix: str) -> str:
        return f"printf('{prefix}%015d', CAST(substr({column}, {len(prefix) + 1}) AS INTEGER) + {sent})"

    if table == "orders":
        return {"id": moved("id", "BENCH"), "exchange_order_id": moved("exchange_order_id", "XBENCH")}
    if table == "fills":
        return {"order_id": moved("order_id", "BENCH")}
    return {}
