"""What the engine process is told when it starts: plain values, checked by whoever composed them."""

from pathlib import Path

import msgspec

from aitrade.risk.limits import FILE, Limits

RUPEES_10_LAKH = 1_000_000_00


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to run one book. Money in paise, times as IST text."""

    home: str
    """The data folder."""
    mode: str = "simulated"
    """simulated or replay."""
    book: str = "simulated-1"
    day: str = ""
    """The market day to play, ISO; empty takes the book's, or the latest trading day."""
    seed: int = 1
    speed: int = 1
    """Market seconds per second; 0 is as fast as it goes."""
    start: str = ""
    """Market time to begin a new day at; empty is just before the open."""
    cash: int = RUPEES_10_LAKH
    durability: str = "os"
    port: int = 0
    """Of the API on 127.0.0.1; 0 takes a free one."""
    strategies: tuple[str, ...] = ()
    """Names to start with a new book's first day."""
    strategy_seconds: float = 2.0
    """How long a strategy may take for one event."""
    feed_seconds: float = 30.0
    """How long a feed may take for its next minute before it counts as down."""
    algo_id: str = "GENERIC"
    """The exchange's algo id on orders of strategies, until one is registered."""
    client: str = "PAPER"
    plan: str = "zerodha"
    """Broker plan for charges."""
    projection: str = ""
    """Database URL of the projection; empty is SQLite beside the book."""
    drill: bool = False
    """A scratch engine of a check: its feed can be stopped."""

    @property
    def home_path(self) -> Path:
        """The data folder."""
        return Path(self.home)

    @property
    def book_path(self) -> Path:
        """The folder of the book."""
        return self.home_path / "books" / self.book

    @property
    def run_path(self) -> Path:
        """Where the running engine leaves its address and token."""
        return self.home_path / "run"


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force, and the files that change it."""

    settings: EngineSettings
    limits: Limits
    settings_file: str
    limits_file: str


def effective(settings: EngineSettings, limits: Limits) -> Effective:
    """Return what is in force; a database's user and password are left out."""
    scheme, _, rest = settings.projection.rpartition("://")
    shown = f"{scheme}://{rest.rpartition('@')[2]}" if scheme else ""
    return Effective(
        settings=msgspec.structs.replace(settings, projection=shown),
        limits=limits,
        settings_file=str(settings.home_path / "aitrade.toml"),
        limits_file=str(settings.home_path / FILE),
    )


def continues(book: str, day: str, asked: str) -> str:
    """Return what to say when a book plays another day than was asked for, both ISO."""
    return (
        f"Book {book} continues with {day}. To play {asked} anew: `aitrade up --session {asked} --book NAME` with a "
        f"new name, or `aitrade book reset {book}` (archives it) first."
    )


class Who(msgspec.Struct, frozen=True):
    """Who asks for something, and from where."""

    actor: str = "engine"
    role: str = "system"
    source: str = ""
    session: str = ""


ENGINE = Who()
SQUARE_OFF = Who("square-off", "system")
