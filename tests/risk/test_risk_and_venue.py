"""What our checks let pass, the paper exchange takes: the two never disagree about an order's own terms."""

from hypothesis import given
from hypothesis import strategies as st
from risk_account import NIFTY, TCS, Book, future, option

from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.brokers.simulator.latency import Latency
from aitrade.core.clock import SECOND, at
from aitrade.core.orders import Order, OrderRequest, OrderState, OrderType, Product, Side, Update, Validity
from aitrade.core.quotes import Tick
from aitrade.market.calendar import Calendar
from aitrade.market.rules import Rules
from aitrade.risk.checks import RiskDesk
from aitrade.risk.limits import Limits

CALENDAR, RULES = Calendar.load(), Rules.load()
CALL = option(23_500)
INSTRUMENTS = {i.key: i for i in (TCS, CALL, future())}
TIMES = ["08:00", "09:04", "09:10", "10:00", "15:00", "15:45", "15:50", "17:00"]
REQUESTS = st.builds(
    OrderRequest,
    instrument=st.sampled_from(list(INSTRUMENTS)),
    side=st.sampled_from(Side),
    quantity=st.sampled_from([-1, 0, 1, 10, 75, 1_800, 1_875]),
    type=st.sampled_from(OrderType),
    price=st.sampled_from([0, 899_95, 1_000_00, 1_000_03, 1_100_05]),
    trigger=st.sampled_from([0, 899_95, 1_000_00, 1_000_03, 1_100_05]),
    product=st.sampled_from(Product),
    validity=st.sampled_from(Validity),
)


@given(REQUESTS, st.sampled_from(TIMES))
def test_what_passes_the_checks_the_exchange_accepts(request_, time):
    """An order that no rule refuses enters the exchange's book."""
    now = at("2025-03-26", time)
    book = Book(cash=10**15).price(NIFTY, 23_500_00, now).hold(TCS, Product.CNC, 10**6)
    for key in INSTRUMENTS:
        book.price(key, 1_000_00, now)
    instrument = INSTRUMENTS[request_.instrument]
    if RiskDesk(Limits.load(), RULES, CALENDAR).check(request_, instrument, now, book).refusals:
        return
    said = []
    venue = PaperExchange(CALENDAR, RULES, INSTRUMENTS, latency=Latency(low=1_000_000, high=1_000_000))
    venue.connect(said.append)
    venue.advance(now - SECOND)
    venue.on_tick(Tick(request_.instrument, now - SECOND, 1_000_00, 100))
    venue.advance(now)
    order = Order(
        id="A" * 20, request=request_, state=OrderState.PENDING, quantity=request_.quantity, price=request_.price,
        trigger=request_.trigger, created=now,
    )  # fmt: skip
    venue.place(order, instrument)
    venue.advance(now + SECOND)
    assert Update.REJECTED not in [update.what for update in said], said
