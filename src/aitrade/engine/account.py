"""The money of a book: what is tied, what is free, what the day made. Paise; read by risk before every order.

Available cash is what was put in, plus what was realised, less charges, less what delivery and option purchases cost,
less margins of positions and working orders, less unrealised losses, less sale proceeds that have not settled.

Margins are kept by group (an underlying with its derivatives, or a share) and worked out again only for groups that an
order or fill touched, so that an order's check does not grow with the book.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from aitrade.core.instruments import Instrument
from aitrade.core.money import format_rupees
from aitrade.core.orders import Order, OrderRequest, Product, Side
from aitrade.engine.lots import Lot
from aitrade.engine.state import position_key
from aitrade.risk.margin import Margins, Position, opened

if TYPE_CHECKING:
    from aitrade.engine.loop import Engine


_CNC = Product.CNC
_PRODUCTS = tuple(str(product) for product in Product)


class _Mark:
    """What an instrument adds to unrealised P&L: units and cost, all of them and those that are not paid in full."""

    __slots__ = ("cost", "last", "margin_cost", "margin_units", "units")

    def __init__(self) -> None:
        self.units = self.cost = self.margin_units = self.margin_cost = self.last = 0

    def pnl(self) -> int:
        return self.units * self.last - self.cost

    def margin_pnl(self) -> int:
        return self.margin_units * self.last - self.margin_cost


class Account:
    """Answers `risk.account.Account` and the page's funds from an engine's book and quotes."""

    margins: Margins

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._tied: dict[str, tuple[int, int]] = {}
        self._totals = [0, 0]
        self._touched: set[str] = set()
        self._groups: dict[str, str] = {}
        """Instrument to its group."""
        self._members: dict[str, set[str]] = {}
        """Group to the instruments of it that were ordered or held."""
        self._marks: dict[str, _Mark] = {}
        self._pnl = self._margin_pnl = 0

    # What changed

    def new_day(self, margins: Margins) -> None:
        """Use the day's margin rates, and work everything out again."""
        self.margins = margins
        self._tied.clear()
        self._totals = [0, 0]
        self._groups.clear()
        self._members.clear()
        self._marks.clear()
        self._pnl = self._margin_pnl = 0
        state = self._engine.book.state
        for key in [*(key.rsplit("|", 1)[0] for key in state.positions), *state.holdings]:
            self.touch(key)
            self.filled(key)
        for order in self._engine.book.working_orders():
            self.touch(order.request.instrument)

    def touch(self, instrument: str) -> None:
        """Take in that orders or positions of an instrument changed: its group has to be worked out again."""
        self._touched.add(self._groups.get(instrument) or self._joined(instrument))

    def _joined(self, instrument: str) -> str:
        """Return the group that an instrument belongs to, and make it a member."""
        row = self._engine.instruments.get(instrument)
        group = self._groups[instrument] = instrument if row is None else self._group_of(row)
        self._members.setdefault(group, set()).add(instrument)
        return group

    def filled(self, instrument: str) -> None:
        """Take in that units or cost of an instrument changed."""
        mark = self._marks.get(instrument) or _Mark()
        self._pnl -= mark.pnl()
        self._margin_pnl -= mark.margin_pnl()
        self._remark(mark, instrument)
        self._pnl += mark.pnl()
        self._margin_pnl += mark.margin_pnl()
        self._marks[instrument] = mark

    def on_tick(self, instrument: str, price: int) -> None:
        """Mark what is held to a new price."""
        mark = self._marks.get(instrument)
        if mark is not None and price != mark.last:
            change = price - mark.last
            self._pnl += mark.units * change
            self._margin_pnl += mark.margin_units * change
            mark.last = price

    def work_out(self) -> None:
        """Work touched groups out again: after an order is sent rather than before the next one is checked."""
        while self._touched:
            group = self._touched.pop()
            tied, spent = self._tied.pop(group, (0, 0))
            now = self._of_group(group)
            if now != (0, 0):
                self._tied[group] = now
            self._totals[0] += now[0] - tied
            self._totals[1] += now[1] - spent

    def refresh(self) -> None:
        """Mark every group that ties something: prices have moved."""
        self._touched.update(self._tied)

    def _remark(self, mark: _Mark, instrument: str) -> None:
        state = self._engine.book.state
        mark.units = mark.cost = mark.margin_units = mark.margin_cost = 0
        mark.last = self.last(instrument)
        for product in _PRODUCTS:
            lot = state.positions.get(f"{instrument}|{product}")
            if lot is not None:
                mark.units += lot.quantity
                mark.cost += lot.cost
                if product != Product.CNC:
                    mark.margin_units += lot.quantity
                    mark.margin_cost += lot.cost
        holding = state.holdings.get(instrument)
        if holding is not None:
            mark.units += holding.lot.quantity
            mark.cost += holding.lot.cost

    # What risk asks

    def available(self) -> int:
        """Return the cash that new orders may tie."""
        if self._touched:
            self.work_out()
        tied, spent = self._totals
        state = self._engine.book.state
        return self._earned() - tied - spent - state.unsettled + min(self._margin_pnl, 0)

    def day_pnl(self) -> int:
        """Return realised + unrealised - charges since the day began; what was carried into it counts from there."""
        book = self._engine.book
        day = book.state.day
        return day.realised - book.charged + self._pnl - day.carried

    def orders_today(self) -> int:
        """Return how many orders were sent since the day began."""
        return len(self._engine.book.state.orders)

    def net(self, instrument: str, product: Product) -> int:
        """Return the signed units held; for CNC, the day's units and the holding together."""
        state = self._engine.book.state
        lot = state.positions.get(instrument + "|" + product)
        units = lot.quantity if lot is not None else 0
        if product is _CNC and (holding := state.holdings.get(instrument)) is not None:
            units += holding.lot.quantity
        return units

    def undelivered(self, instrument: str) -> int:
        """Return those CNC units that are not delivered yet: T+1 and bought today."""
        holding = self._engine.book.state.holdings.get(instrument)
        return max(self._engine.book.position(instrument, Product.CNC), 0) + (holding.t1 if holding else 0)

    def working(self, instrument: str, product: Product, side: Side) -> int:
        """Return the units of working orders that have not filled."""
        orders = self._engine.book.working.get(instrument)
        if not orders:
            return 0
        return sum(
            order.quantity - order.filled
            for order in orders.values()
            if order.request.side is side and order.request.product is product
        )

    def last(self, instrument: str) -> int:
        """Return the last price, the previous close before the first print, 0 when nothing is known."""
        return self._engine.quotes.last(instrument)

    def quoted(self, instrument: str) -> tuple[int, int]:
        """Return that price, and when it printed: 0 when it has not printed today."""
        return self._engine.quotes.quoted(instrument)

    def legs(self, underlying: str) -> Sequence[Position]:
        """Return the derivative positions on an underlying."""
        return [leg for leg in self._held(underlying) if leg.instrument.is_derivative]

    def working_legs(self, underlying: str) -> Sequence[Position]:
        """Return the unfilled part of the working derivative orders on an underlying, oldest first."""
        return [leg for leg in self._on_order(underlying) if leg.instrument.is_derivative]

    def knows(self, reference: str) -> bool:
        """Return whether an order with this reference was sent today."""
        return reference in self._engine.book.references

    # What the page asks

    def opening(self) -> int:
        """Return the money with which the day began: put in, plus what was realised before."""
        state = self._engine.book.state
        return state.opening + state.realised

    def cash(self) -> int:
        """Return the cash in the account: what was earned less what delivery and options cost."""
        self.work_out()
        return self._earned() - self._totals[1]

    def margin_used(self) -> int:
        """Return what positions and working orders tie."""
        self.work_out()
        return self._totals[0]

    def unrealised(self) -> int:
        """Return what all open positions and holdings would realise now, since they were bought."""
        return self._pnl

    def carried(self) -> int:
        """Return what all open positions and holdings would realise at the day's previous closes."""
        rows, state = self._engine.instruments, self._engine.book.state
        lots = [(key.rsplit("|", 1)[0], lot) for key, lot in state.positions.items() if lot.quantity]
        lots += [(key, holding.lot) for key, holding in state.holdings.items()]
        closes = {key: (rows[key].previous_close if key in rows else 0) or self.last(key) for key, _lot in lots}
        return sum(lot.unrealised(closes[key]) for key, lot in lots)

    def equity(self) -> int:
        """Return what the book is worth now."""
        return self._earned() + self.unrealised()

    def exposure(self) -> tuple[int, int]:
        """Return the value of everything held long and short."""
        values = [leg.quantity * self.last(leg.instrument.key) for leg in self._all_held()]
        return sum(value for value in values if value > 0), -sum(value for value in values if value < 0)

    def loss_limit(self) -> int:
        """Return the day's loss from which only exits pass; 0 is none."""
        return self._engine.limits.day_loss

    def position_margin(self, instrument: str, product: str) -> int:
        """Return what a position ties by itself; delivery is paid for, and ties nothing."""
        row = self._engine.instruments.get(instrument)
        lot = self._engine.book.state.positions[position_key(instrument, product)]
        if row is None or not lot.quantity or product == Product.CNC:
            return 0
        if not row.is_derivative:
            return self.margins.shares(Product(product), lot.quantity, round(lot.average))
        return self.margins.group([self._position(row, product, lot)], self.last(row.underlying))

    def likely_price(self, request: OrderRequest) -> int:
        """Return the price at which an order without one would fill: the other side's quote, or the last price."""
        tick = self._engine.quotes.tick(request.instrument)
        quote = (tick.ask if request.side is Side.BUY else tick.bid) if tick else 0
        return quote or self.last(request.instrument)

    def order_margin(self, request: OrderRequest, row: Instrument) -> int:
        """Return by how much an order raises what is tied and spent."""
        group, leg = self._group_of(row), self._wanted(request, row)
        held, working = list(self._held(group)), list(self._on_order(group))
        if not row.is_derivative:
            return self.margins.book(held, [*working, leg], self.last) - self.margins.book(held, working, self.last)
        legs = [other for other in held if other.instrument.is_derivative]
        orders = [other for other in working if other.instrument.is_derivative]
        premium = leg.quantity * leg.price if row.is_option and leg.quantity > 0 else 0
        return self.margins.rise(legs, orders, [leg], self.last(row.underlying)) + premium

    def conversion_problem(self, row: Instrument, product: str, to: str, quantity: int) -> str:
        """Return why the money does not allow a conversion, or nothing."""
        price = self.last(row.key)
        if row.is_derivative:
            return ""
        more = self.margins.shares(Product(to), quantity, price) - self.margins.shares(
            Product(product), quantity, price
        )
        available = self.available()
        if more <= available:
            return ""
        needs, has = format_rupees(more), format_rupees(available)
        return f"Converting needs {needs} more, available is {has}; convert fewer units."

    # Parts of the above

    def _earned(self) -> int:
        book = self._engine.book
        state = book.state
        return state.opening + state.realised + state.day.realised - book.charged

    def _of_group(self, group: str) -> tuple[int, int]:
        """Return what a group ties and what it has spent."""
        row = self._engine.instruments.get(group)
        if row is not None and not row.is_derivative and len(self._members.get(group, ())) == 1:
            return self._of_share(group)
        tied = self.margins.book(list(self._held(group)), list(self._on_order(group)), self.last)
        holding = self._engine.book.state.holdings.get(group)
        return tied, self._spent(group) + (holding.lot.cost if holding else 0)

    def _of_share(self, key: str) -> tuple[int, int]:
        """The same for a share that nothing derives from, which is most orders: no positions made, none sorted."""
        state, working = self._engine.book.state, self._engine.book.working.get(key)
        holding = state.holdings.get(key)
        tied, spent = 0, holding.lot.cost if holding else 0
        left: dict[str, int] = {}
        for product in _PRODUCTS:
            lot = state.positions.get(position_key(key, product))
            if lot is None or not lot.quantity:
                continue
            left[product] = lot.quantity
            if product == Product.CNC:
                spent += lot.cost if lot.quantity > 0 else 0
            elif product == Product.MIS:
                tied += self.margins.shares(Product.MIS, lot.quantity, round(lot.average))
        for order in working.values() if working else ():
            tied += self._share_order(order, left)
        return tied, spent

    def _share_order(self, order: Order, left: dict[str, int]) -> int:
        """What a working share order ties; `left` is what earlier ones leave of the positions to be closed."""
        product, before = order.request.product, left.get(order.request.product, 0)
        quantity = order.request.side.sign * order.remaining
        opening = opened(before, quantity)
        left[product] = before + quantity - (opening if quantity > 0 else -opening)
        price = order.price or order.trigger or self.last(order.request.instrument)
        return self.margins.share_order(product, quantity, opening, price)

    def _spent(self, group: str) -> int:
        """What long delivery positions and options of a group cost: it is paid, not tied."""
        lots = self._lots(self._members.get(group, ()))
        return sum(lot.cost for row, product, lot in lots if lot.quantity > 0 and (row.is_option or product == "CNC"))

    def _held(self, group: str) -> Iterator[Position]:
        lots = self._lots(self._members.get(group, ()))
        return (self._position(row, product, lot) for row, product, lot in lots)

    def _all_held(self) -> Iterator[Position]:
        return (self._position(row, product, lot) for row, product, lot in self._lots(self._marks))

    def _lots(self, instruments: Iterable[str]) -> Iterator[tuple[Instrument, str, Lot]]:
        rows, positions = self._engine.instruments, self._engine.book.state.positions
        for instrument in instruments:
            for product in _PRODUCTS:
                lot = positions.get(f"{instrument}|{product}")
                if lot is not None and lot.quantity and instrument in rows:
                    yield rows[instrument], product, lot

    def _on_order(self, group: str) -> Iterator[Position]:
        rows, working = self._engine.instruments, self._engine.book.working
        for instrument in self._members.get(group, ()):
            orders = working.get(instrument)
            if orders and instrument in rows:
                yield from (self._ordered(order, rows[instrument]) for order in orders.values())

    def _ordered(self, order: Order, row: Instrument) -> Position:
        quantity = order.request.side.sign * order.remaining
        price = order.price or order.trigger or self.last(row.key)
        return Position(row, order.request.product, quantity, price)

    def _wanted(self, request: OrderRequest, row: Instrument) -> Position:
        price = request.price or request.trigger or self.last(row.key)
        return Position(row, request.product, request.side.sign * request.quantity, price)

    def _position(self, row: Instrument, product: str, lot: Lot) -> Position:
        price = self.last(row.key) if row.is_derivative else round(lot.average)
        return Position(row, Product(product), lot.quantity, price)

    @staticmethod
    def _group_of(row: Instrument) -> str:
        return row.underlying if row.is_derivative else row.key
