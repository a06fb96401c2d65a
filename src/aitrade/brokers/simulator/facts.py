"""What the exchange and its clearing know about the market: dated data with sources, read once, asked by the day.

Facts: `market/facts/exchange.toml`; a file of that name in the data folder's `facts/` goes over it.
"""

from datetime import date
from pathlib import Path
from typing import TypeVar

import msgspec

from aitrade.core.clock import MINUTE, at
from aitrade.core.errors import Refused
from aitrade.core.instruments import Instrument, Kind
from aitrade.core.money import PAISE, half_up
from aitrade.core.orders import OrderType
from aitrade.market.dated import facts

WHOLE = 10_000
"""Basis points of a whole."""


class _Dated(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from"}, forbid_unknown_fields=True):
    """A row that holds from `start` on."""

    start: date
    source: str
    confidence: str


class Slab(msgspec.Struct, frozen=True):
    """Prices `below` so many rupees (0: all above the slab before) are protected by `basis_points`."""

    basis_points: int
    below: int = 0


class ProtectionRow(_Dated, frozen=True, kw_only=True):
    """Slabs of market price protection."""

    cash_and_futures: tuple[Slab, ...]
    options: tuple[Slab, ...]


class AuctionRow(_Dated, frozen=True, kw_only=True):
    """The closing auction: its band, and the window (IST HH:MM) whose average price is its reference."""

    band_basis_points: int
    reference_vwap: tuple[str, str]


class TypesRow(_Dated, frozen=True, kw_only=True):
    """Order types that are not taken for `kinds`."""

    types: frozenset[OrderType]
    kinds: frozenset[Kind]


class Halt(msgspec.Struct, frozen=True):
    """A move of `percent` before that time of day halts for so many minutes; -1 is the rest of the day."""

    percent: int
    before: str
    halt_minutes: int


class BreakerRow(_Dated, frozen=True, kw_only=True):
    """The market-wide circuit breaker."""

    auction_minutes: int
    halts: tuple[Halt, ...]


class ExpiringRow(_Dated, frozen=True, kw_only=True):
    """When index contracts stop on their expiry day, IST HH:MM."""

    last_trade: str


class CloseOutRow(_Dated, frozen=True, kw_only=True):
    """The surcharge on shares that were not delivered."""

    basis_points: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    protection: tuple[ProtectionRow, ...]
    closing_auction: tuple[AuctionRow, ...]
    refused_types: tuple[TypesRow, ...]
    circuit_breaker: tuple[BreakerRow, ...]
    close_out: tuple[CloseOutRow, ...]
    expiring_index: tuple[ExpiringRow, ...]


class Interval(msgspec.Struct, frozen=True):
    """A phase that no calendar knew of: name, start and end in ns UTC, the end exclusive."""

    name: str
    start: int
    end: int


class DayFacts(msgspec.Struct, frozen=True):
    """The facts of one day."""

    day: date
    iso: str
    protection: ProtectionRow
    closing_auction: AuctionRow | None
    refused_types: TypesRow | None
    circuit_breaker: BreakerRow
    close_out: CloseOutRow
    expiring_index: ExpiringRow | None

    def protection_price(self, instrument: Instrument, sign: int, reference: int) -> int:
        """Return the price in paise beyond which a market order rests: on the tick grid, inside the day's band.

        `sign` is +1 for a buy, -1 for a sell. Rounding goes towards the reference, but leaves at least one tick.
        """
        slabs = self.protection.options if instrument.is_option else self.protection.cash_and_futures
        points = next(slab.basis_points for slab in slabs if not slab.below or reference < slab.below * PAISE)
        room = max(reference * points // WHOLE // instrument.tick, 1) * instrument.tick
        price = max(reference // instrument.tick * instrument.tick + sign * room, instrument.tick)
        return max(min(price, instrument.upper) if instrument.upper else price, instrument.lower)

    def closing_band(self, reference: int, tick: int) -> tuple[int, int]:
        """Return the lowest and highest price that the closing auction takes; (0, 0) where it has no band."""
        if self.closing_auction is None or not reference:
            return 0, 0
        room = reference * self.closing_auction.band_basis_points // WHOLE
        return -(-(reference - room) // tick) * tick, (reference + room) // tick * tick

    def refuses(self, order_type: OrderType, kind: Kind) -> bool:
        """Return whether the exchange takes no such orders for that kind of instrument."""
        row = self.refused_types
        return row is not None and order_type in row.types and kind in row.kinds

    def halts(self, percent: int, ts: int) -> tuple[Interval, ...]:
        """Return the halt, and the call auction after it, that an index move of `percent` at `ts` calls; () for none.

        Raises Refused when there is no such level.
        """
        breaker = self.circuit_breaker
        halt = next((row for row in breaker.halts if row.percent == percent and ts < at(self.day, row.before)), None)
        if halt is None:
            levels = ", ".join(str(level) for level in sorted({row.percent for row in breaker.halts}))
            raise Refused(f"There is no circuit breaker at {percent} %; the levels are {levels} %.")
        if halt.halt_minutes < 0:
            return (Interval("HALTED", ts, at(self.day, "24:00")),)
        end = ts + halt.halt_minutes * MINUTE
        after = end + breaker.auction_minutes * MINUTE
        return (Interval("HALTED", ts, end), Interval("PRE_OPEN", end, after)) if halt.halt_minutes else ()

    def last_trade(self, expiry: str) -> int:
        """Return when an index contract that expires on `expiry` (ISO) stops today, ns UTC; 0 with the session."""
        row = self.expiring_index
        return at(self.day, row.last_trade) if row and expiry == self.iso else 0

    def close_out_price(self, highest: int, close: int) -> int:
        """Return the price in paise at which sold shares that were not delivered are closed out.

        The higher of the highest price from trade to auction day and the surcharge above the latest close.
        """
        return max(highest, half_up(close * (WHOLE + self.close_out.basis_points), WHOLE))


class Facts:
    """The whole table; `on` answers for a day."""

    def __init__(self, file: _File) -> None:
        self._file = file

    @classmethod
    def load(cls, folder: Path | None = None) -> "Facts":
        """Read the table, with the rows of `folder`/facts over it; raise Refused when it is damaged."""
        return cls(facts("exchange.toml", folder, _File))

    def on(self, day: date) -> DayFacts:
        """Return what holds on `day`; what had to begin and had not is None, of the rest the first row."""
        file = self._file
        return DayFacts(
            day=day,
            iso=day.isoformat(),
            protection=_newest(file.protection, day) or file.protection[0],
            closing_auction=_newest(file.closing_auction, day),
            refused_types=_newest(file.refused_types, day),
            circuit_breaker=_newest(file.circuit_breaker, day) or file.circuit_breaker[0],
            close_out=_newest(file.close_out, day) or file.close_out[0],
            expiring_index=_newest(file.expiring_index, day),
        )


Row = TypeVar("Row", bound=_Dated)


def _newest(rows: tuple[Row, ...], day: date) -> Row | None:
    return max((row for row in reversed(rows) if row.start <= day), key=lambda row: row.start, default=None)
