"""What a list of trades earned: a tear sheet computed from the trades alone, in paise, shown in rupees."""

from collections.abc import Sequence
from typing import Any

import msgspec

from aitrade.core.money import format_rupees
from aitrade.research.compare import Trade
from aitrade.research.replay import Leg


class TearSheet(msgspec.Struct, frozen=True):
    """Figures of one instrument's trades; money in paise. A round trip ends when the position is flat or turns."""

    trades: int
    turnover: int
    gross: int
    """Profit before charges, an open position counted at the last price."""
    charges: int
    round_trips: int
    winners: int
    best: int
    worst: int
    """Of the round trips, before charges; 0 without any."""
    drawdown: int
    """Deepest fall of the realised profit after charges from its highest point so far, 0 or more."""
    position: int
    """Units that stay open."""

    @property
    def net(self) -> int:
        """Profit after charges."""
        return self.gross - self.charges

    def frame(self) -> Any:
        """Return a pandas frame, a figure a row, money in rupees."""
        import pandas as pd

        rows = {
            "trades": f"{self.trades}",
            "turnover": format_rupees(self.turnover),
            "profit before charges": format_rupees(self.gross, sign=True),
            "charges": format_rupees(self.charges),
            "profit after charges": format_rupees(self.net, sign=True),
            "round trips": f"{self.round_trips}, {self.winners} of them with a profit",
            "best round trip": format_rupees(self.best, sign=True),
            "worst round trip": format_rupees(self.worst, sign=True),
            "deepest fall": format_rupees(self.drawdown),
            "still open": f"{self.position} units",
        }
        return pd.DataFrame({"figure": rows.keys(), "value": rows.values()}).set_index("figure")


def tear_sheet(trades: Sequence[Trade], charged: Leg, last: int) -> TearSheet:
    """Return the figures of one instrument's `trades`; what stays open counts at `last`, paise."""
    held = cash = charges = deepest = top = 0
    trips: list[int] = []
    banked = 0
    for _, side, quantity, price, _ in trades:
        charges += charged.total(side, quantity * price, quantity)
        before, held = held, held + side.sign * quantity
        cash -= side.sign * quantity * price
        if before and before * held <= 0:
            now = cash + held * price
            trips.append(now - banked)
            banked = now
        top = max(top, banked - charges)
        deepest = max(deepest, top - (banked - charges))
    return TearSheet(
        trades=len(trades),
        turnover=sum(quantity * price for _, _, quantity, price, _ in trades),
        gross=cash + held * last,
        charges=charges,
        round_trips=len(trips),
        winners=sum(trip > 0 for trip in trips),
        best=max(trips, default=0),
        worst=min(trips, default=0),
        drawdown=deepest,
        position=held,
    )
