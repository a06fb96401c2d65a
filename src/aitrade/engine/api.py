"""The engine's API: HTTP and a WebSocket on 127.0.0.1, on a thread of its own. `messages` says what it speaks.

Nothing here touches the engine's state: each request becomes a command on the trading thread and waits for its answer.
"""

import asyncio
import hmac
import secrets
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from aitrade.core import logs
from aitrade.core.errors import AitradeError
from aitrade.core.metrics import EXPOSITION
from aitrade.core.orders import OrderRequest
from aitrade.engine.loop import Refused
from aitrade.engine.messages import Problem, Refusals, Terms
from aitrade.engine.service import Service
from aitrade.engine.settings import Who
from aitrade.engine.upkeep import profile

_QUEUE_FRAMES = 400
"""A stream that is this many frames behind is closed; the page opens a new one."""
Route = tuple[str, str, Callable[[web.Request, bytes], Any]]
"""Method, path, and what answers: it runs on the trading thread."""
_encode = msgspec.json.Encoder().encode
_NOT_UNDERSTOOD = (
    msgspec.ValidationError, msgspec.DecodeError, ValueError, KeyError, TypeError, OverflowError,
)  # fmt: skip


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=_encode(body), status=status, content_type="application/json")


def _scrape(write: Callable[[], str]) -> Callable[[], web.Response]:
    """Write metrics down off the trading thread, as Prometheus reads them."""
    return lambda: web.Response(text=write(), headers={"Content-Type": EXPOSITION})


def _refusal(problems: list[Problem], status: int = 422) -> web.Response:
    return _json(Refusals(problems), status)


