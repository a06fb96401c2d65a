"""What the simulated market lists, and the fitted figures that it is played by."""

import tomllib
from datetime import date
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from aitrade.core.errors import DataRefused
from aitrade.market.draws import Floats

CALIBRATION_MODEL = "simulated-session"
"""The registry's name for the calibration."""
_FOLDER = Path(__file__).parent
T = TypeVar("T")
VIX = "NSE:INDIAVIX"


class Stock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A listed stock; price in rupees at the anchor day's close, volume in units a day, weights in percent."""

    symbol: str
    sector: str
    price: float
    volume: int
    weight: dict[str, float] = {}
    """By index symbol."""
    future: bool = False
    derivatives: bool = True
    band: int = 10
    """Percent around the previous close; for a stock with derivatives it is the dynamic band's first step."""

    @property
    def key(self) -> str:
        """Key of the instrument."""
        return f"NSE:{self.symbol}"


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An index, the weighted sum of its stocks; level in points at the anchor day's close."""

    key: str
    name: str
    level: float
    strike_step: int = 0
    """Points between strikes; 0 where nothing is traded on it here."""
    expiries: int = 0
    """How many of the next expiries have an option chain."""

    @property
    def symbol(self) -> str:
        """The symbol without the exchange."""
        return self.key.split(":")[1]


class Universe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is listed; prices hold at the close of `anchor`."""

    anchor: date
    stock: list[Stock]
    index: list[Index]

    def weights(self) -> Floats:
        """Return the share of each stock in each index, (indices, stocks), rows that sum to 1."""
        table = np.array([[stock.weight.get(index.symbol, 0.0) for stock in self.stock] for index in self.index])
        return table / table.sum(axis=1, keepdims=True)


class MinuteFigures(msgspec.Struct, frozen=True):
    """A day's two U shapes at `knots` (minutes of 375), and what a minute does around them."""

    knots: list[int]
    volatility: list[float]
    volume: list[float]
    kurtosis: float
    range_ratio: float
    volume_noise: float
    volume_follows_move: float
    volume_day_noise: float
    volatility_day_noise: float

    def shape(self, values: list[float], minutes: int) -> Floats:
        """Return a U shape stretched over a session of `minutes`."""
        return np.interp(np.linspace(0, 374, minutes), self.knots, values)


class MarketFigures(msgspec.Struct, frozen=True):
    """NIFTY's days against what India VIX implied the evening before."""

    gap_over_implied: float
    intraday_over_implied: float
    gap_quantiles: list[float]
    gap_deviation: float
    intraday_deviation: float
    minute_deviation: float
    range_ratio: float


class VixFigures(msgspec.Struct, frozen=True):
    """India VIX, evening to evening: a first-order autoregression of its logarithm."""

    median: float
    persistence: float
    shock: float
    correlation: float


class StockFigures(msgspec.Struct, frozen=True):
    """What a stock does beside the index."""

    own_gap: float
    own_intraday: float
    gap_quantiles: list[float]
    sector_correlation: float
    five_minute_correlation: float


class OptionFigures(msgspec.Struct, frozen=True):
    """The smile, and where open interest and volume lie by moneyness."""

    carry: float
    NIFTY_over_vix: float
    BANKNIFTY_over_vix: float
    skew: float
    curvature: float
    moneyness: list[float]
    oi_CE: list[float]  # noqa: N815 -- the file's names
    oi_PE: list[float]  # noqa: N815
    volume_CE: list[float]  # noqa: N815
    volume_PE: list[float]  # noqa: N815
    spread_share: float


class Quantiles(msgspec.Struct, frozen=True):
    """The shares at which all `gap_quantiles` are kept."""

    at: list[float]


class Calibration(msgspec.Struct, frozen=True):
    """`calibration.toml`, as `calibrate` writes it."""

    minute: MinuteFigures
    quantiles: Quantiles
    market: MarketFigures
    vix: VixFigures
    stock: StockFigures
    beta: dict[str, float]
    option: OptionFigures
    size: dict[str, list[tuple[int, float, float]]]
    """By kind of contract: [days to expiry, lots of open interest, lots traded a day], ascending."""


def _load(kind: type[T], path: Path) -> T:
    return _read(kind, path.read_bytes(), path.name)


def _read(kind: type[T], data: bytes, name: str) -> T:
    try:
        return msgspec.convert(tomllib.loads(data.decode()), kind)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataRefused(f"{name}: {error}. Restore the file that the package brings.") from None


def load_universe(path: Path = _FOLDER / "universe.toml") -> Universe:
    """Return what is listed; raise DataRefused for a damaged file."""
    return _load(Universe, path)


def load_calibration(path: Path = _FOLDER / "calibration.toml") -> Calibration:
    """Return the fitted figures; raise DataRefused for a damaged file."""
    return _load(Calibration, path)


def packaged_calibration() -> bytes:
    """Return the calibration that the package brings, as its file stands."""
    return (_FOLDER / "calibration.toml").read_bytes()


def read_calibration(data: bytes, name: str) -> Calibration:
    """Return the fitted figures of a file's bytes; raise DataRefused naming `name` when it is damaged."""
    return _read(Calibration, data, name)
