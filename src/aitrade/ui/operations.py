"""The page's door to operations: one struct to read, and what a person may do from there, behind the log-in.

Nothing of it asks a kernel. Pages that look at the same time share one look.
"""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from jupyter_server.base.handlers import APIHandler
from tornado.web import authenticated

from aitrade.core.errors import AitradeError, Refused
from aitrade.ops.alerts import acknowledge
from aitrade.ops.alerts.proof import confirm
from aitrade.ops.alerts.settings import AlertSettings
from aitrade.ops.overview import overview

FRESH_SECONDS = 2.0
_encode = msgspec.json.Encoder().encode


class Acknowledged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which alert a person has seen, and what they do about it."""

    alert: int
    reason: str = ""


class Returned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code that arrived on a channel."""

    code: str


class Lookout:
    """Looks at a data folder's operations, at most every two seconds, off the server's loop."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._looking: asyncio.Task[bytes] | None = None
        self._seen = 0.0

    async def seen(self) -> bytes:
        """Return the overview as JSON."""
        if self._looking is None or (self._looking.done() and time.monotonic() - self._seen > FRESH_SECONDS):
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    def forget(self) -> None:
        """Look anew the next time: something was done."""
        self._looking = None

    async def _look(self) -> bytes:
        found = await asyncio.to_thread(lambda: _encode(overview(self.home)))
        self._seen = time.monotonic()
        return found


class Operations(APIHandler):
    """Answers what the System tab shows."""

    def initialize(self, lookout: Lookout) -> None:
        """Take who looks."""
        self.lookout = lookout

    @authenticated
    async def get(self) -> None:
        """Return the overview."""
        self.finish(await self.lookout.seen(), set_content_type="application/json")


class OperationsDone(APIHandler):
    """Does what a person asks for on the System tab, in their name."""

    def initialize(self, lookout: Lookout) -> None:
        """Take who looks."""
        self.lookout = lookout

    @authenticated
    async def post(self, what: str) -> None:
        """Acknowledge an alert or confirm a channel; a refusal says why, with status 422."""
        try:
            await asyncio.to_thread(self._do, what)
        except (AitradeError, msgspec.MsgspecError) as error:
            self.set_status(422 if isinstance(error, Refused) else 400)
            self.finish(json.dumps({"problems": [{"rule": "operations", "text": str(error)}]}))
            return
        self.lookout.forget()
        self.finish(await self.lookout.seen(), set_content_type="application/json")

    def _do(self, what: str) -> None:
        DOES[what](self.lookout.home, self.request.body, self.current_user.username)


def _acknowledge(home: Path, body: bytes, user: str) -> None:
    seen = msgspec.json.decode(body, type=Acknowledged)
    acknowledge(home, seen.alert, actor=user, reason=seen.reason)


def _confirm(home: Path, body: bytes, user: str) -> None:
    confirm(home, msgspec.json.decode(body, type=Returned).code, AlertSettings.load(home), actor=user)


DOES: dict[str, Callable[[Path, bytes, str], None]] = {"acknowledge": _acknowledge, "confirm": _confirm}
"""What a page may do."""
