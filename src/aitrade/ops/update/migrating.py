"""Brings the databases of a data folder to this version's schema: `python -m aitrade.ops.update.migrating FOLDER`."""

import sys
from pathlib import Path

from aitrade.core.config import load
from aitrade.store.database import connect, upgrade


def migrate(home: Path) -> list[str]:
    """Upgrade the database of every book and of operations; return which."""
    files = sorted([*home.glob("books/*/*.db"), *home.glob("operations/*.db")])
    server = load(home=home).database
    urls = [f"sqlite:///{path.as_posix()}" for path in files] + ([server] if server else [])
    for url in urls:
        engine = connect(url, writing=True)
        try:
            upgrade(engine)
        finally:
            engine.dispose()
    return [path.relative_to(home).as_posix() for path in files] + (["server"] if server else [])


if __name__ == "__main__":
    migrate(Path(sys.argv[1]))
