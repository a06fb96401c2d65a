"""The grid that prices lie on: an instrument's tick, and the band around a close."""

import msgspec

from aitrade.core.money import half_up
from aitrade.core.quotes import Bar, Tick


def band(close: int, percent: int, tick: int) -> tuple[int, int]:
    """Return the lowest and highest price on the grid within `percent` of `close`, paise."""
    return -(-close * (100 - percent) // 100 // tick) * tick, close * (100 + percent) // 100 // tick * tick


def rounded_bar(bar: Bar, tick: int) -> Bar:
    """Return the bar with its prices on the grid: each the nearest; the bar itself where they are."""
    prices = bar.open, bar.high, bar.low, bar.close
    if not any(price % tick for price in prices):
        return bar
    first, high, low, last = (half_up(price, tick) * tick for price in prices)
    return msgspec.structs.replace(bar, open=first, high=high, low=low, close=last)


def rounded_tick(one: Tick, tick: int) -> Tick:
    """Return the print on the grid, MODELLED where it had to be moved; a bid goes down to it and an ask up."""
    if not (one.price % tick or one.bid % tick or one.ask % tick):
        return one
    price, bid, ask = half_up(one.price, tick) * tick, one.bid // tick * tick, -(-one.ask // tick) * tick
    return msgspec.structs.replace(one, price=price, bid=bid, ask=ask, modelled=True)
