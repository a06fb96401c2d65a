"""How the engine and its machine are, with reasons; and the same as Prometheus metrics."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from aitrade.engine.messages import Health
from aitrade.npu import devices

if TYPE_CHECKING:
    from aitrade.engine.service import Service

STALE_MS = 5_000
MEBIBYTE = 1 << 20
PEAK_SECONDS = 60.0


class HealthReport:
    """Measures; machine figures at most once a second."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        import psutil

        self._machine = psutil
        self._process = psutil.Process()
        self._measured = 0.0
        self._cpu = self._ram = self._own = 0.0
        self._ticks = 0
        self._tick_rate = 0.0
        self._rates: deque[tuple[float, dict[str, int]]] = deque()
        self._accelerator = "…"
        psutil.cpu_percent(None)
        threading.Thread(target=self._look_for_accelerator, name="accelerator", daemon=True).start()

    def report(self) -> Health:
        """Return the present health."""
        service, engine = self._service, self._service.engine
        self._measure()
        state = engine.book.state
        reasons = self._reasons()
        return Health(
            state=state.trading,
            ok=not reasons,
            reasons=reasons,
            feed_age_ms=self._feed_age_ms(),
            clock_offset_ms=None,
            data_path=str(service.settings.book_path),
            journal=service.settings.durability,
            journal_records=engine.journal.seq,
            journal_head=engine.journal.head,
            cpu=self._cpu,
            ram=self._ram,
            engine_mb=self._own,
            accelerator=self._accelerator,
            latency=engine.latencies.summary(),
            orders_per_s=self._peak_rates(),
            order_rate_limit=service.order_rate,
            ticks_per_s=self._tick_rate,
            uptime_s=time.monotonic() - service.started,
            venues={engine.venue.name: "paper venue: connected"},
        )

    def metrics(self) -> Callable[[], str]:
        """Take the figures now; return what writes them as Prometheus text."""
        report = self.report()
        return lambda: _as_text(report)

    def _reasons(self) -> list[str]:
        service = self._service
        reasons = [service.failure] if service.failure else []
        age = self._feed_age_ms()
        if age > STALE_MS and not service.quiet:
            reasons.append(f"No price for {age / 1000:.0f} s of market time.")
        state = service.engine.book.state
        if state.trading != "ACTIVE":
            reasons.append(f"Trading is {state.trading}: {state.trading_reason}.")
        return reasons

    def _feed_age_ms(self) -> float:
        newest = self._service.engine.newest_tick
        return max(self._service.time().now - newest, 0) / 1e6 if newest else 0.0

    def _peak_rates(self) -> dict[str, float]:
        """The most messages in a second by exchange segment, over the reports of the last minute."""
        engine = self._service.engine
        self._rates.append((time.monotonic(), engine.risk.rates(engine.clock.now())))
        while time.monotonic() - self._rates[0][0] > PEAK_SECONDS:
            self._rates.popleft()
        peaks: dict[str, float] = {}
        for _at, rates in self._rates:
            for segment, rate in rates.items():
                peaks[segment] = max(peaks.get(segment, 0.0), float(rate))
        return peaks

    def _look_for_accelerator(self) -> None:
        self._accelerator = devices.found()

    def _measure(self) -> None:
        now = time.monotonic()
        if now - self._measured < 1:
            return
        ticks = self._service.engine.ticks
        self._tick_rate = (ticks - self._ticks) / (now - self._measured) if self._measured else 0.0
        self._measured, self._ticks = now, ticks
        self._cpu = self._machine.cpu_percent(None)
        self._ram = self._machine.virtual_memory().percent
        self._own = self._process.memory_info().rss / MEBIBYTE


def _as_text(report: Health) -> str:
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    figures = {
        "aitrade_up": ("1 while trading is healthy", float(report.ok)),
        "aitrade_feed_age_seconds": ("Market time since the newest price", report.feed_age_ms / 1000),
        "aitrade_journal_records": ("Records in the journal", float(report.journal_records)),
        "aitrade_engine_memory_bytes": ("Memory of the engine process", report.engine_mb * MEBIBYTE),
        "aitrade_ticks_per_second": ("Prices taken in a second", report.ticks_per_s),
        "aitrade_uptime_seconds": ("Since the engine started", report.uptime_s),
        "aitrade_cpu_percent": ("Of the machine", report.cpu),
        "aitrade_memory_percent": ("Of the machine", report.ram),
    }
    for name, (says, value) in figures.items():
        Gauge(name, says, registry=registry).set(value)
    stages = Gauge(
        "aitrade_order_stage_seconds", "Latency of an order's stage", ["stage", "quantile"], registry=registry
    )
    for stage, latency in report.latency.items():
        for quantile in ("p50", "p95", "p99"):
            stages.labels(stage, quantile).set(getattr(latency, quantile) / 1e6)
    rates = Gauge("aitrade_orders_per_second", "Peak of the last minute", ["segment"], registry=registry)
    for segment, rate in report.orders_per_s.items():
        rates.labels(segment).set(rate)
    return generate_latest(registry).decode()
