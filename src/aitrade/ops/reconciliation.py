"""One book, counted three times: the journal's rows, the state that the engine would recover, and the projection.

Rows are summed here naively, fill by fill and move by move, without the engine's book-keeping; the state is what a
start would go on with; the projection is what its database says. What two of them can tell must be equal, to the paisa
and the unit; each figure that is not is named with what each of them has.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from aitrade.compliance.operations import note
from aitrade.core.clock import ist_date
from aitrade.core.money import format_rupees
from aitrade.core.orders import CHARGE_COMPONENTS
from aitrade.engine.recovery import recover
from aitrade.engine.settings import EngineSettings
from aitrade.ops.ledger import Day, Standing, walk

JOURNAL, ENGINE, PROJECTION = "journal rows", "recovered state", "projection"
PAISE = frozenset({"money", "charges", "charged", "charged with trades", "traded", "moved", "made", "closed at"})
"""Kinds of figures that are amounts; the others count records, orders, trades or units."""


class Figure(NamedTuple):
    """What is counted: a kind, and of what."""

    kind: str
    name: str


class Count(NamedTuple):
    """One way to count a book: who counted, which kinds it can tell, and what it found."""

    source: str
    kinds: frozenset[str]
    found: Counter[Figure]


class Difference(msgspec.Struct, frozen=True):
    """A figure on which sources differ, with what each has; paise or a count."""

    kind: str
    name: str
    found: dict[str, int]

    @property
    def sentence(self) -> str:
        """The difference in words."""
        write = format_rupees if self.kind in PAISE else str
        told = ", ".join(f"{source} {write(value)}" for source, value in self.found.items())
        return f"{self.kind}, {self.name}: {told}"


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What the comparison found. `missing` says why a source was not there to be compared; empty when all were."""

    book: str
    days: int
    compared: int
    """Figures that at least two sources could tell."""
    differences: list[Difference]
    missing: str = ""

    @property
    def agreed(self) -> bool:
        """All three were there and nothing differs."""
        return not self.differences and not self.missing


def reconcile(home: Path, book: str, url: str = "") -> Reconciled:
    """Count a book three ways and compare; `url` is the projection's, empty for the SQLite file beside the book.

    The outcome goes into the operations journal. Raises Refused for a book that there is not, JournalBroken where a
    record does not verify.
    """
    rows, days = of_rows(walk(home, book))
    state = of_state(Standing.of(found := recover(EngineSettings(home=str(home), book=book)).state), found.seq)
    projected, missing = of_projection(home, book, url)
    counts = [rows, state, *([projected] if projected else [])]
    figures = {figure for count in counts for figure in count.found}
    told = {figure: _told(figure, counts) for figure in sorted(figures)}
    outcome = Reconciled(
        book=book,
        days=days,
        compared=sum(len(values) > 1 for values in told.values()),
        differences=[Difference(*f, values) for f, values in told.items() if len(set(values.values())) > 1],
        missing=missing,
    )
    note(home, "scan", f"reconciliation of {book}", "passed" if outcome.agreed else "failed", outcome)
    return outcome


def _told(figure: Figure, counts: Iterable[Count]) -> dict[str, int]:
    return {count.source: count.found[figure] for count in counts if figure.kind in count.kinds}


def of_rows(days: Iterable[Day]) -> tuple[Count, int]:
    """Return the naive sums over a book's days, and how many days there were."""
    found: Counter[Figure] = Counter()
    number = 0
    for day in days:
        number += 1
        _orders_and_fills(day, found)
        _moves(day, found)
        found[Figure("records", "newest")] = day.last_seq
        if day.ended:
            found[Figure("closed at", day.day)] = day.equity
    every = frozenset({"records", "orders", "trades", "units", *PAISE})
    return Count(JOURNAL, every, found), number


def _orders_and_fills(day: Day, found: Counter[Figure]) -> None:
    found[Figure("orders", "sent")] += sum(story.sent is not None for story in day.stories.values())
    found[Figure("trades", "all")] += len(day.fills)
    for row in day.fills:
        fill, value = row.body, row.body.quantity * row.body.price
        found[Figure("traded", "bought" if fill.side.sign > 0 else "sold")] += value
        found[Figure("units", fill.instrument)] += fill.side.sign * fill.quantity
        found[Figure("made", "realised, less the cost of what is open")] -= fill.side.sign * value
        _charges(fill.charges, "charged with trades", found)
        _charges(fill.charges, "charges", found)


def _moves(day: Day, found: Counter[Figure]) -> None:
    for row in day.cash:
        move = row.body
        if move.why == "opening":
            found[Figure("money", "put in")] += move.amount
            continue
        _charges(move.charges, "charges", found)
        if move.why != "charge":
            found[Figure("moved", move.why)] += move.amount
        found[Figure("made", "realised, less the cost of what is open")] += move.amount - move.cost
        if move.quantity:
            found[Figure("units", move.instrument)] += move.quantity


