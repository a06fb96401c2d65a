"""A whole engine on a scratch folder for benches and probes: fifty shares, market open, risk and journal on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import msgspec

from aitrade.brokers.venue import Venue
from aitrade.compliance.journal import Journal
from aitrade.core.clock import ReplayClock, at
from aitrade.core.events import CashMove, DayBegan, Kind
from aitrade.core.instruments import Exchange, Instrument
from aitrade.core.instruments import Kind as What
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.core.quotes import Tick
from aitrade.engine.charging import Charging
from aitrade.engine.loop import Engine
from aitrade.engine.margining import margins_of
from aitrade.engine.settings import EngineSettings
from aitrade.engine.state import Book
from aitrade.market.calendar import Calendar
from aitrade.market.charges import ChargeBook
from aitrade.market.rules import Rules
from aitrade.risk.checks import RiskDesk
from aitrade.risk.limits import Limits

DAY = date(2025, 3, 28)
SHARES = 50
PRICE = 100_000
NO_ORDER_RATE = 100_000
"""The order-rate limit is set aside in benches that ask for more orders than a broker allows."""


def shares() -> dict[str, Instrument]:
    """Return fifty shares at ₹1,000 with a 20 % band."""
    rows = (
        Instrument(
            key=f"NSE:BENCH{n}", exchange=Exchange.NSE, symbol=f"BENCH{n}", kind=What.EQUITY, tick=5,
            lower=PRICE * 8 // 10, upper=PRICE * 12 // 10, previous_close=PRICE, has_derivatives=True,
        )
        for n in range(SHARES)
    )  # fmt: skip
    return {row.key: row for row in rows}


class Rig:
    """An engine, its clock and its instruments."""

    def __init__(
        self, folder: Path, venue: Venue, clock: ReplayClock, instruments: dict[str, Instrument], durability: str
    ) -> None:
        calendar, rules = Calendar.load(), Rules.load()
        settings = EngineSettings(home=str(folder), book="bench", durability=durability)
        self.clock = clock
        self.instruments = instruments
        self.journal = Journal(folder / "journal", durability=durability)
        self.engine = Engine(
            settings=settings, book=Book(), journal=self.journal, clock=clock, venue=venue,
            risk=RiskDesk(_wide_limits(), rules, calendar, order_rate=NO_ORDER_RATE), limits=_wide_limits(),
            charging=Charging(ChargeBook.load(), DAY, "zerodha"), kernels={},
        )  # fmt: skip
        self.engine.record(Kind.CASH, CashMove(why="opening", amount=10**13))
        self.engine.record(Kind.DAY, DayBegan(day=DAY.isoformat(), source="BENCH", assumed=[]))
        self.engine.begin_day(instruments, at(DAY, "09:15"))
        self.engine.account.new_day(margins_of(rules, DAY, instruments.values()))

    def tick(self, key: str, quantity: int) -> None:
        """Print one price at the clock's time."""
        now = self.clock.now()
        self.engine.on_tick(Tick(key, now, PRICE, quantity, PRICE, PRICE + 5, quantity, quantity, quantity))

    def request(self, n: int) -> OrderRequest:
        """Return the n-th order: buys and sells in turn over the fifty shares."""
        side = Side.BUY if n // SHARES % 2 == 0 else Side.SELL
        return OrderRequest(
            instrument=f"NSE:BENCH{n % SHARES}", side=side, quantity=1, product=Product.MIS, actor="bench"
        )


def _wide_limits() -> Limits:
    """The package's limits, but so wide for the day's orders and loss that they are judged and never reached."""
    return msgspec.structs.replace(Limits.load(), day_orders=10**9, day_loss_rupees=10**9)


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="aitrade-bench-") as folder:
        yield Path(folder)
