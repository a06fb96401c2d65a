"""The state of a book: what the journal says, applied record by record.

There is one way in: `State.apply`. The engine appends a record and applies it; recovery reads records and applies them.
So what a restart rebuilds is what was there, and what is not in a record cannot be in the state.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from aitrade.core.events import (
    CARRY,
    Ask,
    CashMove,
    Conversion,
    DayBegan,
    InputBatch,
    Kind,
    Line,
    Mark,
    Opened,
    PriceAlert,
    RawRecord,
    Record,
    Refusal,
    StateChange,
    StrategyChange,
)
from aitrade.core.orders import (
    CHARGE_COMPONENTS,
    TERMINAL,
    TRANSITIONS,
    WORKING,
    Fill,
    Order,
    OrderState,
    Product,
    Side,
    Update,
    VenueUpdate,
)
from aitrade.engine.lots import Lot, shares

EVENTS_KEPT = 500
COURSE_MINUTES = 15
_ENDS = {
    Update.ACCEPTED: OrderState.OPEN,
    Update.CANCELLED: OrderState.CANCELLED,
    Update.REJECTED: OrderState.REJECTED,
    Update.EXPIRED: OrderState.EXPIRED,
    Update.IN_DOUBT: OrderState.IN_DOUBT,
}
"""What an update makes of an order, fills and changes of terms apart."""


_ANSWERS = frozenset({Update.MODIFIED, Update.MODIFY_REJECTED, Update.CANCEL_REJECTED})
"""What answers a change or a cancellation of an order that goes on."""
_UNHEEDED = frozenset({Update.MODIFY_REJECTED, Update.CANCEL_REJECTED})
"""What changes no state: a fill that beats a cancellation is followed by one, after the order's end."""


def position_key(instrument: str, product: str) -> str:
    """Return the key of a net position: instrument|product."""
    return instrument + "|" + product


class Holding(msgspec.Struct):
    """Shares carried over night: `t1` of them are bought and not yet delivered."""

    lot: Lot
    t1: int = 0
    bought: dict[str, int] = {}
    """Those units by the day they were bought on, ISO."""


class Event(msgspec.Struct, frozen=True):
    """A line of the event log with when and which record it was."""

    id: int
    ts: int
    line: Line


class Day(msgspec.Struct):
    """What is counted from the morning on."""

    day: str = ""
    source: str = ""
    assumed: list[str] = []
    began: int = 0
    carried: int = 0
    """Unrealised P&L that it began with."""
    realised: int = 0
    charges: list[int] = msgspec.field(default_factory=lambda: [0] * len(CHARGE_COMPONENTS))
    ended: bool = False
    """Its data were played to their end."""
    curve: list[tuple[int, int]] = []
    """(ts, day's P&L) each market minute."""
    night: dict[str, int] = {}
    """Moves of the night that follows, by name: how many were made; a night that was interrupted goes on there."""


class State(msgspec.Struct):
    """A book at one record. Money in paise, units signed, times in ns UTC."""

    seq: int = 0
    ts: int = 0
    input_start: int = 0
    input_digest: bytes = b""
    """The newest batch of market data that was used."""
    sequence: int = 0
    """How many orders this book has named."""
    opening: int = 0
    """Money put in."""
    realised: int = 0
    """P&L realised before today, charges taken off."""
    unsettled: int = 0
    """Proceeds of sales that settle later, not to be used today."""
    proceeds: dict[str, int] = {}
    """The same by the day of the sale, ISO."""
    charges: list[int] = msgspec.field(default_factory=lambda: [0] * len(CHARGE_COMPONENTS))
    """All charges since the book began, by component."""
    day: Day = msgspec.field(default_factory=Day)
    trading: str = "ACTIVE"
    trading_reason: str = ""
    orders: dict[str, Order] = {}
    fills: list[Fill] = []
    asked: dict[str, list[Ask]] = {}
    """Order id to the changes and cancellations that its venue has not answered, oldest first."""
    fill_charges: dict[str, list[int]] = {}
    """Order id to the charges booked on it so far, by component."""
    positions: dict[str, Lot] = {}
    holdings: dict[str, Holding] = {}
    owned: dict[str, Lot] = {}
    """By strategy|instrument|product; a person's strategy is empty."""
    strategies: dict[str, StrategyChange] = {}
    strategy_since: dict[str, int] = {}
    alerts: dict[int, PriceAlert] = {}
    equity: list[tuple[int, int]] = []
    """(ts, equity) at the end of each market day."""
    course: list[tuple[int, int]] = []
    """(ts, equity) of the days before, a point every `COURSE_MINUTES` and one at each day's end."""
    peak: int = 0
    deepest: int = 0
    """Of the days before, minute by minute: the highest equity, and the deepest fall from one; 0 of none."""
    crashes: list[int] = []
    """When the engine was found to have died, market time."""
    closed: bool = True
    """The last run ended cleanly."""


