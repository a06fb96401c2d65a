"""A strategy is written once: compiled kernel, Python replay and the whole engine give the same orders."""

import os
from datetime import date
from pathlib import Path

import pytest

from aitrade.core.clock import at
from aitrade.core.orders import Product
from aitrade.core.parity import order_list_hash
from aitrade.engine.service import Service
from aitrade.engine.settings import ENGINE, EngineSettings
from aitrade.market.charges import ChargeBook
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore
from aitrade.research import compiled
from aitrade.research.columns import columns
from aitrade.research.replay import Charged, Replay
from aitrade.strategies import KERNELS, MOVING_AVERAGE
from aitrade.strategies.trend import Trend

SIMULATED, REAL = "2026-11-23", "2025-03-28"


def play(settings, name, key, until):
    """Trade one kernel on one instrument through the whole engine; return the bars it saw and the hash of its fills."""
    service = Service(settings)
    service.commands.start(name, {"instruments": [key], "quantity": 1}, ENGINE)
    service._driver.run_until(at(settings.day, until))
    history = service.feed.history(key, 1, 500, at(settings.day, until))
    bars = [bar for bar in history if bar.start >= at(settings.day, "09:15")]
    fills = [(f.instrument, f.side, f.quantity, f.price, f.ts) for f in service.engine.book.state.fills]
    service.close()
    return bars, fills


def check_same(settings, name, key, until):
    """The engine's fills are the kernel's; for the moving average they are the Python strategy's too."""
    bars, fills = play(settings, name, key, until)
    assert fills
    table = columns(bars)
    orders = compiled.run(KERNELS[name], table, 1)
    expected = orders.trades(table)
    assert [trade[:4] for trade in fills] == [trade[:4] for trade in expected][: len(fills)]
    assert order_list_hash(fills) == order_list_hash(expected[: len(fills)])
    assert len(expected) - len(fills) <= 1
    if name == MOVING_AVERAGE.name:
        rates = ChargeBook.load().rates(date.fromisoformat(settings.day), instrument(key), Product.MIS)
        result = Replay(Trend(1), Charged(rates)).run(bars)
        assert result.hash() == order_list_hash(expected)


def instrument(key):
    """A share as bare as charges need it."""
    from aitrade.core.instruments import Exchange, Instrument, Kind

    return Instrument(key=key, exchange=Exchange.NSE, symbol=key.split(":")[1], kind=Kind.EQUITY)


@pytest.mark.parametrize("name", KERNELS)
def test_on_the_simulated_day(tmp_path, name):
    """Every kernel, on a share of the built-in market, over the morning."""
    check_same(EngineSettings(home=str(tmp_path), day=SIMULATED, start="09:14"), name, "NSE:SBIN", "12:30")


@pytest.mark.parametrize("name", KERNELS)
def test_on_a_real_day(tmp_path, name):
    """RELIANCE on 2025-03-28, as the exchange's minutes have it."""
    data = Path(os.environ.get("AITRADE_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    minutes = data / "nse-1min-stocks-2025" / "RELIANCE" / "28-03-2025.csv"
    if not minutes.is_file():
        pytest.skip("real market data are not here: set AITRADE_REAL_DATA to their folder")
    import_path(minutes, InputStore(tmp_path / "market"))
    settings = EngineSettings(home=str(tmp_path), mode="replay", book="real", day=REAL, start="09:14")
    check_same(settings, name, "NSE:RELIANCE", "15:15")
