"""A broker's contract note as a CSV file, and its comparison with a book's trades and charges.

One line a trade and one a charge, in rupees, under this heading; `number` is the exchange's trade number or the name of
the charge (brokerage, stt, transaction, sebi, ipft, stamp, gst, dp):

    kind,number,instrument,side,quantity,price,amount
    trade,1743135120365611379,NSE:RELIANCE,BUY,10,1345.50,
    charge,brokerage,,,,,70.00
"""

import csv
from collections import defaultdict
from pathlib import Path

import msgspec

from aitrade.core.errors import DataRefused, Refused
from aitrade.core.money import from_rupees
from aitrade.core.orders import CHARGE_COMPONENTS, Fill, Side

HEADING = ["kind", "number", "instrument", "side", "quantity", "price", "amount"]


class Traded(msgspec.Struct, frozen=True):
    """A trade as note and book must have it alike; price in paise."""

    instrument: str
    side: str
    quantity: int
    price: int


class ContractNote(msgspec.Struct, frozen=True):
    """What a note says: trades by number, charges by component in paise."""

    trades: dict[str, Traded]
    charges: dict[str, int]


class Difference(msgspec.Struct, frozen=True):
    """A trade that note and book have differently; None where one of them does not have it."""

    number: str
    ours: Traded | None
    theirs: Traded | None


def read(path: Path) -> ContractNote:
    """Return the note in a file; raise DataRefused naming the line that is wrong and why."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = list(csv.reader(file))
    if not lines or [cell.strip().lower() for cell in lines[0]] != HEADING:
        raise DataRefused(f"{path.name}: its first line has to be {','.join(HEADING)}; see docs/reports.md.")
    trades: dict[str, Traded] = {}
    charges: dict[str, int] = defaultdict(int)
    for number, cells in enumerate(lines[1:], 2):
        try:
            _take([cell.strip() for cell in cells], trades, charges)
        except (ValueError, Refused) as wrong:
            raise DataRefused(f"{path.name}, line {number}: {wrong} Correct that line.") from None
    return ContractNote(trades, dict(charges))


def differences(fills: list[Fill], note: ContractNote) -> list[Difference]:
    """Return the trades that are not the same in both, by number."""
    ours = {fill.id: Traded(fill.instrument, str(fill.side), fill.quantity, fill.price) for fill in fills}
    numbers = sorted(ours.keys() | note.trades.keys())
    pairs = [Difference(number, ours.get(number), note.trades.get(number)) for number in numbers]
    return [one for one in pairs if one.ours != one.theirs]


def _take(cells: list[str], trades: dict[str, Traded], charges: dict[str, int]) -> None:
    if not any(cells):
        return
    if len(cells) != len(HEADING):
        raise ValueError(f"It has {len(cells)} fields and not {len(HEADING)}.")
    kind, number, instrument, side, quantity, price, amount = cells
    if kind == "charge" and number in CHARGE_COMPONENTS:
        charges[number] += from_rupees(amount)
    elif kind == "trade" and number and number not in trades:
        trades[number] = Traded(instrument, str(Side(side.upper())), int(quantity), from_rupees(price))
    else:
        raise ValueError(f"{kind} {number} is neither a new trade nor one of {', '.join(CHARGE_COMPONENTS)}.")
