"""A book counted three ways: equal to the paisa, or the difference by name."""

import shutil
import sqlite3

import msgspec
import pytest
from click.testing import CliRunner
from made_book import MadeBook

from aitrade.cli import main
from aitrade.compliance.operations import noted
from aitrade.core.events import Conversion, Kind
from aitrade.core.orders import Product
from aitrade.engine.client import Address
from aitrade.ops.backup.projections import rebuild
from aitrade.ops.ledger import Standing, walk
from aitrade.ops.reconciliation import of_rows, of_state, reconcile

TCS, FUTURE = "NSE:TCS", "NFO:NIFTY27MAR25FUT"
CHARGES = (20_00, 3_50, 1_04, 4, 0, 52, 3_79, 1_00)
CONVERTED = (-3_16, 10_53, 0, 0, 0, 1_26, -57, 0)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Three days with delivery, a conversion, a future that is marked and expires, a split, a bonus and a dividend."""
    folder = tmp_path_factory.mktemp("written")
    book = MadeBook(folder)
    book.day("2025-03-25")
    book.trade(TCS, 10, 3_500_00, charges=CHARGES)
    book.trade(TCS, 3, 3_510_00, Product.MIS, CHARGES)
    book.add(Kind.CONVERT, Conversion(instrument=TCS, product="MIS", to="CNC", quantity=3))
    book.move("charge", 0, TCS, "CNC", charges=CONVERTED)
    book.trade(FUTURE, 75, 23_000_00, Product.NRML, CHARGES)
    book.close({TCS: 3_505_00, FUTURE: 23_100_00})
    book.move("mark_to_market", 75 * 100_00, FUTURE, "NRML", cost=75 * 100_00)
    book.carry()
    book.day("2025-03-26")
    book.move("split", 0, TCS, "CNC", quantity=52)
    book.move("bonus", 0, TCS, "CNC", quantity=65)
    book.trade(TCS, -30, 360_00, charges=CHARGES)
    book.close({TCS: 355_00, FUTURE: 23_100_00})
    book.move("dividend", 100 * 5_00, TCS, "CNC")
    book.day("2025-03-27")
    book.close({TCS: 355_00, FUTURE: 23_150_00})
    book.move("expiry", 75 * 50_00, FUTURE, "NRML", quantity=-75, cost=-75 * 23_100_00)
    book.stop()
    rebuild(folder, "made-1")
    return folder


@pytest.fixture
def home(written, tmp_path):
    """A copy of it to break."""
    return shutil.copytree(written, tmp_path / "home")


def test_three_counts_agree(home):
    """Rows, recovered state and projection tell the same, and the outcome is in the operations journal."""
    found = reconcile(home, "made-1")
    assert found.differences == []
    assert found.agreed
    assert found.days == 3
    assert found.compared > 20
    [kept] = noted(home, "scan")
    assert (kept.operation.name, kept.operation.outcome) == ("reconciliation of made-1", "passed")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE fills SET gst = gst + 1 WHERE seq = (SELECT min(seq) FROM fills)",
            "charged with trades, gst: journal rows ₹15.16",
        ),
        ("UPDATE fills SET quantity = 11 WHERE quantity = 10", "traded, bought"),
        (
            "UPDATE cash SET amount = amount + 1 WHERE why = 'charge' AND note = ''",
            "charged, all: journal rows ₹127.62",
        ),
        ("UPDATE positions SET closing = closing + 1 WHERE day = '2025-03-26'", "units, NSE:TCS"),
        ("UPDATE cash SET amount = 49999 WHERE why = 'dividend'", "moved, dividend"),
        ("UPDATE marks SET equity = equity - 1 WHERE day = '2025-03-26'", "closed at, 2025-03-26"),
        ("DELETE FROM orders WHERE id = (SELECT min(id) FROM orders)", "orders, sent: journal rows 4, projection 3"),
        ("UPDATE books SET seq = seq - 2", "records, newest"),
    ],
)
def test_each_tampering_is_named(home, statement, words):
    """One paisa, unit, row or record changed in the database is told by name, with exit status 2."""
    with sqlite3.connect(home / "books" / "made-1" / "aitrade.db") as connection:
        connection.execute(statement)
    connection.close()
    told = CliRunner().invoke(main, ["audit", "reconcile", "--book", "made-1", "--data-folder", str(home)])
    assert told.exit_code == 2
    assert words in told.output


def test_a_state_that_says_otherwise_is_told(home):
    """The engine's own book-keeping is compared too: a paisa of cost, or a unit, is not what the rows say."""
    days = list(walk(home, "made-1"))
    rows, _ = of_rows(days)
    last = Standing.of(_state(home))
    last.holdings[TCS].lot.cost += 1
    last.holdings[TCS].lot.quantity -= 1
    found = of_state(last, days[-1].last_seq)
    wrong = {figure.kind for figure in found.found if found.found[figure] != rows.found[figure]}
    assert wrong == {"made", "units"}


def _state(home):
    from aitrade.engine.recovery import recover
    from aitrade.engine.settings import EngineSettings

    return recover(EngineSettings(home=str(home), book="made-1")).state


def test_a_missing_projection_is_not_agreement(home):
    """Without a database nothing was reconciled, and the sentence says how to make one."""
    (home / "books" / "made-1" / "aitrade.db").unlink()
    found = reconcile(home, "made-1")
    assert not found.agreed
    assert "aitrade store rebuild" in found.missing


def test_a_book_that_is_traded_on_is_named_as_such(home):
    """Its database may be behind by what was written since: the command says so beside the difference."""
    (home / "books" / "made-1" / "aitrade.db").unlink()
    (home / "run").mkdir(exist_ok=True)
    (home / "run" / "engine.json").write_bytes(msgspec.json.encode(Address(port=1, pid=1, book="made-1")))
    told = CliRunner().invoke(main, ["audit", "reconcile", "--data-folder", str(home)])
    assert told.exit_code == 2
    assert "This book is being traded on" in told.output


def test_all_books_are_reconciled_by_one_command(home):
    """Without a name every book is, and agreement ends with exit status 0."""
    told = CliRunner().invoke(main, ["audit", "reconcile", "--data-folder", str(home)])
    assert told.exit_code == 0
    assert "made-1: 3 days" in told.output
    assert "0 differ" in told.output
