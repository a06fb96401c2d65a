"""The one table of Prometheus metrics, and how a process writes its values of them.

What trades counts in plain integers (`Buckets`, or an attribute); `Figures` takes them when somebody scrapes, and only
`text` knows of prometheus-client. A metric that is not in the table cannot be written. Seconds, bytes and ratios, as
Prometheus has them; money in rupees.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from aitrade.core.files import write_private

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
"""The content type of Prometheus's text format."""
TARGETS = Path("metrics") / "targets"
"""In the data folder: a file a process that serves metrics, as Prometheus discovers them (file_sd)."""


class Metric(NamedTuple):
    """A row of the table."""

    kind: str
    """gauge, counter or histogram."""
    says: str
    labels: tuple[str, ...] = ()


_G, _C, _H = "gauge", "counter", "histogram"
TABLE: dict[str, Metric] = {
    # trading
    "aitrade_healthy": Metric(_G, "1 while the engine gives no reason for trouble"),
    "aitrade_trading_state": Metric(_G, "1 for the state in force: ACTIVE, REDUCING or HALTED", ("state",)),
    "aitrade_order_stage_seconds": Metric(_H, "An order's way by stage: risk, journal, venue, total", ("stage",)),
    "aitrade_orders_sent_total": Metric(_C, "Orders that passed every check and were sent"),
    "aitrade_orders_refused_total": Metric(_C, "Orders that our own checks refused"),
    "aitrade_venue_updates_total": Metric(_C, "What venues said about orders", ("what",)),
    "aitrade_orders_in_doubt": Metric(_G, "Orders whose outcome nobody has proven yet"),
    "aitrade_orders_working": Metric(_G, "Orders that are not ended"),
    "aitrade_positions_open": Metric(_G, "Positions with units"),
    "aitrade_order_rate_used": Metric(_G, "Messages of the last second", ("segment",)),
    "aitrade_order_rate_peak": Metric(_G, "The most messages in a second, of the last minute", ("segment",)),
    "aitrade_order_rate_limit": Metric(_G, "Messages a second and segment that the rules allow"),
    "aitrade_day_pnl_rupees": Metric(_G, "The day's profit or loss"),
    "aitrade_day_loss_used_ratio": Metric(_G, "The day's loss as a share of its limit"),
    "aitrade_ticks_total": Metric(_C, "Prices taken in"),
    "aitrade_feed_age_seconds": Metric(_G, "Market time since the newest price; 0 while none is expected"),
    "aitrade_journal_records_total": Metric(_C, "Records in the book's journal"),
    "aitrade_journal_segment_bytes": Metric(_G, "Size of the newest segment"),
    "aitrade_projection_behind_records": Metric(_G, "Records that the database does not have yet"),
    "aitrade_projection_trouble": Metric(_G, "1 while the database cannot be written"),
    "aitrade_queue_depth": Metric(_G, "What waits in a queue", ("queue",)),
    "aitrade_request_seconds": Metric(_H, "Requests to the engine, from read to answered"),
    "aitrade_streams": Metric(_G, "Pages that listen"),
    "aitrade_uptime_seconds": Metric(_G, "Since the engine started"),
    # page and charts
    "aitrade_page_render_seconds": Metric(_H, "From a page's request to its HTML"),
    "aitrade_page_streams": Metric(_G, "Browsers that are joined to the engine's stream"),
    "aitrade_page_kernels": Metric(_G, "Kernels that run, waiting ones included"),
    "aitrade_page_kernels_starting": Metric(_G, "Kernels that are on their way to wait for a page"),
    "aitrade_page_relayed_total": Metric(_C, "Requests passed on to engine and chart worker", ("upstream", "outcome")),
    "aitrade_chart_window_seconds": Metric(_H, "From a chart's request to its bars"),
    "aitrade_chart_minutes_held": Metric(_G, "Minute bars in memory"),
    "aitrade_component_ok": Metric(_G, "1 where a part is well, 0 where it is not", ("component",)),
    # every process, and the machine
    "aitrade_errors_total": Metric(_C, "Errors that a process has logged", ("process",)),
    "aitrade_errors_kept": Metric(_G, "Errors of all processes, as the groups in logs/errors.json count them"),
    "aitrade_log_lines_waiting": Metric(_G, "Log lines that are not written yet", ("process",)),
    "aitrade_log_lines_lost_total": Metric(_C, "Log lines that the disk did not take", ("process",)),
    "aitrade_process_memory_bytes": Metric(_G, "Resident memory, children included", ("process",)),
    "aitrade_process_cpu_seconds_total": Metric(_C, "Processor time", ("process",)),
    "aitrade_process_threads": Metric(_G, "Threads", ("process",)),
    "aitrade_machine_cpu_ratio": Metric(_G, "Processors busy since the last look"),
    "aitrade_machine_memory_used_ratio": Metric(_G, "Memory in use"),
    "aitrade_disk_free_bytes": Metric(_G, "Free where the data folder lies"),
    "aitrade_disk_used_ratio": Metric(_G, "Used where the data folder lies"),
    "aitrade_accelerator": Metric(
        _G, "1 for a device of its own, 0 where models compute on the processor", ("device",)
    ),
    "aitrade_inference_seconds": Metric(
        _H, "A model's run; the rate of its sum is the share of time that models kept the device busy", ("device",)
    ),
}
_LEAST, _MOST = 10, 36
"""Exponents of the first and the last bucket: 2**10 ns is 1 µs, 2**36 ns is 69 s."""
BOUNDS = [(exponent, f"{2.0**exponent / 1e9:.9g}") for exponent in range(_LEAST, _MOST + 1)]


