"""What an exit is. Exits are sacred: the loss limit, the order rate and our own limits never stop one.

An exit is an order whose quantity plus working exits on that side is at most the position, and, in derivatives, after
which margin does not rise: buying back the long leg's short is an exit, selling the leg that hedges a short is not.
"""

from collections.abc import Sequence

from aitrade.core.instruments import Instrument
from aitrade.core.orders import OrderRequest, Side
from aitrade.risk.account import Account
from aitrade.risk.margin import Position


def is_exit(request: OrderRequest, instrument: Instrument, account: Account) -> bool:
    """Return whether `request` is an exit now; what it counts on is its own product's position."""
    return exits(request, request.quantity, instrument, account)


def exits(request: OrderRequest, quantity: int, instrument: Instrument, account: Account, own: int = 0) -> bool:
    """Return whether `quantity` units on the request's terms exit; `own` units of its side are its own working ones."""
    position = account.net(request.instrument, request.product)
    sign = 1 if request.side is Side.BUY else -1
    if position * sign >= 0 or quantity <= 0:
        return False
    working = account.working(request.instrument, request.product, request.side) - own
    if quantity + working > abs(position):
        return False
    return not instrument.is_derivative or not _raises(request, quantity * sign, own, instrument, account)


def _raises(request: OrderRequest, change: int, own: int, instrument: Instrument, account: Account) -> bool:
    margins, spot = account.margins, account.last(instrument.underlying)
    legs = account.legs(instrument.underlying)
    working = others(account.working_legs(instrument.underlying), request, own)
    before = margins.with_working(legs, working, spot)
    order = Position(instrument, request.product, change, account.last(instrument.key))
    return margins.group([*before, order], spot) > margins.group(before, spot)


def others(working: Sequence[Position], request: OrderRequest, own: int) -> list[Position]:
    """Return the working legs without the one that is the request's own order, `own` units of its side."""
    signed = own if request.side is Side.BUY else -own
    rest = list(working)
    mine = (p for p in rest if own and p.instrument.key == request.instrument and p.quantity == signed)
    found = next(mine, None)
    if found is not None:
        rest.remove(found)
    return rest
