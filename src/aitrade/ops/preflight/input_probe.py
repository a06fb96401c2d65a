"""Inputs by keyboard and mouse over all six tabs of a page under load, each timed to the frame that answers it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from aitrade.engine.client import EngineClient
from aitrade.ops.preflight.load import Load, busy, heard, listen

if TYPE_CHECKING:
    from playwright.sync_api import Page

TABS = ("dashboard", "charts", "fno", "btst", "portfolio", "system")
READY = {
    "dashboard": ".watch-table tbody tr", "charts": ".charts-grid canvas", "fno": ".fno-chain tbody tr",
    "btst": ".btst-countdown", "portfolio": ".pf-grid .panel", "system": ".ops-views .btn",
}  # fmt: skip
"""Where a tab shows that it is there."""
PATIENCE_MS = 5_000


class Input(NamedTuple):
    """What a person does: a key, or a click on the first element of a selector; and JavaScript for: it has worked."""

    tab: str
    key: str
    click: str
    worked: str

    def do(self, page: "Page") -> None:
        """Do it, by the browser's own events."""
        if self.key:
            page.keyboard.press(self.key)
        else:
            page.locator(self.click).first.click()


class Answered(msgspec.Struct, frozen=True):
    """What the inputs took (ms, by tab), and the load beside them."""

    took: dict[str, list[float]]
    load: Load

    @property
    def all(self) -> list[float]:
        """Every sample."""
        return [ms for samples in self.took.values() for ms in samples]


def probe(page: "Page", client: EngineClient, rounds: int) -> Answered:
    """Make `rounds` rounds of inputs over the six tabs under load; the page and the market are left as they were."""
    look_at_all(page)
    took: dict[str, list[float]] = {tab: [] for tab in TABS}
    with busy(page, client):
        listen(page)
        for number in range(rounds):
            for one in _round(page, number):
                took[one.tab].append(_timed(page, one))
        load = heard(page)
    page.evaluate("aitrade.go('dashboard')")
    return Answered(took, load)


def look_at_all(page: "Page") -> None:
    """Look at each tab until it is there, and come back to the Dashboard."""
    for tab in TABS:
        page.evaluate("tab => aitrade.go(tab)", tab)
        page.locator(f"#tab-{tab} {READY[tab]}").first.wait_for()
    page.evaluate("aitrade.go('dashboard')")


def _timed(page: "Page", one: Input) -> float:
    page.evaluate(f"preflight.arm('{'keydown' if one.key else 'click'}', () => {one.worked})")
    one.do(page)
    took: float = page.evaluate("ms => preflight.took(ms)", PATIENCE_MS)
    return took


def _round(page: "Page", number: int) -> Iterator[Input]:
    """Yield a round: every tab by its key, what is on it, then every tab by its button."""
    for place, tab in reversed(list(enumerate(TABS))):
        yield Input(tab, f"Control+{place + 1}", "", _shown(tab))
        yield from (one for one in _on_it(page, number) if one.tab == tab)
    for tab in TABS[1:]:
        yield Input(tab, "", f".tab-button[data-tab={tab}]", _shown(tab))
    yield Input(TABS[0], "", f".tab-button[data-tab={TABS[0]}]", _shown(TABS[0]))


def _on_it(page: "Page", number: int) -> list[Input]:
    keys = page.evaluate("aitrade.state.watchlist")
    first = 2 * number % (len(keys) - 2) + 1
    rows = [f".watch-table tr[data-key='{key}']" for key in keys[first : first + 2]]
    views = (".ops-views .btn:last-child", ".ops-views .btn:first-child")
    greeks = (".fno-switch [title=Gamma]", ".fno-switch [title=Delta]")
    return [
        *(Input("dashboard", "", f"{row} td", f"document.querySelector(\"{row}\").matches('.picked')") for row in rows),
        *(Input("fno", "", one, f"document.querySelector('{one}').ariaPressed === 'true'") for one in greeks),
        *(Input("system", "", one, f"document.querySelector('{one}').ariaPressed === 'true'") for one in views),
    ]


def _shown(tab: str) -> str:
    return f"!document.getElementById('tab-{tab}').hidden"
