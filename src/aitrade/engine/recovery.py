"""Start-up is recovery: the state from the journal, the feed that the book goes on with, and what a crash leads to."""

import hashlib
from datetime import date
from typing import TYPE_CHECKING

import msgspec

import aitrade
from aitrade.compliance.journal import HEADER, frames, segments
from aitrade.core.clock import LiveClock, ist_date
from aitrade.core.errors import DataRefused, Refused
from aitrade.core.events import Opened
from aitrade.core.files import write_private
from aitrade.engine.settings import ENGINE, EngineSettings
from aitrade.engine.state import Book
from aitrade.intelligence.btst import WEIGHTS_MODEL, RuleScorer, Weights
from aitrade.market.calendar import Calendar, Segment
from aitrade.market.feeds import Feed
from aitrade.market.replay import ReplayFeed
from aitrade.market.rules import Rules
from aitrade.market.simulated.feed import SimulatedFeed
from aitrade.market.simulated.universe import CALIBRATION_MODEL, Calibration, load_calibration
from aitrade.risk.trading_state import crashed_too_often
from aitrade.store.models import Models

if TYPE_CHECKING:
    from aitrade.engine.loop import Engine


def recover(settings: EngineSettings) -> Book:
    """Return the book as its newest segment tells it: a snapshot and every record since; an empty one without any.

    A segment that the engine died in beginning holds no record yet: then the one before it is the newest.
    """
    book = Book()
    for path in reversed(segments(settings.book_path / "journal")):
        if path.stat().st_size >= HEADER.size:
            for frame in frames(path):
                book.restore(frame.record)
        if book.state.seq:
            break
    return book


def opened(settings: EngineSettings) -> Opened:
    """Return the record that says how the engine was set up."""
    plain = msgspec.to_builtins(settings)
    configuration = {name: value for name, value in plain.items() if isinstance(value, str | int | float | bool)}
    return Opened(
        version=aitrade.__version__,
        mode=settings.mode,
        book=settings.book,
        seed=settings.seed,
        configuration=configuration,
        configuration_hash=hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest(),
        code_hash=code_hash(),
    )


def code_hash() -> str:
    """Return SHA-256 over the engine's own sources: which code traded."""
    from pathlib import Path

    digest = hashlib.sha256()
    package = Path(aitrade.__file__).parent
    for room in ("core", "market", "risk", "compliance", "brokers", "engine", "strategies"):
        for path in sorted((package / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def feed_for(settings: EngineSettings, calendar: Calendar, rules: Rules, day: date | None) -> Feed:
    """Return the feed that plays `day`; without one, the configured day, else the latest trading day that is over.

    Raises Refused for a day without data, UnknownDate for one that the calendar does not know.
    """
    day = day or (date.fromisoformat(settings.day) if settings.day else None)
    if settings.mode == "replay":
        return _replay(settings, calendar, rules, day)
    return SimulatedFeed(day or _latest_trading_day(calendar), settings.seed, calendar, rules, _calibration(settings))


def _calibration(settings: EngineSettings) -> Calibration | None:
    """Return the book's own calibration; a new book takes the active model's and keeps it, so that its days repeat."""
    own = settings.book_path / "calibration.toml"
    if not own.exists() and not segments(settings.book_path / "journal"):
        models = Models(settings.home_path)
        active = models.active(CALIBRATION_MODEL)
        if active:
            write_private(own, models.read(active))
    return load_calibration(own) if own.exists() else None


def _replay(settings: EngineSettings, calendar: Calendar, rules: Rules, day: date | None) -> Feed:
    from aitrade.market.input_store import InputStore

    if day is None:
        raise Refused("A replay needs a day: add --session with a date of `aitrade data list`.")
    return ReplayFeed(InputStore(settings.home_path / "market"), day, calendar, rules)


def _latest_trading_day(calendar: Calendar) -> date:
    today = ist_date(LiveClock().now())
    return calendar.previous_trading_day(today, Segment.CASH_FNO)


def scorer_for(settings: EngineSettings) -> RuleScorer:
    """Return the BTST rule with the active model's points; raise DataRefused for a damaged model."""
    models = Models(settings.home_path)
    active = models.active(WEIGHTS_MODEL)
    if active is None:
        return RuleScorer()
    try:
        return RuleScorer(msgspec.json.decode(models.read(active), type=Weights), active.version)
    except msgspec.DecodeError as error:
        raise DataRefused(f"Model {WEIGHTS_MODEL} {active.version}: {error}; activate another version.") from None


def halt_after_crashes(engine: "Engine") -> None:
    """Too many crashes on one market day end in HALTED; a person resumes."""
    crashes, limit = engine.book.state.crashes, engine.limits.crashes_to_halt
    if engine.book.state.trading != "HALTED" and crashed_too_often(crashes, engine.clock.now(), limit):
        engine.set_trading("HALTED", f"the engine died {limit} times today; look at the log, then resume", ENGINE)
