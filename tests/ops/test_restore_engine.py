"""The drill with the engine itself: it trades, is backed up while it does, is lost, comes back, and trades on."""

import shutil

import pytest

from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.service import Service
from aitrade.engine.settings import ENGINE, EngineSettings
from aitrade.ops import backup
from aitrade.ops.backup.mirror import Mirror
from aitrade.ops.backup.restoring import restore
from aitrade.store.vault import Vault


@pytest.fixture
def home(tmp_path):
    """Return a data folder whose backups go beside it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "aitrade.toml").write_text(f'backup_folder = "{(tmp_path / "second").as_posix()}"\n')
    return tmp_path / "home"


def buy(service, number):
    """Buy one share of the watchlist and let the market go on for a second."""
    key = service.feed.watchlist[number % 5]
    service.engine.place(
        OrderRequest(instrument=key, side=Side.BUY, quantity=number + 1, product=Product.MIS, actor="asha"), ENGINE
    )
    service.step(1)


def test_an_engine_comes_back_to_the_paisa_and_trades_on(home, tmp_path):
    """Orders, fills, positions, cash and charges after the way back are those from before; the next order is placed."""
    settings = EngineSettings(home=str(home), start="11:00", day="2025-03-27")
    service = Service(settings)
    for number in range(5):
        buy(service, number)
    key = Vault.ensure(home).new_recovery_key()
    made = backup.run(home)
    for number in range(5, 9):
        buy(service, number)
    Mirror(home).copy()
    before = service.engine.book.state
    service.abandon()
    shutil.rmtree(home)

    restored = restore(home, folder=tmp_path / "second", recovery=key)
    again = Service(settings)
    after = again.engine.book.state
    assert made.books[0].seq < restored.books[0].seq
    assert (after.orders, after.fills, after.positions) == (before.orders, before.fills, before.positions)
    assert (after.opening, after.realised, after.charges) == (before.opening, before.realised, before.charges)
    assert len(after.orders) == 9
    assert after.fills
    buy(again, 9)
    assert len(again.engine.book.state.orders) == 10
    again.close()
