"""Each notebook, cell by cell without a kernel: on a day with trades, and on one of a year without any."""

import ast
import json
import re

import pytest
from report_books import SECOND, traded

from aitrade.ops.reports import CATALOGUE

BOOK = "made-1"
EMPTY = "2024-01-26"
"""A holiday of a month and a tax year in which the book did nothing."""

WITHOUT_MONEY = {"audit-trail", "system-performance", "system-audit", "preflight"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A traded book."""
    return traded(tmp_path_factory.mktemp("home")).home


def shown(report, day):
    """What a reader of the executed notebook sees: each cell's last expression as HTML, joined."""
    notebook = json.loads(report.notebook.read_text())
    names = {"book": BOOK, "day": day, **report.values({})}
    pages = []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or "parameters" in cell["metadata"].get("tags", ()):
            continue
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop()
        exec(compile(tree, report.name, "exec"), names)
        pages.append(eval(compile(ast.Expression(last.value), report.name, "eval"), names).html())
    return "\n".join(pages)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_reader_sees_figures_and_how_they_came(home, monkeypatch, name):
    """Every piece shows itself, says how it was computed, in Indian numbers and the same each time."""
    monkeypatch.setenv("AITRADE_HOME", str(home))
    page = shown(CATALOGUE[name], SECOND)
    words = re.sub(r"<[^>]+>", " ", page)
    assert "How it was computed" in words
    assert ("NIL report" in words) is (name == "preflight")
    assert not re.search(r">(None|nan|inf)<|_paise|₹-", page)
    assert not re.search(r"₹\d{4,}|₹\d+,\d{3},\d{3}", words)
    assert ("₹" in words) is (name not in WITHOUT_MONEY)
    assert shown(CATALOGUE[name], SECOND) == page


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_day_of_nothing_is_a_nil_report(home, monkeypatch, name):
    """Every report of a day without anything says NIL and shows all its tables empty."""
    monkeypatch.setenv("AITRADE_HOME", str(home))
    assert "NIL report" in shown(CATALOGUE[name], EMPTY)
