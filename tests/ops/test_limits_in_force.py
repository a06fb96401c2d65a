"""The limits of a day are those that its engine had read, not those of today."""

import pytest
from made_book import MadeBook

from aitrade.core.clock import SECOND
from aitrade.ops import configuration_history
from aitrade.ops.ledger import read
from aitrade.ops.limits_in_force import limits_in_force
from aitrade.risk.limits import Limits

DAY = "2026-11-23"


@pytest.fixture
def home(tmp_path):
    """A data folder with a book of one day and a limits.toml."""
    (tmp_path / "limits.toml").write_text("day_orders = 111\n")
    book = MadeBook(tmp_path)
    book.day(DAY)
    book.close()
    book.stop()
    return tmp_path


def test_the_history_before_the_engine_s_start_holds(home):
    """A limit that was changed after the engine started is not the day's."""
    day = read(home, "made-1", DAY)
    configuration_history.keep(home, at=day.set_up_at - 10 * SECOND)
    (home / "limits.toml").write_text("day_orders = 222\n")
    configuration_history.keep(home, at=day.set_up_at + 10 * SECOND)
    found = limits_in_force(home, day)
    assert (found.limits.day_orders, found.kept) == (111, True)
    assert "before the engine started" in found.words


def test_a_history_without_the_file_means_the_limits_that_ship(home):
    """Before there was a limits.toml the packaged limits held."""
    day = read(home, "made-1", DAY)
    (home / "limits.toml").rename(home / "kept")
    (home / "aitrade.toml").write_text("seed = 3\n")
    configuration_history.keep(home, at=day.set_up_at - 10 * SECOND)
    (home / "kept").rename(home / "limits.toml")
    found = limits_in_force(home, day)
    assert (found.limits, found.kept) == (Limits.load(), True)


def test_without_a_history_the_file_is_taken_and_said_so(home):
    """What is on disk now is used, and the words say that it may have changed."""
    found = limits_in_force(home, read(home, "made-1", DAY))
    assert (found.limits.day_orders, found.kept) == (111, False)
    assert "as it is now" in found.words
