"""Random days at the paper exchange: whatever is sent and printed, the invariants hold, and again gives the same."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from paper_market import CALENDAR, DAY, FUTURE, RULES, SHARE, new_order

from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.core.clock import SECOND, at
from aitrade.core.orders import TERMINAL, OrderRequest, OrderState, OrderType, Product, Side, Update, Validity
from aitrade.core.quotes import Tick

PERCENT = 25
PRICES = st.integers(1_990, 2_010).map(lambda steps: steps * 5)
INSTRUMENTS = {SHARE.key: SHARE, FUTURE.key: FUTURE}
KEYS = st.sampled_from([SHARE.key, FUTURE.key])
REFUSED = {Update.MODIFY_REJECTED, Update.CANCEL_REJECTED}
BECOMES = {
    Update.ACCEPTED: OrderState.OPEN,
    Update.REJECTED: OrderState.REJECTED,
    Update.CANCELLED: OrderState.CANCELLED,
    Update.EXPIRED: OrderState.EXPIRED,
}


class World:
    """An exchange and the engine's view of it, kept by the core's own transition table."""

    def __init__(self):
        self.exchange = PaperExchange(CALENDAR, RULES, INSTRUMENTS, seed=11, participation=PERCENT)
        self.exchange.connect(self.hear)
        self.orders = {}
        self.updates = []
        self.filled = dict.fromkeys(INSTRUMENTS, 0)
        self.last = None

    def hear(self, update):
        """Move the order as the engine does; an impossible step raises."""
        self.updates.append(update)
        order = self.orders[update.order_id]
        if update.fill:
            self.take(order, update.fill)
        elif update.what in BECOMES:
            order.move(BECOMES[update.what])
        elif update.what is Update.MODIFIED:
            order.quantity, order.price, order.trigger = update.quantity, update.price, update.trigger
        elif update.what is Update.TRIGGERED:
            order.triggered = True

    def take(self, order, fill):
        """Check a fill against the print that made it."""
        order.filled += fill.quantity
        order.filled_value += fill.quantity * fill.price
        order.move(OrderState.PARTIALLY_FILLED if order.remaining else OrderState.FILLED)
        self.filled[fill.instrument] += fill.quantity
        assert fill.quantity % INSTRUMENTS[fill.instrument].lot == 0
        assert fill.ts == self.last.ts >= order.created
        if order.price:
            assert order.request.side.sign * (fill.price - order.price) <= 0

    def place(self, ts, number, request):
        """Send."""
        order = self.orders[number] = new_order(request, ts, number)
        self.orders[order.id] = order
        self.exchange.place(order, INSTRUMENTS[request.instrument])

    def modify(self, ts, number, lots, price):
        """Ask for new terms."""
        order = self.orders[number]
        order.updated = ts
        lot = INSTRUMENTS[order.request.instrument].lot
        self.exchange.modify(order, quantity=lots * lot, price=price, trigger=order.trigger)

    def cancel(self, ts, number):
        """Ask for the end."""
        self.orders[number].updated = ts
        self.exchange.cancel(self.orders[number])

    def print(self, tick):
        """Print."""
        self.last = tick
        self.exchange.on_tick(tick)

    def pass_to(self, ts):
        """Let time pass."""
        self.exchange.advance(ts)


class PaperDay(RuleBasedStateMachine):
    """Two instruments, one day."""

    numbers = Bundle("numbers")

    def __init__(self):
        super().__init__()
        self.world = World()
        self.now = at(DAY, "09:30")
        self.script = []
        self.printed = dict.fromkeys(INSTRUMENTS, 0)

    def do(self, what, *details):
        """Do it, and keep it for the second time."""
        self.script.append((what, details))
        getattr(self.world, what)(*details)

    @rule(
        target=numbers,
        key=KEYS,
        side=st.sampled_from(Side),
        lots=st.integers(1, 30),
        kind=st.sampled_from(OrderType),
        price=PRICES,
        gap=st.integers(0, 4),
        validity=st.sampled_from(Validity),
    )
    def place(self, key, side, lots, kind, price, gap, validity):
        """Send any order that passes the checks."""
        stop, priced = kind in {OrderType.SL, OrderType.SL_M}, kind in {OrderType.LIMIT, OrderType.SL}
        request = OrderRequest(
            instrument=key,
            side=side,
            quantity=min(lots, 24) * INSTRUMENTS[key].lot,
            type=kind,
            price=price + 5 * gap * side.sign if priced else 0,
            trigger=price if stop else 0,
            product=Product.MIS,
            validity=validity,
        )
        number = len(self.script)
        self.do("place", self.now, number, request)
        return number

    @rule(number=numbers, lots=st.integers(1, 24), price=PRICES)
    def modify(self, number, lots, price):
        """Change any order, ended or not."""
        self.do("modify", self.now, number, lots, price)

    @rule(number=numbers)
    def cancel(self, number):
        """Cancel any order, ended or not."""
        self.do("cancel", self.now, number)

    @rule(
        key=KEYS,
        price=PRICES,
        lots=st.integers(0, 200),
        spread=st.integers(0, 3),
        modelled=st.booleans(),
        milliseconds=st.integers(0, 60),
    )
    def print(self, key, price, lots, spread, modelled, milliseconds):
        """Print, a little later."""
        self.now += milliseconds * SECOND // 1000
        quantity = lots * INSTRUMENTS[key].lot
        bid, ask = price - 5 * spread, price + 5 * spread
        self.printed[key] += quantity
        self.do("print", Tick(key, self.now, price, quantity, bid, ask, 0, 0, 0, 0, modelled))

    @rule(seconds=st.integers(0, 2))
    def wait(self, seconds):
        """Let time pass."""
        self.now += seconds * SECOND
        self.do("pass_to", self.now)

    @invariant()
    def never_more_than_asked_for(self):
        """Filled units stay within the order's quantity."""
        assert all(0 <= order.filled <= order.quantity for order in self.world.orders.values())

    @invariant()
    def never_more_than_our_share(self):
        """What filled is at most the participation in what printed."""
        assert all(self.world.filled[key] * 100 <= PERCENT * self.printed[key] for key in INSTRUMENTS)

    @invariant()
    def the_exchanges_book_agrees(self):
        """Its own view of every order is ours, unit by unit and paisa by paisa."""
        for row in self.world.exchange.order_book():
            order = self.world.orders[row.order_id]
            assert (row.state, row.filled, row.filled_value) == (order.state, order.filled, order.filled_value)

    @invariant()
    def time_goes_forward(self):
        """Updates come in market order."""
        stamps = [update.ts for update in self.world.updates[-5:]]
        assert stamps == sorted(stamps)

    def teardown(self):
        """Nothing outlives the day, every bad end says why, and the same day again says the same."""
        self.do("pass_to", at(DAY, "15:30"))
        assert all(order.state in TERMINAL for order in self.world.orders.values())
        ends = {Update.REJECTED, Update.CANCELLED, Update.EXPIRED, *REFUSED}
        assert all(update.reason.endswith(".") for update in self.world.updates if update.what in ends)
        again = World()
        for what, details in self.script:
            getattr(again, what)(*details)
        assert again.updates == self.world.updates


PaperDay.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPaperDay = PaperDay.TestCase
