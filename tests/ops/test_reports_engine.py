"""How a report's cells are run: as a kernel would run them, apart from each other, and not for ever."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import nbformat
import pytest
from report_books import SECOND, traded

from aitrade.ops.reports import press, run
from aitrade.ops.reports.canonical import content_hash
from aitrade.ops.reports.catalogue import report
from aitrade.ops.reports.job import Job

EXECUTE = """
import json, sys
import papermill
from aitrade.ops.reports import engine
source, out, how = sys.argv[1:]
try:
    papermill.execute_notebook(source, out, json.loads(how.partition(";")[2]), progress_bar=False,
        engine_name=engine.NAME, execution_timeout=float(how.partition(";")[0]))
except papermill.PapermillExecutionError as failed:
    print(f"cell {failed.exec_count}: {failed.ename}: {failed.evalue}")
"""
KINDS = (
    "import sys\nprint('one'); print('two'); sys.stderr.write('three');",
    "display({'a': 1}); 40 + 2",
    "_ + 1",
    "'hidden';",
    "x = 5",
)
KERNEL = EXECUTE.replace("engine_name=engine.NAME", "kernel_name='python3'")


def execute(source, out, *, how=EXECUTE, seconds=60, parameters=None):
    """Run a notebook in a process of its own; return what was said of a failure, and the notebook."""
    given = f"{seconds};{msgspec.json.encode(parameters or {}).decode()}"
    done = subprocess.run(
        [sys.executable, "-c", how, str(source), str(out), given], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    return done.stdout.strip(), msgspec.json.decode(Path(out).read_bytes())


def notebook(folder, *cells):
    """Write a notebook of these cells of code."""
    path = folder / "source.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel}
    )
    nbformat.write(book, path)
    return path


def jobs(home, *names):
    """Return what the press is told for these reports."""
    folder = home / "reports" / SECOND
    folder.mkdir(parents=True, exist_ok=True)
    return [
        Job(report=name, day=SECOND, book="made-1", parameters={}, folder=str(folder), stem=name, known={}, pdf=False)
        for name in names
    ]


def test_the_cells_show_what_a_kernel_shows(tmp_path, monkeypatch):
    """A report, and every kind of output after it, through a Jupyter kernel: the same content, to the hash."""
    traded(tmp_path, orders=4)
    monkeypatch.setenv("AITRADE_HOME", str(tmp_path))
    source = tmp_path / "source.ipynb"
    whole = nbformat.read(report("trade-register").notebook, as_version=4)
    whole.cells += [nbformat.v4.new_code_cell(cell) for cell in KINDS]
    nbformat.write(whole, source)
    given = {"book": "made-1", "day": SECOND}
    _, ours = execute(source, tmp_path / "ours.ipynb", parameters=given)
    _, theirs = execute(source, tmp_path / "theirs.ipynb", how=KERNEL, parameters=given)
    shown = [[one["output_type"] for one in cell["outputs"]] for cell in ours["cells"][-len(KINDS) :]]
    assert shown == [["stream", "stream"], ["display_data", "execute_result"], ["execute_result"], [], []]
    assert content_hash(ours) == content_hash(theirs)


def test_a_cell_that_fails_ends_the_notebook_there(tmp_path):
    """The error is in the notebook, and no cell after it has run."""
    said, partial = execute(notebook(tmp_path, "1", "1 / 0", "open('ran', 'w')"), tmp_path / "out.ipynb")
    assert said == "cell 2: ZeroDivisionError: division by zero"
    assert not (tmp_path / "ran").exists()
    assert "ZeroDivisionError" in {one.get("ename") for cell in partial["cells"] for one in cell.get("outputs", ())}


def test_a_cell_that_takes_too_long_is_ended(tmp_path):
    """Not even code that catches every exception holds it up."""
    stubborn = "import time\ntry:\n    time.sleep(60)\nexcept Exception:\n    time.sleep(60)"
    said, _ = execute(notebook(tmp_path, stubborn), tmp_path / "out.ipynb", seconds=0.2)
    assert said == "cell 1: TimeLimit: it took longer than 0.2 s"


def test_a_report_that_crashes_its_process_ends_no_other(tmp_path, monkeypatch):
    """Where processes can be copied, each report has its own: the one after it is made, and the press works on."""
    if not hasattr(os, "fork"):
        pytest.skip("this system makes no copies of a process: reports share one")
    traded(tmp_path, orders=2)
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import os\nfrom aitrade.ops.reports import trade_register\n"
        "trade_register.TradeRegister.of = classmethod(lambda *_: os._exit(7))\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with press.kept(tmp_path):
        crashed, made = press.make(tmp_path, jobs(tmp_path, "trade-register", "order-log"))
        (again,) = press.make(tmp_path, jobs(tmp_path, "order-log"))
    assert crashed.error == "its process ended with status 7"
    assert (made.error, again.error) == ("", "")
    assert again.content_hash == made.content_hash


def test_reports_that_take_too_long_are_ended_and_say_so(tmp_path, monkeypatch):
    """A press that is ended answers for each report it did not make; the next call has a new one."""
    traded(tmp_path, orders=2)
    with press.kept(tmp_path):
        monkeypatch.setattr(press, "LONGEST_SECONDS", 0.01)
        late = press.make(tmp_path, jobs(tmp_path, "risk", "order-log"))
        monkeypatch.setattr(press, "LONGEST_SECONDS", 600)
        (made,) = press.make(tmp_path, jobs(tmp_path, "order-log"))
    assert [one.error for one in late] == ["reports took longer than 0.01 s"] * 2
    assert made.error == ""


def test_a_press_that_is_kept_makes_what_one_of_its_own_makes(tmp_path):
    """Nothing of one report is left for the next: kept or not, the content is the same."""
    traded(tmp_path, orders=4)
    names = ("order-log", "daily-summary")
    alone = {name: run(tmp_path, "daily", SECOND, names=[name], pdf=False)[0].content_hash for name in names}
    with press.kept(tmp_path):
        for _round in range(2):
            for one in run(tmp_path, "daily", SECOND, names=reversed(names), pdf=False):
                assert (one.content_hash, one.version) == (alone[one.report], 1)
