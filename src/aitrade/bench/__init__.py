"""Benches: each prints the figures that the product promises, measured where they are printed.

A bench is a function that takes `say` (a line for the person who waits) and returns figures by key.
"""

import os
from collections.abc import Callable
from importlib import import_module

Figures = dict[str, float]
Say = Callable[[str], None]

BENCHES = {
    "engine": "aitrade.bench.process:engine",
    "ops": "aitrade.bench.ops:ops",
    "orders": "aitrade.bench.orders:orders",
    "page": "aitrade.bench.page:page",
    "replay": "aitrade.bench.replay:replay",
}
"""Bench to where its function lives."""

TARGETS: dict[str, tuple[str, float]] = {
    "ready_first_s": ("<=", 8),
    "reload_s": ("<=", 1.5),
    "requests": ("<=", 12),
    "page_mb": ("<=", 1.5),
    "outside_requests": ("<=", 0),
    "click_dom_p95_ms": ("<=", 25),
    "tick_frame_p95_ms": ("<=", 30),
    "ticks_dropped": ("<=", 0),
    "switch_375_p95_ms": ("<=", 50),
    "switch_100k_p95_ms": ("<=", 60),
    "kernel_mb": ("<=", 120),
    "os_p50_us": ("<=", 15),
    "os_p99_us": ("<=", 60),
    "disk_over_bare_us": ("<=", 30),
    "per_s": (">=", 10_000),
    "python_bars_per_s": (">=", 1_000_000),
    "kernel_bars_per_s": (">=", 50_000_000),
    "real_day_s": ("<=", 1),
    "import_s": ("<=", 0.5),
    "mb": ("<=", 200),
    "restart_s": ("<=", 3),
    "backup_order_delay_p99_ms": ("<=", 5),
    "restore_s": ("<=", 60),
    "restore_differences": ("<=", 0),
    "rpo_s": ("<=", 60),
    "alert_s": ("<=", 5),
    "daily_report_s": ("<=", 20),
    "preflight_s": ("<=", 120),
}
"""What a figure has to reach; those without a row are said, not judged."""


def scaled(count: int) -> int:
    """Return how often to measure what is measured `count` times: AITRADE_BENCH_SCALE (0 to 1) of it, at least once.

    Figures of a scaled bench show only that it runs.
    """
    return max(1, round(count * float(os.environ.get("AITRADE_BENCH_SCALE", "1"))))


def run(name: str, say: Say) -> Figures:
    """Run a bench and return its figures."""
    module, function = BENCHES[name].split(":")
    figures: Figures = getattr(import_module(module), function)(say)
    return figures


def reached(key: str, figure: float) -> bool | None:
    """Return whether a figure reaches its target, None where there is none."""
    if key not in TARGETS:
        return None
    relation, target = TARGETS[key]
    return figure <= target if relation == "<=" else figure >= target
