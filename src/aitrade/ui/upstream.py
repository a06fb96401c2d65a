"""Where the engine and the chart worker listen: read anew each time, since both may have been started again."""

from pathlib import Path

import msgspec


class _Address(msgspec.Struct):
    port: int


class Upstream:
    """A loopback server of ours by its two files: an address and a token that only their owner can read."""

    def __init__(self, name: str, address: Path, token: Path) -> None:
        self.name = name
        self._address = address
        self._token = token

    @property
    def url(self) -> str:
        """Where it listens; raise LookupError before it does."""
        try:
            address = msgspec.json.decode(self._address.read_bytes(), type=_Address)
        except (OSError, msgspec.DecodeError):
            raise LookupError(f"{self.name} has not said where it listens") from None
        return f"http://127.0.0.1:{address.port}"

    @property
    def token(self) -> str:
        """Its token; raise LookupError before it has one."""
        try:
            return self._token.read_text()
        except OSError:
            raise LookupError(f"{self.name} has no token yet") from None
