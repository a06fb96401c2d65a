"""What a person can ask of a running book: each method checks, journals, acts, and answers with a row or a report."""

from collections import Counter
from collections.abc import Sized
from typing import Any

import msgspec

from aitrade.core.clock import at, ist_date
from aitrade.core.events import CashMove, Conversion, Kind, PriceAlert, StrategyChange
from aitrade.core.instruments import Instrument
from aitrade.core.money import format_rupees, half_up
from aitrade.core.orders import Order, OrderRequest, OrderType, Product, Side
from aitrade.engine.insight import BTST_OPENS
from aitrade.engine.loop import Engine, Refused
from aitrade.engine.messages import (
    AlertRow,
    EmergencyReport,
    OrderRow,
    Placed,
    PositionRow,
    Preview,
    Problem,
    StrategyRow,
    Terms,
)
from aitrade.engine.settings import Who
from aitrade.engine.state import position_key
from aitrade.engine.views import Views, order_row
from aitrade.intelligence import btst

Fields = dict[str, Any]


class Commands:
    """A person's commands, on the trading thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._views = Views(engine)

    def preview(self, request: OrderRequest, who: Who) -> Preview:
        """Return charges, margin and refusals of an order that is not sent, in slices where they are asked for."""
        engine = self._engine
        problems = [Problem(rule, text) for rule, text in engine.whole_refusals(request, who)]
        instrument = engine.instruments.get(request.instrument)
        if instrument is None:
            return Preview(
                value=0, margin=0, charges={}, available=engine.account.available(), is_exit=False, problems=problems
            )
        costs = [self._cost(part, instrument) for part, _row in engine.parts([request])]
        return Preview(
            value=sum(value for value, _ in costs),
            margin=engine.account.order_margin(request, instrument),
            charges=_together(costs),
            available=engine.account.available(),
            is_exit=engine.exits(request),
            problems=problems,
        )

    def preview_basket(self, requests: list[OrderRequest], who: Who) -> Preview:
        """Return charges, the legs' margin together, and every refusal of a basket that is not sent."""
        engine = self._engine
        known = [(leg, row) for leg, row in engine.parts(requests) if row is not None]
        costs = [self._cost(leg, row) for leg, row in known]
        return Preview(
            value=sum(value for value, _ in costs),
            margin=engine.basket_margin(requests),
            charges=_together(costs),
            available=engine.account.available(),
            is_exit=bool(known) and all(engine.exits(leg) for leg, _ in known),
            problems=[Problem(rule, text) for rule, text in engine.basket_refusals(requests, who)],
        )

    def place(self, request: OrderRequest, who: Who) -> Placed:
        """Place an order; raise Refused."""
        if request.strategy == btst.STRATEGY:
            self._pass_btst_gate(request)
        return _placed(self._engine.place(_by(request, who), who))

    def basket(self, requests: list[OrderRequest], who: Who) -> list[Placed]:
        """Check every leg, then send them, buys first so that hedges are in place; raise Refused and send none."""
        if not requests:
            raise Refused([["basket", "The basket is empty; add a leg."]])
        self._engine.check_basket([_by(request, who) for request in requests], who)
        name = requests[0].basket or f"basket-{self._engine.book.state.sequence + 1}"
        ordered = sorted(requests, key=lambda request: request.side is Side.SELL)
        legs = [msgspec.structs.replace(_by(request, who), basket=name) for request in ordered]
        return [_placed(self._engine.place(leg, who, funded=True)) for leg in legs]

    def modify(self, order_id: str, terms: Terms, who: Who) -> OrderRow:
        """Ask for new terms; what is not given stays."""
        order = self._order(order_id)
        changed = self._engine.modify(
            order_id,
            quantity=order.quantity if terms.quantity is None else terms.quantity,
            price=_limit(order) if terms.price is None else terms.price,
            trigger=order.trigger if terms.trigger is None else terms.trigger,
            who=who,
        )
        return order_row(changed)

    def cancel(self, order_id: str, who: Who) -> OrderRow:
        """Ask for a cancellation."""
        return order_row(self._engine.cancel(order_id, who))

    def cancel_all(self, who: Who) -> dict[str, int]:
        """Ask for the cancellation of every working order."""
        return {"cancelled": self._engine.cancel_all(who)}

    def square_off(self, fields: Fields, who: Who) -> list[Placed]:
        """Cancel working orders of the chosen positions and send exits at market; `instrument` and `product` choose."""
        placed: list[Placed] = []
        problems: list[list[str]] = []
        for key in self._chosen(str(fields.get("instrument", "")), str(fields.get("product", ""))):
            try:
                placed += self.exit(key, who)
            except Refused as refused:
                problems += refused.problems
        if problems:
            raise Refused(problems)
        return placed

    def exit(self, key: str, who: Who) -> list[Placed]:
        """Exit one position at market; what works on it is cancelled first, and the exit waits until it has ended."""
        working = self._engine.working_on(key)
        if not working:
            return self._send_exit(key, who)
        for order in working:
            self._engine.cancel(order.id, who)
        self._engine.when_ended(key, working, lambda: self.exit_or_say(key, who))
        note = f"the exit follows when {_count(working, 'working order is', 'working orders are')} cancelled"
        return [Placed(id=working[0].id, state=working[0].state, reason=note)]

    def exit_or_say(self, key: str, who: Who) -> None:
        """Exit one position; a refusal is an alert, and a note on the position."""
        try:
            self.exit(key, who)
        except Refused as refused:
            self._engine.note(key, f"exit refused: {refused}")
            self._engine.say("alert", f"{key} was not exited: {refused}", who.actor)

    def _send_exit(self, key: str, who: Who) -> list[Placed]:
        lot = self._engine.book.state.positions.get(key)
        legs = self._exit_legs(key, lot.quantity) if lot and lot.quantity else []
        return [_placed(self._engine.place(_by(leg, who), who)) for leg in legs]

    def convert(self, fields: Fields, who: Who) -> PositionRow:
        """Change the product of units of a position; raise Refused when it does not fit."""
        instrument, product, to = str(fields["instrument"]), str(fields["product"]), str(fields["to"])
        held = self._engine.book.position(instrument, product)
        quantity = int(fields.get("quantity") or abs(held))
        problem = self._conversion_problem(instrument, product, to, quantity, held)
        if problem:
            raise Refused([["convert", problem]])
        charge = self._conversion_charge(instrument, product, to, quantity)
        body = Conversion(instrument=instrument, product=product, to=to, quantity=quantity)
        self._engine.record(Kind.CONVERT, body, who)
        if any(charge.charges):
            self._engine.record(Kind.CASH, charge, who)
        return self._views.position(f"{instrument}|{to}")

    def emergency_stop(self, fields: Fields, who: Who) -> EmergencyReport:
        """Stop strategies, HALTED, cancel all; positions stay and are listed."""
        engine = self._engine
        engine.set_trading("HALTED", str(fields.get("reason") or "emergency stop"), who)
        stopped = list(engine.runner.running)
        for name in stopped:
            engine.stop_strategy(name, who, "emergency stop")
        cancelled = engine.cancel_all(who)
        left = [row for row in self._views.positions() if row.quantity]
        text = f"Trading is halted; {_count(stopped, 'strategy', 'strategies')} stopped, "
        text += f"{_count(range(cancelled), 'order', 'orders')} being cancelled. "
        open_ = f"{_count(left, 'position stays', 'positions stay')} open: square off or resume."
        text += open_ if left else "No position is open."
        engine.say("alert", text, who.actor)
        return EmergencyReport(strategies_stopped=stopped, orders_cancelled=cancelled, positions_left=left, text=text)

    def set_trading(self, state: str, fields: Fields, who: Who) -> dict[str, str]:
        """ACTIVE, REDUCING or HALTED, with a reason; HALTED cancels what works."""
        self._engine.set_trading(state, str(fields.get("reason") or f"by {who.actor}"), who)
        if state == "HALTED":
            self._engine.cancel_all(who)
        return {"state": state}

    def start(self, name: str, fields: Fields, who: Who) -> StrategyRow:
        """Start a strategy on instruments with a quantity and parameters; raise Refused for what it does not know."""
        kernel = self._engine.runner.kernels.get(name)
        instruments = [str(key) for key in fields.get("instruments", [])]
        problem = self._start_problem(name, instruments, fields)
        if problem or kernel is None:
            raise Refused([["strategy", problem]])
        change = StrategyChange(
            name=name,
            state="running",
            instruments=instruments,
            quantity=int(fields["quantity"]),
            parameters={key: int(value) for key, value in fields.get("parameters", {}).items()},
            code_hash="",
        )
        self._engine.start_strategy(change, who)
        return next(row for row in self._views.strategies() if row.name == name)

    def stop(self, name: str, who: Who) -> StrategyRow:
        """Stop a strategy; raise Refused when it does not run."""
        if name not in self._engine.runner.running:
            raise Refused([["strategy", f"{name} does not run; running are: {self._running_names()}."]])
        self._engine.stop_strategy(name, who, f"by {who.actor}")
        return next(row for row in self._views.strategies() if row.name == name)

    def add_alert(self, fields: Fields, who: Who) -> AlertRow:
        """Set a price alert: instrument, above, price."""
        instrument = str(fields["instrument"])
        if instrument not in self._engine.instruments:
            raise Refused([["instrument", f"{instrument} is not traded today; search for its symbol."]])
        number = max(self._engine.book.state.alerts, default=0) + 1
        alert = PriceAlert(id=number, instrument=instrument, above=bool(fields["above"]), price=int(fields["price"]))
        self._engine.set_alert(alert, who)
        return self._views.alerts()[-1]

    def remove_alert(self, number: int, who: Who) -> dict[str, int]:
        """Remove a price alert."""
        alert = self._engine.book.state.alerts.get(number)
        if alert is None:
            raise Refused([["alert", f"There is no alert {number}."]])
        self._engine.set_alert(msgspec.structs.replace(alert, removed=True), who)
        return {"removed": number}

    def _cost(self, request: OrderRequest, instrument: Instrument) -> tuple[int, dict[str, int]]:
        """Return the value of an order at its likely price, and its charges by component and in total."""
        engine = self._engine
        price = request.price or request.trigger or engine.account.likely_price(request)
        value = price * request.quantity
        dp_due = not engine.book.delivery_sale(request.instrument)
        charges = engine.charging.of_order(
            instrument, request.product, request.side, value, request.quantity, dp_due=dp_due
        )
        return value, {**msgspec.structs.asdict(charges), "total": charges.total}

    def _pass_btst_gate(self, request: OrderRequest) -> None:
        """A BTST purchase needs the hour and the score; an exit needs neither."""
        opens = at(ist_date(self._engine.clock.now()), BTST_OPENS)
        if request.side is Side.SELL:
            return
        if self._engine.clock.now() < opens:
            raise Refused([["btst", f"BTST opens at {BTST_OPENS} of the market's clock; nothing can be sent before."]])
        if request.instrument not in self._engine.btst_sendable:
            text = f"{request.instrument} does not score {btst.SENDABLE} on the newest list; open the list again."
            raise Refused([["btst", text]])

    def _order(self, order_id: str) -> Order:
        order = self._engine.book.state.orders.get(order_id)
        if order is None:
            raise Refused([["order", f"There is no order {order_id} today; look in the order book."]])
        return order

    def _chosen(self, instrument: str, product: str) -> list[str]:
        positions = self._engine.book.state.positions
        return [
            key
            for key, lot in positions.items()
            if lot.quantity
            and (not instrument or key.rsplit("|", 1)[0] == instrument)
            and (not product or key.endswith(f"|{product}"))
        ]

    def _exit_legs(self, key: str, quantity: int) -> list[OrderRequest]:
        """One exit for each owner, so that every strategy's book closes too."""
        instrument, product = key.rsplit("|", 1)
        owned = self._engine.book.state.owned
        side = Side.SELL if quantity > 0 else Side.BUY
        shares = {name.split("|", 1)[0]: lot.quantity for name, lot in owned.items() if name.split("|", 1)[1] == key}
        same_way = {owner: units for owner, units in shares.items() if units * quantity > 0}
        if sum(same_way.values()) != quantity:
            same_way = {"": quantity}
        return [
            OrderRequest(
                instrument=instrument, side=side, quantity=abs(units), type=OrderType.MARKET, product=Product(product),
                strategy=owner, slice=True,
            )
            for owner, units in same_way.items()
        ]  # fmt: skip

    def _conversion_problem(self, instrument: str, product: str, to: str, quantity: int, held: int) -> str:
        row = self._engine.instruments.get(instrument)
        if not held or row is None:
            return f"There is no open {product} position in {instrument} to convert."
        if quantity > abs(held):
            return f"Only {abs(held)} units are open; {quantity} cannot be converted."
        if quantity <= 0 or (quantity % row.lot and quantity != abs(held)):
            return f"{quantity} units are not whole lots of {row.lot}: convert {row.lot} units, or more of them."
        return self._product_problem(row, product, to, quantity if held > 0 else -quantity)

    def _product_problem(self, row: Instrument, product: str, to: str, quantity: int) -> str:
        """Return why signed units of a product cannot become another's, or nothing."""
        allowed = {"MIS", "NRML"} if row.is_derivative else {"MIS", "CNC"}
        if to not in allowed or to == product:
            return f"{row.key} can be {' or '.join(sorted(allowed))}; {product} cannot become {to}."
        if to == "MIS" and (problem := self._engine.risk.intraday_refusal(row, self._engine.clock.now())):
            return f"{problem} {abs(quantity)} units stay {product}."
        if to == "CNC" and quantity < 0:
            return "A short position cannot become delivery; buy it back before the square-off."
        return self._engine.account.conversion_problem(row, product, to, quantity)

    def _conversion_charge(self, instrument: str, product: str, to: str, quantity: int) -> CashMove:
        """Return what the charges of units change by when they change product, at what they cost."""
        row, positions = self._engine.instruments[instrument], self._engine.book.state.positions
        lot, joined = positions[position_key(instrument, product)], positions.get(position_key(instrument, to))
        held, there = abs(lot.cost), max(joined.cost, 0) if joined else 0
        value = half_up(held * quantity, abs(lot.quantity))
        charges = self._engine.charging.of_conversion(row, product, to, value, held=held, there=there)
        more = sum(charges)
        way = "more" if more > 0 else "less"
        note = f"{quantity} {instrument} from {product} to {to}: {format_rupees(abs(more))} {way} in charges."
        return CashMove(why="charge", charges=charges, instrument=instrument, product=to, note=note)

    def _start_problem(self, name: str, instruments: list[str], fields: Fields) -> str:
        kernel = self._engine.runner.kernels.get(name)
        if kernel is None:
            return f"There is no strategy {name}; there are: {', '.join(self._engine.runner.kernels)}."
        unknown = [key for key in instruments if key not in self._engine.instruments]
        if unknown or not instruments:
            return f"Not traded today: {', '.join(unknown)}." if unknown else "Name at least one instrument."
        foreign = set(fields.get("parameters", {})) - set(kernel.parameters)
        if foreign:
            return f"{name} has no parameter {', '.join(sorted(foreign))}; it has {', '.join(kernel.parameters)}."
        if int(fields.get("quantity", 0)) <= 0:
            return "The quantity has to be above zero."
        return f"{name} runs already; stop it first." if name in self._engine.runner.running else ""

    def _running_names(self) -> str:
        return ", ".join(self._engine.runner.running) or "none"


def _by(request: OrderRequest, who: Who) -> OrderRequest:
    return request if request.actor else msgspec.structs.replace(request, actor=who.actor)


def _limit(order: Order) -> int:
    """The limit that an order asks for: a market order asks for none, whatever bound its exchange gave it."""
    return order.price if order.request.type in (OrderType.LIMIT, OrderType.SL) else 0


def _together(costs: list[tuple[int, dict[str, int]]]) -> dict[str, int]:
    """Add charges up, component by component."""
    total: Counter[str] = Counter()
    for _value, charges in costs:
        total.update(charges)
    return dict(total)


def _count(found: Sized, one: str, more: str) -> str:
    return f"{len(found)} {one if len(found) == 1 else more}"


def _placed(orders: list[Order]) -> Placed:
    first = orders[0]
    note = f"sent as {len(orders)} orders" if len(orders) > 1 else first.reason
    return Placed(id=first.id, state=first.state, reason=note)
