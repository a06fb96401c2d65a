"""The indicators that a chart can show: TA-Lib's, and the few that it lacks, on prices in paise.

A recursive indicator (an EMA, Wilder's averages) remembers where its data began. `settle` is how many bars it takes
until less than a millionth of that memory is left; earlier values are left out wherever older bars exist, so that what
is drawn never depends on where the loaded bars begin.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, log

import msgspec
import numpy as np
import talib
from numpy.typing import NDArray

from aitrade.core.errors import Refused
from aitrade.ui.charts.bars import Bars

Floats = NDArray[np.float64]
_FORGOTTEN = 1e-6


@dataclass(frozen=True, slots=True)
class Input:
    """Float columns of the bars, prices in paise; `anchor` numbers the session (or year, of days) of each bar."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    anchor: NDArray[np.int64]
    intraday: bool

    @classmethod
    def of(cls, bars: Bars, anchor: NDArray[np.int64], intraday: bool) -> "Input":
        """Return the columns of `bars` as floats."""
        prices = (column.astype(np.float64) for column in bars.columns()[2:])
        return cls(*prices, anchor, intraday)


class Parameter(msgspec.Struct, frozen=True):
    """A number that a person can set."""

    name: str
    default: float
    least: float = 1
    most: float = 500


class Study(msgspec.Struct, frozen=True):
    """An indicator with its numbers, as a chart carries it."""

    name: str
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Indicator:
    """How to compute and draw one indicator.

    `lines` names each result; a name that begins with "=" is drawn as bars, with "." as dots. `unit` is price (paise),
    volume or plain.
    """

    name: str
    title: str
    short: str
    overlay: bool
    compute: Callable[..., tuple[Floats, ...]]
    parameters: tuple[Parameter, ...] = ()
    lines: tuple[str, ...] = ("",)
    unit: str = "price"
    levels: tuple[float, ...] = ()
    settle: Callable[..., int] = lambda *_: 0
    path: bool = False
    """Its state depends on the turns taken, so that it is computed over a long reach of older bars."""
    anchored: bool = False
    """It begins anew each session."""


def _ema_bars(n: float) -> int:
    return ceil(log(_FORGOTTEN) / log(1 - 2 / (n + 1))) + int(n) if n > 1 else 1


def _wilder_bars(n: float) -> int:
    return ceil(log(_FORGOTTEN) / log(1 - 1 / n)) + int(n) if n > 1 else 1


def _length(default: int, most: int = 500) -> Parameter:
    return Parameter("length", default, 2, most)


def _one(function: Callable[..., Floats]) -> Callable[..., tuple[Floats, ...]]:
    return lambda data, n: (function(data.close, int(n)),)


def _bands(data: Input, n: float, width: float) -> tuple[Floats, ...]:
    return talib.BBANDS(data.close, int(n), width, width)


def _keltner(data: Input, n: float, width: float) -> tuple[Floats, ...]:
    middle = talib.EMA(data.close, int(n))
    reach = width * talib.ATR(data.high, data.low, data.close, int(n))
    return middle + reach, middle, middle - reach


def _donchian(data: Input, n: float) -> tuple[Floats, ...]:
    upper, lower = talib.MAX(data.high, int(n)), talib.MIN(data.low, int(n))
    return upper, (upper + lower) / 2, lower


def _vwap(data: Input) -> tuple[Floats, ...]:
    """Volume-weighted average of the typical price since the session began; none on days and without volume."""
    if not data.intraday:
        return (np.full_like(data.close, np.nan),)
    typical = (data.high + data.low + data.close) / 3
    volume = _since_anchor(np.cumsum(data.volume), data.volume, data.anchor)
    value = _since_anchor(np.cumsum(typical * data.volume), typical * data.volume, data.anchor)
    return (np.divide(value, volume, out=np.full_like(value, np.nan), where=volume > 0),)


def _since_anchor(total: Floats, own: Floats, anchor: NDArray[np.int64]) -> Floats:
    first = np.searchsorted(anchor, anchor)
    return total - (total - own)[first]


def _obv(data: Input) -> tuple[Floats, ...]:
    """Volume added on a rise and taken on a fall, from nought at each session's (or year's) first bar."""
    change = np.sign(np.diff(data.close, prepend=data.close[:1])) * data.volume
    first = np.searchsorted(data.anchor, data.anchor)
    total = np.cumsum(change)
    return (total - total[first],)


