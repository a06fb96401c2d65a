"""`aitrade bench ops`, reports: each daily report on a day of 10,000 orders that an engine traded."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from aitrade.bench import Figures, Say, scaled
from aitrade.core.errors import Refused
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.ops import ledger
from aitrade.ops.reports import due, produce

ORDERS = 10_000
BOOK, DAY = "bench", "2025-03-28"
STEP_SECONDS = 2
"""Market time from one order to the next: below the order rate, and ten thousand fit in a day."""
TRADER = Who("bench", "trader", "127.0.0.1", "bench")
LIMITS = "day_orders = 0\nday_loss_rupees = 0\n"


def daily_report_s(say: Say) -> Figures:
    """Return the seconds of the slowest daily report, from the command to its page."""
    with TemporaryDirectory(prefix="aitrade-bench-") as folder:
        home = Path(folder)
        orders = trade(home, scaled(ORDERS))
        say(f"{orders:,} orders traded; making the daily reports of that day …")
        wanted = due("daily")
        took = {one.name: _made(home, one.name) for one in wanted[: scaled(len(wanted))]}
    say(", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items()))
    return {"daily_report_s": max(took.values())}


def trade(home: Path, count: int) -> int:
    """Let an engine trade about `count` orders on one simulated day; return how many orders its journal has."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "limits.toml").write_text(LIMITS)
    service = Service(EngineSettings(home=str(home), book=BOOK, day=DAY))
    try:
        for number in range(count):
            _order(service, number)
            service.step(STEP_SECONDS)
    finally:
        service.close()
    return len(ledger.read(home, BOOK, DAY).stories)


def _order(service: Service, number: int) -> None:
    """Buy a unit of one share after the other, then sell them: what is refused is in the journal, too."""
    shares = service.feed.watchlist
    side = Side.BUY if number // len(shares) % 2 == 0 else Side.SELL
    request = OrderRequest(
        instrument=shares[number % len(shares)], side=side, quantity=1, product=Product.MIS, actor=TRADER.actor
    )
    try:
        service.commands.place(request, TRADER)
    except Refused:
        return


def _made(home: Path, name: str) -> float:
    began = time.perf_counter()
    produce(home, name, DAY)
    return time.perf_counter() - began
