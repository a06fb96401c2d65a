"""The checklist's item on audit logging: probe orders are found with every field, and a changed copy is caught."""

import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from aitrade.compliance.journal import HASH_SIZE, LENGTHS, frames, segments, verify
from aitrade.compliance.operations import note, noted
from aitrade.core.clock import ist_date
from aitrade.core.errors import JournalBroken, OrderRefused, Refused
from aitrade.core.events import Kind, RawRecord
from aitrade.core.orders import OrderRequest, OrderType, Side
from aitrade.engine.client import Address, EngineClient
from aitrade.engine.messages import QUOTE_FIELDS, Snapshot
from aitrade.market.rules import Rules
from aitrade.ops.preflight.asked_fields import EVENTS, event, lacking
from aitrade.ops.preflight.check import Finding, Measured, Section, Source, finding
from aitrade.ops.preflight.ground import Ground

FILLED_SECONDS = 20.0
TICKS_ABOVE = 20
"""A probe buys this many ticks above the ask, so that it trades at once."""
TOO_MANY = 10**7
"""Units that no limit lets through."""


class AuditLogging:
    """A filled and a refused probe order stand in the journal, whole; so does an operation; no copy can be changed."""

    id = "audit-logging"
    section = Section.SECURITY
    words = "Audit logging works"
    seconds = 120.0

    def examine(self, ground: Ground) -> Finding:
        """Probe the scratch engine; raise Refused where an order does not get through."""
        nonce = f"probe-{uuid.uuid4().hex[:12]}"
        order, folder = probe(ground, nonce)
        found = list(records(folder, nonce, order))
        missing = list(gaps(found, Rules.load(ground.home)))
        operation = _operation(ground.trading.home, nonce)
        unnoticed = [name for name, change in TAMPERINGS if not _caught(folder, ground.scratch / name, order, change)]
        wrong = [f"missing in the journal: {', '.join(missing)}"] if missing else []
        wrong += [] if operation else ["an operation was not found again"]
        wrong += [f"a copy with {name} was not noticed" for name in unnoticed]
        says = (
            f"Order {order} of {nonce} and its refused twin are in the chain with every field that the rules ask for, "
            f"in {len(found)} records; an operation too; copies with {' and '.join(name for name, _ in TAMPERINGS)} "
            "were refused."
        )
        measured: Measured = {
            "records": len(found), "missing": len(missing), "tamperings": len(TAMPERINGS), "nonce": nonce,
        }  # fmt: skip
        return finding(wrong, says, measured, Source.SIMULATED, len(found))


def probe(ground: Ground, nonce: str) -> tuple[str, Path]:
    """Have one order filled and one refused under the name `nonce`; return the first one's id and the journal."""
    home = _served(ground)
    with EngineClient.of(home, actor=nonce, seconds=30.0) as client:
        request = _buyable(client.snapshot())
        placed = client.place(request)
        _wait_filled(client, placed.id)
        with suppress(OrderRefused):
            client.place(msgspec.structs.replace(request, quantity=TOO_MANY))
    book = msgspec.json.decode((home / "run" / "engine.json").read_bytes(), type=Address).book
    return placed.id, home / "books" / book / "journal"


def records(folder: Path, nonce: str, order: str) -> Iterator[RawRecord]:
    """Yield what a journal has of a probe."""
    for path in segments(folder):
        for frame in frames(path):
            record = frame.record
            if record.order_id == order or (record.actor == nonce and record.kind is Kind.REFUSAL):
                yield record


def gaps(found: list[RawRecord], rules: Rules) -> Iterator[str]:
    """Yield every field, and every record, that the rules ask for and that is not there."""
    asked, told = rules.audit_trail(ist_date(time.time_ns())), {event(record) for record in found}
    yield from (f"the record that it was {name}" for name in EVENTS if name not in told)
    for record in found:
        yield from lacking(record, asked)


def _served(ground: Ground) -> Path:
    ground.trading.link  # noqa: B018 - waits until it serves
    return ground.trading.home


def _buyable(seen: Snapshot) -> OrderRequest:
    """One unit of a share that somebody offers, a little above the ask."""
    ask = QUOTE_FIELDS.index("ask")
    offers = {str(row[0]): int(str(row[ask])) for row in seen.quotes if row[ask]}
    shares = [row for row in seen.instruments if row.key in offers and row.key in seen.watchlist]
    if not shares:
        raise Refused("Nobody offers anything of the watchlist: is the market open?")
    share = shares[0]
    price = offers[share.key] + TICKS_ABOVE * share.tick
    return OrderRequest(instrument=share.key, side=Side.BUY, quantity=1, type=OrderType.LIMIT, price=price)


def _wait_filled(client: EngineClient, order: str) -> None:
    limit = time.monotonic() + FILLED_SECONDS
    while time.monotonic() < limit:
        row = next(row for row in client.orders() if row.id == order)
        if row.filled:
            return
        time.sleep(0.02)
    raise Refused(f"The probe {order} was not filled within {FILLED_SECONDS:g} s: it is {row.state} {row.reason}.")


def _operation(home: Path, nonce: str) -> bool:
    """Whether an operation that is noted now is found again, in a chain that verifies."""
    number = note(home, "drill", nonce, "done", reason="preflight")
    return any(one.seq == number for one in noted(home, "drill", nonce))


Tamper = Callable[[bytearray, int, int, int], None]
"""Changes a segment in which the probe's frame lies from the first to the last number, the nonce's at the third."""


def _flip(data: bytearray, _start: int, _end: int, name: int) -> None:
    data[name] ^= 1


def _cut(data: bytearray, start: int, end: int, _name: int) -> None:
    del data[start:end]


TAMPERINGS: tuple[tuple[str, Tamper], ...] = (("one bit flipped", _flip), ("one record cut out", _cut))


def _caught(folder: Path, copy: Path, order: str, change: Tamper) -> bool:
    """Change the probe's intent in a copy of the journal; return whether its verification notices."""
    shutil.copytree(folder, copy)
    start, end, path = _place(copy, order)
    data = bytearray(path.read_bytes())
    change(data, start, end, data.index(order.encode(), start))
    path.write_bytes(data)
    try:
        verify(copy)
    except JournalBroken:
        return True
    return False


def _place(folder: Path, order: str) -> tuple[int, int, Path]:
    """Where the order's intent lies: its frame's first byte, the byte after it, and the segment."""
    for path in segments(folder):
        before = -1
        for frame in frames(path):
            size = LENGTHS.size + len(msgspec.msgpack.encode(frame.record)) + HASH_SIZE
            if frame.record.order_id == order and frame.record.kind is Kind.INTENT:
                return (before if before >= 0 else frame.end - size), frame.end, path
            before = frame.end
    raise Refused(f"Order {order} is not in the journal.")
