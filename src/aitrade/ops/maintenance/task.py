"""What a maintenance task is: a plan that writes nothing, a run that reports its steps, and what came of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec

from aitrade.core.clock import ist_date
from aitrade.core.config import Configuration

Measured = dict[str, int | float | str]


class Done(msgspec.Struct, frozen=True):
    """What a task did, in one sentence, and every figure behind it."""

    says: str
    measured: Measured = {}


class Status(StrEnum):
    """How a task ended."""

    DONE = "done"
    PLANNED = "planned"
    """A dry run: nothing was written."""
    FAILED = "failed"
    LATE = "late"
    """It passed its time limit and was ended."""
    STOPPED = "stopped"
    """An emergency, or the end of the scheduler, needed the machine; it comes again."""
    SKIPPED = "skipped"
    """It may not run now; the sentence says why."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a task went; times in ns UTC and seconds."""

    task: str
    status: Status
    says: str
    step: str = ""
    """The step that it was at when it did not end well."""
    measured: Measured = {}
    began: int = 0
    seconds: float = 0.0
    error: str = ""
    """The exception's type and the place in our code, for whoever repairs it."""


class Ground:
    """What a task stands on. `now` is ns UTC of the clock that its schedule goes by.

    What `undo` is given is called, newest first, when the task fails or is ended, so that the system is as it was.
    """

    def __init__(
        self, configuration: Configuration, now: int, *, subject: str = "", tell: Callable[[str], None] | None = None
    ) -> None:
        self.configuration = configuration
        self.home = configuration.home
        self.now = now
        self.subject = subject
        """What a task is about, where it takes one: a report's day, an emergency's issue."""
        self.at_step = ""
        self._tell = tell or (lambda _words: None)
        self._undo = ExitStack()

    @property
    def today(self) -> date:
        """The IST date."""
        return ist_date(self.now)

    @property
    def scratch(self) -> Path:
        """A folder of ours for half-made files, emptied before each task."""
        return self.home / "run" / "maintenance"

    @contextmanager
    def step(self, words: str) -> Iterator[None]:
        """Do one step; a failure is reported with its words."""
        self.at_step = words
        self._tell(words)
        yield
        self.at_step = ""

    def undo(self, call: Callable[[], object]) -> None:
        """Remember how to take back what is about to be done."""
        self._undo.callback(call)

    def keep(self) -> None:
        """Forget how to take it back: it is done."""
        self._undo.pop_all()

    def take_back(self) -> None:
        """Take back what was done."""
        self._undo.close()


class Task(Protocol):
    """A named, idempotent piece of upkeep."""

    name: str

    def plan(self, ground: Ground) -> list[str]:
        """Return what a run would do now, a sentence each; write nothing."""
        ...

    def run(self, ground: Ground) -> Done:
        """Do it; an exception is a failure at the step it was in."""
        ...
