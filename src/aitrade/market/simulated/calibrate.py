"""Fit the simulated session to real days: `python -m aitrade.market.simulated.calibrate PATH [TARGET]`.

PATH is a folder with the sets of real data; TARGET is `calibration.toml` beside this file unless another is named.
Only fitted statistics are written, never rows of data.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aitrade.market.simulated.fit_chains import option_figures, sizes
from aitrade.market.simulated.fit_days import QUANTILES, market_figures, minute_figures, stock_figures


def plain(value: Any) -> Any:
    """Return `value` with every number rounded to what a fit can mean, as plain Python."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(inner) for inner in value]
    return value if isinstance(value, int) else float(f"{float(value):.4g}")


def write(figures: Mapping[str, Mapping[str, Any]], target: Path) -> None:
    """Write the figures as TOML tables of numbers."""
    lines = ["# Statistics fitted by `python -m aitrade.market.simulated.calibrate`; made by it, not by hand.", ""]
    for table, values in figures.items():
        lines += [f"[{table}]", *(f"{name} = {value}" for name, value in plain(dict(values)).items()), ""]
    target.write_text("\n".join(lines), encoding="utf-8")


def fit(folder: Path) -> dict[str, dict[str, Any]]:
    """Return all figures, by table. Raises FileNotFoundError where a set is missing."""
    return {
        "minute": minute_figures(folder),
        "quantiles": {"at": list(QUANTILES)},
        **market_figures(folder),
        **stock_figures(folder),
        "option": option_figures(folder),
        "size": sizes(folder),
    }


if __name__ == "__main__":
    beside = Path(__file__).with_name("calibration.toml")
    write(fit(Path(sys.argv[1])), Path(sys.argv[2]) if sys.argv[2:] else beside)
