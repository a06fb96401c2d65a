"""A sweep ranks by profit after charges and proves its winner in a replay."""

from datetime import date

import msgspec
import pytest

from aitrade.core.errors import AitradeError, Refused
from aitrade.core.orders import Side
from aitrade.research.session import load_session
from aitrade.research.sweep import Here, Processes, grid, sweep
from aitrade.research.tear_sheet import tear_sheet
from aitrade.strategies import MOVING_AVERAGE

DAY = date(2026, 11, 20)
TRIED = grid(fast=range(3, 9, 2), slow=(20, 30))


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """The simulated session."""
    return load_session(DAY, tmp_path_factory.mktemp("home"))


def swept(day, **more):
    """Sweep the moving average over one stock."""
    key = "NSE:RELIANCE"
    given = {"quantity": 10, "charged": day.charges(key), "executor": Here(), **more}
    return sweep(MOVING_AVERAGE, day.bars(key), TRIED, **given)


def test_the_best_comes_first_and_is_what_its_replay_made(day):
    """In order of profit after charges; the replay of the winner has its trades and its charges."""
    found = swept(day)
    nets = [one.sheet.net for one in found.outcomes]
    assert nets == sorted(nets, reverse=True)
    assert len(nets) == len(TRIED) == 6
    assert found.winner.sheet.trades == len(found.replayed.fills) > 0
    assert found.winner.sheet.charges == found.replayed.charges > 0
    assert list(found.frame()["profit after charges ₹"]) == [net / 100 for net in nets]


def test_processes_find_what_one_process_finds(day):
    """The chunks travel, and come back in order."""
    assert swept(day, executor=Processes(2), chunk=3).outcomes == swept(day).outcomes


def test_a_winner_that_trades_otherwise_fails_the_sweep(day):
    """An executor that lost a trade is found out."""

    class Lossy:
        def map(self, chunks):
            done = [one for chunk in chunks for one in chunk.run()]
            best = max(done, key=lambda one: one.sheet.net)
            sheet = msgspec.structs.replace(best.sheet, trades=best.sheet.trades - 1, gross=10**12)
            return [[msgspec.structs.replace(best, sheet=sheet)]]

    with pytest.raises(AitradeError, match="trades otherwise"):
        swept(day, executor=Lossy())


def test_a_kernel_of_the_notebook_is_refused_for_processes(day, monkeypatch):
    """With what to do instead."""
    monkeypatch.setattr(MOVING_AVERAGE.step, "__module__", "__main__")
    with pytest.raises(Refused, match="put it into a file"):
        swept(day, executor=Processes(1))


def test_nothing_to_sweep_is_refused(day):
    """No parameters, no sweep."""
    with pytest.raises(Refused, match="at least one"):
        sweep(MOVING_AVERAGE, day.bars("NSE:RELIANCE"), [], quantity=1, charged=day.charges("NSE:RELIANCE"))


class Flat:
    """A rupee a leg."""

    def total(self, side, value, quantity):
        """Return 100 paise."""
        return 100


def test_a_tear_sheet_counts_by_hand():
    """Long with a profit of ₹10, turned short with a loss of ₹5, bought back in part, the rest at the last price."""
    trades = [
        ("NSE:X", Side.BUY, 10, 10_000, 0),
        ("NSE:X", Side.SELL, 20, 10_100, 1),
        ("NSE:X", Side.BUY, 10, 10_150, 2),
        ("NSE:X", Side.BUY, 2, 10_000, 3),
    ]
    sheet = tear_sheet(trades, Flat(), 10_010)
    assert (sheet.gross, sheet.charges, sheet.net) == (1_000 - 500 + 20, 400, 120)
    assert (sheet.round_trips, sheet.winners, sheet.best, sheet.worst) == (2, 1, 1_000, -500)
    assert sheet.drawdown == 700
    assert sheet.position == 2
    assert sheet.frame().loc["profit after charges", "value"] == "+₹1.20"
