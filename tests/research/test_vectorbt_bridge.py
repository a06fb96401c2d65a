"""A strategy trades the same through vectorbt, a compiled loop and a replay."""

import subprocess
import sys
import warnings
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitrade.core.clock import MINUTE, at
from aitrade.core.errors import Refused
from aitrade.core.orders import OrderRequest, OrderType, Side
from aitrade.core.parity import order_list_hash
from aitrade.core.quotes import Bar
from aitrade.research import compiled, session
from aitrade.research.columns import columns
from aitrade.research.compare import compare, trades_of
from aitrade.research.replay import Replay
from aitrade.research.stepping import Stepping
from aitrade.research.tear_sheet import DayMade, book_sheet
from aitrade.strategies import MOVING_AVERAGE, OPENING_RANGE
from aitrade.strategies.trend import Trend

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its imports warn about others' deprecations
    import vectorbt  # noqa: F401
from aitrade.research import vectorbt_bridge as bridge

DAY = date(2026, 11, 20)


def test_a_book_s_ratios_are_vectorbt_s():
    """Return, volatility, Sharpe, Sortino and deepest fall of 60 days, by vectorbt's own definitions."""
    rng = np.random.default_rng(3)
    pnl = [round(one) for one in rng.normal(500, 10_000, 60)]
    sheet = book_sheet(
        [DayMade(f"2025-{n // 28 + 1:02d}-{n % 28 + 1:02d}", 10**6, one, 0) for n, one in enumerate(pnl)], []
    )
    own = pd.Series([one / 10**6 for one in pnl], index=pd.date_range("2025-01-01", periods=60))
    theirs = own.vbt.returns(freq="1D", year_freq="250D")
    assert sheet.total_return == pytest.approx(theirs.total())
    assert sheet.yearly_return == pytest.approx(theirs.annualized())
    assert sheet.volatility == pytest.approx(theirs.annualized_volatility())
    assert sheet.sharpe == pytest.approx(theirs.sharpe_ratio())
    assert sheet.sortino == pytest.approx(theirs.sortino_ratio())
    assert sheet.drawdown == pytest.approx(-theirs.max_drawdown())


class Free:
    """No charges."""

    def total(self, side, value, quantity):
        """Return nothing."""
        return 0


@pytest.fixture(scope="module")
def bars(tmp_path_factory):
    """The simulated day's minutes of one stock."""
    return session.load_session(DAY, tmp_path_factory.mktemp("home")).bars("NSE:RELIANCE")


def made(closes):
    """Return minute bars that open where the one before closed."""
    start = at(DAY, "09:15")
    return [
        Bar("NSE:X", start + n * MINUTE, start + (n + 1) * MINUTE, a, max(a, b), min(a, b), b, 1000)
        for n, (a, b) in enumerate(zip([closes[0], *closes], closes, strict=False))
    ]


@pytest.mark.parametrize("kernel", [MOVING_AVERAGE, OPENING_RANGE])
def test_three_drivers_make_the_same_trades(bars, kernel):
    """A shipped kernel: more trades than none, one hash, the Rust engine, and no note of a fall-back."""
    simulated = bridge.run(kernel, bars, 10)
    replayed = Replay(Stepping(kernel, 10), Free()).run(bars)
    table = columns(bars)
    assert simulated.trades
    assert (simulated.engine, simulated.note) == ("rust", "")
    assert order_list_hash(simulated.trades) == replayed.hash()
    assert order_list_hash(compiled.run(kernel, table, 10).trades(table)) == replayed.hash()


def test_a_python_strategy_trades_the_same(bars):
    """The trend in Python, through vectorbt and through a replay."""
    found = compare(bridge.run(Trend(10), bars).trades, trades_of(Replay(Trend(10), Free()).run(bars).fills))
    assert found.same
    assert found.counts[0] > 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 2_000).map(lambda n: n * 5), min_size=3, max_size=60), st.integers(1, 4))
def test_any_prices_give_the_same_trades(closes, fast):
    """Whatever the prices, the averages and their ties."""
    run = made(closes)
    simulated = bridge.run(MOVING_AVERAGE, run, 7, fast=fast, slow=fast + 2)
    replayed = Replay(Stepping(MOVING_AVERAGE, 7, fast=fast, slow=fast + 2), Free()).run(run)
    assert order_list_hash(simulated.trades) == replayed.hash()


def test_vectorbt_turns_a_position_round_at_the_next_open():
    """Long, short, flat: the fills are at the opens after the targets, and none comes after the last bar."""
    run = made([100, 110, 120, 130, 140])
    trades = bridge.simulate(columns(run), np.array([5, -5, 0, 0, 9])).trades
    told = [(side, quantity, price, ts) for _, side, quantity, price, ts in trades]
    assert told == [
        (Side.BUY, 5, 100, run[1].start), (Side.SELL, 10, 110, run[2].start), (Side.BUY, 5, 120, run[3].start)
    ]  # fmt: skip


def test_it_says_when_it_falls_back(monkeypatch):
    """Without the Rust engine the trades stay and the note names the reason."""
    asked = []
    whole = bridge.np.array([1, 0, 0])
    real = sys.modules["vectorbt"].Portfolio.from_orders

    def from_orders(**arguments):
        asked.append(arguments["engine"])
        if arguments["engine"] == "rust":
            raise ImportError("vectorbt-rust is not installed")
        return real(**{**arguments, "engine": "rust"})

    monkeypatch.setattr(sys.modules["vectorbt"].Portfolio, "from_orders", from_orders)
    simulated = bridge.simulate(columns(made([100, 110, 120])), whole)
    assert asked == ["rust", "numba"]
    assert simulated.engine == "numba"
    assert "vectorbt-rust is not installed" in simulated.note
    assert len(simulated.trades) == 2


def test_a_fraction_of_a_unit_is_refused():
    """Rather than rounded in silence."""
    with pytest.raises(Refused, match="fraction"):
        bridge.simulate(columns(made([100, 110, 120])), np.array([0.5, 0.5, 0]))


def test_only_market_orders_go_through_vectorbt():
    """A limit order is refused with what to do instead."""

    class Limits(Trend):
        def on_bar(self, context, bar):
            context.submit(
                OrderRequest(instrument=bar.instrument, side=Side.BUY, quantity=1, type=OrderType.LIMIT, price=100)
            )

    with pytest.raises(Refused, match="through the engine"):
        bridge.run(Limits(1), made([100, 110]))


def test_importing_the_bridge_does_not_import_vectorbt():
    """Nor pandas nor Numba: they come with the first use."""
    heavy = "('vectorbt', 'pandas', 'numba')"
    code = f"import sys, aitrade.research.vectorbt_bridge; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