def _supertrend(data: Input, n: float, width: float) -> tuple[Floats, ...]:
    """Bands of `width` ATRs around the middle price that only tighten until the close breaks one; drawn is the trend's.

    Values begin at the first turn, before which the side is a guess.
    """
    middle = (data.high + data.low) / 2
    reach = width * talib.ATR(data.high, data.low, data.close, int(n))
    rows = zip((middle + reach).tolist(), (middle - reach).tolist(), data.close.tolist(), strict=True)
    up, down, turned = np.full_like(middle, np.nan), np.full_like(middle, np.nan), False
    upper, lower, before, rising = float("nan"), float("nan"), float("nan"), True
    for i, (high_band, low_band, close) in enumerate(rows):
        upper = high_band if not (high_band >= upper and before <= upper) else upper
        lower = low_band if not (low_band <= lower and before >= lower) else lower
        flipped = close < lower if rising else close > upper
        rising, turned, before = rising != flipped, turned or flipped, close
        if turned:
            (up if rising else down)[i] = lower if rising else upper
    return up, down


def _sar(data: Input, step: float, most: float) -> tuple[Floats, ...]:
    return (talib.SAR(data.high, data.low, step / 100, most / 100),)


def _stochastic(data: Input, k: float, slow: float, d: float) -> tuple[Floats, ...]:
    return talib.STOCH(data.high, data.low, data.close, int(k), int(slow), 0, int(d), 0)


def _macd(data: Input, fast: float, slow: float, signal: float) -> tuple[Floats, ...]:
    line, average, bars = talib.MACD(data.close, int(fast), int(slow), int(signal))
    return bars, line, average


def _adx(data: Input, n: float) -> tuple[Floats, ...]:
    of = (data.high, data.low, data.close, int(n))
    return talib.ADX(*of), talib.PLUS_DI(*of), talib.MINUS_DI(*of)


def _hlc(function: Callable[..., Floats]) -> Callable[..., tuple[Floats, ...]]:
    return lambda data, n: (function(data.high, data.low, data.close, int(n)),)


def _mfi(data: Input, n: float) -> tuple[Floats, ...]:
    if not data.volume.any():
        return (np.full_like(data.close, np.nan),)
    return (talib.MFI(data.high, data.low, data.close, data.volume, int(n)),)


_WIDTH = Parameter("width", 2, 0.1, 20)
_BAND = ("upper", "middle", "lower")

