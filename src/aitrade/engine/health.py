"""How the engine and its machine are, with reasons; and the same as Prometheus metrics."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from aitrade.core.metrics import Buckets, Figures
from aitrade.core.money import PAISE
from aitrade.core.orders import OrderState
from aitrade.engine.latency import STAGES
from aitrade.engine.messages import Health
from aitrade.npu import devices, sessions
from aitrade.risk.trading_state import TradingState

if TYPE_CHECKING:
    from aitrade.engine.service import Service

STALE_MS = 5_000
MEBIBYTE = 1 << 20
PEAK_SECONDS = 60.0
LOOKING = "…"
"""What stands for the accelerator until it was looked for: nothing is told of it till then."""


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
        self._accelerator = LOOKING
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
            feed_failure=service.failure,
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
            projection_behind=max(engine.journal.seq - service.projected.seq, 0),
            projection_trouble=service.projected.trouble,
        )

    def metrics(self) -> Callable[[], str]:
        """Take what the trading thread counted; return what adds the rest, off that thread, and writes it down."""
        figures = Figures()
        self._take_orders(figures)
        self._take_market(figures)
        self._take_queues(figures)
        return lambda: self._finished(figures)

    def _take_orders(self, figures: Figures) -> None:
        engine = self._service.engine
        for stage in STAGES:
            figures.put("aitrade_order_stage_seconds", getattr(engine.latencies, stage).buckets.copy(), stage)
        figures.put("aitrade_orders_sent_total", engine.latencies.total.count)
        figures.put("aitrade_orders_refused_total", engine.refused)
        for what, count in engine.updates.items():
            figures.put("aitrade_venue_updates_total", count, str(what))
        working = engine.book.working_orders()
        figures.put("aitrade_orders_working", len(working))
        figures.put("aitrade_orders_in_doubt", sum(order.state is OrderState.IN_DOUBT for order in working))
        figures.put("aitrade_order_rate_limit", self._service.order_rate)
        for segment, rate in engine.risk.rates(engine.clock.now()).items():
            figures.put("aitrade_order_rate_used", rate, segment)
        for segment, peak in self._peak_rates().items():
            figures.put("aitrade_order_rate_peak", peak, segment)

    def _take_market(self, figures: Figures) -> None:
        engine, state = self._service.engine, self._service.engine.book.state
        figures.put("aitrade_healthy", not self._reasons())
        for name in TradingState:
            figures.put("aitrade_trading_state", state.trading == name, str(name))
        figures.put("aitrade_ticks_total", engine.ticks)
        figures.put("aitrade_feed_age_seconds", 0.0 if self._service.quiet else self._feed_age_ms() / 1000)
        figures.put("aitrade_positions_open", sum(1 for lot in state.positions.values() if lot.quantity))
        pnl, limit = engine.account.day_pnl(), engine.account.loss_limit()
        figures.put("aitrade_day_pnl_rupees", pnl / PAISE)
        figures.put("aitrade_day_loss_used_ratio", max(-pnl, 0) / limit if limit else 0.0)

    def _take_queues(self, figures: Figures) -> None:
        service, journal = self._service, self._service.engine.journal
        projected = service.projected
        figures.put("aitrade_journal_records_total", journal.seq)
        figures.put("aitrade_journal_segment_bytes", journal.size)
        figures.put("aitrade_projection_behind_records", max(journal.seq - projected.seq, 0))
        figures.put("aitrade_projection_trouble", bool(projected.trouble))
        for queue, depth in service.queues.items():
            figures.put("aitrade_queue_depth", depth(), queue)
        figures.put("aitrade_request_seconds", service.requests.copy())
        figures.put("aitrade_streams", service.streams)
        figures.put("aitrade_uptime_seconds", time.monotonic() - service.started)

    def _finished(self, figures: Figures) -> str:
        figures.put_process("engine")
        figures.put_machine(self._service.settings.home_path)
        if self._accelerator != LOOKING:
            figures.put("aitrade_accelerator", devices.is_own(self._accelerator), self._accelerator)
            for device, runs in ({self._accelerator: Buckets()} | sessions.used()).items():
                figures.put("aitrade_inference_seconds", runs, device)
        return figures.text()

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
