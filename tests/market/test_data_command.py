"""`aitrade data import|list|report`, as a person types it."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from made_files import DAY, minutes, place, stock_csv

from aitrade.cli import main


@pytest.fixture
def run(tmp_path):
    """Run `aitrade data …` on a data folder of its own."""
    return lambda *words: CliRunner().invoke(main, ["data", *map(str, words), "--data-folder", str(tmp_path / "home")])


def test_import_reports_list_lists_and_report_details(run, tmp_path):
    """The way through: numbers of the import, a line a set, everything about one symbol."""
    place(tmp_path, "in/TCS/1.csv", stock_csv(minutes(DAY, "09:15", 377)))
    place(tmp_path, "in/SOURCE.txt", "repo: x\nlicence: none\n")
    done = run("import", tmp_path / "in")
    assert done.exit_code == 0, done.output
    assert "files: 1 imported, 1 skipped" in done.output
    assert "rows: 375 stored, 2 set aside" in done.output
    assert "a note of where data came from, no market data (SOURCE.txt)" in done.output
    assert (tmp_path / "home" / "market" / "quality.json").exists()
    line = next(line for line in run("list").output.splitlines() if "TCS" in line)
    assert line.split() == ["NSE:TCS", "1-minute", "bars", "2025-03-28", "2025-03-28", "375", "yes", "unknown"]
    report = run("report", "NSE:TCS").output
    assert "set aside: 2 x out of session" in report
    assert run("report", "tcs").output == report
    assert "1.csv  (1-minute stock CSV)" in report


def test_refused_files_are_listed_at_the_end_with_status_2(run, tmp_path):
    """Good files of the same import stay."""
    place(tmp_path, "in/TCS.csv", stock_csv(minutes(DAY, "09:15", 2)))
    place(tmp_path, "in/bad.csv", "a,b\n1\n")
    done = run("import", tmp_path / "in")
    assert done.exit_code == 2
    assert done.output.rstrip().endswith("bad.csv, line 1: not a format that we know; its first line is 'a,b'.")
    assert "NSE:TCS" in run("list").output


def test_importing_again_says_so_and_is_no_failure(run, tmp_path):
    """Nothing is stored twice."""
    place(tmp_path, "TCS.csv", stock_csv(minutes(DAY, "09:15", 2)))
    run("import", tmp_path / "TCS.csv")
    done = run("import", tmp_path / "TCS.csv")
    assert done.exit_code == 0
    assert "files: 1 already imported" in done.output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("list",), "Nothing is imported yet"),
        (("report",), "There is no quality report yet"),
        (("report", "NSE:TCS"), "There is no quality report of NSE:TCS"),
        (("import", "/nowhere/at/all"), "There is nothing at /nowhere/at/all"),
    ],
)
def test_refusals_are_one_sentence_with_status_2(run, words, text):
    """What to do next stands in it."""
    done = run(*words)
    assert done.exit_code == 2
    assert done.output.startswith(text)


def test_the_commands_of_the_guide_run(tmp_path, monkeypatch):
    """Every line that docs/data-import.md tells a person to type does what it says there."""
    place(tmp_path, "market/RELIANCE/1.csv", stock_csv(minutes(DAY, "09:15", 2)))
    monkeypatch.setenv("AITRADE_HOME", str(tmp_path / "home"))
    guide = Path(__file__).resolve().parents[2] / "docs" / "data-import.md"
    lines = [
        line.split("#")[0].split() for line in guide.read_text().splitlines() if line.startswith("    aitrade data")
    ]
    assert len(lines) == 4
    for _, *words in lines:
        done = CliRunner().invoke(main, [word.replace("~", str(tmp_path)) for word in words])
        assert done.exit_code == 0, done.output
