"""The first notebook runs, on the simulated session and on a real one, and proves what it says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aitrade.cli.lab import Lab
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "research" / "first-strategy.ipynb"
REAL = Path(os.environ.get("AITRADE_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def executed(home, **parameters):
    """Execute the notebook in the lab's own kernel and return the text of each cell's outputs by its tag."""
    lab = Lab(home / "lab", home / "market")
    lab.prepare()
    made = home / "made.ipynb"
    given = [word for name, value in parameters.items() for word in ("-r", name, value)]
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(NOTEBOOK), str(made), *given]
    ran = subprocess.run(command, env=lab.environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    cells = json.loads(made.read_text(encoding="utf-8"))["cells"]
    return {(cell["metadata"].get("tags") or [f"cell {row}"])[0]: said(cell) for row, cell in enumerate(cells)}


def said(cell):
    """Return all text of a cell's outputs."""
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", [])]
    return "\n".join("".join(text) for text in texts)


def proves(told):
    """Check the notebook's statements by its outputs."""
    assert int(re.search(r"vectorbt and replay made the same (\d+) trades", told["same"])[1]) > 0
    assert "1 difference" in told["planted"]
    assert re.search(r"price +\w+ 10 @ ₹", told["planted"])
    assert re.search(r"30 pairs tried; the best is .* its replay made the same \d+ trades", told["sweep"])
    assert re.search(r"profit after charges +[+-]₹", told["tear-sheet"])


@pytest.mark.timeout(900)
def test_it_proves_itself_on_the_simulated_session(tmp_path):
    """Nothing imported: it says SIMULATED, and every statement holds."""
    told = executed(tmp_path, day="2026-11-20")
    assert any("prices: SIMULATED" in text for text in told.values())
    proves(told)


@pytest.mark.timeout(900)
def test_it_proves_itself_on_a_real_day(tmp_path):
    """2025-03-28 of one stock, imported into the data folder beside the lab's own."""
    path = REAL / "nse-1min-stocks-2025" / "RELIANCE" / "28-03-2025.csv"
    if not path.is_file():
        pytest.skip("no real market data on this machine; AITRADE_REAL_DATA names their folder")
    assert not import_path(path, InputStore(tmp_path / "market")).refused
    told = executed(tmp_path)
    assert any("2025-03-28, NSE:RELIANCE, 375 minutes" in text for text in told.values())
    proves(told)


def test_the_notebook_is_kept_without_outputs():
    """Nothing that a run made is in the repository, and no address of another machine."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    assert "http" not in text
