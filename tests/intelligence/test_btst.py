"""Tests for `intelligence.btst`."""

from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import DAY, MINUTE, at
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.quotes import Bar
from aitrade.intelligence.btst import SENDABLE, Evidence, RuleScorer, locked, ranked

OPEN = at("2025-03-28", "09:15")


def share(name):
    """A share of the watchlist."""
    return Instrument(key=f"NSE:{name}", exchange=Exchange.NSE, symbol=name, kind=Kind.EQUITY)


def day_bars(key, close, volume=1_000_000):
    """Twenty flat days before the day that is judged."""
    return [
        Bar(key, OPEN - n * DAY, OPEN - n * DAY + 375 * MINUTE, close, close, close, close, volume)
        for n in range(20, 0, -1)
    ]


def minutes(key, prices, volume):
    """Minute bars from the open at the given closes."""
    return [Bar(key, OPEN + n * MINUTE, OPEN + (n + 1) * MINUTE, p, p, p, p, volume) for n, p in enumerate(prices)]


STRONG = [100_000 + 12 * n for n in range(300)]
WEAK = [100_000 - 12 * n for n in range(300)]


def listed(**prices):
    """A ranking of shares with these minute prices."""
    shares = [share(name) for name in prices]
    days = {one.key: day_bars(one.key, 100_000) for one in shares}
    today = {f"NSE:{name}": minutes(f"NSE:{name}", closes, 6_000) for name, closes in prices.items()}
    return ranked(shares, days, today, minutes("NSE:NIFTY", [100_000] * 300, 0), OPEN)


def test_a_strong_close_ranks_first_and_can_be_sent():
    """The share that rose all day on high volume beats the one that fell, and passes the bar."""
    result = listed(WEAK=WEAK, STRONG=STRONG)
    assert [candidate.instrument for candidate in result.candidates] == ["NSE:STRONG", "NSE:WEAK"]
    assert result.candidates[0].score >= SENDABLE
    assert result.candidates[0].sendable
    assert result.candidates[1].score < 3


def test_no_trade_is_a_full_answer():
    """When nothing passes, the verdict says how far the best one is."""
    result = listed(WEAK=WEAK)
    assert not any(candidate.sendable for candidate in result.candidates)
    assert result.verdict.startswith("No trade today: the best score is")


def test_locked_shows_nothing():
    """Before it opens there is no list, only the time at which there will be one."""
    assert locked(OPEN).candidates == []
    assert locked(OPEN).locked


def test_a_share_without_prices_is_left_out():
    """A share that has not traded today is not scored on yesterday."""
    assert listed(EMPTY=[]).candidates == []


@given(st.lists(st.integers(50_000, 200_000), min_size=2, max_size=80), st.integers(0, 10**6))
def test_a_score_lies_between_nothing_and_ten(prices, volume):
    """Every factor stays within its points, and all of them add up to ten."""
    evidence = Evidence(
        days=day_bars("NSE:X", 100_000), minutes=minutes("NSE:X", prices, volume), index=minutes("NSE:I", prices, 0)
    )
    factors = RuleScorer().factors(evidence)
    assert all(0 <= factor.points <= factor.out_of for factor in factors)
    assert sum(factor.out_of for factor in factors) == 10
