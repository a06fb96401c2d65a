"""Runs the checklist: every item within its time, every crash a fail that names itself, one record of it all."""

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from aitrade.core.config import Configuration
from aitrade.core.errors import AitradeError
from aitrade.core.files import FileLock
from aitrade.ops.preflight.binding import binding
from aitrade.ops.preflight.check import Finding, Item, Source, Status
from aitrade.ops.preflight.checklist import ROWS, Row
from aitrade.ops.preflight.ground import Ground, Unprovable
from aitrade.ops.preflight.record import Result, Run

CLOSE_SECONDS = 30.0
MANY = 20
"""Of so many items some want the scratch session for sure: it starts beside the first ones, which do not."""
LATE = ("memory", "charts")
"""Items that play the scratch market to its end, or replace it by a replayed day: they come last, in this order."""
Progress = Callable[[Item], None]


class Hand:
    """Does one thing after another on one thread, as browsers want it; a check that hangs is left behind with it."""

    def __init__(self) -> None:
        self._wanted: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Any]]] = SimpleQueue()
        threading.Thread(target=self._work, name="preflight", daemon=True).start()

    def do(self, work: Callable[[], Any], seconds: float) -> Any:
        """Return what `work` returns, or the exception that it raised; raise Empty when it takes longer."""
        answer: SimpleQueue[Any] = SimpleQueue()
        self._wanted.put((work, answer))
        return answer.get(timeout=seconds)

    def _work(self) -> None:
        while True:
            work, answer = self._wanted.get()
            try:
                answer.put(work())
            except Exception as error:
                answer.put(error)


class Runner:
    """Examines items on shared ground; a check that hangs costs the ground, and the next one gets new."""

    def __init__(self, configuration: Configuration, scratch: Path) -> None:
        self._configuration = configuration
        self._scratch = scratch
        self._grounds = 0
        self._renew()

    def examine(self, item: Item) -> Result:
        """Return the item's verdict."""
        began = time.monotonic()
        try:
            found = self._hand.do(lambda: item.examine(self._ground), item.seconds)
        except Empty:
            self._ground.abandon()
            self._renew()
            found = AitradeError(f"{item.words!r} took more than its {item.seconds:g} s and was left.")
        finding = crashed(item, found) if isinstance(found, Exception) else found
        return verdict(item, finding, time.monotonic() - began)

    def warm(self) -> None:
        """Begin to start the scratch session, and wait for nothing."""
        self._hand.do(lambda: self._ground.trading, CLOSE_SECONDS)

    def close(self) -> None:
        """End what the checks started."""
        with suppress(Empty):
            self._hand.do(self._ground.close, CLOSE_SECONDS)
        self._ground.abandon()

    def _renew(self) -> None:
        self._grounds += 1
        folder = self._scratch / str(self._grounds)
        folder.mkdir(parents=True)
        self._hand, self._ground = Hand(), Ground(self._configuration, folder)


def run(configuration: Configuration, items: Sequence[Item], progress: Progress = lambda _: None) -> Run:
    """Examine items and return the run in the list's order; raise Conflict while another runs on this data folder."""
    began, bound = time.monotonic(), binding(configuration)
    with (
        FileLock(configuration.home / "run" / "preflight.lock", taken="Another preflight runs here; wait for its end."),
        tempfile.TemporaryDirectory(prefix="aitrade-preflight-", ignore_cleanup_errors=True) as scratch,
    ):
        runner = Runner(configuration, Path(scratch))
        try:
            found = {}
            if len(items) >= MANY:
                runner.warm()
            for item in sorted(items, key=lambda item: LATE.index(item.id) if item.id in LATE else -1):
                progress(item)
                found[item.id] = runner.examine(item)
        finally:
            runner.close()
    return Run(items=[found[item.id] for item in items], bound=bound, seconds=time.monotonic() - began)


def crashed(item: Item, error: Exception) -> Finding:
    """Return the fail that an exception is, in its own sentence when it is one of ours; Unprovable is no fail."""
    status = Status.NOT_PROVABLE if isinstance(error, Unprovable) else Status.FAIL
    text = str(error) if isinstance(error, AitradeError) else f"{type(item).__name__}: {type(error).__name__}: {error}"
    return Finding(status, text, {}, Source.SYSTEM, 0)


def verdict(item: Item, finding: Finding, seconds: float) -> Result:
    """Return what is printed and kept: evidence with its source and count, judged by the rules of the checklist."""
    status, said = judged(item.id, finding)
    counted = f" ({finding.source}, {finding.examined:,} examined)" if finding.examined else f" ({finding.source})"
    measured = {
        **finding.measured, "source": str(finding.source), "examined": finding.examined, "seconds": round(seconds, 2),
    }  # fmt: skip
    return Result(item.id, str(item.section), item.words, str(status), said + counted, measured)


def judged(item: str, finding: Finding, rows: Sequence[Row] = ROWS) -> tuple[Status, str]:
    """Return status and evidence: nothing examined never passes, and not provable is only what the table says."""
    if finding.status is Status.PASS and finding.examined <= 0:
        return Status.FAIL, f"Nothing was examined: {finding.evidence}"
    elsewhere = next((row.elsewhere for row in rows if row.id == item), "")
    if finding.status is Status.NOT_PROVABLE and not elsewhere:
        return Status.FAIL, f"This item has to be provable everywhere: {finding.evidence}"
    return finding.status, finding.evidence
