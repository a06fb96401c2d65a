"""Buy today, sell tomorrow: which shares close strong enough to be worth a night.

The scorer here is a fixed rule on the day's own prices. It is a score, not a probability, and has no track record; a
learned model takes its place behind the same `Scorer`.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Protocol

import msgspec

from aitrade.core.instruments import Instrument
from aitrade.core.quotes import Bar

MINUTES, DAYS, DAY_MINUTES = 400, 21, 1440
SENDABLE = 8.5
"""Out of 10: below it nothing can be sent (the specification's bar)."""
WEIGHTS_MODEL = "btst-rule"
"""The registry's name for the rule's points."""
STRATEGY = "btst"
"""Orders that carry this name are BTST's and pass its gate."""
SAYS = "rule score, not a probability; no track record yet"
_LAST_HOUR = 60


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a score, with the figure that it was judged on."""

    name: str
    points: float
    out_of: float
    because: str


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the list; score out of 10, price in paise."""

    instrument: str
    score: float
    price: int
    factors: list[Factor]
    sendable: bool


class Btst(msgspec.Struct, frozen=True, kw_only=True):
    """BTST at a moment: locked until it opens (ns UTC)."""

    locked: bool
    opens: int
    candidates: list[Candidate]
    verdict: str
    scorer: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a scorer sees of one share: closed day bars, today's minutes, the index's minutes. Nothing of tomorrow."""

    days: Sequence[Bar]
    minutes: Sequence[Bar]
    index: Sequence[Bar]


class Scorer(Protocol):
    """What the rule is, and what a model will be."""

    says: str

    def factors(self, evidence: Evidence) -> list[Factor]:
        """Return the parts of a score; their points add up to it, their `out_of` to 10."""
        ...


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each part of the rule is worth at most; together 10. The order is that of the factors."""

    change: float = 2.0
    place: float = 2.0
    volume: float = 2.0
    ahead: float = 1.5
    hour: float = 1.5
    trend: float = 1.0

    def __post_init__(self) -> None:
        """Refuse points that are negative or do not make 10."""
        points = msgspec.structs.astuple(self)
        if min(points) < 0 or abs(sum(points) - 10) > 1e-6:  # noqa: PLR2004 - a score is out of 10
            raise ValueError("a score's parts are not negative and make 10 together")


class RuleScorer:
    """Six figures of the day, each worth up to its points, linear between a floor and a ceiling."""

    def __init__(self, weights: Weights | None = None, version: int = 0) -> None:
        self._weights = weights or Weights()
        self.says = f"{SAYS}; points of model version {version}" if version else SAYS

    def factors(self, evidence: Evidence) -> list[Factor]:
        """Judge change, close in range, volume, strength against the index, last hour and trend."""
        minutes, days, points = evidence.minutes, evidence.days, self._weights
        close, before = minutes[-1].close, days[-1].close if days else minutes[0].open
        high, low = max(bar.high for bar in minutes), min(bar.low for bar in minutes)
        change = _percent(close, before)
        place = 100.0 * (close - low) / (high - low) if high > low else 0.0
        hour = _percent(close, minutes[-min(_LAST_HOUR, len(minutes))].open)
        ahead = change - _day_change(evidence.index)
        return [
            _factor("Day's change", change, 0.0, 2.0, points.change, f"{change:+.2f} % since yesterday's close"),
            _factor("Close in range", place, 50.0, 95.0, points.place, f"at {place:.0f} % of the day's range"),
            _volume(minutes, days, points.volume),
            _factor("Against the index", ahead, 0.0, 1.5, points.ahead, f"{ahead:+.2f} % ahead of the index"),
            _factor("Last hour", hour, 0.0, 0.8, points.hour, f"{hour:+.2f} % in the last hour"),
            _trend(close, days, points.trend),
        ]


def _percent(value: float, base: float) -> float:
    return 100.0 * (value - base) / base if base else 0.0


def _day_change(minutes: Sequence[Bar]) -> float:
    return _percent(minutes[-1].close, minutes[0].open) if minutes else 0.0


def _factor(name: str, value: float, floor: float, ceiling: float, out_of: float, because: str) -> Factor:
    share = min(max((value - floor) / (ceiling - floor), 0.0), 1.0)
    return Factor(name=name, points=round(share * out_of, 2), out_of=out_of, because=because)


def _volume(minutes: Sequence[Bar], days: Sequence[Bar], points: float) -> Factor:
    """Today's volume so far, stretched to a day by the time that has passed, over the average of the last days."""
    average = fmean(bar.volume for bar in days) if days else 0.0
    so_far = sum(bar.volume for bar in minutes)
    ratio = so_far / average if average else 0.0
    return _factor("Volume", ratio, 0.7, 1.5, points, f"{ratio:.2f} times a usual day's volume so far")


def _trend(close: int, days: Sequence[Bar], points: float) -> Factor:
    average = fmean(bar.close for bar in days) if days else float(close)
    above = _percent(close, average)
    return _factor("Trend", above, 0.0, 3.0, points, f"{above:+.2f} % from the {len(days)}-day average")


def locked(opens: int, says: str = SAYS) -> Btst:
    """Return the list before it opens: nothing."""
    return Btst(locked=True, opens=opens, candidates=[], verdict="", scorer=says)


def ranked(
    shares: Sequence[Instrument],
    days: Mapping[str, Sequence[Bar]],
    minutes: Mapping[str, Sequence[Bar]],
    index: Sequence[Bar],
    opens: int,
    scorer: Scorer | None = None,
) -> Btst:
    """Return the shares by score, best first, with a verdict; shares without prices today are left out.

    `days` are closed day bars, `minutes` and `index` today's minute bars so far, by instrument key.
    """
    scorer = scorer or RuleScorer()
    today = _today(index, minutes)
    candidates = [
        _candidate(
            share, scorer, Evidence(days=_before(days[share.key], today), minutes=bars, index=_since(index, today))
        )
        for share in shares
        if (bars := _since(minutes[share.key], today))
    ]
    candidates.sort(key=lambda candidate: -candidate.score)
    return Btst(locked=False, opens=opens, candidates=candidates, verdict=_verdict(candidates), scorer=scorer.says)


def _today(index: Sequence[Bar], minutes: Mapping[str, Sequence[Bar]]) -> int:
    """Return the newest bar's day, as the ns UTC of its first bar: history may reach back over nights."""
    newest = max((bars[-1].start for bars in [index, *minutes.values()] if bars), default=0)
    return newest - newest % _DAY_NS


_DAY_NS = 24 * 3600 * 1_000_000_000


def _since(bars: Sequence[Bar], start: int) -> Sequence[Bar]:
    return [bar for bar in bars if bar.start >= start]


def _before(bars: Sequence[Bar], start: int) -> Sequence[Bar]:
    return [bar for bar in bars if bar.start < start]


def _candidate(share: Instrument, scorer: Scorer, evidence: Evidence) -> Candidate:
    factors = scorer.factors(evidence)
    score = round(sum(factor.points for factor in factors), 2)
    return Candidate(
        instrument=share.key,
        score=score,
        price=evidence.minutes[-1].close,
        factors=factors,
        sendable=score >= SENDABLE,
    )


def _verdict(candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "No trade today: no share has prices yet."
    best = candidates[0]
    if best.sendable:
        count = sum(candidate.sendable for candidate in candidates)
        return (
            f"{count} of {len(candidates)} shares score {SENDABLE} or more; first is {best.instrument}: {best.score}."
        )
    return f"No trade today: the best score is {best.score} ({best.instrument}), below {SENDABLE}."
