"""Opens each of the six tabs and holds what it shows against the engine's own answer, to the character."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.input_probe import READY, TABS
from aitrade.risk.limits import Limits

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE_MS, SETTLE_MS, LOOKS = 10_000, 150, 16
FRESH_SECONDS = OLD_SECONDS = 5.0
ALIVE_SECONDS = 1.0
"""An engine whose clock went on for less, of the seconds without a price, stood still with its feed."""
UNITS = 5
_AGE = "(aitrade.marketNow() - Math.max(...[...aitrade.state.quotes.values()].map((quote) => quote.ts))) / 1e9"
_PRICES = "prices => prices.map((price) => (price ? aitrade.format.price(price) : '–'))"
_NUMBERS = "numbers => numbers.map(aitrade.format.number)"
_OLD = "document.body.classList.contains('stale') && document.querySelector('.notice').innerText.includes('old')"
_CLOSE = (
    "[...document.querySelectorAll('.chart-bars .chart-k')].find((name) => name.innerText === 'C')"
    "?.nextElementSibling.innerText"
)
_CHARTED = "document.querySelector('.charts-grid canvas[aria-label]').ariaLabel.split(' ').at(-2).replace(',', '')"
_GONE = "() => document.body.classList.contains('stale')"
Shown = dict[str, str]


class Tab(msgspec.Struct, kw_only=True):
    """What was found on a tab: values that it shows and the engine's, by name, and the newest price's age (s)."""

    name: str
    age: float = -1.0
    shown: Shown = {}
    told: Shown = {}
    fault: str = ""

    @property
    def wrong(self) -> str:
        """What is wrong with it, in words; empty for nothing."""
        if self.fault:
            return f"{self.name}: {self.fault}"
        if not self.told:
            return f"{self.name}: nothing to compare"
        if self.age > FRESH_SECONDS:
            return f"{self.name}: its newest price is {self.age:.1f} s of market time old"
        differs = [name for name, text in self.told.items() if self.shown.get(name) != text]
        if not differs:
            return ""
        first = differs[0]
        said = f"{first} is {self.shown.get(first, 'not there')!r}, the engine says {self.told[first]!r}"
        return f"{self.name}: {len(differs)} of {len(self.told)} values differ ({said})"


class Looked(msgspec.Struct, frozen=True):
    """All tabs, and how they took it that the feed stopped while the engine lived."""

    tabs: list[Tab]
    marked_old: float
    """Seconds from the stop to the page's mark; -1: never."""
    unmarked: list[str]
    """Tabs on which the mark did not show."""
    lived: float
    """Seconds by which the engine's own clock went on meanwhile."""

    @property
    def wrong(self) -> list[str]:
        """Everything that is wrong, in words."""
        found = [tab.wrong for tab in self.tabs if tab.wrong]
        if not 0 <= self.marked_old <= OLD_SECONDS:
            took = f"after {self.marked_old:.1f} s" if self.marked_old >= 0 else "never"
            found.append(f"prices that stopped were marked old {took}")
        if self.lived < ALIVE_SECONDS:
            found.append("the engine stood still with its feed, so that nothing is known of a feed that stops alone")
        return found + [f"{tab}: old prices are not marked" for tab in self.unmarked]


def look(ground: Ground) -> Looked:
    """Look at all six tabs of the scratch page; the market goes on as it was."""
    page = ground.page
    with ground.client() as client:
        tabs = [_fresh(page, name) for name in TABS]
        _buy(client, Side.BUY)
        client.set_speed(paused=True)
        try:
            page.wait_for_timeout(SETTLE_MS)
            for tab in tabs:
                _compare(page, ground, client, tab)
        finally:
            client.set_speed(paused=False)
        _buy(client, Side.SELL)
        looked = stop_the_feed(page, client, tabs)
    page.evaluate("aitrade.go('dashboard')")
    return looked


def stop_the_feed(page: "Page", client: EngineClient, tabs: list[Tab]) -> Looked:
    """Let no price into the engine, which lives on, until every tab has been looked at; then let them in again."""
    since = client.snapshot().time.now
    began = time.monotonic()
    client.stop_feed(stopped=True)
    try:
        marked = _within(page, _GONE, OLD_SECONDS * 1000 + 1000)
        took = time.monotonic() - began if marked else -1.0
        unmarked = [name for name in TABS if marked and not _marked(page, name)]
        lived = (client.snapshot().time.now - since) / 1e9
    finally:
        client.stop_feed(stopped=False)
    page.wait_for_function("aitrade.state.link.feed === 'up'")
    return Looked(tabs, took, unmarked, lived)


def _within(page: "Page", holds: str, ms: float) -> bool:
    from playwright.sync_api import TimeoutError as Late

    try:
        page.wait_for_function(holds, timeout=ms)
    except Late:
        return False
    return True


def _marked(page: "Page", name: str) -> bool:
    page.evaluate("tab => aitrade.go(tab)", name)
    return bool(page.evaluate(_OLD))


def _fresh(page: "Page", name: str) -> Tab:
    """Open a tab while prices come; return the age of the newest that it has."""
    page.evaluate("tab => aitrade.go(tab)", name)
    there = f"() => document.querySelector('#tab-{name} {READY[name]}')?.checkVisibility()"
    if not _within(page, there, PATIENCE_MS):
        return Tab(name=name, fault="it does not open")
    return Tab(name=name, age=page.evaluate(_AGE))


