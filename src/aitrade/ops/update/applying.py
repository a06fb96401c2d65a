"""The steps of an update and the way back, each told as it begins.

Back up, install, migrate, preflight. When a step fails, or an item of the checklist that passed before passes no
longer, the version and the databases from before are put back, and a person is told which item or step it was. The
journals are never touched: every version reads them.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from aitrade.compliance.operations import note
from aitrade.core import unfinished
from aitrade.core.clock import Clock, ist
from aitrade.core.errors import AitradeError, Refused, UnknownDate
from aitrade.core.files import FileLock
from aitrade.ops.preflight.check import Status
from aitrade.ops.supervisor import LOCK
from aitrade.ops.update.installation import Installation

WHAT, ASIDE = "update", Path("updates") / "databases"
WINDOW_SECONDS = 1_800
"""How long the market has to stay closed for an update to begin: install, migration and two preflights."""
Say = Callable[[str], None]
Verdicts = dict[str, str]
"""Item to its status."""


class Updated(msgspec.Struct, frozen=True, kw_only=True):
    """How an update ended: `lost` are the items that passed before and no longer did."""

    before: str
    after: str
    backup: str = ""
    lost: list[str] = []
    reason: str = ""


def checked(home: Path, clock: Clock, installation: Installation) -> tuple[str, str]:
    """Return what is installed and what is offered; raise Refused with the reason when it may not be applied now."""
    from aitrade.ops.maintenance.schedule import schedule_of
    from aitrade.ops.maintenance.timetable import load

    before, after = installation.current(), installation.offered()
    if before == after:
        return before, after
    try:
        with schedule_of(home, clock, load(home)) as schedule:
            quiet = schedule.quiet(clock.now(), WINDOW_SECONDS)
    except UnknownDate as error:
        raise Refused(f"Nobody knows whether the market trades now ({error}); update the calendar first.") from None
    if not quiet:
        now = ist(clock.now())
        raise Refused(f"It is {now:%H:%M} IST: the market trades, or soon will. Update after its close.")
    return before, after


def apply(home: Path, clock: Clock, installation: Installation, verdicts: Callable[[], Verdicts], say: Say) -> Updated:
    """Update to what is offered; raise Refused, with everything as it was, when that does not work.

    `verdicts` runs the whole checklist in a process of its own, with whichever version is installed then.
    """
    unfinished.refuse(home)
    before, after = checked(home, clock, installation)
    if before == after:
        raise Refused(f"{before} is the newest version there is: nothing to do.")
    with _nothing_runs(home):
        return _applied(home, installation, verdicts, say, Updated(before=before, after=after))


def take_back(home: Path, installation: Installation) -> Updated | None:
    """Take back an update that was cut off; None where none was. Raises Refused."""
    begun = unfinished.found(home, WHAT)
    if begun is None:
        return None
    with _nothing_runs(home):
        update = msgspec.structs.replace(begun.of(Updated), reason="it was cut off")
        _put_back(home, installation, update)
    return update


@contextmanager
def _nothing_runs(home: Path) -> Iterator[None]:
    """Keep engine and supervisor off the data folder; raise Conflict where one runs."""
    runs = f"aitrade runs on {home}: end it by `aitrade stop`, then update."
    trades = f"An engine trades on {home}: stop it first, then update."
    with FileLock(home / LOCK, taken=runs), FileLock(home / "engine.lock", taken=trades):
        yield


def _applied(
    home: Path, installation: Installation, verdicts: Callable[[], Verdicts], say: Say, update: Updated
) -> Updated:
    passed, update = _prepared(home, verdicts, say, update)
    try:
        say(f"Installing {update.after} …")
        installation.install()
        say("Migrating …")
        run_migrations(home)
        say(f"Preflight of {update.after} …")
        now = verdicts()
        lost = sorted(item for item in passed if now.get(item) != Status.PASS)
    except (AitradeError, OSError, subprocess.SubprocessError, KeyboardInterrupt) as error:
        lost, update = [], msgspec.structs.replace(update, reason=str(error) or "it was interrupted")
    if not lost and not update.reason:
        note(home, WHAT, update.after, "passed", update)
        unfinished.end(home)
        return update
    say("Putting everything back …")
    update = msgspec.structs.replace(update, lost=lost, reason=update.reason or f"no longer passing: {', '.join(lost)}")
    _put_back(home, installation, update)
    raise Refused(f"{update.after} was taken back, {update.before} is as it was: {update.reason}.")


def _prepared(home: Path, verdicts: Callable[[], Verdicts], say: Say, update: Updated) -> tuple[set[str], Updated]:
    """Return the items that pass now; backup, databases' copies and the mark of an unfinished update are on disk."""
    from aitrade.ops import backup

    say(f"Preflight of {update.before}, to compare with …")
    passed = {item for item, status in verdicts().items() if status == Status.PASS}
    say("Backup …")
    update = msgspec.structs.replace(update, backup=backup.run(home).id)
    try:
        _copied(home)
    except OSError as error:
        raise Refused(f"The databases could not be copied aside ({error}): nothing was changed.") from error
    says = (
        f"The update of {home} to {update.after} was cut off: run `aitrade update --apply` to have {update.before} and "
        "its databases back; the journals were not touched."
    )
    unfinished.begin(home, WHAT, says, update)
    return passed, update


def _put_back(home: Path, installation: Installation, update: Updated) -> None:
    """Put version and databases back; the mark stays until that has worked."""
    try:
        installation.put_back(update.before)
        _restored(home)
    except (AitradeError, OSError) as error:
        note(home, WHAT, update.after, "failed", update, reason=str(error))
        raise Refused(
            f"{update.after} failed ({update.reason}) and {update.before} could not be put back ({error}): "
            f"install {update.before} by hand, then `aitrade restore {update.backup}`."
        ) from error
    note(home, WHAT, update.after, "rolled back", update)
    unfinished.end(home)


def verdicts_of(home: Path) -> Verdicts:
    """Run the checklist in a process of its own, with the version that is installed now."""
    command = [sys.executable, "-m", "aitrade", "preflight", "--json", "--data-folder", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command line
    try:
        return {item["id"]: item["status"] for item in json.loads(done.stdout)["items"]}
    except (ValueError, KeyError, TypeError):
        raise Refused(f"Preflight did not run: {done.stderr.strip()[-300:] or 'no word'}.") from None


def run_migrations(home: Path) -> None:
    """Bring every database to the installed version's schema, in a process that has that version."""
    command = [sys.executable, "-m", "aitrade.ops.update.migrating", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended without a word, status {done.returncode}"]
        raise Refused(f"A database could not be migrated: {said[-1]}")


def _copied(home: Path) -> None:
    """Copy every database aside; the engine's lock is held, so that nobody writes."""
    shutil.rmtree(home / ASIDE, ignore_errors=True)
    for path in _databases(home):
        copy = home / ASIDE / path.relative_to(home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)


def _restored(home: Path) -> None:
    """Lay the copies over the databases, each in one step, and take away what came to be since."""
    copies = {path.relative_to(home / ASIDE): path for path in _databases(home / ASIDE)}
    for path in _databases(home):
        if path.relative_to(home) not in copies:
            path.unlink()
    for name, copy in copies.items():
        beside = home / name.with_name(f"{name.name}.new")
        shutil.copy2(copy, beside)
        beside.replace(home / name)


def _databases(home: Path) -> list[Path]:
    """Return the files of the databases, and those that SQLite keeps beside them."""
    found = [*home.glob("books/*/*.db*"), *home.glob("operations/*.db*")]
    return sorted(path for path in found if path.suffix != ".new")
