"""What each phase of a session lets in, and what its start does to the orders that work."""

from typing import Protocol

import msgspec

from aitrade.brokers.simulator.working import Working
from aitrade.core.clock import ist_time
from aitrade.core.orders import OrderType, Validity


class Stretch(Protocol):
    """A phase of the calendar: its name and its bounds in ns UTC, the end exclusive."""

    @property
    def name(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def start(self) -> int: ...  # noqa: D102 - the class says it
    @property
    def end(self) -> int: ...  # noqa: D102 - the class says it


class Sessions(Protocol):
    """What the exchange asks of the calendar."""

    def phase_at(self, ts: int, segment: str, /) -> Stretch:
        """Return the phase in force; CLOSED outside every session."""
        ...


class Conduct(msgspec.Struct, frozen=True):
    """How the exchange behaves in a phase."""

    takes: frozenset[OrderType] = frozenset()
    ioc: bool = False
    alters: bool = True
    """Orders can be changed and cancelled."""
    trades: bool = False
    """Prints fill orders."""
    ends: bool = False
    """The session is over: what still works expires."""


_ALL = frozenset(OrderType)

CONDUCT: dict[str, Conduct] = {
    "CONTINUOUS": Conduct(_ALL, ioc=True, trades=True),
    "POST_CLOSE": Conduct(ends=True),
    "CLOSED": Conduct(ends=True),
}
"""By the calendar's name of the phase; a phase that is not here takes nothing and changes nothing."""

_QUIET = Conduct(alters=False)


def conduct(phase: Stretch) -> Conduct:
    """Return how the exchange behaves in `phase`."""
    return CONDUCT.get(phase.name, _QUIET)


def entry_refusal(order: Working, phase: Stretch, now: int) -> str:
    """Return why `phase` does not take `order`, or ""."""
    rules = conduct(phase)
    if not rules.takes:
        return f"The market is {spoken(phase)} at {ist_time(now)} and takes no orders; send it when trading is open."
    if order.type not in rules.takes:
        return f"No {order.type} orders in {spoken(phase)}; use {' or '.join(sorted(rules.takes))}."
    if order.validity is Validity.IOC and not rules.ioc:
        return f"No IOC orders in {spoken(phase)}; use DAY."
    return ""


def spoken(phase: Stretch) -> str:
    """Return the phase's name as a sentence has it."""
    return str(phase.name).lower().replace("_", " ")
