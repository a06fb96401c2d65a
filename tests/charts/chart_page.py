"""The Charts tab alone on a page: a small engine that moves, a worker, and a page that relays to both."""

import asyncio
import json
import threading
from contextlib import contextmanager
from pathlib import Path

import small_engine
from aiohttp import ClientSession, web
from small_engine import TOKEN, Market

from aitrade.engine.messages import QUOTE_FIELDS
from aitrade.ui import tabs
from aitrade.ui.charts.worker import application

_TABS = Path(tabs.__file__).parent
_HTML = (Path(__file__).parent / "chart_page.html").read_text()


class Page:
    """What a test says to the running page's market."""

    def __init__(self, market):
        self.market = market
        self.moving = True
        self.url = ""


async def _relay(request, session, port):
    url = f"http://127.0.0.1:{port}/{request.match_info['path']}?{request.query_string}"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with session.request(request.method, url, data=await request.read(), headers=headers) as answer:
        kind = answer.headers.get("Content-Type", "text/plain")
        return web.Response(body=await answer.read(), status=answer.status, headers={"Content-Type": kind})


async def _stream(request, engine, market):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(json.dumps(small_engine.snapshot(market)))
    engine[small_engine.STREAMS].add(socket)
    async for _ in socket:
        pass
    engine[small_engine.STREAMS].discard(socket)
    return socket


def _page(engine, market, session, port):
    html = _HTML.replace("/*CSS*/", (_TABS / "charts.css").read_text()).replace("FIELDS", json.dumps(QUOTE_FIELDS))
    app = web.Application()

    async def page(_):
        return web.Response(text=html, content_type="text/html")

    async def script(_):
        return web.FileResponse(_TABS / "charts.js")

    async def stream(request):
        return await _stream(request, engine, market)

    async def relay(request):
        return await _relay(request, session, port)

    app.add_routes(
        [
            web.get("/", page),
            web.get("/charts.js", script),
            web.get("/aitrade/stream", stream),
            web.route("*", "/aitrade/chart/{path:.*}", relay),
        ]
    )
    return app


async def _start(app, port=0):
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def play(engine, page, speed, stop):
    """Twenty frames a second until told to stop; the market stands while `page.moving` is false."""
    keys = [f"NSE:{symbol}" for symbol in small_engine.SYMBOLS]
    while not stop.is_set():
        await asyncio.sleep(0.05)
        if page.moving:
            page.market.now += int(0.05 * speed * 1e9)
        await small_engine.tell(engine, {"type": "ticks", "rows": [page.market.quote(key) for key in keys]})
        await small_engine.tell(engine, {"type": "time", "now": page.market.now})


async def serve(home, page, ready, stop, speed=20, port=0):
    """Run everything until `stop`."""
    async with small_engine.running(page.market, home) as engine, ClientSession() as session:
        worker = await _start(application(home, small_engine.hours))
        front = await _start(_page(engine, page.market, session, worker.addresses[0][1]), port)
        page.url = f"http://127.0.0.1:{front.addresses[0][1]}/"
        ready.set()
        try:
            await play(engine, page, speed, stop)
        finally:
            await front.cleanup()
            await worker.cleanup()


@contextmanager
def chart_page(home, days=20, **more):
    """The page on a thread of its own while the block runs."""
    page, ready, stop = Page(Market(days=days)), threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve(home, page, ready, stop, **more)))
    thread.start()
    try:
        assert ready.wait(20)
        yield page
    finally:
        stop.set()
        thread.join()
