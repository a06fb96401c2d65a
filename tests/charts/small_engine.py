"""A market of seeded minutes behind the engine's API, small enough to know every bar of it."""

import json
from contextlib import asynccontextmanager, suppress
from datetime import date, timedelta
from zlib import crc32

import numpy as np
from aiohttp import web

from aitrade.core.clock import MINUTE, at, ist_date
from aitrade.ui.charts.bars import Bars, resample, sessions

TOKEN = "small-engine-token"
SYMBOLS = ("RELIANCE", "TCS", "INFY", "HDFCBANK", "SBIN", "ITC", "LT", "AXISBANK")
LAST_DAY = "2025-03-28"
SESSION_MINUTES = 375
STREAMS = web.AppKey("streams", set)


def hours(_key, _instrument):
    """Every day trades from 09:15 to 15:30."""
    return lambda ts: (at(ist_date(ts), "09:15"), at(ist_date(ts), "15:30"))


class Market:
    """`days` weekdays up to LAST_DAY of every symbol, known up to `now`."""

    def __init__(self, days=20, now="11:00", finest=1):
        self.days = days
        self.finest = finest
        self.now = at(LAST_DAY, now)
        self.asked = []
        self._bars = {}

    def bars(self, key):
        """All minutes of a symbol, the future included."""
        if key not in self._bars:
            self._bars[key] = self._walk(crc32(key.encode()))
        return self._bars[key]

    def _walk(self, seed):
        days, day = [], date.fromisoformat(LAST_DAY)
        while len(days) < self.days:
            days += [day] if day.weekday() < 5 else []
            day -= timedelta(days=1)
        opens = np.array([at(day, "09:15") for day in reversed(days)], dtype=np.int64)
        start = (opens[:, None] + np.arange(SESSION_MINUTES) * MINUTE).ravel()
        random = np.random.default_rng(seed)
        base = random.integers(30_000, 400_000)
        steps = random.normal(0, 0.0006, len(start))
        drift = np.linspace(0, steps.sum() * 0.9, len(start))
        close = (base * np.exp(np.cumsum(steps) - drift)).astype(np.int64) // 5 * 5
        opened = np.append(base // 5 * 5, close[:-1])
        spread = random.integers(0, 1 + base // 1500, (2, len(start))) // 5 * 5
        high, low = np.maximum(opened, close) + spread[0], np.minimum(opened, close) - spread[1]
        minute = np.tile(np.arange(SESSION_MINUTES), len(days))
        volume = (random.gamma(2, 3000, len(start)) * (0.5 + 2 * ((minute - 187) / 187) ** 2)).astype(np.int64)
        return Bars(start, start + MINUTE, opened, high, low, close, volume)

    def history(self, key, minutes, count, before):
        """What the engine's /history says: bars up to now, the forming one last and only as far as it has come."""
        bars = self.bars(key)
        bars = bars.part(slice(0, int(np.searchsorted(bars.start, self.now + 1))))
        if self.now < bars.end[-1]:
            bars = bars.then(self.forming(bars.part(slice(-1, None))))
        minutes = max(minutes, self.finest)
        if minutes != 1:
            bars = resample(bars, minutes, *sessions(bars, hours(key, None)))
        known = bars.part(slice(0, int(np.searchsorted(bars.start, before or self.now + 1))))
        return known.part(slice(max(0, len(known) - count), None))

    def forming(self, bar):
        """The minute that runs, on a path from its open by its high and low to its close."""
        part = (self.now - int(bar.start[0])) / MINUTE
        stops = [(0, bar.open[0]), (0.3, bar.high[0]), (0.7, bar.low[0]), (1, bar.close[0])]
        price = round(np.interp(part, *zip(*stops, strict=True)))
        seen = [value for at_part, value in stops if at_part <= part] + [price]
        row = (bar.start[0], bar.end[0], bar.open[0], max(seen), min(seen), price, int(bar.volume[0] * part))
        return Bars(*(np.array([value], dtype=np.int64) for value in row))

    def quote(self, key):
        """A tick row at the market's time."""
        bars = self.history(key, 1, 375, 0)
        today = bars.part(slice(int(np.searchsorted(bars.start, at(LAST_DAY, "09:15"))), None))
        last, open_ = int(today.close[-1]), int(today.open[0])
        day = (open_, int(today.high.max()), int(today.low.min()))
        return [key, self.now, last, last - 5, last + 5, 100, 100, int(today.volume.sum()), 0, open_, *day, False, []]


def application(market, home):
    """The engine's API over a market, and its address on disk."""
    app = web.Application()
    app[STREAMS] = set()

    async def history(request):
        query = request.query
        key, minutes, count = query["instrument"], int(query.get("minutes", 1)), int(query.get("count", 375))
        market.asked.append((key, minutes, count, int(query.get("before", 0))))
        if key.split(":")[-1] not in SYMBOLS:
            problem = {"rule": "instrument", "text": f"No {key} in the master."}
            return web.json_response({"problems": [problem]}, status=422)
        bars = market.history(key, minutes, count, int(query.get("before", 0)))
        rows = zip(*(column.tolist() for column in bars.columns()), strict=True)
        return web.json_response([[key, *row, 0] for row in rows])

    async def stream(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        app[STREAMS].add(socket)
        await socket.send_str(json.dumps(snapshot(market)))
        async for _ in socket:
            pass
        app[STREAMS].discard(socket)
        return socket

    async def started(_app):
        (home / "run").mkdir(parents=True, exist_ok=True)
        (home / "run" / "token").write_text(TOKEN)

    app.on_startup.append(started)
    app.add_routes([web.get("/history", history), web.get("/stream", stream)])
    return app


def snapshot(market):
    """The parts of a snapshot that charts read."""
    keys = [f"NSE:{symbol}" for symbol in SYMBOLS]
    return {
        "type": "snapshot",
        "world": {"book": "small", "session": LAST_DAY, "mode": "simulated"},
        "time": {"now": market.now, "phase": "CONTINUOUS", "speed": 1, "paused": False, "wall": 0},
        "watchlist": keys,
        "indices": [],
        "instruments": [{"key": key, "exchange": "NSE", "symbol": key[4:], "kind": "EQUITY"} for key in keys],
        "quotes": [market.quote(key) for key in keys],
    }


@asynccontextmanager
async def running(market, home):
    """An engine on a free port of 127.0.0.1 while the block runs; yields its application."""
    app = application(market, home)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    (home / "run" / "engine.json").write_text(json.dumps({"port": port, "pid": 1, "book": "small"}))
    try:
        yield app
    finally:
        for socket in list(app[STREAMS]):
            await socket.close()
        await runner.cleanup()


async def tell(app, frame):
    """Send a frame to every stream that has not hung up."""
    text = json.dumps(frame)
    for socket in list(app[STREAMS]):
        with suppress(ConnectionError):
            await socket.send_str(text)