def _charges(charges: Iterable[int], kind: str, found: Counter[Figure]) -> None:
    """Add components under a kind, and `charges` of whatever cause to the whole as well."""
    for name, amount in zip(CHARGE_COMPONENTS, charges, strict=False):
        found[Figure(kind, name)] += amount
        if kind == "charges":
            found[Figure("charged", "all")] += amount


def of_state(standing: Standing, seq: int) -> Count:
    """Return what a recovered state says."""
    lots = [(key.rsplit("|", 1)[0], lot) for key, lot in standing.positions.items()]
    lots += [(key, holding.lot) for key, holding in standing.holdings.items()]
    before_charges = standing.realised + standing.day_realised + sum(standing.charges) - sum(standing.day_charges)
    found: Counter[Figure] = Counter()
    _charges(standing.charges, "charges", found)
    for key, lot in lots:
        found[Figure("units", key)] += lot.quantity
    found[Figure("made", "realised, less the cost of what is open")] = before_charges - sum(lot.cost for _, lot in lots)
    found[Figure("money", "put in")] = standing.money
    found[Figure("records", "newest")] = seq
    found.update({Figure("closed at", ist_date(ts).isoformat()): equity for ts, equity in standing.closings})
    return Count(ENGINE, frozenset({"records", "units", "charges", "charged", "made", "money", "closed at"}), found)


def of_projection(home: Path, book: str, url: str = "") -> tuple[Count | None, str]:
    """Return what the database says, or None and why it cannot be asked."""
    from sqlalchemy.exc import SQLAlchemyError

    from aitrade.store.database import connect
    from aitrade.store.projection import FILE, sqlite_url

    folder = home / "books" / book
    rebuild = f"`aitrade store rebuild --book {book}` makes it of the journal"
    if not url and not (folder / FILE).is_file():
        return None, f"There is no projection of {book} to compare with; {rebuild}."
    engine = connect(url or sqlite_url(folder))
    try:
        with engine.connect() as connection:
            found = _projected(connection, book)
    except SQLAlchemyError as error:
        return None, f"The projection of {book} cannot be read ({type(error).__name__}); {rebuild}."
    finally:
        engine.dispose()
    kinds = frozenset({"records", "orders", "trades", "units", *PAISE}) - {"charges"}
    return Count(PROJECTION, kinds, found), ""


def _projected(connection: Any, book: str) -> Counter[Figure]:
    from sqlalchemy import func, select

    from aitrade.store import tables as t
    from aitrade.store.batches import projected

    def rows(*columns: Any, of: Any, by: tuple[Any, ...] = ()) -> list[Any]:
        return list(connection.execute(select(*by, *columns).where(of.c.book == book).group_by(*by)))

    value = t.fills.c.quantity * t.fills.c.price
    named = [t.fills.c[name] for name in CHARGE_COMPONENTS]
    [(orders,)] = rows(func.count(), of=t.orders)
    [charges] = rows(*(func.coalesce(func.sum(column), 0) for column in named), of=t.fills)
    found: Counter[Figure] = Counter()
    found[Figure("records", "newest")] = projected(connection, book)
    found[Figure("orders", "sent")] = orders
    for name, amount in zip(CHARGE_COMPONENTS, charges, strict=True):
        found[Figure("charged with trades", name)] = int(amount)
    made = Figure("made", "realised, less the cost of what is open")
    for side, trades, total in rows(func.count(), func.sum(value), of=t.fills, by=(t.fills.c.side,)):
        found[Figure("trades", "all")] += trades
        found[Figure("traded", "bought" if side == "BUY" else "sold")] = int(total)
        found[made] += int(total) * (-1 if side == "BUY" else 1)
    for why, amount, cost in rows(func.sum(t.cash.c.amount), func.sum(t.cash.c.cost), of=t.cash, by=(t.cash.c.why,)):
        if why == "opening":
            found[Figure("money", "put in")] = int(amount)
        elif why == "charge":
            found[Figure("charged", "all")] = -int(amount)
        else:
            found[Figure("moved", why)] = int(amount)
            found[made] += int(amount) - int(cost)
    found.update(_held(connection, book))
    closing = select(t.marks.c.day, t.marks.c.equity).where(t.marks.c.book == book, t.marks.c.closing)
    found.update({Figure("closed at", day): equity for day, equity in connection.execute(closing)})
    return found


def _held(connection: Any, book: str) -> Counter[Figure]:
    """Return the units of every position as its newest day left it."""
    from sqlalchemy import select

    from aitrade.store.tables import positions as t

    newest: dict[tuple[str, str], int] = {}
    columns = select(t.c.instrument, t.c.product, t.c.closing).where(t.c.book == book).order_by(t.c.day)
    for instrument, product, closing in connection.execute(columns):
        newest[instrument, product] = closing
    held: Counter[Figure] = Counter()
    for (instrument, _product), units in newest.items():
        held[Figure("units", instrument)] += units
    return held