def _compare(page: "Page", ground: Ground, client: EngineClient, tab: Tab) -> None:
    if tab.fault:
        return
    page.evaluate("tab => aitrade.go(tab)", tab.name)
    for _ in range(LOOKS):
        page.wait_for_timeout(SETTLE_MS)
        tab.shown, tab.told = _SIDES[tab.name](page, ground, client)
        if not tab.wrong:
            return


def _buy(client: EngineClient, side: Side) -> None:
    """Buy (or sell again) a little at market, so that there is a position to show."""
    key = client.snapshot().watchlist[0]
    placed = client.place(
        OrderRequest(instrument=key, side=side, quantity=UNITS, product=Product.MIS, actor="preflight")
    )
    limit = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < limit:
        if next(row.filled for row in client.orders() if row.id == placed.id) == UNITS:
            return
        time.sleep(0.1)


def _texts(page: "Page", script: str, numbers: list[int]) -> list[str]:
    found: list[str] = page.evaluate(script, numbers)
    return found


def _cells(rows: str, name: str, place: int) -> str:
    """Return JavaScript for [name, text of the cell at `place`] of each row."""
    return f"[...document.querySelectorAll('{rows}')].map((row) => [{name}, row.cells[{place}].innerText])"


def _dashboard(page: "Page", _ground: Ground, client: EngineClient) -> tuple[Shown, Shown]:
    snapshot = client.snapshot()
    last = {row[0]: row[2] for row in snapshot.quotes if row[0] in snapshot.watchlist}
    rows = _cells(".watch-table tbody tr", "row.dataset.key", 1)
    return dict(page.evaluate(rows)), dict(zip(last, _texts(page, _PRICES, list(last.values())), strict=True))


def _charts(page: "Page", _ground: Ground, client: EngineClient) -> tuple[Shown, Shown]:
    key = page.evaluate(_CHARTED)
    close = client.history(key, 1, 1)[-1].close
    shown = page.evaluate(_CLOSE) or ""
    symbol = page.evaluate("document.querySelector('.chart-line b').innerText")
    told = {"symbol": key.split(":")[-1], "close": _texts(page, _PRICES, [close])[0].replace(",", "")}
    return {"symbol": symbol, "close": shown.replace(",", "")}, told


def _fno(page: "Page", _ground: Ground, client: EngineClient) -> tuple[Shown, Shown]:
    underlying, expiry = page.evaluate("[...document.querySelectorAll('.fno-chain select')].map((one) => one.value)")[
        :2
    ]
    rows = client.chain(underlying, expiry).strikes
    last = {side.key: side.last for row in rows for side in (row.call, row.put) if side}
    cells = (
        "[...document.querySelectorAll('.fno-chain tbody tr')].map((row) => "
        "['call', 'put'].map((kind) => row.querySelector(`.fno-${kind}.fno-last`).innerText))"
    )
    shown = [text for pair in page.evaluate(cells) for text in pair]
    keys = [side.key if side else "" for row in rows for side in (row.call, row.put)]
    seen = {key: text for key, text in zip(keys, shown, strict=False) if key}
    return seen, dict(zip(last, _texts(page, _PRICES, list(last.values())), strict=True))


def _btst(page: "Page", _ground: Ground, client: EngineClient) -> tuple[Shown, Shown]:
    answer = client.btst()
    locked = page.evaluate("!document.querySelector('.btst-lock').hidden")
    rows = page.evaluate("document.querySelectorAll('.btst-row').length")
    opens = page.evaluate("ns => aitrade.format.time(ns)", answer.opens)
    words = page.evaluate("document.querySelector('.btst-lock').innerText")
    shown = {"locked": str(locked), "shares": str(rows), "opens": opens if not locked or opens in words else words}
    return shown, {"locked": str(answer.locked), "shares": str(len(answer.candidates)), "opens": opens}


def _portfolio(page: "Page", _ground: Ground, client: EngineClient) -> tuple[Shown, Shown]:
    rows = client.positions()
    units = dict(zip([row.key for row in rows], _texts(page, _NUMBERS, [row.quantity for row in rows]), strict=True))
    cells = (
        "[...document.querySelectorAll('.pf-positions tr[data-key]')].map((row) => [row.dataset.key, "
        "[...row.cells].map((cell) => cell.innerText)])"
    )
    seen = dict(page.evaluate(cells))
    return {key: text if text in seen.get(key, []) else str(seen.get(key)) for key, text in units.items()}, units


def _system(page: "Page", ground: Ground, client: EngineClient) -> tuple[Shown, Shown]:
    limits = msgspec.structs.asdict(Limits.load(ground.trading.home))
    counts = {name: value for name, value in limits.items() if type(value) is int}
    page.evaluate("document.querySelector('.ops-views .btn:last-child').click()")
    rows = _cells(".sys-settings tbody tr", "row.cells[0].innerText", 1)
    state = page.evaluate("document.querySelector('.sys-state .badge').innerText")
    told = dict(zip(counts, _texts(page, _NUMBERS, list(counts.values())), strict=True))
    shown = dict(page.evaluate(rows))
    page.evaluate("document.querySelector('.ops-views .btn:first-child').click()")
    return {"state": state, **shown}, {"state": client.health().state, **told}


_SIDES: dict[str, Callable[["Page", Ground, EngineClient], tuple[Shown, Shown]]] = {
    "dashboard": _dashboard, "charts": _charts, "fno": _fno, "btst": _btst, "portfolio": _portfolio, "system": _system,
}  # fmt: skip
"""What a tab shows, and what the engine says of the same, both by name."""