INDICATORS = {
    one.name: one
    for one in (
        Indicator("sma", "Simple moving average", "SMA", True, _one(talib.SMA), (_length(20),)),
        Indicator("ema", "Exponential moving average", "EMA", True, _one(talib.EMA), (_length(20),), settle=_ema_bars),
        Indicator("wma", "Weighted moving average", "WMA", True, _one(talib.WMA), (_length(20),)),
        Indicator("bands", "Bollinger bands", "BB", True, _bands, (_length(20), _WIDTH), _BAND),
        Indicator(
            "keltner", "Keltner channel", "KC", True, _keltner, (_length(20), _WIDTH), _BAND,
            settle=lambda n, _: _wilder_bars(n),
        ),
        Indicator("donchian", "Donchian channel", "DC", True, _donchian, (_length(20),), _BAND),
        Indicator("vwap", "Volume-weighted average price of the session", "VWAP", True, _vwap, anchored=True),
        Indicator(
            "supertrend", "Supertrend", "ST", True, _supertrend, (_length(10), Parameter("width", 3, 0.1, 20)),
            ("rising", "falling"), settle=lambda n, _: _wilder_bars(n), path=True,
        ),
        Indicator(
            "sar", "Parabolic stop and reverse", "SAR", True, _sar,
            (Parameter("step %", 2, 0.1, 20), Parameter("most %", 20, 1, 100)), (".",),
            settle=lambda *_: 500, path=True,
        ),
        Indicator(
            "rsi", "Relative strength index", "RSI", False, _one(talib.RSI), (_length(14),), unit="plain",
            levels=(30, 70), settle=_wilder_bars,
        ),
        Indicator(
            "macd", "Moving average convergence/divergence", "MACD", False, _macd,
            (Parameter("fast", 12, 2), Parameter("slow", 26, 2), Parameter("signal", 9, 1)), ("=", "line", "signal"),
            levels=(0,), settle=lambda fast, slow, signal: _ema_bars(max(fast, slow)) + _ema_bars(signal),
        ),
        Indicator(
            "stochastic", "Stochastic oscillator", "Stoch", False, _stochastic,
            (Parameter("%K", 14, 1), Parameter("slowing", 3, 1), Parameter("%D", 3, 1)), ("%K", "%D"), "plain",
            (20, 80),
        ),
        Indicator(
            "adx", "Average directional movement", "ADX", False, _adx, (_length(14),), ("ADX", "+DI", "−DI"), "plain",
            (25,), settle=lambda n: 2 * _wilder_bars(n),
        ),
        Indicator("atr", "Average true range", "ATR", False, _hlc(talib.ATR), (_length(14),), settle=_wilder_bars),
        Indicator("cci", "Commodity channel index", "CCI", False, _hlc(talib.CCI), (_length(20),), ("",), "plain",
                  (-100, 100)),
        Indicator("williams", "Williams %R", "%R", False, _hlc(talib.WILLR), (_length(14),), ("",), "plain",
                  (-80, -20)),
        Indicator("mfi", "Money flow index", "MFI", False, _mfi, (_length(14),), ("",), "plain", (20, 80)),
        Indicator("roc", "Rate of change", "ROC", False, _one(talib.ROC), (_length(12),), ("",), "plain", (0,)),
        Indicator("obv", "On-balance volume of the session", "OBV", False, _obv, unit="volume", levels=(0,),
                  anchored=True),
    )
}  # fmt: skip
_PATH_REACH = 2_500


def indicator_of(study: Study) -> Indicator:
    """Return the indicator of a study; raise Refused for an unknown name or numbers out of range."""
    known = INDICATORS.get(study.name)
    if known is None:
        raise Refused(f"There is no indicator “{study.name}”; choose one of {', '.join(INDICATORS)}.")
    if len(study.numbers) > len(known.parameters):
        raise Refused(f"{known.title} takes {len(known.parameters)} numbers, not {len(study.numbers)}.")
    for parameter, number in zip(known.parameters, study.numbers, strict=False):
        if not isfinite(number) or not parameter.least <= number <= parameter.most:
            bounds = f"{parameter.least:g} to {parameter.most:g}"
            raise Refused(f"{known.title}: {parameter.name} is {number:g}; choose {bounds}.")
    return known


def parse_studies(text: str) -> tuple[Study, ...]:
    """Return the studies of "rsi:14,bands:20:2"; raise Refused for what is not understood."""
    return tuple(_parse(part) for part in text.split(",") if part)


def _parse(text: str) -> Study:
    name, *numbers = text.split(":")
    try:
        study = Study(name, tuple(float(number) for number in numbers))
    except ValueError:
        raise Refused(f"“{text}” is not an indicator with numbers; write it as rsi:14.") from None
    indicator_of(study)
    return study


def numbers_of(study: Study) -> tuple[float, ...]:
    """Return the study's numbers, defaults filled in."""
    defaults = [parameter.default for parameter in indicator_of(study).parameters]
    return (*study.numbers, *defaults[len(study.numbers) :])


def reach(studies: Sequence[Study]) -> int:
    """Return how many bars before the first drawn one the studies need."""
    return max((_reach(study) for study in studies), default=0)


def _reach(study: Study) -> int:
    known, numbers = indicator_of(study), numbers_of(study)
    return _PATH_REACH if known.path else 2 * known.settle(*numbers) + int(sum(numbers)) + 2


def compute(study: Study, data: Input, whole: bool) -> tuple[Floats, ...]:
    """Return the study's lines, each as long as the bars, NaN where there is no value.

    `whole` says that no older bars exist; otherwise the bars in which the beginning still shows are left out.
    """
    known, numbers = indicator_of(study), numbers_of(study)
    if not len(data.close):
        return tuple(np.empty(0) for _ in known.lines)
    lines = known.compute(data, *numbers)
    hidden = 0 if whole else known.settle(*numbers)
    return tuple(np.where(np.arange(len(line)) < hidden, np.nan, line) for line in lines)
