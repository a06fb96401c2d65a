"""`python -m aitrade.ui.screenshots FOLDER`: the six tabs, 1366x768, of a simulated session with trades."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aitrade.core.clock import at
from aitrade.core.errors import AitradeError
from aitrade.core.orders import OrderRequest, OrderType, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.ops.incidents import GLITCH, assign, open_incident
from aitrade.ops.visit import browser, page_at, trading

if TYPE_CHECKING:
    from playwright.sync_api import Page

TABS = ("dashboard", "charts", "fno", "btst", "portfolio", "system")
START, TRADED, SHOWN = "10:45", "11:30", "14:15:20"
SETTLE_SECONDS = 3.0
NEVER_HOLDS = "[rules.disk]\nbelow = 1_000\nseverity = 'warning'\n"
"""A rule that is broken on most machines, so that the picture has an alert."""
OPERATED = ("maintain daily", "backup configuration", "backup models", "preflight")
BUYS = ((0, Side.BUY, 40, Product.MIS), (1, Side.SELL, 25, Product.MIS), (2, Side.BUY, 60, Product.CNC))
"""Place in the watchlist, side, quantity, product."""


def take(folder: Path) -> list[Path]:
    """Write one PNG a tab into `folder` and return the paths; raise AitradeError without a session or browser."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="aitrade-pictures-") as home, browser() as started:
        _operate(Path(home))
        options = ("--start", START, "--strategy", "moving-average", "--speed", "10")
        with trading(Path(home), *options) as running, page_at(started, running.link) as page:
            with EngineClient.of(Path(home)) as client:
                _trade(client)
            made = [_picture(page, tab, folder / f"{tab}.png") for tab in TABS]
            page.get_by_role("button", name="Engine and settings").click()
            return [*made, _picture(page, "system", folder / "system-engine.png")]


def _operate(home: Path) -> None:
    """Leave what operations leave: a preflight run, a backup, an incident (a drill), and a rule that cannot hold."""
    (home / "alerts.toml").write_text(NEVER_HOLDS)
    for words in OPERATED:
        command = [sys.executable, "-m", "aitrade", *words.split(), "--data-folder", str(home)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 - our own commands
    incident = open_incident(home, GLITCH, "Drill: the feed's cable was pulled for six minutes")
    assign(home, incident.id, "Asha Rao")


def _trade(client: EngineClient) -> None:
    """Buy and sell a little, leave an order waiting, and let the session run on to a quarter past two."""
    _jump(client, TRADED)
    keys = client.snapshot().watchlist
    for place, side, quantity, product in BUYS:
        client.place(
            OrderRequest(instrument=keys[place], side=side, quantity=quantity, product=product, actor="trader")
        )
    last = next(row[2] for row in client.snapshot().quotes if row[0] == keys[3])
    client.place(
        OrderRequest(
            instrument=keys[3], side=Side.BUY, quantity=30, product=Product.MIS, type=OrderType.LIMIT,
            price=last * 97 // 100 // 100 * 100, actor="trader",
        )
    )  # fmt: skip
    _jump(client, SHOWN)
    client.set_speed(speed=1)


def _jump(client: EngineClient, to: str) -> None:
    target = at(client.snapshot().world.session, to)
    client.jump(to)
    while client.snapshot().time.now < target:
        time.sleep(0.2)


def _picture(page: "Page", tab: str, path: Path) -> Path:
    page.evaluate("name => aitrade.go(name)", tab)
    if tab == "fno":
        page.locator(".fno-chain select").nth(1).select_option(index=1)
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        page.locator(".fno-builder select").first.select_option("Iron condor")
    page.wait_for_timeout(SETTLE_SECONDS * 1000)
    page.screenshot(path=path)
    return path


def main() -> None:
    """Take the pictures and say where they lie."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the module and a folder
        sys.exit("Say where to put them: python -m aitrade.ui.screenshots docs/images")
    try:
        for path in take(Path(sys.argv[1])):
            sys.stdout.write(f"{path}\n")
    except AitradeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
