"""Papermill's engine for reports: cells run in an IPython shell of this very process, no kernel behind sockets.

A kernel's start and its messages were nine tenths of a report's time; what the cells show, and so the content hash, is
the same.
"""

import _thread
import io
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat.v4 import new_output
from papermill.engines import Engine, papermill_engines
from traitlets import Type
from traitlets.config import Config

NAME = "aitrade"
QUIET = Config({"HistoryManager": {"enabled": False}})
"""No file of what was typed, and no thread that writes it."""


class TimeLimit(BaseException):
    """A cell took too long; no `except Exception` of a report holds it up."""


class Results(DisplayHook):
    """Keeps what a cell's last expression is."""

    def write_output_prompt(self) -> None:
        """A page has no prompts."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Keep every form of it."""
        count = self.shell.execution_count
        self.shell.outputs.append(
            new_output("execute_result", format_dict, metadata=md_dict or {}, execution_count=count)
        )


class Displays(DisplayPublisher):
    """Keeps what a cell displays."""

    def publish(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **_more: object) -> None:
        """Keep every form of it."""
        self.shell.outputs.append(new_output("display_data", data, metadata=metadata or {}))


class CellShell(InteractiveShell):
    """Runs a notebook's cells; what they show goes to the list `outputs`."""

    displayhook_class = Type(Results)
    display_pub_class = Type(Displays)
    outputs: list[Any]

    def run(self, cell: Any, seconds: float) -> bool:
        """Run a cell of code into its outputs, for `seconds` at most; return whether it went well."""
        self.outputs = cell.outputs
        out, err = _Stream("stdout", self.outputs), _Stream("stderr", self.outputs)
        with redirect_stdout(out), redirect_stderr(err), at_most(seconds):
            done = self.run_cell(cell.source, store_history=True)
        cell.execution_count = self.execution_count - 1
        return bool(done.success)

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.outputs.append(new_output("error", ename=etype.__name__, evalue=str(evalue), traceback=stb))


class CellEngine(Engine):  # type: ignore[misc]
    """Runs a notebook cell by cell until one fails."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, _kernel_name: str, *, execution_timeout: float, **_how: object
    ) -> None:
        """Run it on a shell that has no variables yet."""
        shell = CellShell.instance(config=QUIET)
        if shell.execution_count > 1:
            shell.reset()
        for index, cell in enumerate(nb_man.nb.cells):
            nb_man.cell_start(cell, index)
            well = cell.cell_type != "code" or shell.run(cell, execution_timeout)
            if not well:
                nb_man.cell_exception(cell, index)
            nb_man.cell_complete(cell, index)
            if not well:
                break


class _Stream(io.TextIOBase):
    """Keeps what is printed, what comes together as one output."""

    def __init__(self, name: str, outputs: list[Any]) -> None:
        self._name = name
        self._outputs = outputs

    def write(self, text: str) -> int:
        last = self._outputs[-1] if self._outputs else {}
        if last.get("name") == self._name:
            last["text"] += text
        elif text:
            self._outputs.append(new_output("stream", name=self._name, text=text))
        return len(text)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeLimit here, in the main thread, when what is inside takes longer than `seconds`."""

    def late(*_signal: object) -> None:
        raise TimeLimit(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGINT, late)
    timer = threading.Timer(seconds, _interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


def _interrupt() -> None:
    """Interrupt the main thread, where the system can even in its sleep."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


papermill_engines.register(NAME, CellEngine)
