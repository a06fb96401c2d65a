"""What checks stand on: the installation under test, read only, and a scratch place for drills.

What is costly to start is started when the first check asks for it, shared by the others and ended with the ground.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aitrade.core.config import Configuration
from aitrade.core.errors import AitradeError, Refused, UnknownDate
from aitrade.engine.client import EngineClient
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.input_store import InputStore
from aitrade.market.replay import imported_days
from aitrade.ops.chart_days import SYMBOLS, last_day, store_of_minutes, store_of_ticks
from aitrade.ops.visit import Trading, browser, page_at, trading

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

T = TypeVar("T")
SESSION = ("--start", "10:30", "--speed", "1", "--strategy", "none", "--drill")
"""The scratch market: simulated, open, at the market's own speed, traded by the checks alone, its feed stoppable."""
REPLAYED = ("--start", "09:15", "--speed", "1", "--strategy", "none")
SHOWN = SYMBOLS[:2]
"""Two shares of the replayed day with a year behind them: enough to switch between."""
BUSY = (*SHOWN, *(f"BUSY{number}" for number in range(48)))
"""Shares of that day that print 25 times a second, for so many seconds from its open on: the load beside charts."""
BUSY_SECONDS = 240
RULES = ("limits.toml", "facts")
"""What decides about orders in the installation: the scratch engine is given a copy."""
PROBE = Path(__file__).with_name("probe.js")
"""What a page is given to measure with."""


class Unprovable(Refused):
    """What a check needs is not on this machine; the text says what, and how to get it."""


class Ground:
    """`home` and `configuration` are the installation's; drills write under `scratch` only."""

    def __init__(self, configuration: Configuration, scratch: Path) -> None:
        self.configuration = configuration
        self.home = configuration.home
        self.scratch = scratch
        self._opened, self._session = ExitStack(), ExitStack()
        self._kept: dict[str, Any] = {}

    @property
    def trading(self) -> Trading:
        """A whole `aitrade up` on a data folder of its own, with the installation's limits; shared by all checks."""
        return self._once("trading", lambda: self._session.enter_context(self._start()))

    @property
    def browser(self) -> "Browser":
        """A headless browser; raises Unprovable, saying how to get one, where there is none."""
        return self._once("browser", self._browse)

    @property
    def page(self) -> "Page":
        """The page of `trading`, ready, in the browser: one for all checks, so leave it as it was."""
        started, running = self.browser, self.trading
        return self._once("page", lambda: self._visit(started, running))

    @property
    def played(self) -> "tuple[Trading, Page]":
        """A whole `aitrade up` whose session may be played to its end, and its page, ready.

        It replays the newest trading day of the installation's imported market data, and what `trading` started is
        ended before it; where nothing is imported, it is `trading` itself.
        """
        started, day = self.browser, self.newest_day()
        if day is None:
            return self.trading, self.page
        running = self._once("imported", lambda: self._alone("imported", day, self._import))
        return running, self._once("imported_page", lambda: self._visit(started, running))

    @property
    def replaying(self) -> Trading:
        """A whole `aitrade up` on a replayed day of made-up prices; what `trading` started is ended before it."""
        return self._once("replaying", lambda: self._alone("replay", last_day(), self._make))

    @property
    def replay_page(self) -> "Page":
        """The page of `replaying`, ready."""
        started, running = self.browser, self.replaying
        return self._once("replay_page", lambda: self._visit(started, running))

    def newest_day(self) -> date | None:
        """Return the newest imported day on which the market traded, None where there is none."""
        calendar, days = Calendar.load(self.home), imported_days(InputStore(self.configuration.market_folder))
        traded = (day for day in reversed(days) if _traded(calendar, day))
        return next(traded, None)

    def client(self) -> EngineClient:
        """Return a client of the scratch engine."""
        return self.client_of(self.trading)

    def client_of(self, running: Trading) -> EngineClient:
        """Return a client of a running `aitrade up`."""
        running.link  # noqa: B018 - waits until it serves
        return EngineClient.of(running.home, seconds=30.0)

    def close(self) -> None:
        """End everything that was started; on the thread that asked for it."""
        self._session.close()
        self._opened.close()

    def abandon(self) -> None:
        """End the scratch processes from any thread, for a check that hangs on them."""
        for started in list(self._kept.values()):
            if isinstance(started, Trading):
                started.end()

    def own_rules(self, home: Path) -> None:
        """Give a scratch data folder the installation's limits and market facts."""
        home.mkdir(parents=True, exist_ok=True)
        for path in (self.home / name for name in RULES):
            if path.is_dir():
                shutil.copytree(path, home / path.name, dirs_exist_ok=True)
            elif path.is_file():
                shutil.copy(path, home / path.name)

    def _browse(self) -> "Browser":
        try:
            return self._opened.enter_context(browser())
        except Refused as refused:
            raise Unprovable(str(refused)) from None

    def _start(self) -> Any:
        home = self.scratch / "up"
        self.own_rules(home)
        return trading(home, *SESSION, environment=bare_environment())

    def _alone(self, folder: str, day: date, fill: Callable[[Path], None]) -> Trading:
        """End what runs, and replay a day from the market data that `fill` puts into a new data folder."""
        self._session.close()
        self._kept = {name: made for name, made in self._kept.items() if name == "browser"}
        home = self.scratch / folder
        self.own_rules(home)
        fill(home)
        return self._session.enter_context(
            trading(home, "--session", day.isoformat(), *REPLAYED, environment=bare_environment())
        )

    def _import(self, home: Path) -> None:
        """Let a data folder read the installation's market data, by a link; by one a file where that is no right."""
        market = self.configuration.market_folder.absolute()
        try:
            (home / "market").symlink_to(market, target_is_directory=True)
        except OSError:
            shutil.copytree(market, home / "market", copy_function=os.link)

    def _make(self, home: Path) -> None:
        store_of_minutes(home, SHOWN)
        store_of_ticks(home, BUSY, BUSY_SECONDS)

    def _visit(self, started: "Browser", running: Trading) -> "Page":
        running.link  # noqa: B018 - waits until it serves
        return self._session.enter_context(page_at(started, running.renewed_link(), PROBE.read_text(encoding="utf-8")))

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """Return what was made under this name, or raise again what making it raised."""
        if name not in self._kept:
            try:
                self._kept[name] = make()
            except AitradeError as error:
                self._kept[name] = error
        found = self._kept[name]
        if isinstance(found, AitradeError):
            raise found
        return found


def _traded(calendar: Calendar, day: date) -> bool:
    try:
        return calendar.is_trading_day(day, Segment.CASH)
    except UnknownDate:
        return False


def bare_environment() -> dict[str, str]:
    """Return the environment without our own settings: a scratch engine must not write to the installation's places."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AITRADE_")}
