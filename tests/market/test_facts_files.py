"""Every facts file in the package, whoever asks it: dated, sourced, and one row for one thing and day."""

import tomllib
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from aitrade.market.dated import PACKAGED

FILES = sorted(PACKAGED.glob("*.toml"))
DATE_KEYS = {"from", "day", "days"}


def rows(path: Path):
    """Table, row for each row of a file."""
    for table, content in tomllib.loads(path.read_text(encoding="utf-8")).items():
        if isinstance(content, list) and content and isinstance(content[0], dict):
            yield from ((table, row) for row in content)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_row_is_dated_and_sourced(path):
    """Without a source a figure is a rumour; without a date it is a constant."""
    for table, row in rows(path):
        assert DATE_KEYS & row.keys(), (table, row)
        assert len(row["source"]) > 2, (table, row)
        assert row["confidence"] in {"A", "B", "C", "M"}, (table, row)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_fact_is_stated_twice(path):
    """Two rows with the same keys and day would let the later one win in silence."""
    told = Counter(key for table, row in rows(path) for key in keys(table, row))
    assert [key for key, count in told.items() if count > 1] == []


def keys(table: str, row: dict):
    """What a row speaks of: once for each of its segments, kinds, classes, exchanges, underlyings and days."""
    lists = [row.get(name) or [""] for name in ("segments", "kinds", "classes", "exchanges", "of", "units")]
    single = ("component", "name", "exchange", "class", "kind", "step", "decides")
    alone = tuple(str(row[name]) for name in single if name in row)
    days = row["days"] if isinstance(row.get("days"), list) else [row.get("from", row.get("day"))]
    return ((table, alone, *thing) for thing in product(days, *lists))
