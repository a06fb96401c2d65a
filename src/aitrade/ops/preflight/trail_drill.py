"""The drills behind "SEBI audit trail complete": probe orders on an engine of their own, and copies tampered with.

The probe carries a nonce that only this drill knows. It has to be in the journal with every field that is asked for,
the journal and the venue's own book have to have the same orders, and no changed or missing record may verify.
"""

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import msgspec

from aitrade.brokers.venue import VenueOrder
from aitrade.compliance.journal import HEADER, frames, segments, verify
from aitrade.compliance.operations import noted
from aitrade.core.clock import SECOND
from aitrade.core.errors import JournalBroken, Unreachable
from aitrade.core.orders import OrderRequest, OrderType, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.market.rules import Rules
from aitrade.ops import ledger, trail
from aitrade.ops.ledger import Day
from aitrade.ops.preflight.asked_fields import lacking
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.record import RUN, Run
from aitrade.ops.reports.chains import verified
from aitrade.ops.trail import Gap

BOOK = "trail-drill"
PROBE = Who("preflight", "operator", "127.0.0.1", "preflight")
STRATEGIES = ("moving-average", "opening-range")
_TRIES = 3


class Drilled(msgspec.Struct, frozen=True):
    """What the drill found: orders here and at the venue, what is missing, and the tampering that went unnoticed."""

    ours: int
    theirs: int
    gaps: list[Gap]
    probe_found: bool
    unnoticed: list[str]


def traded_book(home: Path) -> Path:
    """Let an engine trade two hours of the latest trading day on the scratch folder `home`; once for all drills."""
    if not (home / "books" / BOOK).exists():
        drill(home)
    return home


def drill(home: Path, rules: Rules | None = None) -> Drilled:
    """Trade, probe, compare with what `rules` (the package's) ask for and with the venue's book, tamper with copies."""
    nonce = secrets.token_hex(8)
    service = Service(EngineSettings(home=str(home), book=BOOK, strategies=STRATEGIES))
    try:
        service.step(2 * 3600)
        _probe(service, nonce)
        theirs = list(service.engine.venue.order_book())
    finally:
        service.close()
    day = ledger.read(home, BOOK, service.feed.day)
    found = any(story.order.request.reference == nonce for story in day.stories.values())
    gaps = [*trail.gaps(day), *unasked(home, day, rules or Rules.load()), *trail.against_venue(day, theirs)]
    return Drilled(len(day.stories), len(theirs), gaps, found, unnoticed(home))


def unpassed(home: Path, item: str) -> Iterator[Day]:
    """Yield the market days of every book that were written to since an item last passed, verified.

    A run has read a journal at some moment between its begin and its end, so what was written since its begin counts.
    """
    runs = (one.at - int(run.seconds * SECOND) for one in noted(home, RUN) if _passed(run := one.detail(Run), item))
    began = max(runs, default=0)
    for book in ledger.books(home):
        paths = segments(home / "books" / book / "journal")
        touched = [at for at, path in enumerate(paths) if _changed(path) >= began]
        if touched:
            list(verified(paths[touched[0] :]))
        days = {paths[at].stem.partition("-")[2] for at in touched}
        yield from (ledger.read(home, book, day) for day in ledger.days(home, book) if day in days)


def _changed(path: Path) -> int:
    """Return when a file was last changed, ns UTC: also by who then sets its time of writing back, where that shows."""
    status = path.stat()
    return max(status.st_mtime_ns, status.st_ctime_ns)


def unnoticed(home: Path) -> list[str]:
    """Return the kinds of tampering with a copy of the drill's journal that verification does not notice."""
    journal = home / "books" / BOOK / "journal"
    missed = []
    for name, tamper in TAMPERINGS.items():
        copy = home / "tampered" / name.replace(" ", "-")
        shutil.copytree(journal, copy)
        tamper(copy)
        try:
            verify(copy)
            missed.append(name)
        except JournalBroken:
            continue
    return missed


def unasked(home: Path, day: Day, rules: Rules) -> Iterator[Gap]:
    """Yield every field that the rules ask of the records of a day's orders and that one of them lacks."""
    asked = rules.audit_trail(date.fromisoformat(day.day))
    for path in (home / "books" / day.book / "journal").glob(f"*-{day.day}.aij"):
        for frame in frames(path):
            record = frame.record
            yield from (
                Gap(record.order_id or f"record {record.seq}", f"{what} is empty or missing")
                for what in lacking(record, asked)
            )


def against_running(home: Path, day: Day) -> tuple[int, list[Gap]]:
    """Compare a day with the book of the running engine's venue, by asking only; (0, []) where none runs on that day.

    The market goes on between the two readings; what differs has to differ three times.
    """
    gaps: list[Gap] = []
    for _ in range(_TRIES):
        theirs = _asked(home, day)
        if theirs is None:
            return 0, []
        gaps = trail.against_venue(ledger.read(home, day.book, day.day), theirs)
        if not gaps:
            return len(theirs), []
    return len(theirs), gaps


def _passed(run: Run, item: str) -> bool:
    return any(result.id == item and result.status == Status.PASS for result in run.items)


def _asked(home: Path, day: Day) -> list[VenueOrder] | None:
    """Return the orders of the running engine's venue, None where no engine trades on this book and day."""
    with suppress(Unreachable), EngineClient.of(home) as engine:
        world = engine.snapshot().world
        if (world.book, world.session) == (day.book, day.day):
            return engine.venue_orders()
    return None


def _probe(service: Service, nonce: str) -> None:
    """Send a person's order far from the market, and take it back."""
    key = service.feed.watchlist[0]
    instrument = service.engine.instruments[key]
    far = service.engine.quotes.last(key) * 9 // 10 // instrument.tick * instrument.tick
    request = OrderRequest(
        instrument=key, side=Side.BUY, quantity=instrument.lot, type=OrderType.LIMIT,
        price=max(far, instrument.lower), product=Product.MIS, reference=nonce,
    )  # fmt: skip
    placed = service.commands.place(request, PROBE)
    service.step(5)
    service.commands.cancel(placed.id, PROBE)
    service.step(5)


def _flip(folder: Path) -> None:
    """Change one byte in the middle of the newest segment."""
    path = segments(folder)[-1]
    data = bytearray(path.read_bytes())
    data[(HEADER.size + len(data)) // 2] ^= 1
    path.write_bytes(data)


def _remove(folder: Path) -> None:
    """Take the first segment's records away; its header stays."""
    first = segments(folder)[0]
    first.write_bytes(first.read_bytes()[: HEADER.size])


def _exchange(folder: Path) -> None:
    """Put a record's bytes in the place of another one's."""
    path = segments(folder)[-1]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64], data[middle + 64 : middle + 128] = (
        data[middle + 64 : middle + 128], data[middle : middle + 64],
    )  # fmt: skip
    path.write_bytes(data)


TAMPERINGS: dict[str, Callable[[Path], None]] = {
    "a changed byte": _flip, "records taken out": _remove, "bytes exchanged": _exchange,
}  # fmt: skip
