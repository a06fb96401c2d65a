"""The checks of Performance: each measures what it says, and fails when its thing is slow."""

from datetime import date

import pytest
from made_book import MadeBook

import aitrade.npu
from aitrade.core.config import load
from aitrade.core.drills import Drilled
from aitrade.ops.preflight import order_probe
from aitrade.ops.preflight.chart_probe import SHAPES, Shape, Switched
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.load import Load
from aitrade.ops.preflight.memory_probe import Played, Sample
from aitrade.ops.preflight.performance_items import Npu, OrderExecution, charts_drawn, last_orders, memory_used
from aitrade.ops.preflight.timing import Timing

BUSY = Load(20.0, 50.0)


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


def test_orders_without_prices_beside_them_prove_nothing(ground, monkeypatch):
    """However fast they are: twice a second is not the load to measure under."""
    monkeypatch.setattr(order_probe, "TICK_NS", 500_000_000)
    found = OrderExecution(orders=300).examine(ground)
    assert found.status == "fail"
    assert "less than the 20 of 50 to measure under" in found.evidence


def test_the_last_trading_days_orders_stand_beside(tmp_path):
    """They are read from the journal of the newest day that has any; without one nothing is claimed."""
    assert last_orders(tmp_path) == ("", Timing.of([]))
    book = MadeBook(tmp_path)
    book.day("2025-01-02")
    book.trade("NSE:SBIN", 10, 80_000)
    name, timing = last_orders(tmp_path)
    assert name == "made-1, 2025-01-02"
    assert (timing.n, timing.mean) == (1, 1000.0)


def drawn(*took, bars=375, load=BUSY):
    """Switches that took so many ms, to charts of so many bars, beside a load."""
    return charts_drawn([Switched(Shape("375", 1, 375, len(took)), list(took), bars, load)])


def test_charts_pass_when_all_bars_are_drawn_in_time_under_load():
    """Every layout's p95 is under the limit; one slow switch of fifty is none."""
    found = drawn(*[40.0] * 49, 400.0)
    assert (found.status, found.examined, found.measured["375_n"]) == ("pass", 50, 50)
    assert "beside 20 frames a second of 50 symbols" in found.evidence


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"took": [101.0] * 50}, "p95 101.00 ms"),
        ({"bars": 374}, "Fewer bars were drawn than wanted: 375"),
        ({"load": Load(20.0, 2.0)}, "less than the 20 of 50 to measure under"),
        ({"load": Load(9.0, 50.0)}, "less than the 20 of 50 to measure under"),
    ],
)
def test_slow_charts_few_bars_and_a_quiet_market_fail(broken, says):
    """Each by itself, and the evidence says which."""
    found = drawn(*broken.pop("took", [40.0] * 50), **broken)
    assert found.status == "fail"
    assert says in found.evidence


def test_each_layout_is_switched_fifty_times():
    """Day, years and six charts."""
    assert {(shape.grid, shape.bars, shape.switches >= 50) for shape in SHAPES} == {
        (1, 375, True), (1, 100_000, True), (6, 375, True),
    }  # fmt: skip


def test_a_session_is_played_on_the_newest_imported_trading_day(ground, monkeypatch):
    """A holiday's rows, and a day that no calendar knows, are no session; without any there is none."""
    assert ground.newest_day() is None
    monday, holiday, far = date(2026, 11, 23), date(2026, 11, 24), date(2099, 1, 1)
    monkeypatch.setattr("aitrade.ops.preflight.ground.imported_days", lambda _store: [monday, holiday, far])
    assert ground.newest_day() == monday


def used(*ours, machine=2000):
    """Samples of so many bytes a second, in a session played in as many seconds as there are."""
    played = Played("replay", "a set", "2025-03-28", 0, 10**9 * 2250 * (len(ours) - 1), len(ours) - 1.0)
    return memory_used([Sample(float(at), size, machine) for at, size in enumerate(ours)], played, limit=10_000)


def test_memory_is_judged_by_its_peak():
    """Ours or the whole machine's at 70 % is a fail, wherever in the session it was; below it is none."""
    assert used(1000, 6999, 1000, 1000, 1000, 1000).status == "pass"
    assert used(1000, 7000, 1000, 1000, 1000, 1000).status == "fail"
    assert used(1000, 1000, 1000, 1000, 1000, 1000, machine=7000).status == "fail"


def test_memory_that_grows_is_a_fail_before_it_is_used_up():
    """The second half's slope counts, not the warming up: so much more in the next session would be over 70 %."""
    warm = used(0, 2000, 4000, 4000, 4000, 4000, 4000)
    assert (warm.status, warm.measured["growth_mib_per_s"]) == ("pass", 0.0)
    leak = used(1000, 1000, 1000, 2000, 3000, 4000, 5000)
    assert leak.status == "fail"
    assert leak.measured["share_after_a_session"] == 1.5
    assert used(1000, 1000, 1000, 1010, 1020, 1030, 1040).status == "pass"
    assert used(9, 8, 7).measured["share_after_a_session"] == 0.0009


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
