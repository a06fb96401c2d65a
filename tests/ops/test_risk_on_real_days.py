"""Value at risk of two shares over 250 real days, against a computation in pandas that knows nothing of aitrade."""

import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aitrade.core.instruments import Kind
from aitrade.engine.recovery import feed_for
from aitrade.engine.settings import EngineSettings
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore
from aitrade.market.rules import Rules
from aitrade.ops.reports.closing import Closing
from aitrade.ops.reports.exposure import Exposure
from aitrade.ops.reports.risk import historical, moves, parametric

REAL = Path(os.environ.get("AITRADE_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
UNITS = {"RELIANCE": 100, "TCS": -40}
DAY = "2025-03-28"
Z = 2.3263478740408408
"""99 % of a normal distribution."""


@pytest.fixture(scope="module")
def closing(tmp_path_factory):
    """The close of a replayed day: its minutes, and years of days before it."""
    if not (REAL / "daily-nifty50").is_dir():
        pytest.skip("no real market data on this machine; AITRADE_REAL_DATA names their folder")
    home = tmp_path_factory.mktemp("home")
    store = InputStore(home / "market")
    for symbol in UNITS:
        import_path(REAL / "daily-nifty50" / f"{symbol}.csv", store)
        import_path(REAL / "nse-1min-stocks-2025" / symbol / "28-03-2025.csv", store)
    rules, settings = Rules.load(home), EngineSettings(home=str(home), mode="replay")
    return Closing(feed_for(settings, rules.calendar, rules, date.fromisoformat(DAY)))


def closes(symbol):
    """Each day's close by the files themselves; the replayed day's is that of its last minute."""
    daily = pd.read_csv(REAL / "daily-nifty50" / f"{symbol}.csv")
    found = pd.Series(daily["close"].to_numpy(), index=daily["timestamp"].str[:10])
    minutes = pd.read_csv(REAL / "nse-1min-stocks-2025" / symbol / "28-03-2025.csv", encoding="utf-8-sig")
    return pd.concat([found[found.index < DAY], pd.Series({DAY: minutes["close"].iloc[-1]})])


def test_both_methods_are_those_of_pandas(closing):
    """The third worst of 250 days, the mean of the worst two and a half, and 2.33 deviations: to the rupee."""
    rows = [exposure(closing, f"NSE:{symbol}", units) for symbol, units in UNITS.items()]
    past = moves(rows, closing, 250)
    table = pd.DataFrame({symbol: closes(symbol) for symbol in UNITS}).dropna()
    returns = table.pct_change().dropna().tail(250)
    worth = pd.Series({symbol: units * table[symbol].iloc[-1] for symbol, units in UNITS.items()})
    made = np.sort((returns * worth).sum(axis=1))
    plain, normal = historical(rows, past, 0.99), parametric(rows, past, 0.99)
    assert (plain.outcomes, plain.first, plain.last) == (250, returns.index[0], DAY)
    assert plain.loss / 100 == pytest.approx(-made[2], abs=1)
    assert plain.shortfall / 100 == pytest.approx(-(made[0] + made[1] + made[2] / 2) / 2.5, abs=1)
    assert normal.loss / 100 == pytest.approx(Z * np.sqrt(worth @ returns.cov() @ worth), abs=1)


def exposure(closing, key, units):
    """A holding at the day's close."""
    last = closing.last(key)
    return Exposure(
        key=key, kind=Kind.EQUITY, underlying=key, units=units, cost=units * last, last=last, forward=float(last)
    )
