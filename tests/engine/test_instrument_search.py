"""Tests for `Service.search`: finding a contract by what a trader types."""

import pytest

from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service on a simulated day."""
    started = Service(EngineSettings(home=str(tmp_path_factory.mktemp("home")), day="2026-11-23", start="10:00"))
    yield started
    started.abandon()


def test_every_word_counts(service):
    """A contract is found by underlying, strike and side in any case, and nothing else is."""
    option = next(row for row in service.engine.instruments.values() if row.is_option and row.symbol == "NIFTY")
    strike = option.strike // 100
    found = service.search(f"nifty {strike} ce", 100)
    assert found
    assert all(str(strike) in row.key and row.key.endswith("CE") for row in found)


def test_a_share_comes_before_its_contracts(service):
    """Who types a symbol gets the share first, then what is derived from it; an exact key finds its one."""
    rows = service.search("reliance", 10)
    assert rows[0].key == "NSE:RELIANCE"
    key = next(row.key for row in service.engine.instruments.values() if row.is_option)
    assert [row.key for row in service.search(key, 5)] == [key]
    assert service.search("no such thing", 5) == []
