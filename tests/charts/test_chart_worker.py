"""The chart worker over a small engine: windows, paging, refusals, saved layouts."""

import asyncio
import json
import struct
from contextlib import asynccontextmanager

import numpy as np
import pytest
import small_engine
from aiohttp import ClientSession, web
from small_engine import TOKEN, Market

from aitrade.core.clock import MINUTE, at
from aitrade.ui.charts.series import FIRST_LOAD
from aitrade.ui.charts.worker import application


class Chart:
    """A client of the worker."""

    def __init__(self, session, url):
        self._session = session
        self._url = url

    async def ask(self, method, path, body=None, token=TOKEN, **query):
        """Return status and body."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.request(method, self._url + path, params=query, json=body, headers=headers) as answer:
            return answer.status, await answer.read()

    async def json(self, method, path, body=None, **query):
        """Return status and decoded body."""
        status, data = await self.ask(method, path, body, **query)
        return status, json.loads(data)

    async def window(self, instrument="NSE:TCS", **query):
        """Return header and columns of a window that must be answered."""
        status, data = await self.ask("GET", "/window", instrument=instrument, **query)
        assert status == 200, data
        length = struct.unpack("<I", data[:4])[0]
        header = json.loads(data[4 : 4 + length])
        values = np.frombuffer(data[4 + length :], "<f8").reshape(len(header["columns"]), header["rows"])
        return header, dict(zip(header["columns"], values, strict=True))


@asynccontextmanager
async def chart(home, market=None):
    """A worker beside a small engine."""
    async with small_engine.running(market or Market(), home) as engine:
        runner = web.AppRunner(application(home, small_engine.hours))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession() as session:
            client = Chart(session, f"http://127.0.0.1:{runner.addresses[0][1]}")
            client.engine = engine
            await until_time_is_known(client)
            try:
                yield client
            finally:
                await runner.cleanup()


async def until_time_is_known(client):
    """Wait for the stream's snapshot."""
    while not (await client.json("GET", "/status"))[1]["now"]:  # noqa: ASYNC110 -- another process would poll too
        await asyncio.sleep(0.01)


def run(story):
    """Run a test's coroutine."""
    return asyncio.run(story)


def test_window_is_the_last_bars(tmp_path):
    """The latest bars come, the forming one last and marked, in paise."""

    async def story():
        market = Market(now="11:00")
        async with chart(tmp_path, market) as client:
            header, columns = await client.window(minutes=5, count=50)
            assert header["rows"] == 50
            assert header["forming"]
            assert header["last_start"] == at("2025-03-28", "11:00")
            assert header["last_end"] == at("2025-03-28", "11:05")
            truth = market.history("NSE:TCS", 5, 50, 0)
            assert columns["high"][:-1].tolist() == truth.high[:-1].tolist()
            assert columns["close"][-1] == market.history("NSE:TCS", 1, 1, 0).close[-1]

    run(story())


def test_bar_closes_and_next_forms(tmp_path):
    """When the market's clock moves on, the closed bar is the engine's and a new one forms behind it."""

    async def story():
        market = Market(now="11:04")
        async with chart(tmp_path, market) as client:
            before, _ = await client.window(minutes=5, count=20)
            market.now = at("2025-03-28", "11:06") + 30 * 10**9
            await small_engine.tell(client.engine, {"type": "time", "now": market.now})
            await asyncio.sleep(0.25)
            after, columns = await client.window(minutes=5, count=20)
            assert after["last"] == before["last"] + 1
            assert columns["high"][-2] == market.bars("NSE:TCS").high[-375:][105:110].max()
            assert (after["forming"], after["last_end"]) == (True, at("2025-03-28", "11:10"))

    run(story())


def test_another_world_begins_anew(tmp_path):
    """When the engine moves to another day or book, what was held is forgotten and the watchlist loaded again."""

    async def story():
        market = Market()
        async with chart(tmp_path, market) as client:
            await client.window(minutes=1, count=10)
            market.asked.clear()
            await small_engine.tell(client.engine, {"type": "world", "book": "small", "session": "2025-04-01"})
            while ("NSE:TCS", 1, FIRST_LOAD, 0) not in market.asked:  # noqa: ASYNC110 -- see above
                await asyncio.sleep(0.01)
            assert (await client.window(minutes=1, count=10))[0]["rows"] == 10

    run(story())


