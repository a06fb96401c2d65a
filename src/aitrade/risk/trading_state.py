"""The trading state: who may send what. It survives a restart, and three crashes in a day end in HALTED."""

from collections.abc import Iterable

from aitrade.core.clock import ist_date
from aitrade.core.words import Word


class TradingState(Word):
    """ACTIVE lets all pass; REDUCING exits and cancels; HALTED cancels and a person's exits, nothing else."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"

    def allows(self, *, is_exit: bool, by_person: bool) -> bool:
        """Return whether an order may be sent; cancellations always may."""
        return (is_exit, by_person) in _ALLOWED[self]

    def refusal(self, reason: str) -> str:
        """Return the sentence for an order that this state does not allow."""
        passes = "exits and cancellations" if self is TradingState.REDUCING else "cancellations and a person's exits"
        because = f" ({reason})" if reason else ""
        return f"Trading is {self}{because}: only {passes} pass; resume trading first (aitrade resume)."


_EVERY = frozenset((is_exit, by_person) for is_exit in (True, False) for by_person in (True, False))
_ALLOWED = {
    TradingState.ACTIVE: _EVERY,
    TradingState.REDUCING: frozenset({(True, True), (True, False)}),
    TradingState.HALTED: frozenset({(True, True)}),
}
"""State to the (is_exit, by_person) that pass."""


def crashed_too_often(crashes: Iterable[int], now: int, limit: int) -> bool:
    """Return whether `limit` of the crashes (ns UTC) fall on now's IST day: start HALTED then."""
    today = ist_date(now)
    return sum(ist_date(crash) == today for crash in crashes) >= limit