class Book:
    """A state with the indices that make it quick, and the marks of what a page has not seen yet."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.working: dict[str, dict[str, Order]] = {}
        self.references: dict[str, str] = {}
        self.seen_fills: set[str] = set()
        self.charged = 0
        """The day's charges together."""
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.changed_orders: set[str] = set()
        self.changed_positions: set[str] = set()
        self.new_fills: list[Fill] = []
        self.new_events: list[Event] = []
        self.changed: set[str] = set()
        """Frame types to send whole: strategies, alerts, holdings, world."""
        self._apply: dict[Kind, Callable[[Any, int], None]] = {
            Kind.OPENED: self._opened,
            Kind.DAY: self._day,
            Kind.INTENT: self._intent,
            Kind.UPDATE: self._update,
            Kind.CASH: self._cash,
            Kind.MARK: self._mark,
            Kind.CONVERT: self._convert,
            Kind.STATE: self._trading,
            Kind.STRATEGY: self._strategy,
            Kind.ALERT: self._alert,
            Kind.EVENT: self._event,
            Kind.CLOSED: self._closed,
            Kind.INPUT: self._input,
            Kind.REFUSAL: self._refusal,
            Kind.MODIFY: self._ask,
            Kind.CANCEL: self._ask,
        }
        self._index()

    def _index(self) -> None:
        for order in self.state.orders.values():
            self._file(order)
        self.seen_fills = {fill.id for fill in self.state.fills}
        self.charged = sum(self.state.day.charges)

    def _file(self, order: Order) -> None:
        if order.request.reference:
            self.references[order.request.reference] = order.id
        if order.state in WORKING:
            working = self.working.get(order.request.instrument)
            if working is None:
                working = self.working[order.request.instrument] = {}
            working[order.id] = order

    def apply(self, record: Record) -> None:
        """Apply a record that has just been appended."""
        state = self.state
        state.seq, state.ts = record.seq, record.ts
        self._apply[record.kind](record.body, record.ts)

    def restore(self, record: RawRecord) -> None:
        """Apply a record that was read; a snapshot replaces the state."""
        if record.kind is Kind.SNAPSHOT:
            self.__init__(msgspec.msgpack.decode(record.body, type=State))  # type: ignore[misc]
            return
        self.state.seq, self.state.ts = record.seq, record.ts
        self._apply[record.kind](record.decoded(), record.ts)

    def allows(self, update: VenueUpdate) -> bool:
        """Return whether the order's state allows what the venue says."""
        order = self.state.orders.get(update.order_id)
        if order is None:
            return False
        if update.what is Update.FILL:
            return update.fill is not None and _after_fill(order, update.fill) in TRANSITIONS[order.state]
        if update.what in _UNHEEDED:
            return True
        target = _ENDS.get(update.what)
        return order.state not in TERMINAL if target is None else target in TRANSITIONS[order.state]

    def position(self, instrument: str, product: str) -> int:
        """Return the net units of a position."""
        lot = self.state.positions.get(position_key(instrument, product))
        return lot.quantity if lot else 0

    def owned(self, strategy: str, instrument: str) -> int:
        """Return the units that a strategy holds over all products; "" is a person."""
        owned = self.state.owned
        keys = (f"{strategy}|{instrument}|{product}" for product in Product)
        return sum(owned[key].quantity for key in keys if key in owned)

    def delivery_sale(self, instrument: str) -> str:
        """Return the id of the day's first order that sold an instrument for delivery, or nothing."""
        sales = (
            fill.order_id
            for fill in self.state.fills
            if fill.instrument == instrument and fill.product is Product.CNC and fill.side is Side.SELL
        )
        return next(sales, "")

    def working_orders(self) -> list[Order]:
        """Return all orders that can still fill, oldest first."""
        return sorted((o for by_id in self.working.values() for o in by_id.values()), key=lambda order: order.id)

    def _opened(self, _body: Opened, _ts: int) -> None:
        if not self.state.closed:
            self.state.crashes.append(self.state.ts)
        self.state.closed = False

    def _day(self, body: DayBegan, ts: int) -> None:
        """Carry what lasts over night and forget the day's ended orders, fills and counters."""
        state = self.state
        state.realised += state.day.realised - sum(state.day.charges)
        state.day = Day(
            day=body.day,
            source=body.source,
            assumed=body.assumed,
            began=ts,
            carried=body.carried,
            charges=_none_charged(),
        )
        state.proceeds = dict(body.unsettled)
        state.unsettled = sum(body.unsettled.values())
        state.orders = {order.id: order for order in state.orders.values() if order.state in WORKING}
        state.fills, state.fill_charges = [], {}
        state.positions = {key: _morning(lot) for key, lot in state.positions.items() if lot.quantity}
        self.references, self.seen_fills, self.charged = {}, set(), 0
        self.changed |= {"world"}

    def _input(self, body: InputBatch, _ts: int) -> None:
        self.state.input_start, self.state.input_digest = body.start, body.digest

    def _intent(self, order: Order, _ts: int) -> None:
        state = self.state
        state.sequence += 1
        state.orders[order.id] = order
        self._file(order)
        self.changed_orders.add(order.id)

    def _refusal(self, body: Refusal, ts: int) -> None:
        text = " ".join(sentence for _rule, sentence in body.problems)
        self._event(Line(level="warning", text=f"Refused: {text}", source="risk"), ts)

    def _ask(self, body: Ask, ts: int) -> None:
        self.state.orders[body.order_id].updated = ts
        self.state.asked.setdefault(body.order_id, []).append(body)
        self.changed_orders.add(body.order_id)

    def _update(self, update: VenueUpdate, ts: int) -> None:
        order = self.state.orders[update.order_id]
        order.updated = ts
        order.broker_order_id = update.broker_order_id or order.broker_order_id
        order.exchange_order_id = update.exchange_order_id or order.exchange_order_id
        if order.state is not OrderState.CANCELLED:  # one that was asked for twice keeps what it was cancelled for
            order.reason = update.reason or order.reason
        target = _ENDS.get(update.what)
        if target is not None:
            order.move(target)
            order.price = update.price or order.price
        elif update.what is Update.FILL and update.fill is not None:
            self._fill(order, update.fill)
        elif update.what is Update.TRIGGERED:
            order.triggered = True
        elif update.what is Update.MODIFIED:
            order.quantity, order.price, order.trigger = update.quantity, update.price, update.trigger
            if order.filled == order.quantity:
                order.move(OrderState.FILLED)
        if order.state is OrderState.FILLED:
            order.reason = update.reason
        if order.state in TERMINAL:
            self.working.get(order.request.instrument, {}).pop(order.id, None)
            self.state.asked.pop(order.id, None)
        elif update.what in _ANSWERS and order.id in self.state.asked:
            self._answered(order.id)
        self.changed_orders.add(order.id)

    def _answered(self, order_id: str) -> None:
        """A venue answers what it was asked about an order in the same sequence."""
        waiting = self.state.asked[order_id]
        del waiting[0]
        if not waiting:
            del self.state.asked[order_id]

    def _fill(self, order: Order, fill: Fill) -> None:
        order.move(_after_fill(order, fill))
        order.filled += fill.quantity
        order.filled_value += fill.quantity * fill.price
        self.seen_fills.add(fill.id)
        self.state.fills.append(fill)
        self.new_fills.append(fill)
        self._charge(fill)
        self._book(fill, sum(fill.charges))

    def _charge(self, fill: Fill) -> None:
        state = self.state
        so_far = state.fill_charges.setdefault(fill.order_id, _none_charged())
        for index, amount in enumerate(fill.charges):
            so_far[index] += amount
            state.charges[index] += amount
            state.day.charges[index] += amount
        self.charged += sum(fill.charges)

    def _book(self, fill: Fill, charges: int) -> None:
        """Book a fill on the net position and on its owner's; a delivery sale takes from the holding what is over."""
        state = self.state
        key = position_key(fill.instrument, fill.product)
        signed = fill.side.sign * fill.quantity
        lot = state.positions.setdefault(key, Lot())
        from_holding = self._from_holding(fill, lot)
        state.day.realised += lot.trade(signed + from_holding, fill.price) if signed + from_holding else 0
        if from_holding:
            state.day.realised += self._sell_holding(fill.instrument, from_holding, fill.price)
        if fill.product is Product.CNC and signed < 0:
            value, day = fill.quantity * fill.price, state.day.day
            state.unsettled += value
            state.proceeds[day] = state.proceeds.get(day, 0) + value
        lot.charges += charges
        owner = state.owned.setdefault(f"{fill.strategy}|{key}", Lot())
        owner.trade(signed, fill.price)
        owner.charges += charges
        self.changed_positions.add(key)

    def _from_holding(self, fill: Fill, lot: Lot) -> int:
        """Return how many units of a delivery sale come out of the holding."""
        if fill.product is not Product.CNC or fill.side.sign > 0:
            return 0
        holding = self.state.holdings.get(fill.instrument)
        return min(holding.lot.quantity, max(fill.quantity - lot.quantity, 0)) if holding else 0

    def _sell_holding(self, instrument: str, quantity: int, price: int) -> int:
        holding = self.state.holdings[instrument]
        realised = holding.lot.trade(-quantity, price)
        holding.t1 = min(holding.t1, holding.lot.quantity)
        holding.bought = _newest(holding.bought, holding.t1)
        if not holding.lot.quantity:
            del self.state.holdings[instrument]
        self.changed.add("holdings")
        return realised

    def _cash(self, move: CashMove, ts: int) -> None:
        state = self.state
        if move.why == "opening":
            state.opening += move.amount
        elif move.amount:
            state.day.realised += move.amount
        if state.day.ended:
            state.day.night[move.name] = state.day.night.get(move.name, 0) + 1
        if move.why == CARRY:
            self._carry(move)
        elif move.settled:
            self._deliver(move)
        elif move.quantity or move.cost:
            self._adjust(move)
        elif move.charges:
            self._charge_move(move)
        if move.note:
            self._event(Line(level="info", text=move.note, source="clearing"), ts)
        self.changed.add("holdings")

    def _charge_move(self, move: CashMove) -> None:
        """Charges that no fill brought: those of a conversion, on the position and its owners by their units."""
        state, key, more = self.state, position_key(move.instrument, move.product), sum(move.charges)
        for index, amount in enumerate(move.charges):
            state.charges[index] += amount
            state.day.charges[index] += amount
        self.charged += more
        state.positions.setdefault(key, Lot()).charges += more
        owners = [lot for name, lot in state.owned.items() if name.endswith(f"|{key}") and lot.quantity]
        for lot, part in zip(owners, shares(more, [lot.quantity for lot in owners]), strict=True):
            lot.charges += part
        self.changed_positions.add(key)

    def _carry(self, move: CashMove) -> None:
        """Move units that were bought today to the holding, as T+1."""
        key = position_key(move.instrument, move.product)
        lot = self.state.positions[key]
        holding = self.state.holdings.setdefault(move.instrument, Holding(Lot()))
        holding.lot.cost += lot.take(move.settled)
        holding.lot.quantity += move.settled
        holding.t1 += move.settled
        day = self.state.day.day
        holding.bought[day] = holding.bought.get(day, 0) + move.settled
        self.changed_positions.add(key)

    def _deliver(self, move: CashMove) -> None:
        """T+1 units are delivered now."""
        holding = self.state.holdings[move.instrument]
        holding.t1 = max(holding.t1 - move.settled, 0)
        holding.bought = _newest(holding.bought, holding.t1)

    def _adjust(self, move: CashMove) -> None:
        """Expiry, split or bonus: units and cost change without a trade."""
        key = position_key(move.instrument, move.product)
        holding = self.state.holdings.get(move.instrument)
        lots = [holding.lot] if holding and move.product == Product.CNC else []
        lots += [self.state.positions.setdefault(key, Lot())] if not lots else []
        if holding and lots[0] is holding.lot:
            _grow(holding, move.quantity)
        for lot in lots:
            lot.quantity += move.quantity
            lot.cost += move.cost
            lot.realised += move.amount
        self._adjust_owner(move, key)
        self.changed_positions.add(key)

    def _adjust_owner(self, move: CashMove, key: str) -> None:
        """Share money, cost and units among the owners by their units, the rest to the last; one that is flat is done.

        The sums are the move's own, to the paisa and the unit.
        """
        owners = [lot for name, lot in self.state.owned.items() if name.endswith(f"|{key}") and lot.quantity]
        units = [lot.quantity for lot in owners]
        shared = (shares(whole, units) for whole in (move.amount, move.cost, move.quantity))
        for lot, amount, cost, quantity in zip(owners, *shared, strict=True):
            lot.realised += amount
            lot.cost += cost
            lot.quantity += quantity
            if not lot.quantity:
                lot.realised, lot.cost = lot.realised - lot.cost, 0

    def _mark(self, body: Mark, ts: int) -> None:
        day = self.state.day
        day.curve.append((ts, body.day_pnl))
        if body.closing:
            day.ended = True
            self.state.equity.append((ts, body.equity))
            began = body.equity - body.day_pnl
            self.state.course += [(ts, began + pnl) for ts, pnl in day.curve[:-1:COURSE_MINUTES]]
            self.state.course.append((ts, body.equity))
            self._fall([*(began + pnl for _ts, pnl in day.curve), body.equity])

    def _fall(self, equities: list[int]) -> None:
        """Keep a day's highest equity and deepest fall: its course alone has too few points for them."""
        state = self.state
        state.peak = max(state.peak, state.opening)
        for equity in equities:
            state.peak = max(state.peak, equity)
            state.deepest = min(state.deepest, equity - state.peak)

    def _convert(self, body: Conversion, _ts: int) -> None:
        """Move units to another product, out of the owners' lots in turn, a person's own first."""
        state, units = self.state, body.quantity
        source, target = (position_key(body.instrument, product) for product in (body.product, body.to))
        sign = 1 if state.positions[source].quantity > 0 else -1
        state.day.realised += _convert_lot(state.positions, source, target, sign * units)
        for name in sorted(state.owned):
            owner, key = name.split("|", 1)
            if key == source and (held := state.owned[name].quantity * sign) > 0 and units:
                _convert_lot(state.owned, name, f"{owner}|{target}", sign * min(held, units))
                units -= min(held, units)
        self.changed_positions |= {position_key(body.instrument, p) for p in (body.product, body.to)}

    def _trading(self, body: StateChange, ts: int) -> None:
        self.state.trading, self.state.trading_reason = body.state, body.reason
        level = "info" if body.state == "ACTIVE" else "alert"
        self._event(Line(level=level, text=f"Trading is {body.state}: {body.reason}", source="risk"), ts)

    def _strategy(self, body: StrategyChange, ts: int) -> None:
        before = self.state.strategies.get(body.name)
        if body.state == "running" and (before is None or before.state != "running"):
            self.state.strategy_since[body.name] = ts
        self.state.strategies[body.name] = body
        self.changed.add("strategies")
        level = "alert" if body.state == "failed" else "info"
        text = f"Strategy {body.name} is {body.state}" + (f": {body.reason}" if body.reason else "")
        self._event(Line(level=level, text=text, source="strategies"), ts)

    def _alert(self, body: PriceAlert, ts: int) -> None:
        if body.removed:
            self.state.alerts.pop(body.id, None)
        else:
            self.state.alerts[body.id] = body
        if body.fired and not body.removed:
            self._event(Line(level="alert", text=body.note, source="alerts"), ts)
        self.changed.add("alerts")

    def _event(self, line: Line, ts: int) -> None:
        event = Event(self.state.seq, ts, line)
        self.events.append(event)
        self.new_events.append(event)

    def _closed(self, _body: Any, _ts: int) -> None:
        self.state.closed = True


