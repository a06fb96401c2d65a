"""What the service is, whichever system runs it, and the steps that bring it about."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from aitrade.core.clock import ist
from aitrade.core.config import Configuration
from aitrade.core.errors import Refused
from aitrade.core.files import write_private
from aitrade.market.calendar import Calendar, Segment

RESTART_SECONDS = (5, 30, 60)
"""After the first, the second and every further failure of a day."""
RESET_SECONDS = 86_400
STOP_SECONDS = 10
WATCHDOG_SECONDS = 30
"""A supervisor that has given no sign of life for so long is restarted."""
KEPT_FROM_SCANNING = ("books", "operations", "logs", "run", "metrics", "models")
"""Folders of the data folder that a virus scanner may pass over; what is imported from outside (market/) is scanned."""
QUIET_AFTER = timedelta(hours=2)
"""From the last market's close until the machine may restart for updates."""
Account = Literal["administrator", "least"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The service as it is to be. Times of day are this machine's, HH:MM."""

    home: Path
    python: Path
    package: Path
    """The folder of the installed package."""
    account: Account
    user: str
    """The account's name, empty for the one that the system gives a service."""
    market_open: str
    market_close: str
    quiet: str
    """When the machine may restart for updates."""
    elsewhere: tuple[Path, ...] = ()
    """Folders outside the data folder that the service writes to: backups on a second device, market data."""
    credentials: tuple[str, ...] = ()
    """Names of systemd credentials that open the vault."""

    @property
    def command(self) -> tuple[str, ...]:
        """What the service runs."""
        return str(self.python), "-m", "aitrade", "up", "--no-browser", "--data-folder", str(self.home)


class Step(msgspec.Struct, frozen=True):
    """One thing to do as root or administrator: a command, or a file to write; `why` is one line."""

    why: str
    command: tuple[str, ...] = ()
    path: str = ""
    text: str = ""
    may_fail: bool = False
    """It was done before, or is not there to be undone."""


def plan_for(configuration: Configuration, account: Account, user: str, day: date) -> Plan:
    """Return the plan for an installation; `day` (a trading day's eve or itself) gives the market's hours."""
    import aitrade

    opens, closes = market_hours(day)
    home = configuration.home.resolve()
    written = [path.resolve() for path in (configuration.backups, configuration.market_folder)]
    return Plan(
        home=home,
        python=Path(sys.executable),
        package=Path(aitrade.__file__).resolve().parent,
        account=account,
        user=user,
        market_open=f"{opens.astimezone():%H:%M}",
        market_close=f"{closes.astimezone():%H:%M}",
        quiet=f"{(closes + QUIET_AFTER).astimezone():%H:%M}",
        elsewhere=tuple(path for path in written if not path.is_relative_to(home)),
        credentials=_credentials(home),
    )


def market_hours(day: date) -> tuple[datetime, datetime]:
    """Return from when until when any market is open on the trading day on or after a day, IST."""
    calendar = Calendar.load()
    if not calendar.is_trading_day(day, Segment.CASH):
        day = calendar.next_trading_day(day, Segment.CASH)
    open_ = [segment for segment in Segment if calendar.is_trading_day(day, segment)]
    phases = [phase for segment in open_ for phase in calendar.session(day, segment).phases]
    return ist(min(phase.start for phase in phases)), ist(max(phase.end for phase in phases))


def chosen(plan: Plan, name: str) -> str:
    """Return the sentence that says whom the service runs as, and how to choose otherwise."""
    other = "administrator" if plan.account == "least" else "least"
    rights = "the least rights" if plan.account == "least" else "the administrator's rights, as specified"
    return f"it runs as {name}, with {rights}; --account {other} chooses otherwise"


def apply(steps: Sequence[Step]) -> list[str]:
    """Do the steps in order; return what may fail and did, and raise Refused at the first other that does."""
    passed_over = []
    for step in steps:
        if step.path:
            write_unit(Path(step.path), step.text)
            continue
        said = run(step.command)
        if said.returncode and not step.may_fail:
            raise Refused(f"Stopped at {' '.join(step.command)!r}: {_words(said)}; the steps before it are done.")
        if said.returncode:
            passed_over.append(f"{step.why}: {_words(said)}")
    return passed_over


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command of the system; one that is not there is a Refused that names it."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - rendered by us, reviewed by a person
    except FileNotFoundError:
        raise Refused(f"There is no {command[0]} on this machine.") from None


def write_unit(path: Path, text: str) -> None:
    """Write a file of the system, readable by all, in one step."""
    write_private(path, text)
    path.chmod(0o644)


def _words(said: subprocess.CompletedProcess[str]) -> str:
    return " ".join((said.stderr or said.stdout).split()) or f"exit status {said.returncode}"


def _credentials(home: Path) -> tuple[str, ...]:
    from aitrade.store.vault_file import path_of, read

    if not path_of(home).exists():
        return ()
    return tuple(f"aitrade-vault-key-{wrap.key}" for wrap in read(home).wraps if wrap.method == "systemd")
