"""The page's own origin in front of the engine and the chart worker: their tokens never reach a browser.

Whoever relays is logged in by cookie; what changes something carries the XSRF token too. A relay needs no kernel, so an
emergency stop works when every kernel is frozen.
"""

import json
from asyncio import Future
from typing import Any

from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.ioloop import IOLoop
from tornado.web import authenticated
from tornado.websocket import WebSocketClosedError, WebSocketHandler, websocket_connect

from aitrade.ui.login import session_of
from aitrade.ui.observed import COUNTS
from aitrade.ui.upstream import Upstream

ENGINE_GONE = 4001
"""WebSocket close code: the engine behind the relay does not answer."""
TOO_SLOW = 4002
"""The browser does not take what it is sent; it joins again and begins with a snapshot."""
MOST_UNSENT = 32 << 20
"""Bytes that may wait for one browser."""
SECONDS = 15.0
BAD_REQUEST = 400
_PASSED_ON = ("Cache-Control", "ETag")


class ApiRelay(APIHandler):
    """Passes a request on and its answer back, to whom is logged in and asks from the page itself."""

    upstream: Upstream

    def initialize(self, upstream: Upstream) -> None:
        """Take what lies behind."""
        self.upstream = upstream

    @authenticated
    async def get(self, path: str) -> None:
        """Pass a question on."""
        await self._relay(path, None)

    @authenticated
    async def post(self, path: str) -> None:
        """Pass a command on."""
        await self._relay(path, self.request.body)

    @authenticated
    async def put(self, path: str) -> None:
        """Pass a change on."""
        await self._relay(path, self.request.body)

    @authenticated
    async def delete(self, path: str) -> None:
        """Pass a cancellation on."""
        await self._relay(path, None)

    async def _relay(self, path: str, body: bytes | None) -> None:
        query = f"?{self.request.query}" if self.request.query else ""
        try:
            request = HTTPRequest(
                f"{self.upstream.url}/{path}{query}",
                method=self.request.method or "GET",
                body=body,
                headers=self._passed_on(),
                request_timeout=SECONDS,
                allow_nonstandard_methods=True,
            )
            answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        except (OSError, HTTPError, LookupError) as error:
            self._fail(str(error))
            return
        if answer.code == 599:  # noqa: PLR2004 - tornado's code for a connection that failed
            self._fail(answer.reason)
            return
        COUNTS.relayed[self.upstream.name, "answered" if answer.code < BAD_REQUEST else "refused"] += 1
        self.set_status(answer.code)
        for name in _PASSED_ON:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        self.finish(answer.body or b"", set_content_type=answer.headers.get("Content-Type", "application/json"))

    def _passed_on(self) -> dict[str, str]:
        user = self.current_user.username
        return {
            "Authorization": f"Bearer {self.upstream.token}",
            "Content-Type": self.request.headers.get("Content-Type", "application/json"),
            "X-Actor": user,
            "X-Role": "trader",
            "X-Source": self.request.remote_ip or "",
            "X-Session": session_of(self),
        }

    def _fail(self, why: str) -> None:
        COUNTS.relayed[self.upstream.name, "unreachable"] += 1
        self.set_status(503)
        text = f"{self.upstream.name} does not answer; it comes back by itself, or by `aitrade up` ({why})."
        self.finish(json.dumps({"problems": [{"rule": "engine", "text": text}]}))


class StreamRelay(WebSocketHandler, JupyterHandler):
    """Passes the engine's frames on, as they come; nothing goes the other way."""

    upstream: Upstream

    def initialize(self, upstream: Upstream) -> None:
        """Take what lies behind."""
        self.upstream = upstream
        self._engine: Any = None
        self._unsent = 0
        self._counted = False

    async def prepare(self) -> None:
        """Let nobody in who is not logged in."""
        await super().prepare()
        if self.current_user is None and not self._finished:
            self.set_status(403)
            self.finish()

    def check_origin(self, origin: str) -> bool:
        """Return whether the page of this very server asks."""
        return WebSocketHandler.check_origin(self, origin)

    def get_compression_options(self) -> None:
        """Compress nothing: frames are small and on loopback."""
        return

    async def open(self, *_args: str, **_kwargs: str) -> None:
        """Join the engine's stream; each frame goes at once."""
        self.set_nodelay(True)
        COUNTS.streams += 1
        self._counted = True
        try:
            headers = {"Authorization": f"Bearer {self.upstream.token}"}
            request = HTTPRequest(f"{self.upstream.url.replace('http', 'ws', 1)}/stream", headers=headers)
            self._engine = await websocket_connect(
                request, on_message_callback=self._pass_on, max_message_size=64 << 20
            )
        except (OSError, HTTPError, LookupError):
            self.close(ENGINE_GONE, "engine")

    def on_message(self, message: str | bytes) -> None:
        """Take nothing from the browser: commands go by the API, where they are answered."""

    def on_close(self) -> None:
        """Leave the engine's stream."""
        COUNTS.streams -= self._counted
        self._counted = False
        if self._engine is not None:
            self._engine.close()

    def _pass_on(self, frame: str | bytes | None) -> None:
        if frame is None:
            IOLoop.current().add_callback(self.close, ENGINE_GONE, "engine")
            return
        if self._unsent > MOST_UNSENT:
            self.close(TOO_SLOW, "slow")
            return
        self._unsent += len(frame)
        try:
            sent = self.write_message(frame)
        except WebSocketClosedError:
            self.on_close()
            return
        IOLoop.current().add_future(sent, lambda done: self._was_sent(done, len(frame)))

    def _was_sent(self, done: Future[None], size: int) -> None:
        self._unsent -= size
        if not done.cancelled() and done.exception() is not None:
            self.on_close()
