"""The simulated days have the statistics that were fitted to real ones."""

import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from made_files import real

from aitrade.core.clock import DAY as WHOLE
from aitrade.core.instruments import Kind
from aitrade.market.calendar import Calendar
from aitrade.market.premium import premium
from aitrade.market.rules import Rules
from aitrade.market.simulated import calibrate, universe
from aitrade.market.simulated.fit_days import around_shape, at_knots, stock_days
from aitrade.market.simulated.market import Market

LAST = date(2026, 7, 15)
FIGURES = universe.load_calibration()


@pytest.fixture(scope="module")
def markets():
    """Three seeds' markets."""
    return [Market(LAST, seed, Calendar.load(), Rules.load()) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def days(markets):
    """Minutes of a hundred days of the first seed."""
    last = markets[0].row(LAST)
    return [markets[0].minutes(row) for row in range(last - 99, last + 1)]


def bars_of(days, row):
    """Return (days, 375, 5) of one row, as the fit takes them."""
    parts = [[one.open[row], one.high[row], one.low[row], one.close[row], one.volume[row]] for one in days]
    return np.array(parts, float).transpose(0, 2, 1)


@pytest.mark.parametrize("symbol", ["RELIANCE", "TCS", "ICICIBANK"])
def test_a_stocks_minutes_have_the_fitted_shape(markets, days, symbol):
    """Volatility and volume by minute, tails, ranges and how volume follows moves: fitted again, they come back."""
    bars = bars_of(days, markets[0].names.index(f"NSE:{symbol}"))
    _, shape, moved, ranged = around_shape(bars)
    volume = bars[:, :, 4]
    share = (volume / volume.sum(axis=1, keepdims=True)).mean(axis=0) * 375
    noise = np.log((volume + 1) / volume.sum(axis=1, keepdims=True) * 375 / share)
    fitted = FIGURES.minute
    assert at_knots(shape)[1:] == pytest.approx(fitted.volatility[1:], rel=0.35)
    assert at_knots(shape)[0] == pytest.approx(fitted.volatility[0], rel=0.3)
    assert at_knots(share) == pytest.approx(fitted.volume, rel=0.25)
    assert (moved**4).mean() / (moved**2).mean() ** 2 == pytest.approx(fitted.kurtosis, rel=0.15)
    assert ranged == pytest.approx(fitted.range_ratio, rel=0.05)
    assert noise.std() == pytest.approx(fitted.volume_noise, rel=0.1)
    assert np.polyfit(np.abs(moved).ravel(), noise.ravel(), 1)[0] == pytest.approx(fitted.volume_follows_move, rel=0.1)
    assert np.log(volume.sum(axis=1)).std() == pytest.approx(fitted.volume_day_noise, rel=0.25)


def test_minutes_follow_the_index_as_fitted(markets, days):
    """Five-minute returns of the stocks that the fit looked at correlate with the index about as much."""
    names, found = markets[0].names, []
    index = np.diff(np.log(bars_of(days, names.index("NSE:NIFTY"))[:, 4::5, 3]), axis=1).ravel()
    for symbol in ("RELIANCE", "HDFCBANK", "TCS", "INFY"):
        stock = np.diff(np.log(bars_of(days, names.index(f"NSE:{symbol}"))[:, 4::5, 3]), axis=1).ravel()
        found.append(np.corrcoef(index, stock)[0, 1])
    assert np.mean(found) == pytest.approx(FIGURES.stock.five_minute_correlation, abs=0.12)


def test_days_and_nights_move_as_fitted(markets):
    """NIFTY's gaps and days, against what India VIX implied, over three seeds of two years."""
    gaps, moves = [], []
    for market in markets:
        made, weights = market.walk, market.model.universe.weights()[0]
        base = np.log([stock.price for stock in market.model.universe.stock])
        open_, close = (np.log(np.exp(side - base) @ weights) for side in (made.open, made.close))
        implied = made.vix[120:-1] / 100 / np.sqrt(252)
        gaps.append((open_[121:] - close[120:-1]) / implied)
        moves.append((close[121:] - open_[121:]) / implied)
    assert np.std(gaps) == pytest.approx(FIGURES.market.gap_over_implied, rel=0.25)
    assert np.std(moves) == pytest.approx(FIGURES.market.intraday_over_implied, rel=0.15)
    centred = np.concatenate(gaps) / np.std(gaps)
    assert (centred**4).mean() > 3.5


def test_stocks_keep_their_betas_and_their_own_moves(markets):
    """Day by day a stock answers the index by its fitted beta, and keeps a part of its own as large as fitted."""
    market = markets[0]
    made, weights = market.walk, market.model.universe.weights()[0]
    base = np.log([stock.price for stock in market.model.universe.stock])
    index = np.diff(np.log(np.exp(made.close - base) @ weights))
    stocks = np.diff(made.close, axis=0)
    beta = stocks.T @ index / (index @ index)
    fitted = np.array([FIGURES.beta.get(stock.symbol, 1.0) for stock in market.model.universe.stock])
    assert np.corrcoef(beta, fitted)[0, 1] > 0.6
    assert beta @ weights == pytest.approx(1, abs=0.05)
    own = np.median((stocks - np.outer(index, beta)).std(axis=0))
    assert own == pytest.approx(np.hypot(FIGURES.stock.own_gap, FIGURES.stock.own_intraday), rel=0.15)


def test_india_vix_remembers_and_leans_as_fitted(markets):
    """Persistence, shocks and the lean against the market."""
    shocks, leans = [], []
    for market in markets:
        level = np.log(market.walk.vix[120:] / FIGURES.vix.median)
        shock = level[1:] - FIGURES.vix.persistence * level[:-1]
        shocks.append(shock)
        leans.append(np.corrcoef(shock, np.diff(market.walk.close[120:].mean(axis=1)))[0, 1])
    assert np.std(shocks) == pytest.approx(FIGURES.vix.shock, rel=0.1)
    assert np.mean(leans) == pytest.approx(FIGURES.vix.correlation, abs=0.15)


def test_the_chain_smiles_as_fitted(markets):
    """Volatilities read back from the evening's premiums have the fitted smile, and OI the fitted balance."""
    market = markets[0]
    row = market.row(LAST)
    evening, listed = market.evening(row - 1), market.contracts(row)
    trade, carry = market.trade(row, listed), FIGURES.option.carry
    spot = evening.spot[market.names.index("NSE:NIFTY")]
    month = max(one.expiry for one in listed.instruments if one.is_option and one.symbol == "NIFTY")
    x, ratio, held = [], [], {Kind.CALL: 0, Kind.PUT: 0}
    for place, one in enumerate(listed.instruments):
        if (one.symbol, one.expiry) != ("NIFTY", month) or not one.is_option:
            continue
        held[one.kind] += int(trade.oi[place, 0])
        years = (listed.ends[place] - evening.ts) / (365 * WHOLE)
        forward, level = spot * np.exp(carry * years), listed.over_vix[place] * evening.vix / 100
        if (one.strike > forward) == (one.kind is Kind.CALL):
            guess = np.linspace(0.5 * level, 2 * level, 2000)
            worth = premium(forward, one.strike, years, guess, one.kind is Kind.CALL, carry)
            x.append(np.log(one.strike / forward) / level / np.sqrt(years))
            ratio.append(guess[np.abs(worth - one.previous_close).argmin()] / level - 1)
    places = np.array(x)
    skew, curve = np.linalg.lstsq(np.stack([places, places**2], axis=1), np.array(ratio), rcond=None)[0]
    assert skew == pytest.approx(FIGURES.option.skew, rel=0.1)
    assert curve == pytest.approx(FIGURES.option.curvature, rel=0.15)
    assert 0.4 < held[Kind.PUT] / held[Kind.CALL] < 1.6


def chain_of(market, row):
    """Return (turnover, call and put places by strike in paise) of NIFTY's nearest expiry."""
    listed = market.contracts(row)
    places = [n for n, one in enumerate(listed.instruments) if one.is_option and one.symbol == "NIFTY"]
    nearest = min(listed.instruments[n].expiry for n in places)
    strikes = {}
    for n in places:
        if listed.instruments[n].expiry == nearest:
            strikes.setdefault(listed.instruments[n].strike, {})[listed.instruments[n].kind] = n
    return market.trade(row, listed), strikes


@pytest.mark.parametrize("back", range(5))
def test_both_sides_trade_around_the_money_all_day(markets, back):
    """A week's days, an expiry among them: calls and puts nearest to the money trade alike, enough for a market order.

    The money is where the index stands then, not where it ends; a quarter of what prints in three minutes is a lot.
    """
    market = markets[0]
    row = market.row(LAST) - back
    trade, strikes = chain_of(market, row)
    spot = market.minutes(row).open[market.names.index("NSE:NIFTY")]
    own = market.hours(row).derivative
    for begin in range(0, len(own) - 30, 30):
        near = strikes[min(strikes, key=lambda strike: abs(strike - spot[own[begin]]))]
        call, put = (trade.lots[near[kind], own[begin : begin + 30]] for kind in (Kind.CALL, Kind.PUT))
        assert 0.2 < put.sum() / call.sum() < 5
        assert min(call.reshape(10, 3).sum(axis=1).min(), put.reshape(10, 3).sum(axis=1).min()) >= 4


@pytest.mark.parametrize("back", range(5))
def test_volume_and_open_interest_fall_off_smoothly(markets, back):
    """From strike to strike they change by a few times at the most: no cliff at the money, on expiry days neither."""
    market = markets[0]
    row = market.row(LAST) - back
    trade, strikes = chain_of(market, row)
    spot = market.minutes(row).open[market.names.index("NSE:NIFTY"), 0]
    near = sorted(strike for strike in strikes if abs(strike - spot) < 400_00)
    assert len(near) > 12
    for kind in (Kind.CALL, Kind.PUT):
        for figures in (trade.lots.sum(axis=1), trade.oi[:, 0], trade.oi[:, -1]):
            steps = np.abs(np.diff(np.log([figures[strikes[strike][kind]] for strike in near])))
            assert steps.max() < np.log(5)


def test_the_first_minute_is_as_wide_as_real_ones(markets, days, real_data):
    """Spans of the first minute and of the first five lie near the real days', in median and tail."""
    ranged = []
    for symbol, made in zip(("ICICIBANK", "RELIANCE", "TCS"), stock_days(real(real_data)), strict=True):
        ranged.append((spans(made), spans(bars_of(days, markets[0].names.index(f"NSE:{symbol}")))))
    real_spans, simulated = (np.concatenate(side) for side in zip(*ranged, strict=True))
    for share in (50, 90):
        assert np.percentile(simulated, share, axis=0) == pytest.approx(
            np.percentile(real_spans, share, axis=0), rel=0.2
        )


def spans(bars):
    """Return (days, 2) spans of the first minute and the first five."""
    return np.stack([np.log(bars[:, :n, 1].max(axis=1) / bars[:, :n, 2].min(axis=1)) for n in (1, 5)], axis=1)


def test_the_figures_in_the_package_are_those_of_the_real_days(real_data):
    """Fitted again to the real data, every number comes back: none was typed in."""
    folder = real(real_data)
    packaged = tomllib.loads(Path(universe.__file__).with_name("calibration.toml").read_text(encoding="utf-8"))
    fitted = calibrate.plain(calibrate.fit(folder))
    assert fitted.keys() == packaged.keys()
    for table, values in packaged.items():
        assert fitted[table].keys() == values.keys()
        for name, value in values.items():
            assert np.array(fitted[table][name], float) == pytest.approx(np.array(value, float), rel=0.01), (
                table,
                name,
            )
