"""One simulated day, minute by minute: what every stock, index and India VIX did, on a common timeline."""

import math

import msgspec
import numpy as np

from aitrade.core.clock import MINUTE
from aitrade.market.calendar import PhaseName, Session
from aitrade.market.draws import Floats, Ints, normal, uniform, word
from aitrade.market.simulated.universe import VIX, Calibration
from aitrade.market.simulated.walk import Model, Walk

_BROWNIAN_RANGE = math.sqrt(8 / math.pi)
"""Mean range of a Brownian path of deviation 1 (W. Feller, 1951)."""
_MEAN_MOVE = 0.75
"""Mean of the absolute standardised minute move, around which volume follows it."""


class Hours(msgspec.Struct, frozen=True):
    """The day's trading hours on a timeline of minutes from `start` (ns UTC)."""

    start: int
    count: int
    """Minutes from the first segment's open to the last one's close."""
    stock: np.ndarray
    """Minutes of continuous trading of stocks with derivatives, as indices into the timeline."""
    plain: np.ndarray
    """The same of stocks without derivatives."""
    derivative: np.ndarray
    auction: int
    """The minute of the closing auction's match, or -1 on days without one."""

    @property
    def auction_end(self) -> int:
        """When the closing auction's price is out, ns UTC; 0 on days without one."""
        return self.start + (self.auction + 1) * MINUTE if self.auction >= 0 else 0


