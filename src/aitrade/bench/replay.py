"""`aitrade bench replay`: how fast history can be traded, by each of the drivers."""

import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from aitrade.bench import Figures, Say
from aitrade.compliance.journal import Journal
from aitrade.core.clock import MINUTE, at
from aitrade.core.config import load
from aitrade.core.orders import Product
from aitrade.core.parity import order_list_hash
from aitrade.core.quotes import Bar
from aitrade.engine.settings import EngineSettings
from aitrade.market.charges import ChargeBook
from aitrade.ops.rig import DAY, scratch, shares
from aitrade.research import compiled
from aitrade.research.columns import columns
from aitrade.research.replay import Charged, Replay
from aitrade.strategies import MOVING_AVERAGE
from aitrade.strategies.trend import Trend

SESSIONS, MINUTES, QUANTITY, ROUNDS = 250, 375, 10, 5
REAL_DAY = "2025-03-28"


def replay(say: Say) -> Figures:
    """Measure the Python replay, the compiled kernel on the same bars, and a whole engine's day."""
    bars = _bars()
    say(f"{len(bars):,} minute bars of one symbol, moving-average trend, fills and charges on …")
    python_s, ours = _python(bars)
    kernel_s, theirs = _kernel(bars)
    if ours != theirs:
        raise RuntimeError("The Python strategy and its kernel did not give the same orders; the figures mean nothing.")
    say("a day of three symbols through the whole engine …")
    return {
        "python_bars_per_s": len(bars) / python_s,
        "kernel_bars_per_s": len(bars) / kernel_s,
        **_day(say),
    }


def _bars() -> list[Bar]:
    """A seeded walk over 250 sessions: on the tick grid, with enough volume in each minute to carry the orders."""
    generator = np.random.default_rng(1)
    steps = generator.integers(-60, 61, SESSIONS * MINUTES) * 5
    closes = np.maximum(100_000 + np.cumsum(steps), 5_000)
    opens = np.concatenate(([100_000], closes[:-1]))
    highs, lows = np.maximum(opens, closes) + 10, np.minimum(opens, closes) - 10
    starts = [
        at(date(2024, 1, 1) + timedelta(day), "09:15") + m * MINUTE for day in range(SESSIONS) for m in range(MINUTES)
    ]
    rows = zip(starts, opens.tolist(), highs.tolist(), lows.tolist(), closes.tolist(), strict=True)
    return [Bar("NSE:BENCH0", start, start + MINUTE, o, h, low, c, 90_000) for start, o, h, low, c in rows]


def _python(bars: Sequence[Bar]) -> tuple[float, str]:
    """Return the best of some rounds (seconds) and the hash of what was traded."""
    rates = ChargeBook.load().rates(DAY, shares()["NSE:BENCH0"], Product.MIS)
    best, found = float("inf"), ""
    for _ in range(ROUNDS):
        with scratch() as folder:
            journal = Journal(folder / "journal")
            run = Replay(Trend(QUANTITY), Charged(rates), journal=journal)
            began = time.perf_counter()
            result = run.run(bars)
            best = min(best, time.perf_counter() - began)
            journal.close()
            found = result.hash()
    return best, found


def _kernel(bars: Sequence[Bar]) -> tuple[float, str]:
    table = columns(bars)
    compiled.run(MOVING_AVERAGE, table, QUANTITY)
    best = float("inf")
    for _ in range(ROUNDS * 4):
        began = time.perf_counter()
        orders = compiled.run(MOVING_AVERAGE, table, QUANTITY)
        best = min(best, time.perf_counter() - began)
    return best, order_list_hash(orders.trades(table))


def _day(say: Say) -> Figures:
    """Return the seconds of a whole day; of the real one where it is at hand, else of the simulated one, by name."""
    from aitrade.engine.service import Service

    real = Path(load().real_data or "../shared/data") / "nse-1min-stocks-2025"
    with scratch() as folder:
        mode = "replay" if real.is_dir() else "simulated"
        if mode == "replay":
            _import_day(real, folder)
        else:
            say("no real data here (AITRADE_REAL_DATA): the simulated day, 440 instruments, is timed instead")
        settings = EngineSettings(
            home=str(folder),
            mode=mode,
            book="bench",
            day=REAL_DAY,
            speed=0,
            start="09:15",
            strategies=("moving-average",),
        )
        service = Service(settings)
        began = time.perf_counter()
        service.play_through()
        took = time.perf_counter() - began
        service.close()
    return {"real_day_s" if mode == "replay" else "simulated_day_s": took}


def _import_day(real: Path, folder: Path) -> None:
    from aitrade.market.importing import import_path
    from aitrade.market.input_store import InputStore

    name = date.fromisoformat(REAL_DAY).strftime("%d-%m-%Y.csv")
    store = InputStore(folder / "market")
    for path in sorted(real.glob(f"*/{name}")):
        import_path(path, store)
