"""A time limit for strategy code on the trading thread: one that never returns is stopped, the thread lives on."""

import ctypes
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class StrategyStuck(BaseException):
    """Raised inside strategy code that used up its time; no `except Exception` in it holds it up."""


class Watchdog:
    """Runs a call under a limit in seconds; a helper thread raises inside it when the limit is passed.

    Works for Python code; a call stuck inside native code ends only with the process, which the supervisor restarts.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._since = 0.0
        self._thread_id = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="strategy-watchdog", daemon=True)
        self._thread.start()

    def run(self, call: Callable[[], T]) -> T:
        """Run `call` and return its answer; raise StrategyStuck when it takes longer than the limit.

        It may be raised between any two steps of `call`, so that nothing of the book is changed in there.
        """
        try:
            self._arm()
            try:
                return call()
            finally:
                self._disarm()
        finally:
            self._since = 0.0

    def close(self) -> None:
        """End the helper thread."""
        self._stop.set()
        self._thread.join()

    def _arm(self) -> None:
        with self._lock:
            self._thread_id = threading.get_ident()
            self._since = time.monotonic()

    def _disarm(self) -> None:
        with self._lock:
            self._since = 0.0

    def _watch(self) -> None:
        while not self._stop.wait(self.seconds / 4):
            with self._lock:
                if self._since and time.monotonic() - self._since > self.seconds:
                    self._since = 0.0
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(self._thread_id), ctypes.py_object(StrategyStuck)
                    )
