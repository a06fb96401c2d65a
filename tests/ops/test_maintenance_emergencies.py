"""Tests for emergencies on a running system: supervisor, engine, chart worker and page as processes."""

import threading

import psutil
import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.compliance.operations import noted
from aitrade.core.clock import LiveClock
from aitrade.core.config import load
from aitrade.core.errors import Refused, Unreachable
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops import MaintenanceManager, doors
from aitrade.ops.maintenance.child import stop_request
from aitrade.ops.maintenance.engine_state import engine_address, positions_open
from aitrade.ops.maintenance.job import Job, perform
from aitrade.ops.maintenance.task import Outcome
from aitrade.ops.maintenance.vitals import Pulse
from aitrade.ops.supervisor import Supervisor
from aitrade.ui.processes import page_children


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder on which a supervised system trades, ten shares held."""
    folder = tmp_path_factory.mktemp("home")
    settings = EngineSettings(home=str(folder), day="2026-11-23", start="10:30", speed=10)
    supervisor = Supervisor(settings, page_children(load(home=folder, page_port=0)), lambda _line: None)
    supervisor.start()
    watch = threading.Thread(target=supervisor.watch)
    watch.start()
    with EngineClient.of(folder) as engine:
        engine.place(OrderRequest(instrument="NSE:RELIANCE", side=Side.BUY, quantity=10, product=Product.CNC))
        engine.jump("10:45")
    yield folder
    supervisor.stop()
    watch.join()


def in_process(job, _seconds):
    """Perform here: the child's own way is tested elsewhere."""
    return perform(job)


def manager(home):
    """A manager whose tasks run in this process."""
    return MaintenanceManager(home, clock=LiveClock(), perform=in_process)


def test_a_memory_leak_restarts_the_heavy_services_and_leaves_trading_alone(home):
    """Other processes of chart worker and page, the same engine with the same orders and units."""
    before = {name: doors.process_of(home, name) for name in doors.RESTARTABLE}
    address = engine_address(home)
    with EngineClient.of(home) as engine:
        orders, held = [row.id for row in engine.orders()], [row.quantity for row in engine.positions()]
    outcome = manager(home).restart_memory_intensive_services()
    assert outcome.status == "done", outcome
    assert engine_address(home) == address
    with EngineClient.of(home) as engine:
        assert [row.id for row in engine.orders()] == orders
        assert [row.quantity for row in engine.positions()] == held
    for name, pid in before.items():
        assert not psutil.pid_exists(pid)
        assert psutil.pid_exists(doors.process_of(home, name))
        assert outcome.measured[f"{name}_mib_after"] > 0


def test_an_api_failure_is_reconciled_and_recorded(home):
    """On paper there is no connection to reset, and the venue agrees with the book."""
    outcome = manager(home).reset_api_connections()
    assert (outcome.status, outcome.measured["differences"]) == ("done", 0)
    assert outcome.measured["orders"] >= 1
    (record,) = noted(home, "task", "api_failure")
    assert record.detail(Outcome).says == outcome.says


def test_degraded_performance_is_profiled_and_load_is_shed(home):
    """A profile with the engine's threads lies in the logs; the pages' frames are slowed; the worker is new."""
    worker = doors.process_of(home, "charts")
    outcome = manager(home).optimize_system_performance()
    assert outcome.status == "done", outcome
    text = (home / str(outcome.measured["profile"])).read_text()
    assert "MainThread: " in text
    assert "p99" in text
    assert doors.process_of(home, "charts") != worker
    with EngineClient.of(home) as engine:
        assert any("slows the pages' frames" in event.text for event in engine.snapshot().events)


def test_the_vitals_of_a_running_system_are_all_taken(home):
    """Memory, venue, answer and, after an order, its latency; none of it trips anything here."""
    found = Pulse(home, LiveClock()).take()
    assert 0 < found.answer_s < 1
    assert found.venues_down == 0
    assert 0 < found.order_p99_ms < 30
    assert found.service_mib > 50


def test_what_may_not_run_with_positions_open_is_skipped(home):
    """Ten shares are held: databases are left alone, and the row says why."""
    assert "NSE:RELIANCE" in positions_open(home)
    assert manager(home).backup_database().status == "done"
    outcome = manager(home).optimize_database()
    assert outcome.status == "skipped"
    assert "NSE:RELIANCE" in outcome.says


def test_the_engine_is_never_restarted_on_request(home):
    """Neither by a call nor by a file that is put there."""
    with pytest.raises(Refused, match="engine is not restarted on request"):
        doors.restart(home, "engine", "a test")
    (home / "run" / "restart-engine").touch()
    assert doors.asked(home, ["engine", "charts", "page"]) == []


def test_an_emergency_that_there_is_not_is_refused_with_those_that_there_are(home):
    """The command says what it knows, and exits with 2."""
    done = CliRunner().invoke(main, ["maintain", "emergency", "fire", "--data-folder", str(home)])
    assert done.exit_code == 2
    assert "no emergency 'fire'" in done.output
    assert "memory_leak, api_failure, performance_degradation" in done.output


def test_a_dry_run_of_an_emergency_does_nothing(home):
    """It names what would be restarted, with what it holds; no process changes."""
    before = [doors.process_of(home, name) for name in doors.RESTARTABLE]
    outcome = manager(home).restart_memory_intensive_services(dry_run=True)
    assert outcome.status == "planned"
    assert "Restart charts, which holds" in outcome.says
    assert [doors.process_of(home, name) for name in doors.RESTARTABLE] == before
    assert not stop_request(home).exists()


def test_without_a_supervisor_a_restart_says_so(tmp_path):
    """Nobody answers; the request is taken back."""
    with pytest.raises(Unreachable, match="aitrade up"):
        doors.restart(tmp_path, "charts", "a test", seconds=0.2)
    assert not (tmp_path / "run" / "restart-charts").exists()


def test_without_an_engine_nothing_is_reconciled(tmp_path):
    """The failure says what is missing."""
    outcome = perform(Job(home=str(tmp_path), task="api_failure", now=1))
    assert outcome.status == "failed"
    assert "No engine runs" in outcome.says
