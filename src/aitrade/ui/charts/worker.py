"""The chart worker's HTTP face, on 127.0.0.1 and behind the engine's token: bars, documents, layouts, static files.

GET    /status                     what is warm
GET    /metrics                    Prometheus's text
GET    /catalogue                  time frames and indicators with their numbers
GET    /document?studies=rsi:14    `ChartDocument`
GET    /window?instrument=&minutes=&count=&end=&from=&to=&limit=&studies=&at=     binary, see window.py
GET    /workspace                  `Workspace`
PUT    /workspace/layout?name=     body Layout;  DELETE forgets it;  POST makes it the current one
PUT    /workspace/drawings?instrument=    body list of Drawing
GET    /static/bokeh.js, /static/view/{file}
"""

import asyncio
import contextlib
import hmac
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
from aiohttp import web

from aitrade.core.errors import AitradeError, Unreachable
from aitrade.core.files import write_private
from aitrade.core.instruments import Instrument
from aitrade.core.metrics import EXPOSITION, Buckets, Figures, announce
from aitrade.engine.messages import Problem, Refusals
from aitrade.ui.charts.bars import TIME_FRAMES, Bounds
from aitrade.ui.charts.document import chart_document, study_info
from aitrade.ui.charts.engine_link import EngineLink
from aitrade.ui.charts.indicators import INDICATORS, Study, parse_studies
from aitrade.ui.charts.layouts import Layouts
from aitrade.ui.charts.series import Shelf
from aitrade.ui.charts.window import Ask, window

_PREFETCHED = 60
_DEEPEST_WARM = 20_000
"""Minutes of every symbol of the watchlist that are loaded ahead at most."""
_VIEW = Path(__file__).parent / "view"
Hours = Callable[[str, Instrument | None], Bounds]
"""Of an instrument's key, and the instrument where it is known: when its sessions open and close."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ChartSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to run a chart worker."""

    home: str
    """The data folder; the engine's address and token lie in its `run`."""
    port: int = 0
    """On 127.0.0.1; 0 takes a free one, written into run/charts.json."""


class ChartAddress(msgspec.Struct, frozen=True):
    """Where a chart worker listens, as it wrote it into run/charts.json."""

    port: int
    pid: int


class _EngineAddress(msgspec.Struct):
    port: int


class Worker:
    """All that the handlers share."""

    def __init__(self, home: Path, hours: Hours) -> None:
        self._home = home
        self.link = EngineLink(self.engine_address)
        self.shelf = Shelf(self.link, lambda key: hours(key, self.link.instruments.get(key)))
        self.layouts = Layouts(home / "charts.json")
        self.link.on_world = self._begin_world
        self._symbols: list[str] = []
        self._depth = 1
        self._warming: asyncio.Task[None] | None = None
        self._windows = Buckets()

    def engine_address(self) -> tuple[str, str]:
        """Return the running engine's URL and token; raise Unreachable when none runs on the data folder."""
        try:
            address = msgspec.json.decode((self._home / "run" / "engine.json").read_bytes(), type=_EngineAddress)
        except (FileNotFoundError, msgspec.MsgspecError):
            raise Unreachable("No engine runs on this data folder; start one with `aitrade up`.") from None
        return f"http://127.0.0.1:{address.port}", self.token()

    def token(self) -> str:
        """Return the token of the data folder, empty where there is none yet."""
        path = self._home / "run" / "token"
        return path.read_text().strip() if path.exists() else ""

    async def _begin_world(self, symbols: list[str]) -> None:
        self.shelf.clear()
        self._symbols = symbols[:_PREFETCHED] or self._symbols
        self._warm_to(1)

    def _warm_to(self, depth: int) -> None:
        self._depth = depth
        if self._warming:
            self._warming.cancel()
        self._warming = asyncio.create_task(self._warm())

    async def _warm(self) -> None:
        """Load what the watchlist will ask for, one after the other so that the engine hardly notices."""
        for symbol in self._symbols:
            with contextlib.suppress(AitradeError):
                series = self.shelf.series(symbol)
                async with series.lock:
                    await series.reach_back(1, self._depth, 0)
            await asyncio.sleep(0.02)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Follow the engine while the application runs."""
        follow = asyncio.create_task(self.link.follow())
        yield
        for task in filter(None, (follow, self._warming)):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.link.close()

    async def status(self, _request: web.Request) -> web.Response:
        """Say which series are warm and how far."""
        return _json({"now": self.link.now, "minutes_held": self.shelf.counts()})

    async def metrics(self, _request: web.Request) -> web.Response:
        """Write every metric of the worker."""
        figures = Figures()
        figures.put("aitrade_chart_window_seconds", self._windows)
        figures.put("aitrade_chart_minutes_held", sum(self.shelf.counts().values()))
        figures.put_process("charts")
        return web.Response(text=figures.text(), headers={"Content-Type": EXPOSITION})

    async def window(self, request: web.Request) -> web.Response:
        """Answer with the visible bars."""
        ask = msgspec.convert(dict(request.query), Ask, strict=False)
        series = self.shelf.series(ask.instrument)
        began = time.perf_counter_ns()
        body = await window(series, ask, self.link.now)
        self._windows.add(time.perf_counter_ns() - began)
        if self._depth < (needed := min(len(series.minutes), _DEEPEST_WARM)):
            self._warm_to(needed)
        return web.Response(body=body, content_type="application/octet-stream", headers={"Cache-Control": "no-store"})

    async def document(self, request: web.Request) -> web.Response:
        """Answer with the Bokeh documents of a set of studies."""
        return _json(chart_document(parse_studies(request.query.get("studies", ""))))

    async def catalogue(self, _request: web.Request) -> web.Response:
        """Say what can be chosen."""
        rows = [
            {
                "title": one.title,
                "bounds": [[p.least, p.most] for p in one.parameters],
                "study": study_info(Study(name)),
            }
            for name, one in INDICATORS.items()
        ]
        return _json({"frames": TIME_FRAMES, "indicators": rows})

    async def workspace(self, _request: web.Request) -> web.Response:
        """Answer with layouts and drawings."""
        return _json(self.layouts.read())

    async def save(self, request: web.Request) -> web.Response:
        """Save a layout."""
        return _json(self.layouts.save(request.query.get("name", ""), await request.read()))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a layout."""
        return _json(self.layouts.delete(request.query.get("name", "")))

    async def use(self, request: web.Request) -> web.Response:
        """Make a layout current."""
        return _json(self.layouts.use(request.query.get("name", "")))

    async def draw(self, request: web.Request) -> web.Response:
        """Save the drawings of a symbol."""
        return _json(self.layouts.draw(request.query.get("instrument", ""), await request.read()))


