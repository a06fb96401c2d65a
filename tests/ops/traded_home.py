"""A small data folder that has traded: two days of a book, its database, settings and limits."""

from made_book import MadeBook

from aitrade.compliance.tail import Tail
from aitrade.core.config import load
from aitrade.ops.backup.shelf import Shelf
from aitrade.store.projection import Projection, sqlite_url

BOOK = "made-1"


def traded(home, backups, units=10):
    """Trade two days on `home` and set `backups` as the folder of its backups; return the book, which goes on.

    `units` of the first trade make it another book.
    """
    home.mkdir(parents=True, exist_ok=True)
    (home / "aitrade.toml").write_text(f'backup_folder = "{backups.as_posix()}"\nseed = 3\n')
    (home / "limits.toml").write_text("day_orders = 500\n")
    book = MadeBook(home, BOOK)
    book.day("2025-01-01")
    book.trade("NSE:TCS", units, 3_500_00, charges=120)
    book.close({"NSE:TCS": 3_510_00})
    book.carry()
    book.day("2025-01-02")
    book.trade("NSE:TCS", -4, 3_520_00, charges=80)
    book.trade("NSE:INFY", 7, 1_900_05, charges=33)
    project(home)
    return book


def project(home, book=BOOK):
    """Bring the book's database up to its journal; return the last record's number."""
    folder = home / "books" / book
    projection = Projection(sqlite_url(folder), book, Tail(folder / "journal").read, print)
    try:
        return projection.catch_up()
    finally:
        projection.close()


def shelf(home):
    """Return the shelf that the configuration names."""
    assert load(home=home).backup_folder is not None
    return Shelf.of(home)
