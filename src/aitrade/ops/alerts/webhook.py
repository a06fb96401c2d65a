"""A webhook on loopback that takes alerts: how a check proves that one goes out, and when it arrives."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec

from aitrade.core.errors import Unreachable


class Message(msgspec.Struct, frozen=True):
    """What came, and when (ns UTC)."""

    title: str
    body: str
    at: int


class Webhook:
    """Listens on 127.0.0.1 while it is used; `messages` is what came so far, `paths` what was asked for."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.paths: list[str] = []
        self._came = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Its address, as apprise writes it."""
        return f"json://127.0.0.1:{self._server.server_address[1]}/alerts"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, words: str, seconds: float) -> Message:
        """Return the first message with `words` in it; raise Unreachable when none comes in time."""
        limit = time.monotonic() + seconds
        with self._came:
            while (left := limit - time.monotonic()) > 0:
                for message in self.messages:
                    if words in message.title or words in message.body:
                        return message
                self._came.wait(left)
        raise Unreachable(f"No alert with {words!r} came to the loopback webhook within {seconds:g} s.")

    def _take(self, body: bytes) -> None:
        sent = json.loads(body)
        with self._came:
            self.messages.append(Message(sent["title"], sent["message"], time.time_ns()))
            self._came.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take, paths = self._take, self.paths

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                paths.append(self.path)
                take(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def do_GET(self) -> None:
                paths.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        return Handler
