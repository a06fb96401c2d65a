"""Each bench runs and prints its figures; how good they are is no test's matter."""

import json
import os
import subprocess
import sys

import pytest

from aitrade.bench import TARGETS, reached
from aitrade.core.errors import Refused
from aitrade.ops.visit import chromium

KEYS = {
    "engine": {"import_s", "mb", "restart_s"},
    "ops": {
        "alert_s", "backup_order_delay_p99_ms", "daily_report_s", "preflight_s", "restore_differences", "restore_s",
        "rpo_s",
    },
    "orders": {"os_p50_us", "os_p99_us", "disk_over_bare_us", "disk_p50_us", "bare_fsync_p50_us", "per_s"},
    "replay": {"python_bars_per_s", "kernel_bars_per_s"},
    "page": {
        "ready_first_s", "reload_s", "requests", "page_mb", "outside_requests", "tick_frame_p95_ms", "ticks_dropped",
        "click_dom_p95_ms", "switch_375_p95_ms", "switch_100k_p95_ms", "kernel_mb",
    },
}  # fmt: skip


@pytest.fixture
def can_run():
    """A page's bench needs a browser."""

    def ask(name):
        try:
            _ = name == "page" and chromium()
        except Refused as refused:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(str(refused))

    return ask


@pytest.mark.parametrize("name", list(KEYS))
def test_a_bench_prints_one_object_of_figures(name, can_run):
    """On standard output is one JSON object with the bench, the machine and every promised figure, and nothing else."""
    can_run(name)
    done = subprocess.run(
        [sys.executable, "-m", "aitrade", "bench", name, "--json"],
        env={**os.environ, "AITRADE_BENCH_SCALE": "0.05"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["bench"] == name
    assert said["machine"]["cores"] == os.cpu_count()
    assert KEYS[name] <= set(said["figures"])
    assert all(figure >= 0 for figure in said["figures"].values())


def test_a_figure_is_judged_by_its_target():
    """At least or at most, the edge included; what has no target is only said."""
    assert reached("per_s", TARGETS["per_s"][1])
    assert not reached("per_s", TARGETS["per_s"][1] - 1)
    assert reached("restart_s", TARGETS["restart_s"][1])
    assert not reached("restart_s", TARGETS["restart_s"][1] + 0.001)
    assert reached("something_else", 1) is None