class Buckets:
    """A histogram of durations by powers of two: one addition a sample, no allocation, no lock."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * 65
        """By bit length: `counts[k]` holds the samples from 2**(k-1) to 2**k - 1 ns."""
        self.total = 0

    def add(self, nanoseconds: int) -> None:
        """Take a duration; a negative one counts as none."""
        if nanoseconds > 0:
            self.counts[nanoseconds.bit_length()] += 1
            self.total += nanoseconds
        else:
            self.counts[0] += 1

    def copy(self) -> "Buckets":
        """Return the histogram as it is now."""
        taken = Buckets()
        taken.counts, taken.total = self.counts.copy(), self.total
        return taken

    def cumulative(self) -> list[tuple[str, float]]:
        """Return (upper bound in seconds, samples up to it), as Prometheus wants them."""
        rows = [(bound, float(sum(self.counts[: exponent + 1]))) for exponent, bound in BOUNDS]
        return [*rows, ("+Inf", float(sum(self.counts)))]


class Figures:
    """A process's values at one moment."""

    def __init__(self) -> None:
        self._values: dict[str, list[tuple[Sequence[str], float | Buckets]]] = {}

    def put(self, name: str, value: float | Buckets, *labels: str) -> None:
        """Take a value; raise KeyError for a metric that is not in the table, ValueError for other labels than its."""
        if len(labels) != len(TABLE[name].labels):
            raise ValueError(f"{name} is labelled by {TABLE[name].labels}, not by {labels}.")
        self._values.setdefault(name, []).append((labels, value))

    def put_process(self, process: str) -> None:
        """Take what this process uses, its children included, and what it has logged."""
        import psutil

        from aitrade.core import logs

        own = psutil.Process()
        family = [own, *own.children(recursive=True)]
        self.put("aitrade_process_memory_bytes", float(sum(_of(one, _memory) for one in family)), process)
        self.put("aitrade_process_cpu_seconds_total", sum(_of(one, _processor_time) for one in family), process)
        self.put("aitrade_process_threads", float(own.num_threads()), process)
        self.put("aitrade_errors_total", float(logs.errors_counted()), process)
        self.put("aitrade_log_lines_waiting", float(logs.waiting()), process)
        self.put("aitrade_log_lines_lost_total", float(logs.lost()), process)

    def put_machine(self, folder: Path) -> None:
        """Take what the machine is at, and the disk under `folder`."""
        import psutil

        disk = psutil.disk_usage(str(folder))
        self.put("aitrade_machine_cpu_ratio", psutil.cpu_percent(None) / 100)
        self.put("aitrade_machine_memory_used_ratio", psutil.virtual_memory().percent / 100)
        self.put("aitrade_disk_free_bytes", float(disk.free))
        self.put("aitrade_disk_used_ratio", disk.percent / 100)

    def text(self) -> str:
        """Return Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)  # type: ignore[arg-type]
        return generate_latest(registry).decode()

    def collect(self) -> Iterable[object]:
        """Yield prometheus-client's families; it calls this."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        for name, rows in self._values.items():
            kind, says, labels = TABLE[name]
            if kind == _H:
                histogram = HistogramMetricFamily(name, says, labels=labels)
                for given, value in rows:
                    assert isinstance(value, Buckets)
                    histogram.add_metric(given, value.cumulative(), value.total / 1e9)
                yield histogram
                continue
            family = CounterMetricFamily if kind == _C else GaugeMetricFamily
            plain = family(name, says, labels=labels)
            for given, value in rows:
                assert not isinstance(value, Buckets)
                plain.add_metric(given, value)
            yield plain


def announce(home: Path, process: str, port: int) -> None:
    """Tell Prometheus where a process serves its metrics; the file stays when the process dies: it is missed."""
    target = [{"targets": [f"127.0.0.1:{port}"], "labels": {"process": process, "pid": str(os.getpid())}}]
    write_private(home / TARGETS / f"{process}.json", msgspec.json.encode(target))


def _of(process: object, ask: object) -> float:
    import psutil

    try:
        return float(ask(process))  # type: ignore[operator]
    except psutil.Error:
        return 0.0


def _memory(process: object) -> float:
    return float(process.memory_info().rss)  # type: ignore[attr-defined]


def _processor_time(process: object) -> float:
    times = process.cpu_times()  # type: ignore[attr-defined]
    return float(times.user + times.system)
