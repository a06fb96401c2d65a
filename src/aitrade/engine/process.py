"""The engine process: `python -m aitrade.engine.process` with its settings as JSON on standard input.

Exit status: 0 after a clean stop, 3 when it refuses to start (the reason is the last line on standard error).
"""

import os
import signal
import sys
from pathlib import Path
from typing import TextIO

import msgspec

from aitrade.core.errors import AitradeError, Conflict
from aitrade.engine.client import Address
from aitrade.engine.settings import EngineSettings

REFUSED = 3


class FolderLock:
    """Holds a data folder for one engine; the operating system lets go when the process ends, however it ends."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = (home / "engine.lock").open("a+")
        try:
            _lock(self._file)
        except OSError:
            self._file.close()
            raise Conflict(
                f"Another engine already trades on {home}; use it, stop it, or choose another --data-folder."
            ) from None

    def release(self) -> None:
        """Let go."""
        self._file.close()


def _lock(file: TextIO) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, replacing it in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


def serve(settings: EngineSettings) -> None:
    """Run an engine until it is told to stop."""
    from aitrade.engine.api import Api
    from aitrade.engine.service import Service

    lock = FolderLock(settings.home_path)
    service = Service(settings)
    try:
        api = Api(service, settings.port)
        api.start()
        service.attach(api.send)
        _announce(settings, api)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: service.stop())
        service.run()
        api.stop()
    finally:
        service.close()
        lock.release()


def _announce(settings: EngineSettings, api: object) -> None:
    run = settings.run_path
    write_private(run / "token", api.token)  # type: ignore[attr-defined]
    address = Address(port=api.port, pid=os.getpid(), book=settings.book)  # type: ignore[attr-defined]
    write_private(run / "engine.json", msgspec.json.encode(address).decode())


def main() -> None:
    """Read settings from standard input and serve."""
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=EngineSettings)
    sys.setswitchinterval(0.0005)
    try:
        serve(settings)
    except AitradeError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(REFUSED)
    except OSError as error:
        sys.stderr.write(f"The engine cannot start: {error}\n")
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
