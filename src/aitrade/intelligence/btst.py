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
TEN = 10.0
STRATEGY = "btst"
"""Orders that carry this name are BTST's and pass its gate."""
SAYS = "rule score, not a probability; no track record yet"
_HOUR_NS = 3600 * 1_000_000_000
_DAY_NS = 24 * _HOUR_NS
_FRESH = 8 * _DAY_NS
"""Age of the last day bar beyond which the days before this one are not known."""


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a score, with the figure that it was judged on."""

    name: str
    points: float
    out_of: float
    """0 for a part that cannot be judged, because its input is lacking: the others count for the whole ten then."""
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
        if min(points) < 0 or abs(sum(points) - TEN) > 1e-6:  # noqa: PLR2004 - what floats lose
            raise ValueError("a score's parts are not negative and make 10 together")


class RuleScorer:
    """Six figures of the day, each worth up to its points, linear between a floor and a ceiling."""

    def __init__(self, weights: Weights | None = None, version: int = 0) -> None:
        self._weights = weights or Weights()
        self.says = f"{SAYS}; points of model version {version}" if version else SAYS

    def factors(self, evidence: Evidence) -> list[Factor]:
        """Judge change, close in range, volume, strength against the index, last hour and trend.

        A part whose input is lacking is left out, and says so; what is known counts for the whole ten.
        """
        minutes, points = evidence.minutes, self._weights
        days = _fresh(evidence.days, minutes[0].start)
        close = minutes[-1].close
        change = _percent(close, days[-1].close) if days else None
        return _scaled([
            _factor(
                "Day's change", change, (0.0, 2.0), points.change, "since yesterday's close",
                "no close of the days before in this session",
            ),
            _place(minutes, points.place),
            _volume(minutes, days, points.volume),
            _ahead(minutes, evidence.index, points.ahead),
            _hour(minutes, points.hour),
            _trend(close, days, points.trend),
        ])  # fmt: skip


def _fresh(days: Sequence[Bar], today: int) -> Sequence[Bar]:
    """Return the day bars, none where the last of them is too old to be of the day before."""
    return days if days and today - days[-1].start <= _FRESH else []


def _percent(value: float, base: float) -> float:
    return 100.0 * (value - base) / base if base else 0.0


def _factor(
    name: str, value: float | None, between: tuple[float, float], out_of: float, what: str, lacking: str
) -> Factor:
    """Return a part that is worth nothing at the lower of `between` and all at the upper; None leaves it out."""
    if value is None:
        return Factor(name=name, points=0.0, out_of=0.0, because=f"left out: {lacking}")
    floor, ceiling = between
    share = min(max((value - floor) / (ceiling - floor), 0.0), 1.0)
    return Factor(name=name, points=share * out_of, out_of=out_of, because=f"{value:+.2f} % {what}")


def _scaled(factors: Sequence[Factor]) -> list[Factor]:
    """Return the parts with what is known of them stretched to ten."""
    known = sum(factor.out_of for factor in factors)
    stretch = TEN / known if known else 0.0
    return [
        msgspec.structs.replace(
            factor, points=round(factor.points * stretch, 2), out_of=round(factor.out_of * stretch, 2)
        )
        for factor in factors
    ]


def _place(minutes: Sequence[Bar], points: float) -> Factor:
    high, low = max(bar.high for bar in minutes), min(bar.low for bar in minutes)
    place = 100.0 * (minutes[-1].close - low) / (high - low) if high > low else None
    found = _factor("Close in range", place, (50.0, 95.0), points, "", "the price has not moved")
    return found if place is None else msgspec.structs.replace(found, because=f"at {place:.0f} % of the day's range")


def _volume(minutes: Sequence[Bar], days: Sequence[Bar], points: float) -> Factor:
    """Today's volume so far over the average day's of the last weeks."""
    average, so_far = fmean(bar.volume for bar in days) if days else 0.0, sum(bar.volume for bar in minutes)
    ratio = so_far / average if average and so_far else None
    found = _factor("Volume", ratio, (0.7, 1.5), points, "", "no volume of this day, or of the days before")
    said = f"{ratio:.2f} times a usual day's volume so far" if ratio is not None else found.because
    return msgspec.structs.replace(found, because=said)


def _ahead(minutes: Sequence[Bar], index: Sequence[Bar], points: float) -> Factor:
    """Both since the day's open: a gap of the night is in neither, and is judged by the day's change."""
    moved = _percent(minutes[-1].close, minutes[0].open)
    ahead = moved - _percent(index[-1].close, index[0].open) if index else None
    what = "ahead of the index since the open"
    return _factor("Against the index", ahead, (0.0, 1.5), points, what, "index not in this session")


def _hour(minutes: Sequence[Bar], points: float) -> Factor:
    since = minutes[-1].end - _HOUR_NS
    last = [bar for bar in minutes if bar.start >= since]
    whole = minutes[0].start <= since and bool(last)
    hour = _percent(minutes[-1].close, last[0].open) if whole else None
    return _factor("Last hour", hour, (0.0, 0.8), points, "in the last hour", "less than an hour of this session")


def _trend(close: int, days: Sequence[Bar], points: float) -> Factor:
    above = _percent(close, fmean(bar.close for bar in days)) if days else None
    what = f"from the {len(days)}-day average"
    return _factor("Trend", above, (0.0, 3.0), points, what, "no days before in this session")


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
    says = scorer.says + _left_out(candidates)
    return Btst(locked=False, opens=opens, candidates=candidates, verdict=_verdict(candidates), scorer=says)


def _today(index: Sequence[Bar], minutes: Mapping[str, Sequence[Bar]]) -> int:
    """Return the newest bar's day, as the ns UTC of its first bar: history may reach back over nights."""
    newest = max((bars[-1].start for bars in [index, *minutes.values()] if bars), default=0)
    return newest - newest % _DAY_NS


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


def _left_out(candidates: Sequence[Candidate]) -> str:
    """Return which parts no score here has, as the end of a sentence."""
    parts = [[factor for factor in one.factors if not factor.out_of] for one in candidates]
    everywhere = (
        [part for part in parts[0] if all(part.name in {one.name for one in row} for row in parts)] if parts else []
    )
    if not everywhere:
        return ""
    said = ", ".join(f"{part.name} ({part.because.removeprefix('left out: ')})" for part in everywhere)
    return f"; left out, the others count for ten: {said}"


def _verdict(candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "No trade today: no share has prices yet."
    best = candidates[0]
    name = best.instrument.partition(":")[2]
    if best.sendable:
        count = sum(candidate.sendable for candidate in candidates)
        first = f"first is {name}: {best.score:.2f}."
        return f"{count} of {len(candidates)} shares score {SENDABLE} or more; {first}"
    return f"No trade today: the best score is {best.score:.2f} ({name}), below {SENDABLE}."
