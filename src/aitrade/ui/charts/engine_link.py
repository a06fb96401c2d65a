"""The worker's line to the engine: bars when asked for, and the market's time as it runs."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import aiohttp
import msgspec

from aitrade.core.errors import Refused, Unreachable
from aitrade.core.instruments import Instrument
from aitrade.core.quotes import Bar
from aitrade.engine.messages import Refusals
from aitrade.ui.charts.bars import Bars

_BARS = msgspec.json.Decoder(list[Bar])
_RETRY_S = 1.0
_ASK = aiohttp.ClientTimeout(total=20)


class _Moment(msgspec.Struct):
    now: int = 0


class _Place(msgspec.Struct):
    book: str = ""
    session: str = ""


class _Frame(msgspec.Struct):
    """What the worker reads of a frame; the rest is skipped undecoded."""

    type: str = ""
    now: int = 0
    book: str = ""
    session: str = ""
    time: _Moment | None = None
    world: _Place | None = None
    watchlist: list[str] = []
    indices: list[str] = []
    instruments: list[Instrument] = []


_FRAME = msgspec.json.Decoder(_Frame)


class EngineLink:
    """History over HTTP and the time of the market from the stream; comes back by itself when the engine does."""

    def __init__(self, address: Callable[[], tuple[str, str]]) -> None:
        """Take a function that returns the engine's URL and token; it is asked anew at each connection."""
        self.now = 0
        self.instruments: dict[str, Instrument] = {}
        self.on_world: Callable[[list[str]], Awaitable[None]] | None = None
        """Called with the symbols to keep warm when a world begins."""
        self._address = address
        self._session: aiohttp.ClientSession | None = None
        self._place = ("", "")

    async def bars(self, instrument: str, minutes: int, count: int, before: int = 0) -> Bars:
        """Return bars as `History` says; raise Refused with the engine's words, Unreachable without it."""
        query = {"instrument": instrument, "minutes": str(minutes), "count": str(count)}
        return Bars.of(_BARS.decode(await self._get("/history", query | ({"before": str(before)} if before else {}))))

    async def _get(self, path: str, query: dict[str, str]) -> bytes:
        url, token = self._address()
        try:
            async with self._client().get(url + path, params=query, headers=_bearer(token), timeout=_ASK) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"The engine does not answer ({type(error).__name__}); it is being restarted.") from error
        if answer.status >= 400:  # noqa: PLR2004 -- HTTP's own line between answers and refusals
            raise Refused(_words(body, answer.status))
        return body

    async def follow(self) -> None:
        """Read the stream for ever."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, Unreachable, msgspec.DecodeError):
                await self._read_stream()
            await asyncio.sleep(_RETRY_S)

    async def _read_stream(self) -> None:
        url, token = self._address()
        options = {"headers": _bearer(token), "max_msg_size": 0}
        async with self._client().ws_connect(f"{url}/stream", **options) as stream:
            async for message in stream:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take(_FRAME.decode(message.data))

    async def _take(self, frame: _Frame) -> None:
        if frame.type == "time":
            self.now = frame.now
        elif frame.type == "snapshot":
            await self._begin(frame)
        elif frame.type == "world" and (frame.book, frame.session) != self._place:
            self._place = (frame.book, frame.session)
            await self._tell_world([])

    async def _begin(self, frame: _Frame) -> None:
        self.now = frame.time.now if frame.time else self.now
        self.instruments |= {one.key: one for one in frame.instruments}
        place = (frame.world.book, frame.world.session) if frame.world else ("", "")
        if place != self._place:
            self._place = place
            await self._tell_world([*frame.watchlist, *frame.indices])

    async def _tell_world(self, symbols: list[str]) -> None:
        if self.on_world:
            await self.on_world(symbols)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession()
        return self._session

    async def close(self) -> None:
        """Hang up."""
        if self._session:
            await self._session.close()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _words(body: bytes, status: int) -> str:
    try:
        return " ".join(problem.text for problem in msgspec.json.decode(body, type=Refusals).problems)
    except msgspec.DecodeError:
        return f"The engine refused the request ({status})."
