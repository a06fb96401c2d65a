"""The drill of alerts: a watcher on a scratch folder, a loopback webhook, and things that are truly broken."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from aitrade.compliance.journal import Journal, segments
from aitrade.core.events import Kind, Operation, Record
from aitrade.ops.alerts import raise_alert
from aitrade.ops.alerts.alert import Severity
from aitrade.ops.alerts.child import watcher
from aitrade.ops.alerts.proof import new_code
from aitrade.ops.alerts.settings import FILE, Channel
from aitrade.ops.alerts.webhook import Webhook
from aitrade.ops.children import Running

PATIENCE_S = 15.0
START_S = 20.0
RULE = "chain-broken"
"""The rule that the drill breaks: it needs no engine, no waiting and no closed market."""


class Drill(msgspec.Struct, frozen=True):
    """How long it took, seconds."""

    nonce: str
    nonce_s: float
    """From raised to received."""
    rule_s: float
    """From the break to received."""


@contextmanager
def watched(home: Path, installation: Path) -> Iterator[Webhook]:
    """Run a watcher on `home` by the installation's rules, while the block does; its only channel is the webhook."""
    home.mkdir(parents=True, exist_ok=True)
    if (installation / FILE).is_file():
        shutil.copy(installation / FILE, home / FILE)
    with Webhook() as webhook:
        channel = Channel(name="loopback", url=webhook.url, severity=Severity.INFO)
        running = Running(watcher(home, [channel]), home / "logs" / "alerts.log")
        running.start()
        try:
            running.wait_ready(START_S)
            yield webhook
        finally:
            running.stop(START_S)


def drill(home: Path, installation: Path) -> Drill:
    """Raise an alert with a nonce and break a journal; return how long each took to come back.

    Raises Unreachable when one does not, AitradeError when the watcher does not start.
    """
    nonce = new_code()
    with watched(home, installation) as webhook:
        began = time.time_ns()
        raise_alert(home, "drill", Severity.CRITICAL, f"This is a drill, nonce {nonce}.", subject=nonce)
        nonce_s = (webhook.wait_for(nonce, PATIENCE_S).at - began) / 1e9
        return Drill(nonce, nonce_s, broken_chain_s(home, webhook, f"drill-{nonce}"))


def broken_chain_s(home: Path, webhook: Webhook, book: str) -> float:
    """Put a book with a damaged journal into a watched folder; return the seconds until the webhook hears of it."""
    made = home / "made" / book / "journal"
    _damaged(made)
    (home / "books").mkdir(exist_ok=True)
    began = time.time_ns()
    made.parent.rename(home / "books" / book)
    return (webhook.wait_for(f"The journal of {book}", PATIENCE_S).at - began) / 1e9


def _damaged(folder: Path) -> None:
    """Write three records and change the second's text."""
    journal = Journal(folder, durability="os")
    for word in ("first", "second", "third"):
        body = Operation(what="drill", name=word, outcome="passed")
        journal.append(Record(0, Kind.OPERATION, 1, 1, "drill", body))
    journal.close()
    (segment,) = segments(folder)
    segment.write_bytes(segment.read_bytes().replace(b"second", b"Second"))
