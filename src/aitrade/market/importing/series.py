"""What a column of times and prices says about itself: bar length, time zone, market, whether it is one contract."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from aitrade.core.clock import DAY, MINUTE, at
from aitrade.market.calendar import Segment
from aitrade.market.importing.hours import regular
from aitrade.market.importing.values import midnight
from aitrade.market.input_tables import DAILY

IST_OFFSET = midnight("1970-01-01") - at("1970-01-01", "00:00")
LENGTHS = (1, 2, 3, 5, 10, 15, 30, 60, DAILY)
"""Minutes that a bar may have."""
SPLICE_JUMP = 0.03
"""Move from one bar's close to the next one's open, within a day, that one contract makes only in a crash."""
SPLICE_SHARE = 0.05
"""Share of such moves from which a series is held to be a splice of contracts."""


class Candle(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A bar before anything is known of it but its numbers; `ts` as `values.stamp` gives it."""

    line: int
    ts: int
    zoned: bool
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    oi: int = 0


def bar_minutes(candles: Sequence[Candle]) -> int:
    """Return the bars' length: the commonest step between stamps. Raises ValueError where there is none."""
    stamps = sorted({candle.ts for candle in candles})
    steps = Counter(later - earlier for earlier, later in pairwise(stamps))
    if not steps:
        raise ValueError("one moment does not say how long its bar is; import at least two bars")
    minutes, rest = divmod(steps.most_common(1)[0][0], MINUTE)
    if rest or minutes not in LENGTHS:
        raise ValueError(f"bars {steps.most_common(1)[0][0] / MINUTE:g} minutes apart are of no length that we keep")
    return minutes


def zone_shift(candles: Sequence[Candle], minutes: int) -> tuple[int, str]:
    """Return (ns to add, zone) that make the stamps ns UTC.

    Stamps with an offset need nothing. Naive ones are UTC where more of them fall into trading hours that way than
    read as IST; daily ones, where their time of day is midnight IST.
    """
    if candles[0].zoned:
        return 0, "stated"
    as_utc = sum(_fits(candle.ts, minutes) for candle in candles)
    as_ist = sum(_fits(candle.ts - IST_OFFSET, minutes) for candle in candles)
    return (0, "UTC") if as_utc > as_ist else (-IST_OFFSET, "IST")


def _fits(ts: int, minutes: int) -> bool:
    since_midnight = (ts + IST_OFFSET) % DAY
    if minutes >= DAILY:
        return since_midnight == 0
    ((opens, closes),) = regular(Segment.CASH, "2020-01-01").spans
    start = at("2020-01-01", "00:00")
    return opens - start <= since_midnight < closes - start


def is_evening_market(starts: Iterable[int]) -> bool:
    """Tell whether a quarter of the bars lie in the evening, as only commodities' do; `starts` in ns UTC."""
    ((_, closes),) = regular(Segment.DERIVATIVES, "2030-01-01").spans
    close = closes - at("2030-01-01", "00:00")
    late = [(ts + IST_OFFSET) % DAY >= close for ts in starts]
    return sum(late) > len(late) / 4


def is_spliced(candles: Sequence[Candle]) -> bool:
    """Tell whether prices jump between neighbouring bars as one contract's do not; False for less than 20 bars."""
    ordered = sorted(candles, key=lambda candle: candle.ts)
    pairs = [(a, b) for a, b in pairwise(ordered) if b.ts - a.ts < DAY // 4]
    jumps = sum(abs(b.open - a.close) > SPLICE_JUMP * a.close for a, b in pairs)
    return len(pairs) >= 20 and jumps > SPLICE_SHARE * len(pairs)  # noqa: PLR2004 - too few to judge
