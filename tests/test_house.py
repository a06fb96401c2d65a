"""The house itself: floors, style and types hold, and what a checkout needs is there."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def check(*command: str) -> None:
    """Run a checker on the checkout; its output is the failure's text."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_only_point_down():
    """import-linter keeps the floors."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", [("ruff", "check", "."), ("ruff", "format", "--check", ".")])
def test_style(command):
    """Ruff keeps all rules, each ignore is explained in pyproject.toml."""
    check(*command)


@pytest.mark.timeout(600)
def test_types():
    """Mypy --strict holds on the rooms that trade."""
    check("mypy")


def test_the_lock_file_carries_no_address():
    """Exact versions only."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert lines
    assert all("==" in line and "://" not in line for line in lines)


def test_the_engine_imports_nothing_heavy():
    """The engine process starts without pandas, numba, bokeh, vectorbt, scipy or matplotlib, and without pyarrow."""
    code = (
        "import sys, aitrade.engine.process, aitrade.engine.service, aitrade.engine.api;"
        "heavy = {'pandas', 'numba', 'bokeh', 'vectorbt', 'scipy', 'matplotlib', 'pyarrow', 'pydantic', 'sqlalchemy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
