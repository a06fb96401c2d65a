"""`aitrade bench engine`: what the engine process costs to import, to keep and to start again."""

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil

from aitrade.bench import Figures, Say
from aitrade.core.errors import Unreachable
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops.rig import scratch

ORDERS = 10_000
IMPORTS = 5
_IMPORT = """
import time
began = time.perf_counter()
import aitrade.engine.process, aitrade.engine.service, aitrade.engine.api
print(time.perf_counter() - began)
"""
MEBIBYTE = 1 << 20
A_SECOND = 8
"""Orders a market second: what the order-rate limit lets through."""


def engine(say: Say) -> Figures:
    """Measure import, memory after a day, and the restart of a book of 10,000 orders."""
    say("import, a fresh process each time …")
    imports = sorted(float(subprocess.check_output([sys.executable, "-c", _IMPORT])) for _ in range(IMPORTS))
    with scratch() as folder:
        say("a whole simulated day, then the process's own memory …")
        megabytes = _memory(folder / "day")
        say(f"{ORDERS:,} orders, a kill, and the way back …")
        restart = _restart(folder / "orders")
    return {"import_s": imports[len(imports) // 2], "mb": megabytes, "restart_s": restart}


class Process:
    """An engine process on a folder."""

    def __init__(self, settings: EngineSettings) -> None:
        self.home = Path(settings.home)
        self.process = subprocess.Popen([sys.executable, "-m", "aitrade.engine.process"], stdin=subprocess.PIPE)
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(settings) + b"\n")
        self.process.stdin.close()

    def client(self, seconds: float = 60.0) -> EngineClient:
        """Return a client once it serves."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            address = self.home / "run" / "engine.json"
            if address.is_file() and msgspec.json.decode(address.read_bytes())["pid"] == self.process.pid:
                return EngineClient.of(self.home, seconds=seconds)
            time.sleep(0.005)
        raise Unreachable("The engine did not start.")

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()


def _memory(home: Path) -> float:
    process = Process(EngineSettings(home=str(home), speed=0, start="09:15", strategies=("moving-average",)))
    client = process.client()
    while not client.snapshot().time.done:
        time.sleep(0.25)
    used: float = psutil.Process(process.process.pid).memory_full_info().uss / MEBIBYTE
    process.end()
    return used


def _restart(home: Path) -> float:
    settings = EngineSettings(home=str(home), start="11:00", book="orders")
    home.mkdir(parents=True)
    (home / "limits.toml").write_text("day_orders = 0\nday_loss_rupees = 0\nduplicate_window_ms = 0\n")
    _give_ten_thousand(settings)
    began = time.perf_counter()
    process = Process(settings)
    client = process.client()
    client.preview(_request(client.snapshot().watchlist[0], 0))
    took = time.perf_counter() - began
    orders = len(client.orders())
    process.end()
    if orders < ORDERS:
        raise RuntimeError(f"Only {orders} of {ORDERS} orders were there after the restart.")
    return took


def _give_ten_thousand(settings: EngineSettings) -> None:
    """Fill a book by a service in this process and leave it as a killed one does: without a last word."""
    from aitrade.engine.service import Service
    from aitrade.engine.settings import ENGINE

    service = Service(settings)
    keys = service.feed.watchlist
    for number in range(ORDERS):
        service.engine.place(_request(keys[number % len(keys)], number), ENGINE)
        if number % A_SECOND == A_SECOND - 1:
            service.step(1)
    service.abandon()


def _request(key: str, number: int) -> OrderRequest:
    side = Side.BUY if number // 50 % 2 == 0 else Side.SELL
    return OrderRequest(instrument=key, side=side, quantity=1, product=Product.MIS, actor="bench")
