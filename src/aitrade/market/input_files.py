"""The files of the input store: Parquet parts and JSON manifests, each there whole or not at all.

pyarrow is imported where a file is read or written, never before.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from aitrade.core.errors import DataRefused
from aitrade.core.quotes import Bar
from aitrade.market.input_rows import DepthTick
from aitrade.market.input_tables import SCHEMA, Aside, Source, Table

Row = TypeVar("Row", bound=msgspec.Struct)


def read_manifest(path: Path) -> Source:
    """Return the manifest at `path`; DataRefused for a damaged one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Source)
    except msgspec.DecodeError as error:
        raise DataRefused(f"{path}: the manifest is damaged ({error}); delete it and import its file again.") from None


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside `path` and rename, so that the file is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_part(path: Path, table: Table, group: list[Any], source: str) -> None:
    """Write rows of one table as a Parquet file that carries its schema version and the hash of its source."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(table.row).with_metadata({"aitrade.schema": str(SCHEMA), "aitrade.source": source})
    columns = zip(*(msgspec.structs.astuple(item) for item in group), strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda temporary: pq.write_table(pa.Table.from_arrays(arrays, schema=schema), temporary))


def _schema(row: type[msgspec.Struct]) -> Any:
    import pyarrow as pa

    types = {int: pa.int64(), float: pa.float64(), str: pa.string()}

    def arrow(kind: Any) -> Any:
        if get_origin(kind) is tuple:
            return pa.list_(arrow(get_args(kind)[0]))
        return types[str if issubclass(kind, str) else kind]

    return pa.schema([pa.field(field.name, arrow(field.type)) for field in msgspec.structs.fields(row)])


def read_part(path: Path, row: type[Row]) -> Iterator[Row]:
    """Yield the rows of a part; DataRefused for one that is damaged or gone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = msgspec.structs.fields(row)
    try:
        columns = pq.ParquetFile(path).read().to_pydict()
    except (OSError, pa.ArrowException) as error:
        raise DataRefused(f"{path}: the stored part is damaged ({error}); import its file again.") from None
    made = [
        columns[field.name] if field.type in _PLAIN else _converted(field.type, columns[field.name]) for field in fields
    ]
    yield from map(row, *made) if row in (Bar, Aside, DepthTick) else _keyword(row, fields, made)


_PLAIN = (int, float, str)


def _converted(kind: Any, column: list[Any]) -> list[Any]:
    known = {value: kind(value) for value in set(column)} if isinstance(kind, type) else None
    return [known[value] for value in column] if known is not None else [tuple(value) for value in column]


def _keyword(row: type[Row], fields: tuple[Any, ...], columns: list[list[Any]]) -> Iterator[Row]:
    names = [field.name for field in fields]
    return (row(**dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True))
