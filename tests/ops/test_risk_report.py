"""The risk report's figures against hand-made ones."""

from datetime import date
from math import erf, exp, log, sqrt

import hypothesis.strategies as st
import msgspec
import numpy as np
import pytest
from hypothesis import given
from made_book import MadeBook

from aitrade.core.events import Ask, Kind, Refusal
from aitrade.core.instruments import Kind as What
from aitrade.core.orders import OrderRequest, Product, Side, Update
from aitrade.market.rules import Rules
from aitrade.ops.ledger import read
from aitrade.ops.reports.closing import restated
from aitrade.ops.reports.exposure import Exposure, revalued
from aitrade.ops.reports.limit_use import limit_use, peaks, refusals_by_rule
from aitrade.ops.reports.risk import (
    SCENARIOS,
    Moves,
    Scenario,
    betas,
    historical,
    of_own_days,
    parametric,
    stressed,
    worst,
)
from aitrade.risk.limits import Limits

NIFTY, TCS = "NSE:NIFTY", "NSE:TCS"
DAYS = [date.fromordinal(739_000 + number) for number in range(100)]


def share(units, last, key=TCS):
    """A holding."""
    return Exposure(
        key=key, kind=What.EQUITY, underlying=key, units=units, cost=units * last, last=last, forward=float(last)
    )


def option(units, kind, strike, forward=24_000_00.0, volatility=0.15, years=0.05):
    """A position in an option, priced by the textbook formula."""
    last = round(textbook(forward, strike, years, volatility, kind is What.CALL))
    return Exposure(
        key=f"{kind}{strike}", kind=kind, underlying=NIFTY, units=units, cost=0, last=last, forward=forward,
        strike=strike, years=years, volatility=volatility,
    )  # fmt: skip


def textbook(forward, strike, years, volatility, call):
    """Black's formula, written out."""
    width = volatility * sqrt(years)
    d1 = log(forward / strike) / width + width / 2
    one, two = ((1 + erf(d / sqrt(2))) / 2 for d in (d1, d1 - width))
    worth = forward * one - strike * two
    return worth if call else worth - forward + strike


def past(columns, underlyings=(TCS,)):
    """Moves of underlyings, a column each."""
    table = np.array(columns, float).T
    return Moves(DAYS[: len(table)], list(underlyings), table, [])


def test_the_worst_of_a_hundred_days():
    """At 99 % of 100 outcomes one is worse: the loss is the second worst, the shortfall that one; by 95 % five are."""
    outcomes = [float(number) * 100 for number in range(-10, 90)]
    assert worst(outcomes, 0.99) == (900, 1_000)
    assert worst(outcomes, 0.95) == (500, 800)
    assert worst(outcomes[:99], 0.99) is None


def test_a_part_of_a_day_counts_by_its_part():
    """Of 250 outcomes the worst 2.5 are two and half of the third: (1,000 + 900 + 400) / 2.5; the loss is the third."""
    outcomes = [-1_000.0, -900.0, -800.0, *[50.0] * 247]
    assert worst(outcomes, 0.99) == (800, 920)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=100, max_size=300), st.sampled_from([0.9, 0.95, 0.975, 0.99]))
def test_the_loss_is_numpy_s_quantile_and_the_shortfall_the_mean_beyond_it(outcomes, confidence):
    """By NumPy: the inverted distribution of losses; and Rockafellar and Uryasev's formula for the mean beyond it."""
    losses = -np.array(outcomes, float)
    loss, shortfall = worst([float(one) for one in outcomes], confidence)
    quantile = np.quantile(losses, confidence, method="inverted_cdf")
    assert loss == quantile
    beyond = quantile + np.maximum(losses - quantile, 0).mean() / (1 - confidence)
    assert shortfall == pytest.approx(beyond, abs=1)
    assert shortfall >= loss


def test_historical_value_at_risk_of_a_share():
    """100 shares at ₹1,000 that lost 5 % on their second-worst day: ₹5,000."""
    found = past([[-0.08, -0.05, *[0.01] * 98]])
    told = historical([share(100, 1000_00)], found, 0.99)
    assert (told.loss, told.shortfall) == (5_000_00, 8_000_00)
    assert told.window == f"100 days, {DAYS[0]} to {DAYS[-1]}"
    assert historical([share(100, 1000_00)], past([[0.01] * 50]), 0.99).missing == "needs 100 days, there are 50"


def test_parametric_value_at_risk_of_two_shares():
    """2.326 x the deviation of the sum; opposite positions in one share leave nothing."""
    moves = [0.01, -0.01] * 50
    told = parametric([share(100, 1000_00)], past([moves]), 0.99)
    deviation = 100 * 1000_00 * np.std(moves, ddof=1)
    assert told.loss == round(2.3263478740408408 * deviation)
    assert told.shortfall == round(exp(-(2.3263478740408408**2) / 2) / sqrt(2 * np.pi) / 0.01 * deviation)
    both = [share(100, 1000_00), share(-100, 1000_00)]
    assert parametric(both, past([moves]), 0.99).loss == 0


