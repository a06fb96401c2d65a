"""A listener straight at the engine's stream: what was sent, whatever a page made of it."""

import asyncio
import threading
from pathlib import Path
from typing import Self

import msgspec

from aitrade.ops.supervisor import address_of


class _Frame(msgspec.Struct):
    type: str
    sent: int = 0


class Listener:
    """Collects the stamps of tick frames, on a thread of its own, while the block runs."""

    def __init__(self, home: Path) -> None:
        self.stamps: list[float] = []
        self._home = home
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        self._thread.join()

    async def _listen(self) -> None:
        from aiohttp import ClientSession, WSMsgType

        address = address_of(self._home, 0)
        assert address is not None
        headers = {"Authorization": f"Bearer {(self._home / 'run' / 'token').read_text()}"}
        url = f"http://127.0.0.1:{address.port}/stream"
        decoder = msgspec.json.Decoder(_Frame)
        async with ClientSession(headers=headers) as session, session.ws_connect(url, max_msg_size=64 << 20) as socket:
            while not self._stopped.is_set():
                message = await socket.receive()
                if message.type is not WSMsgType.TEXT:
                    return
                frame = decoder.decode(message.data)
                if frame.type == "ticks":
                    self.stamps.append(float(frame.sent))  # as a browser reads it
