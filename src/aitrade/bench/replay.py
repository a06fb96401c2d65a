"""`aitrade bench replay`: how fast history can be traded, by each of the drivers."""

import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aitrade.bench import Figures, Say
from aitrade.compliance.journal import Journal
from aitrade.core.clock import MINUTE, at, ist
from aitrade.core.config import load
from aitrade.core.instruments import Kind
from aitrade.core.money import PAISE
from aitrade.core.orders import Product
from aitrade.core.parity import order_list_hash
from aitrade.core.quotes import Bar
from aitrade.engine.settings import EngineSettings
from aitrade.market.charges import ChargeBook
from aitrade.market.symbols import kind_of
from aitrade.ops.rig import DAY, scratch, shares
from aitrade.research import compiled
from aitrade.research.columns import columns
from aitrade.research.replay import Charged, Replay
from aitrade.strategies import MOVING_AVERAGE
from aitrade.strategies.trend import Trend

if TYPE_CHECKING:
    from aitrade.market.input_store import InputStore

SESSIONS, MINUTES, QUANTITY, ROUNDS = 250, 375, 10, 5
REAL_DAY, SYMBOLS = "2025-03-28", 3
HEADER = "date,time,open,high,low,close,volume,oi,exchangecode,symbolcode,expiry"


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

    with scratch() as folder:
        mode = "replay" if _real_day(folder) else "simulated"
        if mode == "simulated":
            say(
                f"{REAL_DAY} is neither imported (aitrade data import) nor in AITRADE_REAL_DATA: the simulated day, "
                "440 instruments, is timed instead"
            )
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


def _real_day(folder: Path) -> bool:
    """Import the real day into `folder`, from its files or from what is imported on this machine; return whether."""
    from aitrade.market.importing import import_path
    from aitrade.market.input_store import InputStore

    configuration = load()
    name = date.fromisoformat(REAL_DAY).strftime("%d-%m-%Y.csv")
    files = Path(configuration.real_data or "../shared/data") / "nse-1min-stocks-2025"
    found = sorted(files.glob(f"*/{name}")) or _copied(InputStore(configuration.market_folder), folder / "files", name)
    store = InputStore(folder / "market")
    for path in found:
        import_path(path, store)
    return bool(found)


def _copied(store: "InputStore", folder: Path, name: str) -> list[Path]:
    """Write the imported minutes of the day's first three shares as their files were; none where there are fewer."""
    day = date.fromisoformat(REAL_DAY)
    found = [key for key in store.days().get(day, []) if kind_of(key) is Kind.EQUITY][:SYMBOLS]
    paths = [folder / key.rpartition(":")[2] / name for key in found]
    for key, path in zip(found, paths, strict=True):
        path.parent.mkdir(parents=True)
        bars = store.bars(key, 1, at(day, "00:00"), at(day, "23:59"))
        path.write_text("\n".join([HEADER, *(_row(bar) for bar in bars)]))
    return paths if len(paths) == SYMBOLS else []


def _row(bar: Bar) -> str:
    prices = [f"{paise / PAISE:.2f}" for paise in (bar.open, bar.high, bar.low, bar.close)]
    return ",".join([f"{ist(bar.start):%d-%m-%Y,%H:%M:%S}", *prices, f"{bar.volume},0,1,0,"])