def _none_charged() -> list[int]:
    return [0] * len(CHARGE_COMPONENTS)


def _after_fill(order: Order, fill: Fill) -> OrderState:
    done = order.filled + fill.quantity >= order.quantity
    return OrderState.FILLED if done else OrderState.PARTIALLY_FILLED


def _morning(lot: Lot) -> Lot:
    """A carried position starts the day with its cost and no realised P&L of yesterday."""
    return Lot(quantity=lot.quantity, cost=lot.cost)


def _grow(holding: Holding, units: int) -> None:
    """A split or bonus gives what is on its way its part of the units, too."""
    before, after = holding.lot.quantity, holding.lot.quantity + units
    holding.t1 = holding.t1 * after // before
    holding.bought = {day: part * after // before for day, part in holding.bought.items()}


def _newest(bought: dict[str, int], units: int) -> dict[str, int]:
    """Return the `units` that were bought last, by day: older ones are delivered and sold first."""
    kept: dict[str, int] = {}
    for day in sorted(bought, reverse=True):
        if units:
            kept[day] = min(bought[day], units)
            units -= kept[day]
    return kept


def _convert_lot(lots: dict[str, Lot], source: str, target: str, units: int) -> int:
    """Move signed units at their cost; return what meeting opposite ones realised."""
    cost = lots[source].take(units)
    return lots.setdefault(target, Lot()).join(units, cost)
