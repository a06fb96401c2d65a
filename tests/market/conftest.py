"""Fixtures of the market room's tests."""

import os
from pathlib import Path

import pytest

from aitrade.market.input_store import InputStore


@pytest.fixture
def store(tmp_path: Path) -> InputStore:
    """An empty input store."""
    return InputStore(tmp_path / "market")


@pytest.fixture(scope="session")
def real_data() -> Path | None:
    """The folder of real market data, where this machine has one: AITRADE_REAL_DATA, else beside the repository."""
    named = os.environ.get("AITRADE_REAL_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"
    return folder if folder.is_dir() else None
