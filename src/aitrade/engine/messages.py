"""What the engine says and takes over its API: JSON over loopback, prices in paise, times in ns UTC.

The engine serves, on 127.0.0.1 and behind a bearer token that lies in a file readable by its owner only:

    GET  /stream                WebSocket: one `Snapshot`, then `Frame`s, each a JSON object with a "type";
                                ?without=ticks leaves one type out; a new market day is told by another `Snapshot`,
                                which replaces everything
    GET  /snapshot              the same `Snapshot`
    GET  /instruments?q=&limit= search in the day's master: list of Instrument
    GET  /history?instrument=&minutes=&count=&before=   closed and forming bars, oldest first: list of Bar
    GET  /chain?underlying=&expiry=                     `options.chain.Chain`
    GET  /underlyings           keys of what has options today: list of str
    POST /preview               body OrderRequest -> `Preview`: charges, margin and refusals, nothing is sent
    POST /orders                body OrderRequest -> `Placed`; 422 with `Problem` when refused
    POST /baskets               body list[OrderRequest] -> list[Placed]; all legs pass the checks or none is sent
    POST /baskets/preview       body list[OrderRequest] -> `Preview` of all legs, margined together; nothing is sent
    PUT  /orders/{id}           body `Terms` -> Order row
    DELETE /orders/{id}         -> Order row;  DELETE /orders -> {"cancelled": n}
    POST /square_off            body {"instrument": key or "", "product": "" or MIS…} -> list[Placed]
    POST /convert               body {"instrument", "product", "to", "quantity"} -> position row
    POST /emergency_stop        strategies stopped, HALTED, all orders cancelled, positions left: `EmergencyReport`
    POST /halt, /reduce, /resume   body {"actor", "reason"} -> {"state"}
    POST /strategies/{name}/start|stop  body {"instruments": [...], "quantity": n, "parameters": {...}}
    POST /alerts, DELETE /alerts/{id}   price alerts
    POST /speed                 body {"speed": 1|10|60|0 for max, "paused": bool}; POST /jump body {"to": "14:15"}
    GET  /venue_orders          the day's orders as the venue's own book has them: list of VenueOrder
    GET  /btst                  `intelligence.btst.Btst`
    GET  /performance           P&L curve, drawdown, contribution by strategy, charges: `Performance`
    GET  /settings              `settings.Effective`: settings and limits in force, and where they are changed
    GET  /health, /metrics      reasons; Prometheus text
    POST /shutdown              stop cleanly

Types that stream as they change are `OrderRow`, `TradeRow`, `PositionRow`, `HoldingRow`, `Funds`, `StrategyRow`,
`EventRow`, `AlertRow`, each whole, keyed by its first field.
"""

import msgspec

from aitrade.core.instruments import Instrument
from aitrade.core.orders import OrderRequest


class Problem(msgspec.Struct, frozen=True):
    """Why something was not done: the rule's name and a sentence with its numbers and what to do."""

    rule: str
    text: str


class Refusals(msgspec.Struct, frozen=True):
    """The body of a 4xx answer."""

    problems: list[Problem]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """New terms for a working order; what is None stays."""

    quantity: int | None = None
    price: int | None = None
    trigger: int | None = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """An order was journaled and sent."""

    id: str
    state: str
    reason: str = ""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an order would cost, before it is sent; paise."""

    value: int
    margin: int
    charges: dict[str, int]
    """By component (brokerage, stt, transaction, sebi, ipft, stamp, gst, dp) and "total"."""
    available: int
    is_exit: bool
    problems: list[Problem]


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order as pages show it."""

    id: str
    instrument: str
    side: str
    type: str
    product: str
    validity: str
    quantity: int
    filled: int
    price: int
    trigger: int
    average: float
    state: str
    reason: str
    strategy: str
    actor: str
    venue: str
    basket: str
    exchange_order_id: str
    created: int
    updated: int


class TradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fill as pages show it."""

    id: str
    order_id: str
    instrument: str
    side: str
    product: str
    quantity: int
    price: int
    charges: int
    ts: int
    strategy: str
    venue: str
    modelled: bool


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A net position; `key` is instrument|product."""

    key: str
    instrument: str
    product: str
    quantity: int
    average: float
    last: int
    realised: int
    unrealised: int
    charges: int
    margin: int
    venue: str
    strategies: dict[str, int]
    """Units by owner; "" is a person."""
    note: str = ""
    """For instance "square-off missed: close it by hand"."""


class HoldingRow(msgspec.Struct, frozen=True, kw_only=True):
    """Delivered or T+1 shares."""

    instrument: str
    quantity: int
    t1: int
    """Units of the quantity that are bought and not yet settled."""
    average: float
    last: int
    unrealised: int
    venue: str


class Funds(msgspec.Struct, frozen=True, kw_only=True):
    """Cash and what of it is tied; paise."""

    opening: int
    cash: int
    margin_used: int
    available: int
    unsettled: int
    realised: int
    unrealised: int
    charges: int
    day_pnl: int
    """Realised + unrealised - charges since the day began, carried positions from yesterday's last price."""
    loss_limit: int
    pnl_curve: list[list[int]] = []
    """[ts, day_pnl] each market minute; whole in snapshots, in frames what is new and the newest."""


class StrategyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy and how it does."""

    name: str
    describes: str
    state: str
    """stopped, running, failed."""
    instruments: list[str]
    quantity: int
    parameters: dict[str, int]
    realised: int
    unrealised: int
    charges: int
    trades: int
    code_hash: str
    reason: str = ""


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the event log; level is info, warning, alert."""

    id: int
    ts: int
    level: str
    text: str
    source: str


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """A price alert; `above` true fires at or above `price`."""

    id: int
    instrument: str
    above: bool
    price: int
    fired: int = 0
    note: str = ""


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Which world this is; the header's words come from here."""

    mode: str
    """simulated, replay, paper, live."""
    book: str
    session: str
    """ISO date of the market day."""
    source: str
    """SIMULATED, or the imported set's name."""
    currency: str = "INR"
    assumed: list[str] = []
    """What is ASSUMED or MODELLED in this world, a sentence each."""
    phases: list[list[str | int]] = []
    """The day's phases of the cash segment: [name, start ns, end ns]."""
    silence: float = 4.0
    """Seconds without any price in continuous trading after which prices are old."""


class Time(msgspec.Struct, frozen=True, kw_only=True):
    """The market's clock."""

    now: int
    phase: str
    speed: int
    """0 is as fast as it goes."""
    paused: bool
    wall: int
    done: bool = False
    """The session's data has ended."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles of one stage, microseconds."""

    count: int
    p50: float
    p95: float
    p99: float


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the machine and the engine are."""

    state: str
    """ACTIVE, REDUCING, HALTED."""
    ok: bool
    reasons: list[str]
    feed_age_ms: float
    feed_failure: str = ""
    """Why no price comes, and when the feed is tried again; empty while prices come, or when the day is over."""
    clock_offset_ms: float | None
    """Against a broker's or network time; None where the clock is a replay's, or nothing was asked."""
    data_path: str
    journal: str
    """os or disk."""
    journal_records: int
    journal_head: str
    cpu: float
    ram: float
    engine_mb: float
    accelerator: str
    latency: dict[str, Latency]
    """By stage: risk, journal, venue, total."""
    orders_per_s: dict[str, float]
    """Peak of the last minute by exchange segment; the limit is `order_rate_limit`."""
    order_rate_limit: int
    ticks_per_s: float
    uptime_s: float
    venues: dict[str, str]
    """Venue to its health in words, such as "paper venue: connected"."""
    projection_behind: int = 0
    """Records that the database does not have yet."""
    projection_trouble: str = ""
    """Why the database is not written, empty while it is."""


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """The book's record; paise."""

    opening: int
    """What the book began with."""
    equity: list[list[int]]
    """[ts, equity] since the book began, a point a market minute, thinned to at most 2,000."""
    drawdown: list[list[int]]
    max_drawdown: int
    """The deepest fall from the highest equity before it, by the minute, whatever is thinned above."""
    charges: dict[str, int]
    by_strategy: dict[str, int]
    exposure_long: int
    exposure_short: int
    funds: Funds
    """The day's money at the same moment, with the newest point of its curve only."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a page needs to begin. `quotes` are rows as in tick frames."""

    type: str = "snapshot"
    world: World
    time: Time
    health: Health
    funds: Funds
    instruments: list[Instrument]
    """The watchlist's and the held ones; the rest by search."""
    indices: list[str]
    watchlist: list[str]
    quotes: list[list[str | int | bool]]
    orders: list[OrderRow]
    trades: list[TradeRow]
    positions: list[PositionRow]
    holdings: list[HoldingRow]
    strategies: list[StrategyRow]
    events: list[EventRow]
    alerts: list[AlertRow]


QUOTE_FIELDS = (
    "instrument", "ts", "last", "bid", "ask", "bid_quantity", "ask_quantity", "volume", "oi", "previous_close",
    "open", "high", "low", "modelled",
)  # fmt: skip
"""The columns of a quote row."""

FRAME_TYPES = (
    "snapshot", "ticks", "time", "health", "funds", "orders", "trades", "positions", "holdings", "strategies",
    "events", "alerts", "world", "btst",
)  # fmt: skip
"""Every frame is {"type": one of these, "rows": [...]} for lists and {"type", ...fields} for single structs.

`ticks` frames come at most 20 a second, conflated to the last row of each instrument; `time` four times a second, also
while paused, so that silence means trouble; `health` once a second.
"""


class EmergencyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the emergency stop did and what it left."""

    strategies_stopped: list[str]
    orders_cancelled: int
    positions_left: list[PositionRow]
    text: str


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """The book against the venue's own: how many orders were compared, and every difference as a sentence."""

    venue: str
    connection: str
    """What was done about the connection, in words."""
    orders: int
    differences: list[str]


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """Where a thread was, the innermost call first, and in how many samples."""

    thread: str
    samples: int
    frames: str


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine's threads were doing, sampled; the most frequent stack first."""

    seconds: float
    samples: int
    stacks: list[Stack]


Basket = list[OrderRequest]
