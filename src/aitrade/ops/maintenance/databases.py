"""The databases of a data folder: checked, their log folded in, compacted and analysed."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from aitrade.core.errors import AitradeError
from aitrade.ops.maintenance.engine_state import engine_address
from aitrade.ops.maintenance.task import Done, Ground
from aitrade.store.database import connect
from aitrade.store.projection import FILE, sqlite_url

FREE_SHARE = 0.10
"""A database that a running engine writes to is compacted only when this share of its pages is free."""


class Database(msgspec.Struct, frozen=True):
    """A database: what people call it, its URL, its file (None on a server), whether an engine writes to it now."""

    name: str
    url: str
    file: Path | None
    in_use: bool


class Sizes(msgspec.Struct, frozen=True):
    """Bytes before and after."""

    name: str
    before: int
    after: int


def databases(ground: Ground) -> list[Database]:
    """Return every database of the data folder, and the server's where the configuration names one."""
    running = engine_address(ground.home)
    used = running.book if running else ""
    books = [path.parent for path in sorted(ground.home.glob(f"books/*/{FILE}"))]
    found = [Database(book.name, sqlite_url(book), book / FILE, book.name == used) for book in books]
    own = sorted(ground.home.glob("operations/*.db"))
    found += [Database(path.stem, f"sqlite:///{path.as_posix()}", path, in_use=True) for path in own]
    url = ground.configuration.database
    return [*found, Database("projection", url, None, in_use=bool(used))] if url else found


class OptimizeDatabases:
    """Checks each database, then makes it small and its statistics fresh. SQLite compacts in one transaction."""

    name = "optimize_database"

    def plan(self, ground: Ground) -> list[str]:
        """Name the databases and their sizes."""
        return [
            f"Check, compact and analyse {one.name} ({_size(one.file):,} bytes)." if one.file
            else f"Check and vacuum the database on the server ({one.name})."
            for one in databases(ground)
        ]  # fmt: skip

    def run(self, ground: Ground) -> Done:
        """Optimise each; a damaged one is named at the end and left as it is."""
        sizes: list[Sizes] = []
        wrong: list[str] = []
        for one in databases(ground):
            with ground.step(f"optimise {one.name}"):
                try:
                    sizes.append(optimised(one))
                except AitradeError as error:
                    wrong.append(str(error))
        if wrong:
            ground.at_step = "check the databases"
            raise AitradeError(" ".join(wrong))
        before, after = sum(one.before for one in sizes), sum(one.after for one in sizes)
        measured = {"databases": len(sizes), "bytes_before": before, "bytes_after": after}
        return Done(f"{len(sizes)} databases are sound; {before:,} bytes became {after:,}.", measured)


def optimised(one: Database) -> Sizes:
    """Check and optimise one database; raise AitradeError when it is damaged, leaving it as it is."""
    with _cursor(one) as (kind, execute):
        return (_optimise_sqlite if kind == "sqlite" else _optimise_server)(one, execute)


def eased(one: Database) -> None:
    """Fold a SQLite database's write-ahead log in and freshen its plans: moments, beside any writer."""
    with _cursor(one) as (kind, execute):
        if kind == "sqlite":
            execute("PRAGMA wal_checkpoint(PASSIVE)")
            execute("PRAGMA optimize")


Execute = Callable[[str], list[tuple[Any, ...]]]


def _optimise_sqlite(one: Database, execute: Execute) -> Sizes:
    found = [str(row[0]) for row in execute("PRAGMA integrity_check(5)")]
    if found != ["ok"]:
        raise AitradeError(_damaged(one, found[0]))
    execute("PRAGMA wal_checkpoint(PASSIVE)")
    before = _size(one.file)
    if not one.in_use or _free_share(execute) >= FREE_SHARE:
        execute("VACUUM")
    execute("ANALYZE")
    execute("PRAGMA optimize")
    execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Sizes(one.name, before, _size(one.file))


def _optimise_server(one: Database, execute: Execute) -> Sizes:
    size = "SELECT pg_database_size(current_database())"
    before = int(execute(size)[0][0])
    execute("VACUUM (ANALYZE)")
    return Sizes(one.name, before, int(execute(size)[0][0]))


def _free_share(execute: Execute) -> float:
    free, pages = (execute(f"PRAGMA {name}")[0][0] for name in ("freelist_count", "page_count"))
    return float(free / pages) if pages else 0.0


@contextmanager
def _cursor(one: Database) -> Iterator[tuple[str, Execute]]:
    """Yield the dialect's name and what runs a statement outside of any transaction, as VACUUM wants it."""
    from sqlalchemy.exc import DBAPIError

    engine = connect(one.url)
    try:
        with closing(engine.raw_connection()) as connection:
            if engine.dialect.name != "sqlite":
                connection.driver_connection.autocommit = True  # type: ignore[union-attr]
            cursor = connection.cursor()
            yield engine.dialect.name, lambda statement: _rows(cursor, statement)
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        held_up = "OperationalError" in type(error).__name__
        text = f"Database {one.name} could not be optimised ({error}); it is as it was." if held_up else ""
        raise AitradeError(text or _damaged(one, error)) from None
    finally:
        engine.dispose()


def _damaged(one: Database, why: object) -> str:
    return f"Database {one.name} is damaged ({why}); rebuild it with `aitrade store rebuild`."


def _rows(cursor: Any, statement: str) -> list[tuple[Any, ...]]:
    cursor.execute(statement)
    return list(cursor.fetchall()) if cursor.description else []


def _size(path: Path | None) -> int:
    return path.stat().st_size if path and path.exists() else 0