def test_pan_left_loads_older_bars(tmp_path):
    """Bars before the first held one come from the engine, with x below those known, until there are no more."""

    async def story():
        market = Market(days=40)
        async with chart(tmp_path, market) as client:
            first, held = await client.window(minutes=1, count=100)
            assert first["more"]
            header, columns = await client.window(minutes=1, **{"from": -9000, "to": -8000})
            assert columns["x"].tolist() == list(range(-9000, -7999))
            assert header["origin"] == first["origin"]
            assert not (await client.window(minutes=1, **{"from": -90_000, "to": -8000}))[0]["more"]
            again, same = await client.window(minutes=1, **{"from": int(held["x"][0]), "to": int(held["x"][-1])})
            assert same["close"].tolist() == held["close"].tolist()
            assert len(market.bars("NSE:TCS").start[: -375 + 106]) == again["last"] - again["first"] + 1

    run(story())


def test_all_of_100k_bars_thinned(tmp_path):
    """A hundred thousand bars come as about eleven hundred candles with the true extremes."""

    async def story():
        market = Market(days=280, now="15:29")
        async with chart(tmp_path, market) as client:
            header, columns = await client.window(minutes=1, count=100_000)
            truth = market.history("NSE:TCS", 1, 100_000, 0)
            assert header["rows"] <= 1101
            assert header["size"] == 91
            assert columns["high"].max() == truth.high.max()
            assert columns["low"].min() == truth.low.min()
            assert columns["volume"].sum() == truth.volume.sum()

    run(story())


@pytest.mark.parametrize("studies", ["ema:50,rsi:14", "vwap,obv", "supertrend,macd"])
def test_studies_do_not_depend_on_the_window(tmp_path, studies):
    """The value at a bar is the same whichever window shows it, however much is held, to half a paisa."""

    async def story():
        async with chart(tmp_path, Market(days=60)) as client:
            few, narrow = await client.window(minutes=3, count=40, studies=studies)
            _, wide = await client.window(minutes=3, count=4000, limit=2000, studies=studies)
            await client.window(minutes=1, **{"from": -15_000, "to": -14_000})
            _, again = await client.window(
                minutes=3, studies=studies, **{"from": int(narrow["x"][0]), "to": few["last"]}
            )
            names = [name for name in narrow if name.startswith("s") and name != "start"]
            assert names
            for name in names:
                assert np.allclose(narrow[name], again[name], atol=0.5, equal_nan=True)
                assert narrow[name][-1] == pytest.approx(wide[name][-1], abs=0.5, nan_ok=True)

    run(story())


def test_days_come_from_history(tmp_path):
    """Days are the engine's day bars; today's is forming from its minutes."""

    async def story():
        market = Market(days=40, now="11:00")
        async with chart(tmp_path, market) as client:
            header, columns = await client.window(minutes=1440, count=100)
            truth = market.bars("NSE:TCS")
            today = market.history("NSE:TCS", 1, 106, 0)
            assert header["rows"] == 40
            assert columns["high"][0] == truth.high[:375].max()
            assert (columns["open"][-1], columns["high"][-1]) == (today.open[0], today.high.max())
            assert header["forming"]

    run(story())


def test_nothing_finer_than_what_is_stored(tmp_path):
    """Of a symbol that is known in five minutes only, one minute is refused with what to choose, and five are drawn."""

    async def story():
        async with chart(tmp_path, Market(finest=5)) as client:
            status, body = await client.json("GET", "/window", instrument="NSE:TCS", minutes=1)
            assert status == 422
            assert "bars of 5 minutes; choose 5 or more" in body["problems"][0]["text"]
            header, columns = await client.window(minutes=5, count=20)
            assert (header["rows"], np.diff(columns["start"]).min()) == (20, 5 * MINUTE)

    run(story())


def test_drawings_get_their_x(tmp_path):
    """A time inside, before and after the data has an x."""

    async def story():
        async with chart(tmp_path, Market()) as client:
            last = at("2025-03-28", "11:00")
            times = ",".join(str(ts) for ts in (last, last - 7 * MINUTE, last + 15 * MINUTE))
            header, _ = await client.window(minutes=5, count=10, at=times)
            x = header["last"]
            assert header["at"] == [x, x - 2, x + 3]

    run(story())


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"instrument": "NSE:NOSUCH"}, 422, "No NSE:NOSUCH in the master."),
        ({"instrument": "NSE:TCS", "minutes": "7"}, 422, "choose one of 1, 3, 5"),
        ({"instrument": "NSE:TCS", "minutes": "x"}, 422, "not understood"),
        ({}, 422, "not understood"),
        ({"instrument": "NSE:TCS", "count": "0"}, 422, "ask for 1 to"),
        ({"instrument": "NSE:TCS", "from": "5", "to": "1"}, 422, "ask for 1 to"),
        ({"instrument": "NSE:TCS", "limit": "99999"}, 422, "ask for 2 to 2000"),
        ({"instrument": "NSE:TCS", "studies": "rsi:9999"}, 422, "choose 2 to 500"),
        ({"instrument": "NSE:TCS", "at": "yesterday"}, 422, "not a list of times"),
    ],
)
def test_nonsense_window_is_refused(tmp_path, query, status, says):
    """Each refusal says what to ask instead, and the worker goes on."""

    async def story():
        async with chart(tmp_path) as client:
            got, body = await client.json("GET", "/window", **query)
            assert got == status
            assert says in body["problems"][0]["text"]
            await client.window()

    run(story())


