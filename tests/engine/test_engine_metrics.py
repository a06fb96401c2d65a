"""The engine's metrics: what happens to orders and prices moves them, and a scrape needs the token."""

import threading
import time

import numpy as np
import pytest
from onnxruntime import datasets
from prometheus_client.parser import text_string_to_metric_families

from aitrade.core.errors import OrderRefused, Unreachable
from aitrade.core.metrics import TABLE
from aitrade.core.orders import OrderRequest, Side
from aitrade.engine.api import Api
from aitrade.engine.client import EngineClient
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings
from aitrade.npu.devices import PROCESSOR, found
from aitrade.npu.sessions import Session

TCS = "NSE:TCS"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of a market at sixty times real time."""
    home = tmp_path_factory.mktemp("engine")
    service = Service(EngineSettings(home=str(home), day="2026-11-23", start="10:00", speed=60))
    api = Api(service, 0)
    api.start()
    service.attach(api.send)
    thread = threading.Thread(target=service.run)
    thread.start()
    with EngineClient(api.port, api.token) as client:
        yield client
    service.stop()
    thread.join()
    api.stop()
    service.close()


def figures(client):
    """Values by name and labels."""
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(client.metrics())
        for sample in family.samples
    }


def after(client, moved, seconds=20):
    """Figures as soon as `moved` says so of them."""
    limit = time.monotonic() + seconds
    while not moved(now := figures(client)):
        assert time.monotonic() < limit, "the figures did not move"
        time.sleep(0.02)
    return now


def test_an_order_moves_the_counters_and_every_stage(client):
    """Sent, accepted by the venue, traded; each stage of its way has one sample more."""
    before = figures(client)
    client.place(OrderRequest(instrument=TCS, side=Side.BUY, quantity=3))
    key = ("aitrade_venue_updates_total", "FILL")
    now = after(client, lambda found: found[key] > before[key])
    assert now["aitrade_orders_sent_total",] == before["aitrade_orders_sent_total",] + 1
    for stage in ("risk", "journal", "venue", "total"):
        count = ("aitrade_order_stage_seconds_count", stage)
        assert now[count] == before[count] + 1
        assert now["aitrade_order_stage_seconds_sum", stage] > before["aitrade_order_stage_seconds_sum", stage]
    assert now["aitrade_positions_open",] == 1


def test_a_refused_order_is_counted_as_refused(client):
    """It was not sent."""
    before = figures(client)
    with pytest.raises(OrderRefused):
        client.place(OrderRequest(instrument=TCS, side=Side.BUY, quantity=10_000_000))
    now = figures(client)
    assert now["aitrade_orders_refused_total",] == before["aitrade_orders_refused_total",] + 1
    assert now["aitrade_orders_sent_total",] == before["aitrade_orders_sent_total",]


def test_prices_requests_and_records_move_their_figures(client):
    """Ticks, the journal and the API's histogram go up; the database follows the journal."""
    before = figures(client)
    now = after(client, lambda found: found["aitrade_ticks_total",] > before["aitrade_ticks_total",])
    assert now["aitrade_request_seconds_count",] > before["aitrade_request_seconds_count",]
    assert now["aitrade_feed_age_seconds",] < 60
    after(client, lambda found: found["aitrade_projection_behind_records",] == 0)


def test_the_order_rate_in_use_is_seen_beside_its_limit(client):
    """While the market stands still, so that its second does not pass."""
    client.set_speed(paused=True)
    for _ in range(2):
        client.place(OrderRequest(instrument=TCS, side=Side.BUY, quantity=1))
    now = figures(client)
    client.set_speed(paused=False)
    assert now["aitrade_order_rate_used", "NSE"] == now["aitrade_order_rate_peak", "NSE"] == 2
    assert now["aitrade_order_rate_limit",] >= 2


def test_a_run_of_a_model_is_seen_on_its_device(client):
    """None is told while none ran; one run is one, with its time, on the device that the accelerator's metric names."""
    limit = time.monotonic() + 20
    while ("aitrade_inference_seconds_count", device := found()) not in (before := figures(client)):
        assert time.monotonic() < limit, "the device was not found"
        time.sleep(0.05)
    assert before["aitrade_accelerator", device] == (device != PROCESSOR)
    session = Session(datasets.get_example("mul_1.onnx"))
    session.run({"X": np.ones((3, 2), np.float32)})
    now = figures(client)
    assert now["aitrade_inference_seconds_count", device] == before["aitrade_inference_seconds_count", device] + 1
    assert now["aitrade_inference_seconds_sum", device] > before["aitrade_inference_seconds_sum", device]


def test_a_halt_is_seen(client):
    """The state in force is 1, the others 0, and the engine gives a reason."""
    client.set_trading("halt", "a drill")
    now = figures(client)
    states = {state: now["aitrade_trading_state", state] for state in ("ACTIVE", "REDUCING", "HALTED")}
    assert states == {"ACTIVE": 0, "REDUCING": 0, "HALTED": 1}
    assert now["aitrade_healthy",] == 0
    client.set_trading("resume", "a drill")
    assert figures(client)["aitrade_healthy",] == 1


def test_every_metric_of_the_engine_is_in_the_scrape(client):
    """Whatever the table has for it, once the accelerator was looked for."""
    after(client, lambda found: any(name == "aitrade_accelerator" for name, *_ in found))
    elsewhere = ("aitrade_page_", "aitrade_chart_", "aitrade_component_", "aitrade_errors_kept")
    names = {name for name in TABLE if not name.startswith(elsewhere)}
    families = {family.name for family in text_string_to_metric_families(client.metrics())}
    assert {name.removesuffix("_total") for name in names} == families


def test_without_the_token_nothing_is_told(client):
    """The scraper reads it from run/token."""
    stranger = EngineClient(client._connection.port, "wrong")
    status, _data = stranger._send("GET", "/metrics", None)
    stranger.close()
    assert status == 401
    with pytest.raises(Unreachable):
        EngineClient(1, "x").metrics()
