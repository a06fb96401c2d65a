"""A notebook's session is the imported one, or the simulated one where nothing is imported."""

import os
from datetime import date
from pathlib import Path

import pytest

from aitrade.core.config import load
from aitrade.core.errors import DataRefused, Refused
from aitrade.core.parity import order_list_hash
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore
from aitrade.research.compare import trades_of
from aitrade.research.replay import Replay
from aitrade.research.session import load_session
from aitrade.research.stepping import Stepping
from aitrade.strategies import MOVING_AVERAGE

REAL = Path(os.environ.get("AITRADE_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def test_without_imports_it_is_the_simulated_session(tmp_path):
    """It says so, its bars are in paise and its frame in rupees, by Indian time."""
    session = load_session("2026-11-20", tmp_path)
    assert (session.source, session.day) == ("SIMULATED", date(2026, 11, 20))
    key = session.instruments[0]
    bars, frame = session.bars(key), session.frame(key)
    assert len(bars) == len(frame) > 300
    assert frame.index[0].strftime("%H:%M") == "09:15"
    assert frame["open ₹"].iloc[0] == bars[0].open / 100


def test_by_default_it_is_a_day_that_is_over(tmp_path):
    """The latest trading day."""
    assert load_session(home=tmp_path).day < date.today()  # noqa: DTZ011 - a day is enough here


def test_an_unknown_instrument_is_refused_with_some_that_there_are(tmp_path):
    """One sentence."""
    with pytest.raises(Refused, match="NSE:NOSUCH is not in the session of 2026-11-20; there are: NSE:"):
        load_session("2026-11-20", tmp_path).bars("NSE:NOSUCH")


def test_a_real_session_is_loaded_and_trades(tmp_path, monkeypatch):
    """2025-03-28, imported into a folder that AITRADE_MARKET names: 375 minutes, trades and charges."""
    folder = REAL / "nse-1min-stocks-2025" / "TCS"
    if not folder.is_dir():
        pytest.skip("no real market data on this machine; AITRADE_REAL_DATA names their folder")
    market = tmp_path / "elsewhere"
    assert not import_path(folder / "28-03-2025.csv", InputStore(market)).refused
    monkeypatch.setenv("AITRADE_MARKET", str(market))
    session = load_session(home=tmp_path / "lab")
    assert session.day == date(2025, 3, 28)
    assert "SIMULATED" not in session.source
    bars = session.bars("NSE:TCS")
    assert len(bars) == 375
    result = Replay(Stepping(MOVING_AVERAGE, 10), session.charges("NSE:TCS")).run(bars)
    assert result.charges > 0
    assert result.hash() == order_list_hash(trades_of(result.fills))
    with pytest.raises(DataRefused, match="2025-03-28"):
        load_session("2025-03-27", tmp_path / "lab")
    assert load_session("2026-11-20", tmp_path / "lab", simulated=True).source == "SIMULATED"


def test_market_data_lie_in_the_data_folder_unless_said(tmp_path, monkeypatch):
    """AITRADE_MARKET moves them."""
    assert load(home=tmp_path).market_folder == tmp_path / "market"
    monkeypatch.setenv("AITRADE_MARKET", str(tmp_path / "other"))
    assert load(home=tmp_path).market_folder == tmp_path / "other"
