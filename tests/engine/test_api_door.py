"""The engine's door: who gets in, what nonsense is told, and what a stream carries."""

import asyncio
import http.client
import json
import os
import socket
import stat
import threading
import time

import aiohttp
import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.core import logs
from aitrade.core.error_groups import read
from aitrade.core.errors import OrderRefused
from aitrade.core.files import write_private
from aitrade.core.orders import OrderRequest, Side
from aitrade.engine.api import Api
from aitrade.engine.client import EngineClient
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings

TCS = "NSE:TCS"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A service that trades on a thread of its own at sixty times real time, and its API."""
    home = tmp_path_factory.mktemp("engine")
    service = Service(EngineSettings(home=str(home), day="2026-11-23", start="10:00", speed=60))
    api = Api(service, 0)
    api.start()
    service.attach(api.send)
    thread = threading.Thread(target=service.run)
    thread.start()
    yield service, api
    service.stop()
    thread.join()
    api.stop()
    service.close()


def ask(api, method, path, body=None, token=None):
    """Send a request as it stands and return the status and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
    headers = {"Authorization": f"Bearer {api.token if token is None else token}"}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


def test_only_a_drill_has_a_door_to_the_feed(running):
    """An engine that trades has no such path, and no data folder that has traded becomes a drill's."""
    service, api = running
    status, _told = ask(api, "POST", "/drill/feed", b'{"stopped": true}')
    assert status == 404
    home = service.settings.home
    refused = CliRunner().invoke(main, ["up", "--drill", "--no-browser", "--data-folder", home])
    assert refused.exit_code == 2
    assert "data folder of its own" in refused.output


@pytest.mark.parametrize("token", ["", "wrong", "é"])
@pytest.mark.parametrize("path", ["/snapshot", "/stream", "/orders", "/nowhere"])
def test_nobody_gets_in_without_the_token(running, path, token):
    """401 on every path, with where the token is."""
    _service, api = running
    status, answer = ask(api, "GET", path, token=token)
    assert status == 401
    assert "run/token" in answer["problems"][0]["text"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/orders", "{"),
        ("POST", "/orders", "[]"),
        ("POST", "/orders", "\xff\xfe"),
        ("POST", "/orders", '{"instrument": "NSE:TCS", "side": "UP", "quantity": 1}'),
        ("POST", "/orders", '{"instrument": "NSE:TCS", "side": "BUY", "quantity": "many"}'),
        ("POST", "/orders", '{"instrument": "NSE:TCS", "side": "BUY", "quantity": 1e99}'),
        ("POST", "/baskets", "{}"),
        ("POST", "/convert", "{}"),
        ("POST", "/alerts", '{"instrument": "NSE:TCS", "above": true, "price": null}'),
        ("POST", "/alerts", '{"instrument": "NSE:TCS", "above": true, "price": 1e300}'),
        ("POST", "/jump", '{"to": "soon"}'),
        ("POST", "/jump", "{}"),
        ("POST", "/strategies/moving-average/start", '{"instruments": 5}'),
        ("DELETE", "/alerts/one", None),
        ("GET", "/history?instrument=NSE:TCS&minutes=x", None),
        ("GET", "/history", None),
    ],
)
def test_nonsense_is_told_and_changes_nothing(running, method, path, body):
    """400 with one sentence; the engine trades on."""
    service, api = running
    before = len(service.engine.book.state.alerts), len(service.engine.book.state.orders)
    status, answer = ask(api, method, path, body.encode("latin-1") if body else None)
    assert (status, answer["problems"][0]["rule"]) == (400, "request")
    assert (len(service.engine.book.state.alerts), len(service.engine.book.state.orders)) == before
    assert ask(api, "GET", "/health")[0] == 200


def test_a_path_that_there_is_not(running):
    """404 in the same form as every refusal."""
    _service, api = running
    status, answer = ask(api, "GET", "/nowhere")
    assert (status, answer["problems"][0]["rule"]) == (404, "request")


def test_the_engine_listens_on_this_machine_only(running):
    """The listening socket is bound to 127.0.0.1; another address of the machine is refused."""
    _service, api = running
    assert api._runner.addresses == [("127.0.0.1", api.port)]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", api.port), timeout=5)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no owner-only mode bits; the profile folder's ACL guards it")
