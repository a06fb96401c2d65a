"""Records: everything that the engine did or was told, as the journal keeps it.

A record is written before it is acted on. Its fields are fixed from the first version on; one that does not apply is
empty. Bodies are the structs below and in `core.orders`; which body belongs to which kind is `BODIES`.
"""

from typing import Any

import msgspec

from aitrade.core.orders import Order, OrderRequest, VenueUpdate
from aitrade.core.words import Word


class Kind(Word):
    """What a record tells."""

    OPENED = "opened"
    """The engine opened the book: configuration, code hash, versions."""
    DAY = "day"
    """A market day began."""
    SNAPSHOT = "snapshot"
    """The whole state, first in a segment, so that recovery reads one segment."""
    INPUT = "input"
    """The digest of one batch of market data that was about to be used."""
    INTENT = "intent"
    """An order passed every check and is about to be sent."""
    REFUSAL = "refusal"
    """An order was refused by our own checks."""
    MODIFY = "modify"
    """New terms are about to be asked for."""
    CANCEL = "cancel"
    """A cancellation is about to be asked for."""
    UPDATE = "update"
    """A venue said something about an order; fills are in here."""
    CASH = "cash"
    """Money or shares moved without an order: settlement, expiry, dividend, opening balance."""
    MARK = "mark"
    """What the book was worth at a market minute."""
    CONVERT = "convert"
    """Part of a position changed its product."""
    STATE = "state"
    """The trading state changed."""
    STRATEGY = "strategy"
    """A strategy was started, stopped, or failed."""
    ALERT = "alert"
    """A price alert was set, removed, or fired."""
    EVENT = "event"
    """A line of the event log."""
    CLOSED = "closed"
    """The engine stopped cleanly."""
    OPERATION = "operation"
    """Something was done to the system, not to a book: a task, a report, a backup, a preflight, an incident."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """How the engine was set up."""

    version: str
    mode: str
    book: str
    seed: int
    configuration: dict[str, str | int | float | bool]
    configuration_hash: str
    code_hash: str


class DayBegan(msgspec.Struct, frozen=True, kw_only=True):
    """A market day, ISO, and where its data come from."""

    day: str
    source: str
    assumed: list[str]
    carried: int = 0
    """What positions and holdings of earlier days stood to gain when it began, paise: not this day's P&L."""
    unsettled: dict[str, int] = {}
    """Proceeds of delivery sales that have not come yet when it began, paise by the trade's day, ISO."""


class InputBatch(msgspec.Struct, frozen=True, kw_only=True):
    """One market minute of input: its bounds, count and SHA-256."""

    start: int
    end: int
    ticks: int
    digest: bytes


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and every rule that it broke as [rule, sentence]."""

    request: OrderRequest
    problems: list[list[str]]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A modification or cancellation about to be asked for; new terms are zero for a cancellation."""

    order_id: str
    quantity: int = 0
    price: int = 0
    trigger: int = 0


CARRY = "carry"


class CashMove(msgspec.Struct, frozen=True, kw_only=True):
    """Money (paise) and units that moved without an order."""

    why: str
    """opening, carry, settlement, expiry, dividend, split, bonus, mark_to_market, charge."""
    amount: int = 0
    instrument: str = ""
    product: str = ""
    quantity: int = 0
    """Units added to (or taken from) the position."""
    cost: int = 0
    """Cost added to (or taken from) the position, paise."""
    settled: int = 0
    """Units bought today that are carried as T+1 (carry), or T+1 units that were delivered (settlement)."""
    note: str = ""
    charges: tuple[int, ...] = ()
    """What is charged beside `amount`, by CHARGE_COMPONENTS (charge); below zero is given back."""

    @property
    def name(self) -> str:
        """What moved, apart from how much."""
        return f"{self.why}|{self.instrument}|{self.product}"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """The day's P&L and the book's equity at a market minute, paise; `closing` is the day's last."""

    day_pnl: int
    equity: int
    closing: bool = False


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a position that changed product."""

    instrument: str
    product: str
    to: str
    quantity: int


class StateChange(msgspec.Struct, frozen=True, kw_only=True):
    """The trading state, from now on."""

    state: str
    reason: str


class StrategyChange(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's new state: running, stopped, failed."""

    name: str
    state: str
    instruments: list[str]
    quantity: int
    parameters: dict[str, int]
    code_hash: str
    reason: str = ""


class PriceAlert(msgspec.Struct, frozen=True, kw_only=True):
    """A price alert; fired is the market time it fired, or 0; removed takes it away."""

    id: int
    instrument: str
    above: bool
    price: int
    fired: int = 0
    note: str = ""
    removed: bool = False


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the event log; level is info, warning or alert."""

    level: str
    text: str
    source: str = "engine"


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """How the engine stopped, and what it left."""

    reason: str
    open_orders: int
    open_positions: int


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to the system; `detail` is the owner's struct as JSON, which never holds a secret."""

    what: str
    """task, report, backup, restore, preflight, signature, waiver, alert, incident, configuration, drill, scan …"""
    name: str
    outcome: str
    """started, passed, failed, refused, raised, received, acknowledged, opened, closed …"""
    detail: str = "{}"


BODIES: dict[Kind, Any] = {
    Kind.OPENED: Opened,
    Kind.DAY: DayBegan,
    Kind.SNAPSHOT: msgspec.Raw,
    Kind.INPUT: InputBatch,
    Kind.INTENT: Order,
    Kind.REFUSAL: Refusal,
    Kind.MODIFY: Ask,
    Kind.CANCEL: Ask,
    Kind.UPDATE: VenueUpdate,
    Kind.CASH: CashMove,
    Kind.MARK: Mark,
    Kind.CONVERT: Conversion,
    Kind.STATE: StateChange,
    Kind.STRATEGY: StrategyChange,
    Kind.ALERT: PriceAlert,
    Kind.EVENT: Line,
    Kind.CLOSED: Closed,
    Kind.OPERATION: Operation,
}


class Record(msgspec.Struct, array_like=True, gc=False):
    """One record. `ts` is market time, `wall` the machine's, `exchange_ts` the venue's; all ns UTC, 0 where unknown."""

    seq: int
    kind: Kind
    ts: int
    wall: int
    book: str
    body: Any
    actor: str = ""
    role: str = ""
    strategy: str = ""
    code_hash: str = ""
    algo_id: str = ""
    client: str = ""
    session: str = ""
    source: str = ""
    """Address from which a person's command came."""
    order_id: str = ""
    broker_order_id: str = ""
    exchange_order_id: str = ""
    exchange_ts: int = 0
    reason: str = ""


class RawRecord(msgspec.Struct, array_like=True, gc=False):
    """A record as it is read: the same fields, the body still encoded."""

    seq: int
    kind: Kind
    ts: int
    wall: int
    book: str
    body: msgspec.Raw
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

    def decoded(self) -> Any:
        """Return the body as its struct (a `Raw` for snapshots)."""
        return self.body if self.kind is Kind.SNAPSHOT else _DECODERS[self.kind].decode(self.body)


_DECODERS = {kind: msgspec.msgpack.Decoder(body) for kind, body in BODIES.items()}
