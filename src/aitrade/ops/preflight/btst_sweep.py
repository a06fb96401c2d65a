"""Sweeps a scratch market's clock over the opening of BTST and asks at every step what is shown and what is sent."""

from collections.abc import Iterator
from typing import NamedTuple

from aitrade.core.clock import MINUTE, SECOND, at
from aitrade.core.orders import Product
from aitrade.engine.insight import BTST_OPENS
from aitrade.intelligence.btst import STRATEGY, Btst
from aitrade.ops.preflight.probed_market import Market

START = "14:04"
STEPS = (10 * MINUTE, 5 * MINUTE, MINUTE, SECOND, 1_000_000, 1_000, 1)
"""Nanoseconds before the opening at which is asked."""
LATER = 5
"""Seconds after it that are asked, too."""


class Asked(NamedTuple):
    """What one moment gave: ns before the opening (0 and less: open), the list, and the rules that refused a buy."""

    before: int
    listed: Btst
    refused: set[str]

    @property
    def wrong(self) -> str:
        """What is wrong with it, in words; empty for nothing."""
        when = f"{self.before} ns before" if self.before > 0 else "at or after"
        shown = bool(self.listed.candidates) or not self.listed.locked
        if self.before > 0 and shown:
            return f"{when} the opening a list of {len(self.listed.candidates)} shares was shown"
        if self.before > 0 and "btst" not in self.refused:
            return f"{when} the opening a BTST order was not refused"
        if self.before <= 0 and not self.listed.candidates:
            return f"{when} the opening no list was shown"
        return ""


def sweep(market: Market) -> Iterator[Asked]:
    """Yield what each moment gave, in order of time: minutes before, the last nanosecond, 14:15:00 and after it."""
    opens = at(market.day, BTST_OPENS)
    for before in STEPS:
        if opens - before > market.engine.clock.now():
            _trade_until(market, opens - before)
            yield ask(market, opens)
    market.stand_still(opens)
    yield ask(market, opens)
    for _ in range(LATER):
        market.service.step(1)
        yield ask(market, opens)


def ask(market: Market, opens: int) -> Asked:
    """Ask for the list and send a BTST order, now."""
    listed = market.service.btst()()
    order = market.request(market.share, product=Product.CNC, strategy=STRATEGY)
    return Asked(opens - market.engine.clock.now(), listed, market.send(order))


def _trade_until(market: Market, ts: int) -> None:
    market.service.step((ts - market.engine.clock.now()) // SECOND)
    market.stand_still(ts)
