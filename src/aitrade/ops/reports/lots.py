"""First in, first out: which purchase a sale used up, with both dates, to the paisa and the unit.

The ledger books P&L at average cost, as the trading page shows it; tax and statements want the purchase behind each
sale. `Fifo` takes a book's days in order and keeps dated lots. Shares that are bought and sold on one day meet each
other first, in the order of the trades, whatever their product; what is left over is delivered and meets the oldest lot
(Income-tax Act 1961, section 45(2A); CBDT circular 768 of 24 June 1998). Derivatives meet oldest first over days.

Whatever is cut is cut in integers and the rest stays: quantity, value and each charge are conserved. Over all days

    sum of gains - cost of open lots = ledger's realised P&L from trades - cost of its open positions

because both sides are the money that trades brought in, less what they cost.
"""

from collections import defaultdict, deque
from collections.abc import Iterable

import msgspec

from aitrade.core.events import CashMove
from aitrade.core.instruments import derivative_terms
from aitrade.core.orders import CHARGE_COMPONENTS, Fill
from aitrade.engine.lots import shares
from aitrade.ops.ledger import Day

_FREE = (0,) * len(CHARGE_COMPONENTS)


class Piece(msgspec.Struct):
    """Units of one trade that have not met an opposite one; quantity and value signed (bought above zero), paise."""

    day: str
    quantity: int
    value: int
    charges: tuple[int, ...] = _FREE
    modelled: bool = False
    how: str = "trade"
    """trade, bonus, expiry, settlement."""

    def cut(self, units: int) -> "Piece":
        """Take `units` (above zero) off, with their part of value and charges; the rest stays here."""
        held = abs(self.quantity)
        value, rest = shares(self.value, [units, held - units])
        parts = [shares(amount, [units, held - units]) for amount in self.charges]
        sign = 1 if self.quantity > 0 else -1
        taken = msgspec.structs.replace(
            self, quantity=sign * units, value=value, charges=tuple(part[0] for part in parts)
        )
        self.quantity, self.value = self.quantity - taken.quantity, rest
        self.charges = tuple(part[1] for part in parts)
        return taken


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Units that were opened and closed. `opened` and `closed` are ISO days; money in paise."""

    instrument: str
    quantity: int
    opened: str
    closed: str
    short: bool
    """Sold first."""
    bought: int
    sold: int
    charges: tuple[int, ...]
    """Of both trades, by CHARGE_COMPONENTS."""
    how: str = "trade"
    """How it was closed: trade, expiry, settlement."""
    bonus: bool = False
    """The units were a bonus: delivered, whenever they are sold."""
    modelled: bool = False

    @property
    def gain(self) -> int:
        """P&L before charges."""
        return self.sold - self.bought

    @property
    def derivative(self) -> bool:
        """A future or option."""
        return derivative_terms(self.instrument) is not None


class Income(msgspec.Struct, frozen=True):
    """Money that came (or went, below zero) without a trade: dividends."""

    day: str
    why: str
    instrument: str
    amount: int


class Fifo:
    """Dated lots of a book; give it the days in order."""

    def __init__(self) -> None:
        self.held: dict[str, deque[Piece]] = defaultdict(deque)
        """Open lots by instrument, oldest first."""
        self.matches: list[Match] = []
        self.income: list[Income] = []
        self._undated: list[Piece] = []
        """Bonus shares of the night before: they are held from the next market day on."""

    def take(self, day: Day) -> None:
        """Take in one day's trades, then what its night moved."""
        for piece in self._undated:
            piece.day = day.day
        self._undated = []
        traded: dict[str, list[Piece]] = defaultdict(list)
        for row in day.fills:
            traded[row.body.instrument].append(_piece(row.body, day.day))
        for row in day.charged:
            self._charge(traded[row.body.instrument], row.body)
        for instrument, pieces in traded.items():
            left = pieces if derivative_terms(instrument) else self._meet_within_day(instrument, pieces)
            for piece in left:
                self._trade(instrument, piece)
        for moved in day.cash:
            self._move(moved.body, day.day)

    def _charge(self, traded: list[Piece], move: CashMove) -> None:
        """Spread what a conversion is charged over the units bought that day; without any, over the open lots."""
        pieces = [piece for piece in traded if piece.quantity > 0] or traded or list(self.held[move.instrument])
        parts = [shares(amount, [piece.quantity for piece in pieces]) for amount in move.charges]
        for piece, more in zip(pieces, zip(*parts, strict=True), strict=True):
            piece.charges = tuple(paid + part for paid, part in zip(piece.charges, more, strict=True))

    def open_value(self) -> int:
        """Return what all open lots cost, signed, paise."""
        return sum(piece.value for pieces in self.held.values() for piece in pieces)

    def open_charges(self) -> int:
        """Return the charges of open lots, paise."""
        return sum(sum(piece.charges) for pieces in self.held.values() for piece in pieces)

    def _meet_within_day(self, instrument: str, pieces: list[Piece]) -> list[Piece]:
        """Match a day's purchases with its sales in order; return what is left over."""
        waiting: deque[Piece] = deque()
        for piece in pieces:
            self._meet(instrument, waiting, piece)
        return list(waiting)

    def _trade(self, instrument: str, piece: Piece) -> None:
        self._meet(instrument, self.held[instrument], piece)

    def _meet(self, instrument: str, waiting: deque[Piece], piece: Piece) -> None:
        """Let `piece` close what waits the other way, oldest first; what is left of it waits."""
        while piece.quantity and waiting and waiting[0].quantity * piece.quantity < 0:
            first = waiting[0]
            units = min(abs(first.quantity), abs(piece.quantity))
            self.matches.append(_match(instrument, first.cut(units), piece.cut(units)))
            if not first.quantity:
                waiting.popleft()
        if piece.quantity:
            waiting.append(piece)

    def _move(self, move: CashMove, day: str) -> None:
        if move.why == "split":
            self._split(self.held[move.instrument], move.quantity)
        elif move.why == "bonus":
            self._bonus(move, day)
        elif move.quantity:
            # A close moves P&L and cost: the money that it moved is the P&L less the change of cost.
            value = move.cost - move.amount
            self._trade(move.instrument, Piece(day, move.quantity, value, how=move.why))
        elif move.amount and move.why not in _NOT_INCOME:
            self.income.append(Income(day, move.why, move.instrument, move.amount))

    def _bonus(self, move: CashMove, day: str) -> None:
        """Bonus shares cost nothing, and are held from their own day on."""
        piece = Piece(day, move.quantity, 0, how="bonus")
        self._undated.append(piece)
        self._trade(move.instrument, piece)

    def _split(self, pieces: deque[Piece], more: int) -> None:
        """Spread a split's units over the lots by their units; days and cost stay."""
        grown = shares(more, [piece.quantity for piece in pieces])
        for piece, units in zip(pieces, grown, strict=True):
            piece.quantity += units


_NOT_INCOME = frozenset({"opening", "carry", "mark_to_market"})
"""Money put in; no money; and a future's daily settlement, which moves P&L into cost: its lots keep their own."""


def fifo(days: Iterable[Day]) -> Fifo:
    """Return the lots, matches and income of a book's days, which begin with its first."""
    lots = Fifo()
    for day in days:
        lots.take(day)
    return lots


def _piece(fill: Fill, day: str) -> Piece:
    signed = fill.side.sign * fill.quantity
    return Piece(day, signed, signed * fill.price, fill.charges or _FREE, fill.modelled)


def _match(instrument: str, first: Piece, second: Piece) -> Match:
    """Return what two pieces of as many units, the earlier one first, make of each other."""
    bought, sold = (first, second) if first.quantity > 0 else (second, first)
    return Match(
        instrument=instrument,
        quantity=abs(first.quantity),
        opened=first.day,
        closed=second.day,
        short=first.quantity < 0,
        bought=bought.value,
        sold=-sold.value,
        charges=tuple(one + two for one, two in zip(first.charges, second.charges, strict=True)),
        how=second.how,
        bonus=first.how == "bonus",
        modelled=first.modelled or second.modelled,
    )
