"""What the running engine holds, as far as maintenance has to know it: an outcome is never guessed."""

from pathlib import Path

import msgspec
import psutil

from aitrade.core.errors import AitradeError
from aitrade.engine.client import Address, EngineClient

ASK_SECONDS = 5.0
_NAMED = 3


def engine_address(home: Path) -> Address | None:
    """Return the address of the engine that runs on the data folder, or None when its process is gone."""
    try:
        address = msgspec.json.decode((home / "run" / "engine.json").read_bytes(), type=Address)
        command = psutil.Process(address.pid).cmdline()
    except (FileNotFoundError, msgspec.DecodeError, psutil.Error):
        return None
    return address if any("aitrade.engine.process" in word for word in command) else None


def ask(home: Path) -> EngineClient:
    """Return a client that asks as maintenance; raise Unreachable when no engine runs."""
    return EngineClient.of(home, actor="maintenance", role="system", seconds=ASK_SECONDS)


def positions_open(home: Path) -> str:
    """Return what is open as a sentence, nothing when nothing is; an engine that does not answer counts as open."""
    if engine_address(home) is None:
        return ""
    try:
        with ask(home) as engine:
            held = [row.instrument for row in engine.positions() if row.quantity]
    except AitradeError as error:
        return f"The engine runs and does not say what is open ({error})."
    names = ", ".join(held[:_NAMED]) + (" …" if len(held) > _NAMED else "")
    return f"Positions are open: {names}." if held else ""