def test_the_token_file_is_its_owners(tmp_path):
    """Mode 0600, whatever was there before."""
    path = tmp_path / "run" / "token"
    for text in ("one", "two"):
        write_private(path, text)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "two"


def test_frames_continue_the_snapshot(running):
    """A snapshot with every frame applied to it is what a later snapshot says: orders, trades and positions."""
    seen, later = asyncio.run(streamed(running[1]))
    assert {row["id"]: row for row in later["orders"]} == seen["orders"]
    assert {row["id"]: row for row in later["trades"]} == seen["trades"]
    units = {row["key"]: (row["quantity"], row["realised"], row["charges"]) for row in later["positions"]}
    assert units == {key: (r["quantity"], r["realised"], r["charges"]) for key, r in seen["positions"].items()}


async def streamed(api):
    """Follow three orders over the stream; return what it told by key, and a snapshot from after them."""
    headers = {"Authorization": f"Bearer {api.token}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{api.port}", headers=headers) as session:
        async with session.ws_connect("/stream") as stream:
            first = await stream.receive_json()
            seen = {name: {row[_KEYS[name]]: row for row in first[name]} for name in _KEYS}
            order = {"instrument": TCS, "side": "BUY", "quantity": 3}
            placed = [(await (await session.post("/orders", json=order)).json())["id"] for _ in range(3)]
            until = time.monotonic() + 60
            while not _settled(seen, placed) and time.monotonic() < until:
                frame = await stream.receive_json()
                for row in frame.get("rows", ()) if frame["type"] in _KEYS else ():
                    seen[frame["type"]][row[_KEYS[frame["type"]]]] = row
        later = await (await session.get("/snapshot")).json()
    return seen, later


_KEYS = {"orders": "id", "trades": "id", "positions": "key"}


def _settled(seen, placed):
    orders, trades = seen["orders"], seen["trades"].values()
    filled = all(orders.get(order, {}).get("state") == "FILLED" for order in placed)
    return filled and sum(row["quantity"] for row in trades) == 3 * len(placed) == _held(seen)


def _held(seen):
    return seen["positions"].get(f"{TCS}|MIS", {}).get("quantity")


def test_a_slow_reader_is_closed_and_trading_goes_on(running):
    """A stream that does not read is let go; orders fill meanwhile, and a reader that reads keeps its stream."""
    _service, api = running
    request = (
        f"GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer {api.token}\r\n\r\n"
    )
    slow = socket.create_connection(("127.0.0.1", api.port), timeout=30)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(request.encode())
    assert slow.recv(12) == b"HTTP/1.1 101"
    until = time.monotonic() + 60
    while len(api._streams) < 1 and time.monotonic() < until:
        time.sleep(0.01)
    frame = json.dumps({"type": "noise", "rows": ["x" * 100_000]}).encode()
    while api._streams and time.monotonic() < until:
        api.send([frame])
        time.sleep(0.002)
    assert api._streams == {}
    slow.close()
    with EngineClient(api.port, api.token) as client:
        placed = client.place(OrderRequest(instrument=TCS, side=Side.SELL, quantity=1))
        while client_state(client, placed.id) != "FILLED" and time.monotonic() < until:
            time.sleep(0.02)
        assert client_state(client, placed.id) == "FILLED"
        with pytest.raises(OrderRefused, match="search"):
            client.place(OrderRequest(instrument="NSE:NOSUCH", side=Side.BUY, quantity=1))


def client_state(client, order_id):
    """The state of an order as the API tells it."""
    return next(row.state for row in client.orders() if row.id == order_id)


def test_a_request_that_the_engine_fails_on_is_told_logged_and_stops_nothing(running, tmp_path, monkeypatch):
    """500 with a sentence; the error is in a group with its trace; the next request is answered."""
    service, api = running

    def fail():
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(service, "underlyings", fail)
    logs.configure("engine", tmp_path / "logs")
    status, answer = ask(api, "GET", "/underlyings")
    logs.shut()
    assert status == 500
    assert "ZeroDivisionError" in answer["problems"][0]["text"]
    (group,) = read(tmp_path)
    assert (group.type, group.count) == ("ZeroDivisionError", 1)
    assert "fail" in group.trace
    assert ask(api, "GET", "/orders")[0] == 200
