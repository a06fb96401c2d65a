"""What a tab is built with: the engine by a client, in the page's kernel."""

import os
from pathlib import Path

from aitrade.core.config import default_home
from aitrade.engine.client import EngineClient


class Desk:
    """A page's view of the engine; the client is made when it is first used, so that a kernel can wait without one."""

    def __init__(self, home: Path | None = None, user: str = "trader") -> None:
        self.user = user
        self.home = home or Path(os.environ.get("AITRADE_HOME") or default_home())
        self._client: EngineClient | None = None
        self._address = b""

    @property
    def client(self) -> EngineClient:
        """A client of the engine that runs now, a new one after a restart; raise Unreachable when none runs."""
        path = self.home / "run" / "engine.json"
        address = path.read_bytes() if path.is_file() else b""
        if self._client is None or address != self._address:
            self._forget()
            self._client = EngineClient.of(self.home, actor=self.user)
            self._address = address
        return self._client

    def _forget(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
