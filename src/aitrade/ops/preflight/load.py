"""The load beside which a page is timed: frames of prices, so many a second, of so many symbols."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from aitrade.engine.client import EngineClient

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERTZ, SYMBOLS, SPEED = 20, 50, 60
"""Frames a second, symbols a frame; the market makes them at this speed."""
ENOUGH = 0.9


class Load(msgspec.Struct, frozen=True):
    """What a page was given meanwhile: frames a second, and symbols a frame."""

    hertz: float
    symbols: float

    @property
    def enough(self) -> bool:
        """Whether the market was as busy as promised."""
        return self.hertz >= HERTZ * ENOUGH and self.symbols >= SYMBOLS * ENOUGH

    def __str__(self) -> str:
        """Return it in words."""
        words = f"beside {self.hertz:.0f} frames a second of {self.symbols:.0f} symbols"
        return words if self.enough else f"{words}, less than the {HERTZ} of {SYMBOLS} to measure under"

    @property
    def measured(self) -> dict[str, float]:
        """The figures by key."""
        return {"frames_per_s": round(self.hertz, 1), "symbols_per_frame": round(self.symbols)}


@contextmanager
def busy(page: "Page", client: EngineClient) -> Iterator[None]:
    """Let the market make the load while the block runs; its speed is 1 again afterwards."""
    client.set_speed(speed=SPEED)
    try:
        yield
    finally:
        client.set_speed(speed=1)
        page.wait_for_function("aitrade.state.time.speed === 1")


def listen(page: "Page") -> None:
    """Count what comes from now on."""
    page.evaluate("preflight.listen()")


def heard(page: "Page") -> Load:
    """Return what has come since."""
    return Load(*page.evaluate("preflight.weigh()"))
