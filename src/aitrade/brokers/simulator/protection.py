"""Market price protection: the price beyond which a market order does not trade but rests as a limit order."""

from datetime import date
from pathlib import Path

import msgspec

from aitrade.core.instruments import Instrument
from aitrade.core.money import PAISE


class Slab(msgspec.Struct, frozen=True):
    """Prices `below` so many rupees (0: all above the slab before) are protected by `basis_points`."""

    basis_points: int
    below: int = 0


class DatedSlabs(msgspec.Struct, frozen=True, rename={"start": "from"}):
    """The slabs that hold from `start` on."""

    start: date
    source: str
    confidence: str
    cash_and_futures: tuple[Slab, ...]
    options: tuple[Slab, ...]


class DatedBand(msgspec.Struct, frozen=True, rename={"start": "from"}):
    """How far a closing auction's prices may lie from its reference, from `start` on."""

    start: date
    source: str
    confidence: str
    band_basis_points: int


class _Auctions(msgspec.Struct, frozen=True):
    closing: tuple[DatedBand, ...]


class _File(msgspec.Struct, frozen=True):
    protection: tuple[DatedSlabs, ...]


class Protection:
    """Answers with a protection price; the slabs are dated data, the nearest earlier row holds."""

    def __init__(self, rows: tuple[DatedSlabs, ...]) -> None:
        self._rows = sorted(rows, key=lambda row: row.start)

    @classmethod
    def load(cls, folder: Path | None = None) -> "Protection":
        """Read the package's table, or `folder`/protection.toml where there is one."""
        own = Path(__file__).with_name("protection.toml")
        override = folder / own.name if folder else own
        path = override if override.exists() else own
        return cls(msgspec.toml.decode(path.read_bytes(), type=_File).protection)

    def basis_points(self, instrument: Instrument, reference: int, day: date) -> int:
        """Return how far beyond `reference` paise a market order may trade, in 1/100 of a percent."""
        dated = next((row for row in reversed(self._rows) if row.start <= day), self._rows[0])
        slabs = dated.options if instrument.is_option else dated.cash_and_futures
        return next(slab.basis_points for slab in slabs if not slab.below or reference < slab.below * PAISE)

    def price(self, instrument: Instrument, sign: int, reference: int, day: date) -> int:
        """Return the protection price in paise on the tick grid and inside the day's band.

        `sign` is +1 for a buy, -1 for a sell. Rounding goes towards the reference, but leaves at least one tick.
        """
        room = reference * self.basis_points(instrument, reference, day) // 10_000
        room = max(room // instrument.tick, 1) * instrument.tick
        aligned = reference // instrument.tick * instrument.tick
        price = max(aligned + sign * room, instrument.tick)
        return _inside(price, instrument)


def closing_band(reference: int, day: date, tick: int) -> tuple[int, int]:
    """Return the lowest and highest price that the closing auction of `day` takes; (0, 0) where it has no band."""
    path = Path(__file__).with_name("auctions.toml")
    rows = [row for row in msgspec.toml.decode(path.read_bytes(), type=_Auctions).closing if row.start <= day]
    if not rows or not reference:
        return 0, 0
    room = reference * max(rows, key=lambda row: row.start).band_basis_points // 10_000
    return -(-(reference - room) // tick) * tick, (reference + room) // tick * tick


def _inside(price: int, instrument: Instrument) -> int:
    price = min(price, instrument.upper) if instrument.upper else price
    return max(price, instrument.lower)