def test_only_the_page_gets_in(tmp_path):
    """Without the token nothing is answered, and an unknown path is named."""

    async def story():
        async with chart(tmp_path) as client:
            assert (await client.ask("GET", "/workspace", token="wrong"))[0] == 401
            status, body = await client.json("GET", "/nowhere")
            assert (status, body["problems"][0]["text"]) == (404, "The chart worker knows no /nowhere.")
            assert (await client.ask("GET", "/static/view/..%2Fworker.py"))[0] == 404

    run(story())


def test_engine_gone_is_said(tmp_path):
    """Without an engine the answer is 503 and says how to start one."""

    async def story():
        async with chart(tmp_path) as client:
            (tmp_path / "run" / "engine.json").unlink()
            status, body = await client.json("GET", "/window", instrument="NSE:TCS")
            assert status == 503
            assert "start one with `aitrade up`" in body["problems"][0]["text"]

    run(story())


def test_layouts_and_drawings_are_kept(tmp_path):
    """A layout and a drawing are there after a restart; nonsense is refused and changes nothing."""

    async def story():
        layout = {"grid": 6, "cells": [{"instrument": "NSE:TCS", "minutes": 15, "studies": "rsi:14"}]}
        drawing = {"id": "a", "shape": "line", "points": [[1.7e18, 5000], [1.8e18, 6000]]}
        async with chart(tmp_path) as client:
            assert (await client.json("PUT", "/workspace/layout", layout, name="Morning & noon"))[0] == 200
            assert (await client.json("PUT", "/workspace/drawings", [drawing], instrument="NSE:M&M"))[0] == 200
            status, body = await client.json("PUT", "/workspace/layout", {"grid": 5}, name="Bad")
            assert status == 422
            assert "cannot be saved" in body["problems"][0]["text"]
            assert (await client.json("PUT", "/workspace/layout", {"cells": [{"minutes": 7}]}, name="Bad"))[0] == 422
        async with chart(tmp_path) as client:
            _, kept = await client.json("GET", "/workspace")
            assert kept["current"] == "Morning & noon"
            assert kept["layouts"]["Morning & noon"]["grid"] == 6
            assert kept["layouts"]["Morning & noon"]["cells"][0]["studies"] == "rsi:14"
            assert kept["drawings"]["NSE:M&M"][0]["points"] == drawing["points"]
            assert (await client.json("POST", "/workspace/layout", name="Evening"))[0] == 422
            assert (await client.json("DELETE", "/workspace/layout", name="Morning & noon"))[1]["layouts"] == {}

    run(story())


def test_unreadable_workspace_is_set_aside(tmp_path):
    """A damaged file is kept beside the new one."""
    (tmp_path / "charts.json").write_text("{half")

    async def story():
        async with chart(tmp_path) as client:
            assert (await client.json("GET", "/workspace"))[1]["layouts"] == {}
            assert (tmp_path / "charts.unreadable").read_text() == "{half"

    run(story())


def test_documents_name_what_the_view_sets(tmp_path):
    """The price plot carries candles and overlays; every study of its own has a plot; all plots are bare canvases."""

    async def story():
        async with chart(tmp_path) as client:
            _, body = await client.json("GET", "/document", studies="ema:20,rsi:14,macd")
            assert [plot["studies"] for plot in body["plots"]] == [[0], [1], [2]]
            text = json.dumps(body["plots"][0])
            assert all(f'"{side}-{part}"' in text for side in ("up", "down") for part in ("wick", "body", "volume"))
            assert [study["label"] for study in body["studies"]] == ["EMA 20", "RSI 14", "MACD 12 26 9"]
            status, catalogue = await client.json("GET", "/catalogue")
            assert status == 200
            assert len(catalogue["indicators"]) >= 10
            assert catalogue["frames"] == [1, 3, 5, 15, 30, 60, 1440]

    run(story())