def application(home: Path, hours: Hours) -> web.Application:
    """Return the worker's application on a data folder."""
    worker = Worker(home, hours)
    app = web.Application(middlewares=[_guard(worker), _kindly])
    app.cleanup_ctx.append(worker.running)
    app.add_routes(
        [
            web.get("/status", worker.status),
            web.get("/metrics", worker.metrics),
            web.get("/catalogue", worker.catalogue),
            web.get("/document", worker.document),
            web.get("/window", worker.window),
            web.get("/workspace", worker.workspace),
            web.put("/workspace/layout", worker.save),
            web.delete("/workspace/layout", worker.delete),
            web.post("/workspace/layout", worker.use),
            web.put("/workspace/drawings", worker.draw),
            web.get("/static/bokeh.js", _bokeh),
            web.get("/static/view/{file}", _view),
        ]
    )
    return app


def serve(settings: ChartSettings) -> None:
    """Run a worker until it is told to stop; its address lies in run/charts.json while it listens."""
    asyncio.run(_serve(settings))


async def _serve(settings: ChartSettings) -> None:
    from aitrade.market.calendar import Calendar
    from aitrade.ui.charts.trading_hours import TradingHours

    home = Path(settings.home)
    runner = web.AppRunner(application(home, TradingHours(Calendar.load(home)).of), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", settings.port)
    await site.start()
    written = home / "run" / "charts.json"
    port = _write_address(written, site)
    announce(home, "charts", port)
    try:
        await _told_to_stop()
    finally:
        written.unlink(missing_ok=True)
        await runner.cleanup()


def address_of(home: Path, pid: int) -> ChartAddress | None:
    """Return where the chart worker with process id `pid` (0: any) listens, or None."""
    try:
        address = msgspec.json.decode((home / "run" / "charts.json").read_bytes(), type=ChartAddress)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return address if pid in (0, address.pid) else None


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows ends the process at once
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
    await stop.wait()


def _write_address(path: Path, site: web.TCPSite) -> int:
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # noqa: SLF001 -- aiohttp names no other
    write_private(path, msgspec.json.encode(ChartAddress(port, os.getpid())))
    return int(port)


def _guard(worker: Worker) -> Callable[[web.Request, _Handler], Awaitable[web.StreamResponse]]:
    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        token, given = worker.token(), request.headers.get("Authorization", "")
        if not token or not hmac.compare_digest(given, f"Bearer {token}"):
            return _refuse(401, "token", "The chart worker answers only the page's own server.")
        return await handler(request)

    return guard


@web.middleware
async def _kindly(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Unreachable as error:
        return _refuse(503, "engine", str(error))
    except AitradeError as error:
        return _refuse(422, "charts", str(error))
    except msgspec.ValidationError as error:
        return _refuse(422, "request", f"The chart request is not understood: {error}.")
    except web.HTTPNotFound:
        return _refuse(404, "path", f"The chart worker knows no {request.path}.")


def _refuse(status: int, rule: str, text: str) -> web.Response:
    return _json(Refusals([Problem(rule, text)]), status)


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json", status=status)


async def _bokeh(_request: web.Request) -> web.StreamResponse:
    import bokeh

    path = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    return web.FileResponse(path, headers={"Cache-Control": "private, max-age=86400"})


async def _view(request: web.Request) -> web.StreamResponse:
    path = _VIEW / Path(request.match_info["file"]).name
    if not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})
