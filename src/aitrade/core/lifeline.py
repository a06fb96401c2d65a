"""The line between a process and who started it: standard input, which closes when that one is gone, however it went.

It holds on every system: no process id is looked at, and no signal of the parent's end is needed.
"""

import os
import signal
import sys
import threading

TIED = "--tied"
"""The argument with which a process is started that has to end with who started it."""


def tie() -> None:
    """End this process, as a request to end it does, once who started it with `--tied` is gone.

    Called after the settings were read. Standard input is empty from then on: processes that are started from here must
    not wait on a line that is being read (Windows makes them).
    """
    if TIED not in sys.argv:
        return
    line, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_follow, args=(line,), name="lifeline", daemon=True).start()


def _follow(line: int) -> None:
    while os.read(line, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
