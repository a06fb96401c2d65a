"""What the page server tells of itself and of everything: `/metrics` for Prometheus, `/health` with reasons.

Both ask for the data folder's token, as the engine does; whoever is logged in may read `/health` too.
"""

import hmac
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado.ioloop import IOLoop
from tornado.web import HTTPError

from aitrade.core.metrics import EXPOSITION, Buckets, Figures
from aitrade.ops.errors import ErrorGroup, errors
from aitrade.ops.health import SystemHealth, health


class Counts:
    """What the page server counts: it is one process, on one thread."""

    def __init__(self) -> None:
        self.renders = Buckets()
        self.streams = 0
        self.relayed: Counter[tuple[str, str]] = Counter()
        """By upstream, and whether it answered, refused or did not answer."""


COUNTS = Counts()


def figures(found: SystemHealth, kernels: int, starting: int, kept: list[ErrorGroup]) -> Figures:
    """Return the page's values, and how each part is that anybody knows of."""
    taken = Figures()
    taken.put("aitrade_page_render_seconds", COUNTS.renders)
    taken.put("aitrade_page_streams", COUNTS.streams)
    taken.put("aitrade_page_kernels", kernels)
    taken.put("aitrade_page_kernels_starting", starting)
    for (upstream, outcome), count in COUNTS.relayed.items():
        taken.put("aitrade_page_relayed_total", count, upstream, outcome)
    for part in found.components:
        if part.state in ("ok", "degraded", "down"):
            taken.put("aitrade_component_ok", part.ok, part.name)
    taken.put("aitrade_errors_kept", sum(group.count for group in kept))
    taken.put_process("page")
    return taken


class Observed(JupyterHandler):
    """Answers whoever has the data folder's token."""

    def initialize(self, home: Path) -> None:
        """Take the data folder."""
        self.home = home

    def let_in(self, *, visitors: bool) -> None:
        """Raise 401 for all others; `visitors` lets in who is logged in."""
        token = self.home / "run" / "token"
        wanted = f"Bearer {token.read_text()}" if token.exists() else ""
        given = self.request.headers.get("Authorization", "")
        if wanted and hmac.compare_digest(given.encode(), wanted.encode()):
            return
        if not visitors or self.current_user is None:
            raise HTTPError(401)

    async def look(self) -> SystemHealth:
        """Look at everything, on another thread."""
        return await IOLoop.current().run_in_executor(None, health, self.home)

    def write_error(self, status_code: int, **_more: object) -> None:
        """Say how to be let in."""
        text = "The token is missing or wrong; it is in run/token of the data folder."
        self.finish({"status": status_code, "problem": text if status_code == 401 else "See logs/page.jsonl."})  # noqa: PLR2004


class MetricsHandler(Observed):
    """Prometheus's door."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Write every metric of the page."""
        self.let_in(visitors=False)
        kernels = self.kernel_manager
        taken = figures(await self.look(), len(kernels), _starting(kernels), errors(self.home))
        self.set_header("Content-Type", EXPOSITION)
        self.finish(await IOLoop.current().run_in_executor(None, taken.text))


def _starting(kernels: Any) -> int:
    """Return how many kernels of Voila's pools have not rendered the page yet."""
    made = [task for pool in kernels._pools.values() for task in pool]  # noqa: SLF001 - Voila names no other
    return sum(1 for task in made if not (task.done() and task.result()["task"].done()))


class HealthHandler(Observed):
    """Everything's health: 200 while nothing is wrong, 503 with the reasons otherwise."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Write it as JSON."""
        self.let_in(visitors=True)
        found = await self.look()
        self.set_status(200 if found.ok else 503)
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(found))