class Api:
    """Serves one engine; `port` and `token` are known once `start` has returned."""

    def __init__(self, service: Service, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        self.port = port
        self._service = service
        self._loop = asyncio.new_event_loop()
        self._streams: dict[asyncio.Queue[list[bytes] | None], asyncio.Task[Any] | None] = {}
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)
        service.queues["streams"] = self._most_behind

    def start(self) -> None:
        """Listen; raise OSError when the port is taken."""
        self._thread.start()
        self._ready.wait()
        if self._failed:
            raise self._failed

    def send(self, frames: list[bytes]) -> None:
        """Give frames to every stream; called on the trading thread."""
        if self._streams:
            self._loop.call_soon_threadsafe(self._spread, frames)

    def stop(self) -> None:
        """Close every stream and stop listening."""
        self._loop.call_soon_threadsafe(self._close_streams)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def _close_streams(self) -> None:
        for queue in self._streams:
            queue.put_nowait(None)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._listen())
        except OSError as error:
            self._failed = error
            return
        finally:
            self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())

    async def _listen(self) -> None:
        app = web.Application(middlewares=[self._guard], client_max_size=1 << 20)
        app.router.add_get("/stream", self._stream)
        for method, path, handler in self._routes():
            app.router.add_route(method, path, self._command(handler))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def _routes(self) -> list[Route]:
        service, do = self._service, self._service.commands
        drill: list[Route] = [("POST", "/drill/feed", lambda r, b: service.stop_feed(_fields(b), _who(r)))]
        return [
            *(drill if service.settings.drill else ()),
            ("GET", "/snapshot", lambda _r, _b: service.snapshot()),
            ("GET", "/instruments", lambda r, _b: service.search(r.query.get("q", ""), _number(r, "limit", 30))),
            ("GET", "/depth", lambda r, _b: service.depth(r.query.get("instrument", ""))),
            ("GET", "/chain", lambda r, _b: service.chain(r.query.get("underlying", ""), r.query.get("expiry", ""))),
            ("GET", "/underlyings", lambda _r, _b: service.underlyings()),
            ("GET", "/btst", lambda _r, _b: service.btst()),
            ("GET", "/performance", lambda _r, _b: service.performance()),
            ("GET", "/settings", lambda _r, _b: service.in_force()),
            ("GET", "/health", lambda _r, _b: service.health()),
            ("GET", "/orders", lambda _r, _b: service.orders()),
            ("GET", "/venue_orders", lambda _r, _b: list(service.engine.venue.order_book())),
            ("GET", "/positions", lambda _r, _b: service.positions()),
            ("GET", "/history", self._history),
            ("POST", "/preview", lambda r, b: do.preview(_order(b), _who(r))),
            ("POST", "/orders", lambda r, b: do.place(_order(b), _who(r))),
            ("POST", "/baskets/preview", lambda r, b: do.preview_basket(_basket(b), _who(r))),
            ("POST", "/baskets", lambda r, b: do.basket(_basket(b), _who(r))),
            ("PUT", "/orders/{id}", lambda r, b: do.modify(r.match_info["id"], _terms(b), _who(r))),
            ("DELETE", "/orders/{id}", lambda r, _b: do.cancel(r.match_info["id"], _who(r))),
            ("DELETE", "/orders", lambda r, _b: do.cancel_all(_who(r))),
            ("POST", "/square_off", lambda r, b: do.square_off(_fields(b), _who(r))),
            ("POST", "/convert", lambda r, b: do.convert(_fields(b), _who(r))),
            ("POST", "/emergency_stop", lambda r, b: do.emergency_stop(_fields(b), _who(r))),
            ("POST", "/halt", lambda r, b: do.set_trading("HALTED", _fields(b), _who(r))),
            ("POST", "/reduce", lambda r, b: do.set_trading("REDUCING", _fields(b), _who(r))),
            ("POST", "/resume", lambda r, b: do.set_trading("ACTIVE", _fields(b), _who(r))),
            ("POST", "/strategies/{name}/start", lambda r, b: do.start(r.match_info["name"], _fields(b), _who(r))),
            ("POST", "/strategies/{name}/stop", lambda r, _b: do.stop(r.match_info["name"], _who(r))),
            ("POST", "/alerts", lambda r, b: do.add_alert(_fields(b), _who(r))),
            ("DELETE", "/alerts/{id}", lambda r, _b: do.remove_alert(int(r.match_info["id"]), _who(r))),
            ("POST", "/speed", lambda r, b: service.set_speed(_fields(b), _who(r))),
            ("POST", "/jump", lambda r, b: service.jump(_fields(b), _who(r))),
            ("POST", "/reconcile", lambda r, _b: service.reconcile(_who(r))),
            ("POST", "/shed", lambda r, b: service.shed(_fields(b), _who(r))),
            ("GET", "/profile", lambda r, _b: profile(float(r.query.get("seconds", "1")))),
            ("POST", "/shutdown", lambda r, _b: service.shutdown(_who(r))),
            ("GET", "/metrics", lambda _r, _b: _scrape(service.metrics())),
        ]

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), self.token.encode()):
            return _refusal([Problem("token", "The engine's token is missing or wrong; read it from run/token.")], 401)
        try:
            return await handler(request)
        except Exception as error:
            return _answer_to(error, request)

    def _command(
        self, handler: Callable[[web.Request, bytes], Any]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def run(request: web.Request) -> web.Response:
            body = await request.read()
            began = time.perf_counter_ns()
            answer = await self._on_trading_thread(lambda: handler(request, body))
            if callable(answer):
                answer = await self._loop.run_in_executor(None, answer)
            self._service.requests.add(time.perf_counter_ns() - began)
            return answer if isinstance(answer, web.Response) else _json(answer)

        return run

    async def _on_trading_thread(self, call: Callable[[], Any]) -> Any:
        future = self._loop.create_future()

        def execute() -> None:
            try:
                result = call()
            except BaseException as error:
                self._loop.call_soon_threadsafe(_fail, future, error)
            else:
                self._loop.call_soon_threadsafe(_finish, future, result)

        self._service.call(execute)
        return await future

    def _history(self, request: web.Request, _body: bytes) -> Callable[[], Any]:
        query = request.query
        return self._service.history(
            query["instrument"], _number(request, "minutes", 1), _number(request, "count", 375),
            _number(request, "before", 0),
        )  # fmt: skip

    def _spread(self, frames: list[bytes]) -> None:
        for queue in list(self._streams):
            if queue.qsize() > _QUEUE_FRAMES:
                self._shut(queue)
            else:
                queue.put_nowait(frames)

    def _most_behind(self) -> int:
        """Frames that the slowest stream has not taken yet."""
        return max((queue.qsize() for queue in list(self._streams)), default=0)

    def _shut(self, queue: "asyncio.Queue[list[bytes] | None]") -> None:
        """Let a reader go that does not read: its task may be stuck in a full socket."""
        task = self._streams.pop(queue)
        if task is not None:
            task.cancel()

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20, compress=False)
        await socket.prepare(request)
        queue: asyncio.Queue[list[bytes] | None] = asyncio.Queue()
        task = asyncio.current_task()
        left_out = f'{{"type":"{request.query.get("without", "")}"'.encode()
        first = await self._on_trading_thread(lambda: self._join(queue, task))
        reader = asyncio.create_task(_drain(socket))
        try:
            await socket.send_str(first)
            while not reader.done() and (frames := await queue.get()) is not None:
                for frame in frames:
                    if not frame.startswith(left_out):
                        await socket.send_str(frame.decode())
        except ConnectionError:
            pass
        finally:
            self._streams.pop(queue, None)
            self._service.call(self._leave)
            reader.cancel()
        await socket.close(code=WSCloseCode.GOING_AWAY)
        return socket

    def _join(self, queue: "asyncio.Queue[list[bytes] | None]", task: "asyncio.Task[Any] | None") -> str:
        """On the trading thread: the snapshot, and every frame from here on."""
        first = _encode(self._service.snapshot()).decode()
        self._streams[queue] = task
        self._service.listeners(len(self._streams))
        return first

    def _leave(self) -> None:
        self._service.listeners(len(self._streams))


