"""Each notebook, cell by cell without a kernel: on a day with trades, and on one of a year without any."""

import ast
import json
import re

import pytest
from report_books import SECOND, traded

from aitrade.compliance.operations import note
from aitrade.core.clock import at
from aitrade.ops.reports import CATALOGUE
from aitrade.ops.reports.pieces import Pieces

BOOK = "made-1"
EMPTY = "2024-01-26"
"""A holiday of a month and a tax year in which the book did nothing."""

WITHOUT_MONEY = {"audit-trail", "system-performance", "system-audit", "preflight"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A traded book, and a scan on its second day."""
    book = traded(tmp_path_factory.mktemp("home"))
    note(book.home, "scan", "security", "passed", at=at(SECOND, "18:30"))
    return book.home


def pieces(report, day):
    """What each cell of the notebook ends with."""
    notebook = json.loads(report.notebook.read_text())
    names = {"book": BOOK, "day": day, **report.values({})}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or "parameters" in cell["metadata"].get("tags", ()):
            continue
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop()
        exec(compile(tree, report.name, "exec"), names)
        yield eval(compile(ast.Expression(last.value), report.name, "eval"), names)


def shown(report, day):
    """What a reader of the executed notebook sees."""
    return "\n".join(piece.html() for piece in pieces(report, day))


def parts(piece):
    """The figures, tables, charts and notices of a piece."""
    return [one for part in piece.parts for one in parts(part)] if isinstance(piece, Pieces) else [piece]


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_reader_sees_figures_and_how_they_came(home, monkeypatch, name):
    """Every piece shows itself, says how it was computed, in Indian numbers and the same each time."""
    monkeypatch.setenv("AITRADE_HOME", str(home))
    page = shown(CATALOGUE[name], SECOND)
    words = re.sub(r"<[^>]+>", " ", page)
    assert ("NIL report" in words) is (name == "preflight")
    assert not re.search(r">(None|nan|inf)<|_paise|₹-", page)
    assert not re.search(r"₹\d{4,}|₹\d+,\d{3},\d{3}", words)
    assert "<svg" in page
    assert ("₹" in words) is (name not in WITHOUT_MONEY)
    assert shown(CATALOGUE[name], SECOND) == page


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_day_of_nothing_is_a_nil_report(home, monkeypatch, name):
    """Every report of a day without anything says NIL and shows all its tables empty."""
    monkeypatch.setenv("AITRADE_HOME", str(home))
    assert "NIL report" in shown(CATALOGUE[name], EMPTY)


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_figure_table_and_chart_says_how_it_was_computed(home, monkeypatch, name):
    """None is left without its sentence."""
    monkeypatch.setenv("AITRADE_HOME", str(home))
    told = [one for piece in pieces(CATALOGUE[name], SECOND) for one in parts(piece) if hasattr(one, "how")]
    assert told
    assert [one.text() for one in told if len(one.how) < len("Each minute's mark.")] == []
