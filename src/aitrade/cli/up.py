"""`aitrade up`: the whole of it, in paper mode, with one command; `aitrade open` prints a new link."""

import signal
import sys
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import click
import msgspec

from aitrade.cli.options import data_folder, kind
from aitrade.core import logs, unfinished
from aitrade.core.config import Configuration, load
from aitrade.core.errors import AitradeError, Refused
from aitrade.core.money import PAISE
from aitrade.engine.pace import FASTEST
from aitrade.engine.settings import EngineSettings, continues
from aitrade.market.calendar import Calendar, Segment
from aitrade.ops.alerts.child import watcher
from aitrade.ops.backup.child import copier
from aitrade.ops.maintenance.supervised import scheduler_child
from aitrade.ops.preflight.check import Source
from aitrade.ops.supervisor import Supervisor, address_of
from aitrade.ops.supervisor import stop as stop_all
from aitrade.strategies import KERNELS
from aitrade.ui.processes import page_children, page_link

SPEEDS = {"1": 1, "10": 10, "60": 60, "max": FASTEST}


@click.command()
@click.option("--session", help="Replay this imported market day, such as 2025-03-28.")
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="Import this file or folder first.")
@click.option("--speed", type=click.Choice(list(SPEEDS)), help="Market seconds per second.")
@click.option("--strategy", help="Strategy to start a new book with; `none` for none.")
@click.option("--start", help="Market time to begin a new day at, such as 10:30.")
@click.option("--book", help="Book to trade on; the default is one for each world.")
@click.option("--seed", type=int, help="Seed of the simulated market.")
@click.option("--port", "page_port", type=int, help="Port of the page on 127.0.0.1.")
@click.option("--live", is_flag=True, help="Trade at a broker: only with a passed and signed preflight.")
@click.option("--drill", is_flag=True, hidden=True, help="A scratch engine of a check: its feed can be stopped.")
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@data_folder
@kind
def up(
    *,
    session: str | None,
    data: Path | None,
    speed: str | None,
    strategy: str | None,
    start: str | None,
    book: str | None,
    seed: int | None,
    page_port: int | None,
    no_browser: bool,
    live: bool,
    drill: bool,
    home: Path | None,
) -> None:
    """Trade on paper: start the market, the engine and the page, and open it."""
    session, start = _market_day(session, load(home=home).home), _time_of_day(start)
    if live:
        _refuse_live(load(home=home), Source.REPLAY if session else Source.SIMULATED)
    configuration = load(home=home, seed=seed, page_port=page_port, speed=None if speed is None else SPEEDS[speed])
    if data is not None:
        _import(data, configuration)
    settings = _settings(configuration, session, strategy, start, book)
    _have_data(settings)
    if drill:
        settings = _drilled(settings)
    unfinished.refuse(configuration.home)
    _have_vault(configuration.home)
    logs.configure("supervisor", configuration.home / "logs")
    base = configuration.home
    others = [*page_children(configuration), watcher(base), scheduler_child(base), copier(base)]
    supervisor = Supervisor(settings, others, click.echo)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    supervisor.start()
    _watch(supervisor, lambda: _greet(supervisor, settings, configuration, opens=not no_browser))


def _greet(supervisor: Supervisor, settings: EngineSettings, configuration: Configuration, *, opens: bool) -> None:
    """Say where the page is, which day the book goes on with, and open the page."""
    link = page_link(configuration)
    click.echo(f"aitrade trades on paper, book {settings.book}. Ctrl-C stops it.\n\n    {link}\n")
    _say_which_day(supervisor, settings)
    if configuration.open_browser and opens:
        webbrowser.open(link)


def _say_which_day(supervisor: Supervisor, settings: EngineSettings) -> None:
    """Say which day a book goes on with, where another was asked for."""
    with supervisor.client() as client:
        day = client.snapshot().world.session
    if settings.day not in ("", day):
        click.echo(continues(settings.book, day, settings.day))


