"""The engine process: `python -m aitrade.engine.process` with its settings as JSON on standard input.

Exit status: 0 after a clean stop, 3 when it refuses to start (the reason is the last line on standard error).
"""

import os
import signal
import sys
from typing import NoReturn

import msgspec

from aitrade.core import logs, metrics, unfinished
from aitrade.core.errors import AitradeError
from aitrade.core.files import FileLock, write_private
from aitrade.engine.client import Address
from aitrade.engine.settings import EngineSettings

REFUSED = 3


def serve(settings: EngineSettings) -> None:
    """Run an engine until it is told to stop."""
    from aitrade.engine.api import Api
    from aitrade.engine.service import Service

    home = settings.home_path
    lock = FileLock(
        home / "engine.lock",
        taken=f"Another engine already trades on {home}; use it, stop it by `aitrade stop`, "
        "or choose another --data-folder.",
    )
    unfinished.refuse(home)
    service = Service(settings)
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: service.stop())
        api = Api(service, settings.port)
        api.start()
        service.attach(api.send)
        _announce(settings, api)
        where = {"book": settings.book, "mode": settings.mode, "port": api.port, "pid": os.getpid()}
        logs.later("info", "engine serves", __name__, where)
        service.run()
        api.stop()
        logs.later("info", "engine stops", __name__, {"book": settings.book, **service.left_open()})
    finally:
        service.close()
        lock.release()


def _announce(settings: EngineSettings, api: object) -> None:
    run = settings.run_path
    write_private(run / "token", api.token)  # type: ignore[attr-defined]
    address = Address(port=api.port, pid=os.getpid(), book=settings.book)  # type: ignore[attr-defined]
    write_private(run / "engine.json", msgspec.json.encode(address).decode())
    metrics.announce(settings.home_path, "engine", address.port)


def main() -> None:
    """Read settings from standard input and serve."""
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=EngineSettings)
    sys.setswitchinterval(0.0005)
    logs.configure("engine", settings.home_path / "logs")
    try:
        serve(settings)
    except AitradeError as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"The engine cannot start: {error}")


def _refuse(reason: str) -> NoReturn:
    """Say the reason where the supervisor looks for it: last on standard error."""
    logs.later("warning", "engine refuses to start", __name__, {"reason": reason})
    logs.shut()
    sys.stderr.write(f"{reason}\n")
    sys.exit(REFUSED)


if __name__ == "__main__":
    main()
