"""Dated market facts: TOML tables in the package, and a folder's own rows over them.

Every row says from when it holds (`from`), where it was read (`source`) and how sure that is (`confidence`): A two
independent sources, or real exchange data; B one source that names the circular; C a broker's page; M memory,
unverified. A file of the same name in a data folder's `facts/` adds to a table, and of two rows for the same thing and
day its row holds; so a folder need only have what differs.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import msgspec

from aitrade.core.errors import DataRefused

PACKAGED = Path(__file__).with_name("facts")
Confidence = Literal["A", "B", "C", "M"]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """One dated fact."""

    start: date
    """First day on which it holds."""
    until: date | None = None
    """Last day for which it is published, where the source says so; later days use it and are ASSUMED."""
    source: str
    confidence: Confidence
    note: str = ""


R = TypeVar("R", bound=Row)


class Through(Generic[R]):
    """One fact through time: of rows with the same first day the last one given holds."""

    def __init__(self, rows: Iterable[R]) -> None:
        self.rows = [row for _, row in sorted({row.start: row for row in rows}.items())]
        self._starts = [row.start for row in self.rows]

    def at(self, day: date) -> R:
        """Return the row that holds on `day`; before the first one, the first."""
        return self.rows[max(bisect_right(self._starts, day) - 1, 0)]

    def assumed(self, day: date) -> bool:
        """Return whether `day` lies outside what is published, or its row was never verified."""
        row = self.at(day)
        return day < row.start or (row.until is not None and day > row.until) or row.confidence == "M"


def by(rows: Iterable[R], *names: str) -> dict[Any, Through[R]]:
    """Return facts through time by the values of the named fields (one name: its value; more: a tuple of them)."""
    groups: dict[Any, list[R]] = {}
    for row in rows:
        values = tuple(getattr(row, name) for name in names)
        groups.setdefault(values[0] if len(values) == 1 else values, []).append(row)
    return {key: Through(members) for key, members in groups.items()}


def facts(name: str, folder: Path | None, shape: type[Any]) -> Any:
    """Return the facts file `name` as `shape`, with the tables of `folder`/facts/`name` over the package's.

    Raises DataRefused with the file and the place for one that is damaged or does not fit.
    """
    packaged = _read(PACKAGED / name)
    own = folder / "facts" / name if folder else None
    if own is None or not own.is_file():
        return _fit(PACKAGED / name, packaged, shape)
    over = _read(own)
    _fit(own, packaged | over, shape)
    return _fit(own, {key: _over(packaged.get(key), over.get(key)) for key in packaged | over}, shape)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataRefused(f"{path} is not read: {error}. Correct that line, or remove the file.") from None


def _fit(path: Path, tables: dict[str, Any], shape: type[Any]) -> Any:
    try:
        return msgspec.convert(tables, shape)
    except msgspec.ValidationError as error:
        raise DataRefused(f"{path} does not fit: {error}. Correct that row, or remove the file.") from None


def _over(packaged: Any, own: Any) -> Any:
    if isinstance(packaged, list):
        return [*packaged, *(own or [])]
    if isinstance(packaged, dict):
        return packaged | (own or {})
    return packaged if own is None else own