def _answer_to(error: Exception, request: web.Request) -> web.Response:
    """Return what a request is told that was refused, not understood, or that the engine failed on: trading goes on."""
    if isinstance(error, Refused):
        return _refusal([Problem(rule, text) for rule, text in error.problems])
    if isinstance(error, _NOT_UNDERSTOOD):
        return _refusal([Problem("request", f"The request was not understood: {error}.")], 400)
    if isinstance(error, web.HTTPException):
        return _refusal([Problem("request", f"{request.method} {request.path}: {error.reason}.")], error.status)
    if isinstance(error, AitradeError):
        return _refusal([Problem("refused", str(error))])
    logs.get(__name__).error("request failed", method=request.method, path=request.path, exc_info=error)
    text = f"The engine failed on {request.path} ({type(error).__name__}) and trades on; `aitrade errors` has more."
    return _refusal([Problem("engine", text)], 500)


async def _drain(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type is WSMsgType.ERROR:
            return


def _finish(future: "asyncio.Future[Any]", result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _who(request: web.Request) -> Who:
    headers = request.headers
    return Who(
        headers.get("X-Actor", "trader"), headers.get("X-Role", "trader"),
        headers.get("X-Source", request.remote or ""), headers.get("X-Session", ""),
    )  # fmt: skip


def _number(request: web.Request, name: str, default: int) -> int:
    return int(request.query.get(name, default))


def _order(body: bytes) -> OrderRequest:
    return msgspec.json.decode(body, type=OrderRequest)


def _basket(body: bytes) -> list[OrderRequest]:
    return msgspec.json.decode(body, type=list[OrderRequest])


def _terms(body: bytes) -> Terms:
    return msgspec.json.decode(body, type=Terms)


def _fields(body: bytes) -> dict[str, Any]:
    return msgspec.json.decode(body or b"{}", type=dict[str, Any])
