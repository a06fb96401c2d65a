"""The checks of Performance: each measures what it says, and fails when its thing is slow."""

import pytest
from made_book import MadeBook

import aitrade.npu
from aitrade.core.config import load
from aitrade.core.drills import Drilled
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.performance_items import Npu, OrderExecution, last_orders
from aitrade.ops.preflight.timing import Timing


@pytest.fixture
def ground(tmp_path):
    """An empty installation and a scratch place."""
    configuration = load(home=tmp_path / "home")
    configuration.home.mkdir()
    started = Ground(configuration, tmp_path / "scratch")
    yield started
    started.close()


def test_figures_of_samples_are_what_they_say():
    """Mean and percentiles of a hundred samples; none of none."""
    timing = Timing.of(range(1, 101))
    assert (timing.n, timing.mean, timing.p95, timing.p99, timing.worst) == (100, 50.5, 96, 100, 100)
    assert Timing.of([]).n == 0


def test_orders_are_timed_to_the_venues_acknowledgement(ground):
    """Every probe is counted, its venue's leg told apart, the machine named, and prices came meanwhile."""
    found = OrderExecution(orders=100).examine(ground)
    measured = found.measured
    assert (found.examined, measured["order_n"], measured["venue_leg_n"]) == (100, 100, 100)
    assert 0 < measured["venue_leg_mean_ms"] < measured["order_mean_ms"] <= measured["order_p99_ms"]
    assert measured["prices"] >= 50
    assert "cores" in measured["machine"]


def test_a_slow_venue_fails_and_the_leg_says_that_it_is_the_venue(ground):
    """Forty milliseconds an answer are too many, and they are the venue's."""
    found = OrderExecution(orders=20, delay_ms=40).examine(ground)
    assert found.status == "fail"
    assert found.measured["venue_leg_mean_ms"] > 30


def test_the_last_trading_days_orders_stand_beside(tmp_path):
    """They are read from the journal of the newest day that has any; without one nothing is claimed."""
    assert last_orders(tmp_path) == ("", Timing.of([]))
    book = MadeBook(tmp_path)
    book.day("2025-01-02")
    book.trade("NSE:SBIN", 10, 80_000)
    name, timing = last_orders(tmp_path)
    assert name == "made-1, 2025-01-02"
    assert (timing.n, timing.mean) == (1, 1000.0)


def drilled(device, passed=True):
    """What a drill on a device found."""
    return Drilled(
        passed=passed, evidence="Busy.", measured={"device": device, "busy": 0.95}, source="SYSTEM", examined=100
    )


def on_processor(_folder):
    """A drill that had only the processor."""
    return drilled("CPU")


def on_npu(_folder):
    """A drill on an NPU that held."""
    return drilled("QNN NPU")


def idle_npu(_folder):
    """A drill on an NPU that did not."""
    return drilled("QNN NPU", passed=False)


@pytest.mark.parametrize(
    ("drill", "status"), [("on_processor", "not_provable_here"), ("on_npu", "pass"), ("idle_npu", "fail")]
)
def test_a_processors_figure_is_never_an_npus_pass(ground, monkeypatch, drill, status):
    """Only a drill on an accelerator passes, and only one that held."""
    monkeypatch.setattr(aitrade.npu, "DRILLS", {"npu": f"{__name__}:{drill}"}, raising=False)
    assert Npu().examine(ground).status == status


def test_without_a_registered_drill_the_npu_item_fails_and_names_the_device(ground):
    """It says in one sentence that it is not built, and on what it would run."""
    found = Npu().examine(ground)
    assert found.status == "fail"
    assert found.evidence.startswith("not built: ")
    assert found.measured["device"] in found.evidence