def _market_day(text: str | None, home: Path) -> str | None:
    """Return the day in ISO; raise Refused for what is no date or no trading day, UnknownDate beyond the calendar."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused(f"--session {text} is no date; write it like 2025-03-28.") from None
    return Calendar.load(home).session(day, Segment.CASH_FNO).day.isoformat()


def _have_data(settings: EngineSettings) -> None:
    """Raise DataRefused, before anything is made, where a new book is to replay a day that is not imported."""
    if settings.mode == "replay" and not settings.book_path.exists():
        from aitrade.market.input_store import InputStore
        from aitrade.market.replay import refuse_without

        refuse_without(InputStore(settings.home_path / "market"), date.fromisoformat(settings.day))


def _time_of_day(text: str | None) -> str | None:
    """Return it in full; raise Refused for what is no time of day."""
    if not text:
        return None
    for pattern in ("%H:%M", "%H:%M:%S"):
        with suppress(ValueError):
            return f"{datetime.strptime(text, pattern).time()}"  # noqa: DTZ007 - a time, of the market's day
    raise Refused(f"--start {text} is no time of day; write it like 10:30.")


def _have_vault(home: Path) -> None:
    """Open or make the vault; trading does not wait for one that needs a person, and says what does."""
    from aitrade.store.vault import Vault

    try:
        Vault.ensure(home)
    except AitradeError as error:
        click.echo(f"Backups and alert channels have no keys until the vault opens: {error}", err=True)


@click.command("open")
@data_folder
@kind
def open_page(home: Path | None) -> None:
    """Print a new link to the running page."""
    configuration = load(home=home)
    if address_of(configuration.home, 0) is None:
        raise Refused("Nothing runs on this data folder; start it with `aitrade up`.")
    click.echo(page_link(configuration))


@click.command()
@data_folder
@kind
def stop(home: Path | None) -> None:
    """Stop what runs on the data folder, as Ctrl-C does: orders and positions stay as they are and are listed."""
    for line in stop_all(load(home=home).home) or ["Nothing stays open."]:
        click.echo(line)


def _drilled(settings: EngineSettings) -> EngineSettings:
    """Open the drill's door; raise Refused on a data folder that has traded."""
    if (settings.home_path / "books").exists():
        raise Refused(f"A drill wants a data folder of its own; {settings.home_path} has books. Leave --drill out.")
    return msgspec.structs.replace(settings, drill=True)


def _refuse_live(configuration: Configuration, data: Source) -> None:
    """Say every reason against trading live; there is no live feed to choose yet, so there is always one."""
    from aitrade.ops.preflight.gate import objections

    reasons = "\n".join(f"- {reason}" for reason in objections(configuration, data=data))
    raise Refused(f"aitrade does not trade live:\n{reasons}")


def _watch(supervisor: Supervisor, greet: Callable[[], None]) -> None:
    """Greet and watch until asked to stop: from the start on, a request to stop leaves nothing running."""
    try:
        greet()
        supervisor.watch()
    except (KeyboardInterrupt, SystemExit):
        click.echo("Stopping …")
    except AitradeError:  # what is needed may not come back: nothing is left running beside it
        supervisor.stop()
        raise
    for line in supervisor.stop() or ["Nothing stays open."]:
        click.echo(line)


def _settings(
    configuration: Configuration, session: str | None, strategy: str | None, start: str | None, book: str | None
) -> EngineSettings:
    mode = "replay" if session else "simulated"
    named = configuration.strategy if strategy is None else strategy
    if named and named != "none" and named not in KERNELS:
        raise Refused(f"There is no strategy {named}; there are: {', '.join(KERNELS)}.")
    return EngineSettings(
        home=str(configuration.home),
        mode=mode,
        book=book or (f"replay-{session}" if session else f"simulated-{configuration.seed}"),
        day=session or "",
        seed=configuration.seed,
        speed=configuration.speed,
        start=start or "",
        cash=configuration.cash * PAISE,
        durability=configuration.durability,
        strategies=() if named in ("", "none") else (named,),
        strategy_seconds=configuration.strategy_seconds,
        algo_id=configuration.algo_id,
        client=configuration.client,
        plan=configuration.plan,
        projection=configuration.database,
    )


def _import(path: Path, configuration: Configuration) -> None:
    from tqdm import tqdm

    from aitrade.market.importing import import_path
    from aitrade.market.input_store import InputStore

    report = import_path(path, InputStore(configuration.home / "market"), progress=tqdm)
    for refused in report.refused:
        click.echo(f"Not imported: {refused.path}: {refused.text}", err=True)
