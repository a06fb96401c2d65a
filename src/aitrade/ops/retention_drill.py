"""The drill of retention, in a data folder of its own: no removal within the term, and archived first after it."""

import time
from pathlib import Path

import msgspec

from aitrade.compliance.journal import Journal, segments
from aitrade.compliance.retention import Retention
from aitrade.core.clock import DAY, ist_date
from aitrade.core.config import Configuration
from aitrade.core.errors import Refused
from aitrade.core.events import Kind, Line, Record
from aitrade.ops import archive
from aitrade.ops.backup.bundle import unpack
from aitrade.ops.backup.shelf import Shelf
from aitrade.store.vault import Vault

BOOK, SEGMENTS = "retained", 3


class Drilled(msgspec.Struct, frozen=True):
    """What the drill saw; `wrong` is in sentences, and empty when retention is in force."""

    refused: int
    archived: int
    terms: dict[str, int]
    wrong: tuple[str, ...]


def drill(home: Path) -> Drilled:
    """Try to remove a log and journal segments on the last day of their term and on the day after it."""
    Vault.create(home, method="key-file")
    now = time.time_ns()
    paths = _made(home, now)
    terms = Retention(home, ist_date(now)).days
    refused, archived, wrong = 0, 0, []
    for path in paths:
        kept = Retention(home, ist_date(now)).kept(path)
        if kept is None:
            wrong.append(f"{path.name} has no term")
            continue
        last_day = now + kept.days * DAY
        if _removed(home, path, last_day):
            wrong.append(f"{kept.name} could be removed on the last day of its {kept.days} days")
        else:
            refused += 1
            done = _past(home, path, last_day + DAY)
            archived += not done
            wrong += [done] if done else []
    return Drilled(refused, archived, terms, tuple(wrong))


def _shelf(home: Path) -> Shelf:
    """Return a shelf that is the drill's, whatever the environment says of the installation's."""
    return Shelf(home / "backups")


def _made(home: Path, now: int) -> list[Path]:
    """Return a log and closed segments, oldest first; the journal's newest segment is another."""
    log = home / "logs" / "engine.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text('{"event": "drill"}\n', encoding="utf-8")
    journal = Journal(home / "books" / BOOK / "journal")
    for number in range(SEGMENTS):
        journal.append(Record(0, Kind.EVENT, now, now, BOOK, Line(level="info", text=f"retention drill {number}")))
        journal.rotate(f"drill-{number}")
    journal.close()
    return [log, *segments(journal.folder)[:-1]]


def _removed(home: Path, path: Path, at: int) -> bool:
    try:
        archive.remove(home, [path], now=at, shelf=_shelf(home))
    except Refused:
        return not path.exists()
    return True


def _past(home: Path, path: Path, at: int) -> str:
    """Remove a file that is past its term; return what was wrong about it, "" for nothing."""
    data = path.read_bytes()
    archived = archive.remove(home, [path], now=at, shelf=_shelf(home))
    if path.exists():
        return f"{path.name} was not removed after its term"
    read = home / "run" / f"read-{archived.id}"
    unpack(Vault.open(home).sealing_keys(), archive.where(_shelf(home), archived.id), read, archived.context)
    same = (read / next(iter(archived.files))).read_bytes() == data
    return "" if same else f"the archive of {path.name} is not what it was"


def wrong_terms(configuration: Configuration) -> list[str]:
    """Return, as sentences, which of the data folder's own facts would make a term shorter than the law's."""
    from aitrade.market.rules import Rules

    today = ist_date(time.time_ns())
    law, own = Rules.load().retention(today), Rules.load(configuration.home).retention(today)
    return [
        f"facts/rules.toml keeps {name!r} {own.get(name, 0)} days, the rule is {days}: the rule's is used"
        for name, days in law.items()
        if own.get(name, 0) < days
    ]
