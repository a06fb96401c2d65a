"""Whether two runs traded the same: one hash over what was filled, whoever drove the strategy."""

import hashlib
from collections.abc import Iterable

from aitrade.core.clock import MINUTE
from aitrade.core.orders import Side


def order_list_hash(trades: Iterable[tuple[str, Side, int, int, int]]) -> str:
    """Return SHA-256 over (instrument, side, quantity in units, price in paise, ts in ns) of fills in their order.

    The time counts by its market minute: a sweep knows the bar that filled an order, an exchange knows the moment.
    """
    digest = hashlib.sha256()
    for instrument, side, quantity, price, ts in trades:
        digest.update(f"{instrument} {side} {quantity} {price} {ts // MINUTE}\n".encode())
    return digest.hexdigest()