def test_parametric_and_historical_by_numpy_over_a_book_of_two():
    """Two shares that move together, one sold: both figures are those of the sum of rupees, day by day."""
    make = np.random.default_rng(7).normal
    common = make(0, 0.01, 250)
    tcs, infy = common + make(0, 0.004, 250), 0.8 * common + make(0, 0.006, 250)
    days = [date.fromordinal(739_000 + number) for number in range(250)]
    found = Moves(days, ["NSE:INFY", TCS], np.array([infy, tcs]).T, [])
    rows = [share(100, 3_500_00), share(-200, 1_500_00, "NSE:INFY")]
    rupees = 100 * 3_500_00 * tcs - 200 * 1_500_00 * infy
    assert parametric(rows, found, 0.99).loss == pytest.approx(2.3263478740408408 * np.std(rupees, ddof=1), abs=1)
    assert historical(rows, found, 0.99).loss == pytest.approx(-np.sort(rupees)[2], abs=1)


def test_a_split_is_no_fall_of_the_price():
    """Closes from before a split or bonus are restated where the price says so; adjusted ones stay as they are."""
    days = DAYS[:4]
    split = (days[2], "Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per Share")
    bonus = (days[3], "Bonus 1:1")
    raw = dict(zip(days, (1_000_00, 1_010_00, 200_00, 101_00), strict=True))
    assert list(restated(raw, [bonus, split]).values()) == [100_00, 101_00, 100_00, 101_00]
    adjusted = dict(zip(days, (100_00, 101_00, 100_00, 101_00), strict=True))
    assert restated(adjusted, [split, bonus]) == adjusted
    assert restated(raw, [(days[2], "Dividend - Rs 5 Per Share")]) == raw


def test_an_empty_book_risks_nothing():
    """Without positions every figure is nothing, and there is no error."""
    assert historical([], past([[0.01] * 100]), 0.99).loss == 0
    assert parametric([], past([[0.01] * 100]), 0.99).loss == 0
    assert [stress.total for stress in stressed([], {})] == [0] * len(SCENARIOS)


def test_the_book_s_own_days():
    """Its days as they were; too few say so."""
    days = [(day.isoformat(), -1_000_00 if number < 6 else 500_00) for number, day in enumerate(DAYS)]
    plain, normal = of_own_days(days, 0.95)
    assert plain.loss == 1_000_00
    assert normal.loss == round(1.6448536269514715 * np.std([made for _, made in days], ddof=1))
    assert of_own_days(days[:10], 0.95)[0].missing == "needs 20 days, there are 10"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_stress_of_a_short_straddle_by_the_textbook(scenario):
    """Each option is priced anew after the move, at its volatility times the scenario's."""
    rows = [option(-65, What.CALL, 24_000_00), option(-65, What.PUT, 24_000_00)]
    [told] = stressed(rows, {NIFTY: 1.0}, [scenario])
    moved = 24_000_00.0 * (1 + scenario.index)
    expected = -65 * sum(
        textbook(moved, 24_000_00, 0.05, 0.15 * scenario.volatility, call)
        - textbook(24_000_00.0, 24_000_00, 0.05, 0.15, call)
        for call in (True, False)
    )
    assert told.total == pytest.approx(expected, abs=2)
    assert told.parts == {NIFTY: told.total}


def test_shares_move_by_their_beta():
    """A share that moved twice as far as the index loses twice as much in a scenario; an index moves by itself."""
    index = [0.01, -0.02, 0.015, -0.005]
    found = past([index, [2 * move for move in index]], (NIFTY, TCS))
    beta = betas([share(10, 1000_00), option(65, What.CALL, 24_000_00)], found, [NIFTY])
    assert beta == {NIFTY: 1.0, TCS: pytest.approx(2.0)}
    [told] = stressed([share(10, 1000_00)], beta, [Scenario(-0.05)])
    assert told.total == -1_000_00


def test_an_option_at_expiry_is_its_intrinsic_value():
    """No time left: the premium is what exercise brings, before and after the move."""
    row = msgspec.structs.replace(option(65, What.CALL, 24_000_00), years=0.0, forward=24_100_00.0)
    assert revalued([row], np.array([[-0.01]]))[0, 0] == pytest.approx(-65 * 100_00)


def test_limit_use_of_a_day(tmp_path):
    """The deepest mark, the largest orders and the busiest second, each against its limit."""
    book = MadeBook(tmp_path)
    book.day("2026-11-23")
    book.trade(TCS, 100, 3_000_00, Product.MIS, charges=50_00)
    book.close({TCS: 2_900_00})  # 100 x -100 less 50 of charges
    order = book.intent("NFO:NIFTY24NOV2624000CE", Side.BUY, 650, 200_00, Product.NRML)
    book.now -= 10**9
    book.add(Kind.CANCEL, Ask(order_id=order.id), order_id=order.id)
    book.say(order, Update.CANCELLED)
    refused = OrderRequest(instrument=TCS, side=Side.BUY, quantity=0)
    book.add(Kind.REFUSAL, Refusal(request=refused, problems=[["lot", "None."], ["margin", "Too much."]]))
    book.stop()
    day, limits, rules = read(tmp_path, "made-1", "2026-11-23"), Limits.load(), Rules.load()
    used = {use.name: (use.used, use.limit) for use in limit_use(day, limits, rules)}
    assert used == {
        "day_loss_rupees": (10_050_00, limits.day_loss),
        "day_orders": (2, limits.day_orders),
        "order_value_rupees": (3_00_000_00, limits.order_value),
        "order_units": (100, limits.order_units),
        "order_lots": (10, limits.order_lots),
        "order_rate": (2, 10),
    }
    assert [(peak.segment, peak.orders) for peak in peaks(day)] == [("NFO", 2), ("NSE", 1)]
    assert refusals_by_rule(day) == {"lot": 1, "margin": 1}
