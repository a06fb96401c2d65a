"""Tests for `intelligence.btst`."""

import pytest
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


@given(
    st.lists(st.integers(50_000, 200_000), min_size=1, max_size=80),
    st.integers(0, 10**6),
    st.booleans(),
    st.booleans(),
)
def test_a_score_lies_between_nothing_and_ten(prices, volume, index, past):
    """Every factor stays within its points, and what is known adds up to ten, whatever is lacking."""
    evidence = Evidence(
        days=day_bars("NSE:X", 100_000) if past else [],
        minutes=minutes("NSE:X", prices, volume),
        index=minutes("NSE:I", prices, 0) if index else [],
    )
    factors = RuleScorer().factors(evidence)
    assert len(factors) == 6
    assert all(0 <= factor.points <= factor.out_of for factor in factors)
    assert sum(factor.out_of for factor in factors) == pytest.approx(
        10 if any(f.out_of for f in factors) else 0, abs=0.03
    )
    assert all(factor.out_of or factor.because.startswith("left out") for factor in factors)


def parts(**lacking):
    """The factors by name of a share that rose, with some of the evidence taken away or changed."""
    whole = {
        "days": day_bars("NSE:X", 100_000),
        "minutes": minutes("NSE:X", STRONG, 6_000),
        "index": minutes("NSE:I", [100_000] * 300, 0),
    }
    return {factor.name: factor for factor in RuleScorer().factors(Evidence(**{**whole, **lacking}))}


def test_without_an_index_nothing_is_said_about_it():
    """The part is left out and says why; the others keep their proportions and make up the ten."""
    whole, without = parts(), parts(index=[])
    left = without.pop("Against the index")
    assert (left.points, left.out_of, left.because) == (0, 0, "left out: index not in this session")
    for name, factor in without.items():
        assert factor.out_of == pytest.approx(whole[name].out_of * 10 / 8.5, abs=0.01)
        assert factor.points == pytest.approx(whole[name].points * 10 / 8.5, abs=0.01)
    result = ranked(
        [share("X")], {"NSE:X": day_bars("NSE:X", 100_000)}, {"NSE:X": minutes("NSE:X", STRONG, 9)}, [], OPEN
    )
    assert "left out, the others count for ten: Against the index (index not in this session)" in result.scorer
    assert "left out" not in listed(STRONG=STRONG).scorer


def test_a_gap_of_the_night_is_not_ahead_of_the_index():
    """A share that opens 2 % up and moves as the index does is not ahead of it; the day's change tells the gap."""
    gapped = parts(
        minutes=minutes("NSE:X", [102_000] * 299 + [102_102], 6_000),
        index=minutes("NSE:I", [100_000] * 299 + [100_100], 0),
    )
    assert gapped["Against the index"].points == 0
    assert gapped["Day's change"].points == gapped["Day's change"].out_of


@pytest.mark.parametrize(
    ("lacking", "left_out"),
    [
        ({"days": []}, {"Day's change", "Volume", "Trend"}),
        ({"days": day_bars("NSE:X", 100_000)[:1]}, {"Day's change", "Volume", "Trend"}),
        ({"minutes": minutes("NSE:X", STRONG, 0)}, {"Volume"}),
        ({"minutes": minutes("NSE:X", STRONG[:30], 6_000)}, {"Last hour"}),
        ({"minutes": minutes("NSE:X", [100_000] * 300, 6_000)}, {"Close in range"}),
    ],
)
def test_what_is_not_known_is_left_out(lacking, left_out):
    """No day before or one of weeks ago, no volume, less than an hour, a price that stood still."""
    assert {name for name, factor in parts(**lacking).items() if not factor.out_of} == left_out


def test_the_last_hour_is_an_hour_whatever_the_bars():
    """Five-minute bars are twelve to the hour."""
    five = [
        Bar("NSE:X", OPEN + n * 5 * MINUTE, OPEN + (n + 1) * 5 * MINUTE, p, p, p, p, 9)
        for n, p in enumerate([90_000] * 40 + [100_000] * 11 + [100_500])
    ]
    assert parts(minutes=five)["Last hour"].because.startswith("+0.50 %")
