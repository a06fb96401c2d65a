"""The order book's levels at a print: what a feed knows of them, and what is modelled where a market is simulated.

Recorded futures show levels whose quantities grow away from the touch (levels three to five of the recordings at hand
are mostly empty, so that the growth is an assumption): a modelled level is the one before it, a tick or two further,
with up to twice its quantity. Levels are for looking at; nothing fills against them (see docs/paper-exchange.md).
"""

from aitrade.core.instruments import Instrument
from aitrade.core.quotes import Depth, Level, Tick
from aitrade.market.draws import stream, word

LEVELS = 5


def best(tick: Tick) -> Depth:
    """Return the one level of each side that a print carries."""
    return Depth(
        instrument=tick.instrument,
        ts=tick.ts,
        bids=[Level(tick.bid, tick.bid_quantity)] if tick.bid else [],
        asks=[Level(tick.ask, tick.ask_quantity)] if tick.ask else [],
        modelled=tick.modelled,
    )


def modelled(tick: Tick, instrument: Instrument, seed: int) -> Depth:
    """Return five levels around a print, always the same for the same seed and print."""
    touch = best(tick)
    draws = [int(one) for one in stream(seed, word(tick.instrument), tick.ts, list(range(2 * LEVELS)))]
    return Depth(
        instrument=tick.instrument,
        ts=tick.ts,
        bids=_beyond(touch.bids, -instrument.tick, instrument.lot, draws[:LEVELS]),
        asks=_beyond(touch.asks, instrument.tick, instrument.lot, draws[LEVELS:]),
        modelled=True,
    )


def _beyond(touch: list[Level], step: int, lot: int, draws: list[int]) -> list[Level]:
    """Return the touch and the levels beyond it, while prices are above zero."""
    levels = list(touch)
    for draw in draws[1:] if touch else ():
        price = levels[-1].price + step * (1 + draw % 4 // 3)
        more = levels[-1].quantity * (draw % 101) // 100 // lot * lot
        if price > 0:
            levels.append(Level(price, max(levels[-1].quantity + more, lot)))
    return levels
