"""The tables: what a journal says, laid out for questions. Money in paise, quantities in units, times in ns UTC.

Every row belongs to a book; `seq` is the journal record that made it. Only `Projection` writes rows of a book, and
`tasks` belongs to the scheduler.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from aitrade.core.orders import CHARGE_COMPONENTS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, length: int = 64) -> Column[str]:
    return Column(name, String(length), nullable=False, default="")


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, default=0)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, default=False)


def _long(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, default="")


def _of_book() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["book"], ["books.book"])


books = Table(
    "books", metadata,
    _text("book", 128), _count("seq"), _text("mode", 16), _count("seed"), _text("version", 32), _text("day", 10),
    _text("day_source", 128), _text("trading", 16), _long("trading_reason"), _text("configuration_hash"),
    _text("code_hash"), _long("configuration"), _count("opened"), _count("closed"),
    PrimaryKeyConstraint("book"),
)  # fmt: skip
"""A book and how far it is projected: `seq` is the last record that its rows hold."""

orders = Table(
    "orders", metadata,
    _text("book", 128), _text("id", 20), _count("seq"), _text("day", 10), _text("instrument"), _text("side", 4),
    _text("type", 8), _text("product", 4), _text("validity", 4), _count("quantity"), _count("price"),
    _count("trigger"), _text("state", 16), _count("filled"), _count("filled_value"), _flag("triggered"),
    _flag("is_exit"), _long("reason"), _text("strategy"), _text("code_hash"), _text("algo_id"), _text("actor"),
    _text("role", 32), _text("session", 128), _text("source"), _text("client"), _text("basket"),
    _text("reference", 128), _text("venue"), _text("broker_order_id"), _text("exchange_order_id"), _count("created"),
    _count("updated"),
    PrimaryKeyConstraint("book", "id"), _of_book(), Index(None, "book", "day"), Index(None, "book", "instrument"),
)  # fmt: skip
"""Every order that passed the checks, as it stands."""

fills = Table(
    "fills", metadata,
    _text("book", 128), _count("seq"), _text("id"), _text("day", 10), _text("order_id", 20), _text("instrument"),
    _text("side", 4), _text("product", 4), _count("quantity"), _count("price"), _count("ts"), _count("exchange_ts"),
    _text("strategy"), _flag("modelled"), *(_count(name) for name in CHARGE_COMPONENTS), _count("charges"),
    PrimaryKeyConstraint("book", "seq"), UniqueConstraint("book", "day", "id"), _of_book(), Index(None, "book", "day"),
    Index(None, "book", "order_id"),
)  # fmt: skip
"""Every execution, with what it cost by component."""

positions = Table(
    "positions", metadata,
    _text("book", 128), _text("day", 10), _text("instrument"), _text("product", 4), _count("opening"),
    _count("bought"), _count("bought_value"), _count("sold"), _count("sold_value"), _count("moved"), _count("closing"),
    _count("charges"),
    PrimaryKeyConstraint("book", "day", "instrument", "product"), _of_book(),
)  # fmt: skip
"""What a day did to a position: closing = opening + bought - sold + moved (expiry, splits, conversions)."""

cash = Table(
    "cash", metadata,
    _text("book", 128), _count("seq"), _text("day", 10), _count("ts"), _text("why", 32), _count("amount"),
    _text("instrument"), _text("product", 4), _count("quantity"), _count("cost"), _count("settled"), _long("note"),
    PrimaryKeyConstraint("book", "seq"), _of_book(), Index(None, "book", "day"),
)  # fmt: skip
"""The ledger of what moved without an order, and of the charges of each fill and conversion."""

marks = Table(
    "marks", metadata,
    _text("book", 128), _count("seq"), _text("day", 10), _count("ts"), _count("day_pnl"), _count("equity"),
    _flag("closing"),
    PrimaryKeyConstraint("book", "seq"), _of_book(), Index(None, "book", "day"),
)  # fmt: skip
"""What the book was worth, each market minute."""

events = Table(
    "events", metadata,
    _text("book", 128), _count("seq"), _text("day", 10), _count("ts"), _count("wall"), _text("kind", 16),
    _text("level", 8), _long("text"), _text("origin", 64), _text("actor"), _text("role", 32), _text("source"),
    _text("order_id", 20),
    PrimaryKeyConstraint("book", "seq"), _of_book(), Index(None, "book", "day"), Index(None, "book", "kind"),
)  # fmt: skip
"""The event log, refusals, changes of state and strategies, and who asked for changes and cancellations."""

tasks = Table(
    "tasks", metadata,
    _text("name"), _count("last_run"), _count("next_run"), _text("status", 16), _long("detail"),
    Column("runs", Integer, nullable=False, default=0),
    PrimaryKeyConstraint("name"),
)  # fmt: skip
"""Scheduled tasks: name, last and next run. No pickles."""

OF_A_BOOK = (orders, fills, positions, cash, marks, events)
"""What is deleted, with its row in `books`, when a book is projected anew."""