def continuous(session: Session, start: int) -> Ints:
    """Return the minutes of continuous trading, counted from `start` (ns UTC)."""
    phases = [phase for phase in session.phases if phase.name is PhaseName.CONTINUOUS]
    spans = [np.arange((phase.start - start) // MINUTE, (phase.end - start) // MINUTE) for phase in phases]
    return np.concatenate(spans)


def hours(stock: Session, plain: Session, derivative: Session) -> Hours:
    """Return the hours of a day from its three sessions."""
    sessions = (stock, plain, derivative)
    start = min(session.open for session in sessions)
    match = [phase.start for phase in stock.phases if phase.name is PhaseName.AUCTION_MATCH]
    last = max([session.close for session in sessions] + [ts + MINUTE for ts in match])
    auction = (match[0] - start) // MINUTE if match else -1
    return Hours(start, (last - start) // MINUTE, *(continuous(session, start) for session in sessions), auction)


class Minutes(msgspec.Struct, frozen=True):
    """Minute bars of all rows (stocks, indices, India VIX) over the timeline; (rows, minutes), paise and units."""

    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    official: Ints
    """(rows): the day's official close: the auction's price, or the last one traded."""


class Day(msgspec.Struct, frozen=True):
    """What a day is made from."""

    model: Model
    walk: Walk
    row: int
    """The day's row in the walk."""
    seed: int
    hours: Hours
    ticks: Ints
    """(rows): tick sizes in paise."""

    @property
    def ordinal(self) -> int:
        """The date as a number, for hashing."""
        return self.walk.days[self.row].toordinal()


def minutes(day: Day) -> Minutes:
    """Return the day's minute bars; deterministic in seed and date."""
    moves, local = _factor_moves(day)
    stocks = _path(day.walk.open[day.row], day.model.loading @ moves)
    weights, universe = day.model.universe.weights(), day.model.universe
    base = np.log([stock.price for stock in universe.stock])
    indices = np.log(np.array([[index.level] for index in universe.index]) * (weights @ np.exp(stocks - base[:, None])))
    before = math.log(weights[0] @ np.exp(day.walk.close[day.row - 1] - base) * universe.index[0].level)
    vix = _vix_path(day, indices[0] - before, local)
    latent = np.vstack([stocks, indices, vix])
    spread = np.hypot.reduce(_row_deviations(day), axis=1)
    bars = _bars(day, latent, spread, local)
    return Minutes(*bars, _volume(day, stocks, spread, local), _official(day, bars[3]))


def _factor_moves(day: Day) -> tuple[Floats, Floats]:
    """Return (factors, minutes) moves that sum to the walk's day, and the minutes' relative deviations.

    A minute's move is drawn with the U shape and fat tails, then the day's rest is spread by variance: exactly the
    distribution of the minutes given their sum.
    """
    figures, count = day.model.figures.minute, day.hours.count
    local = figures.shape(figures.volatility, count)
    local /= np.sqrt((local**2).sum())
    place = np.arange(count)
    tails = math.sqrt(math.log(figures.kurtosis / 3) / 4)
    wild = np.exp(tails * normal(day.seed, day.ordinal, place, "wild") - tails**2)
    drawn = normal(day.seed, day.model.words[:, None], day.ordinal, place, "minute") * wild * local
    drawn *= day.walk.deviation[day.row][:, None]
    rest = day.walk.intraday[day.row] - drawn.sum(axis=1)
    return drawn + rest[:, None] * local**2, local


def _path(start: Floats, moves: Floats) -> Floats:
    """Return log prices at the timeline's minute ends, the open first: (rows, minutes + 1)."""
    return start[:, None] + np.concatenate([np.zeros((len(start), 1)), np.cumsum(moves, axis=1)], axis=1)


def _vix_path(day: Day, index: Floats, local: Floats) -> Floats:
    """Return log India VIX over the minutes: it leans against the index and meets the walk's evening value."""
    figures = day.model.figures
    slope = (
        figures.vix.correlation
        * figures.vix.shock
        / math.hypot(figures.market.gap_deviation, figures.market.intraday_deviation)
    )
    evening, morning = np.log(day.walk.vix[[day.row, day.row - 1]])
    drawn = normal(day.seed, day.ordinal, np.arange(len(local)), "vix minute") * local * figures.vix.shock / 2
    rest = evening - morning - slope * index[-1] - drawn.sum()
    own = np.concatenate([[0.0], np.cumsum(drawn + rest * local**2)])
    return morning + slope * index + own


def _row_deviations(day: Day) -> Floats:
    """Return (rows, factors) deviations of the day by factor."""
    stocks = day.model.loading * day.walk.deviation[day.row]
    indices = day.model.universe.weights() @ stocks
    vix = np.full((1, stocks.shape[1]), day.model.figures.vix.shock / math.sqrt(stocks.shape[1]))
    return np.vstack([stocks, indices, vix])


def _bars(day: Day, latent: Floats, spread: Floats, local: Floats) -> tuple[Ints, Ints, Ints, Ints]:
    """Return open, high, low and close in paise on the grid; extremes are those of Brownian bridges."""
    named = np.array([word(name) for name in names(day.model)], np.uint64)[:, None]
    width = spread[:, None] * local * (day.model.figures.minute.range_ratio / _BROWNIAN_RANGE)
    first, last = latent[:, :-1], latent[:, 1:]
    drawn = [uniform(day.seed, named, day.ordinal, np.arange(len(local)), side) for side in ("high", "low")]
    up, down = (np.sqrt((last - first) ** 2 - 2 * width**2 * np.log(share)) for share in drawn)
    levels = (first, (first + last + up) / 2, (first + last - down) / 2, last)
    open_, high, low, close = (np.exp(level) * 100 for level in levels)
    grid = day.ticks[:, None]
    on_grid = [np.maximum(np.rint(price / grid), 1).astype(np.int64) * grid for price in (open_, high, low, close)]
    return on_grid[0], np.maximum.reduce(on_grid), np.minimum.reduce(on_grid), on_grid[3]


def _volume(day: Day, stocks: Floats, spread: Floats, local: Floats) -> Ints:
    """Return units traded a minute: the U shape over a stock's own hours, more where it moves; else 0."""
    universe, figures = day.model.universe, day.model.figures.minute
    words = day.model.words[-len(universe.stock) :][:, None]
    moved = np.abs(np.diff(stocks, axis=1)) / (spread[: len(stocks), None] * local)
    noise = figures.volume_noise * normal(day.seed, words, day.ordinal, np.arange(len(local)), "volume")
    lively = np.exp(noise - figures.volume_noise**2 / 2 + figures.volume_follows_move * (moved - _MEAN_MOVE))
    total = np.array([[stock.volume] for stock in universe.stock]) * _day_noise(day, words)
    shares = {kind: _share(day, kind) for kind in {stock.derivatives for stock in universe.stock}}
    share = np.array([shares[stock.derivatives] for stock in universe.stock])
    traded = np.maximum(total * share * lively, share > 0).astype(np.int64)
    return np.concatenate([traded, np.zeros((len(spread) - len(stocks), len(local)), np.int64)])


def _day_noise(day: Day, words: np.ndarray) -> Floats:
    noise = day.model.figures.minute.volume_day_noise
    return np.exp(noise * normal(day.seed, words, day.ordinal, "day volume") - noise**2 / 2)


def _share(day: Day, derivatives: bool) -> Floats:
    """Return the share of a stock's daily volume by minute of the timeline, 0 outside its own hours."""
    share, own = np.zeros(day.hours.count), day.hours.stock if derivatives else day.hours.plain
    share[own] = volume_share(day.model.figures, len(own))
    return share


def _official(day: Day, close: Ints) -> Ints:
    """Return official closes: at the auction's match where there is one, else the last continuous minute's."""
    last = [day.hours.stock[-1] if stock.derivatives else day.hours.plain[-1] for stock in day.model.universe.stock]
    rows = np.array([*last, *[day.hours.stock[-1]] * len(day.model.universe.index), day.hours.derivative[-1]])
    if day.hours.auction >= 0:
        auctioned = np.array(
            [stock.derivatives for stock in day.model.universe.stock] + [True] * len(day.model.universe.index)
        )
        rows[: len(auctioned)][auctioned] = day.hours.auction
    return close[np.arange(len(close)), rows]


def names(model: Model) -> list[str]:
    """Return the rows' keys: stocks, indices, India VIX."""
    return [*(stock.key for stock in model.universe.stock), *(index.key for index in model.universe.index), VIX]


def volume_share(figures: Calibration, minutes_: int) -> Floats:
    """Return the share of a day's volume by minute of a session of `minutes_`."""
    shape = figures.minute.shape(figures.minute.volume, minutes_)
    return shape / shape.sum()
