"""What every report begins with: the book's day that it is about, and its cover."""

from datetime import date
from pathlib import Path

import msgspec

from aitrade.core.errors import UnknownDate
from aitrade.core.money import format_rupees
from aitrade.core.orders import CHARGE_COMPONENTS
from aitrade.market.calendar import Calendar, Segment
from aitrade.ops import ledger
from aitrade.ops.reports.pieces import Figure, Listing, Notice, Piece, Pieces, count, table

NIL = "NIL report"


def home() -> Path:
    """Return the data folder that this notebook reads."""
    from aitrade.core.config import load

    return load().home


def day_of(folder: Path, book: str, day: str) -> ledger.Day:
    """Return a book's day from its journal; a day on which the book did not trade is an empty one."""
    for found in ledger.walk(folder, book, day, day):
        return found
    nothing = ledger.Standing({}, {}, {}, 0, 0, 0, (0,) * len(CHARGE_COMPONENTS), (0,) * len(CHARGE_COMPONENTS), "")
    return ledger.Day(book, day, "", [], nothing, nothing, nothing)


def cover(day: ledger.Day, folder: Path, *, counted: str = "trades", number: int | None = None) -> Pieces:
    """Return where a day's figures come from, what in them is assumed or modelled, and whether it is a NIL report.

    `counted` and `number` say what the report is about and how many there were; trades unless told.
    """
    number = len(day.fills) if number is None else number
    parts: list[Piece] = []
    if not number:
        closed = _closed(folder, day.day)
        parts.append(Notice(f"{NIL}: book {day.book} had no {counted} on {day.day}{closed}."))
    if not day.ended and day.records:
        parts.append(
            Notice("The day had not ended when this was made; the figures go as far as the journal does.", "warn")
        )
    parts.append(basis(_rests_on(day)))
    return Pieces(parts)


def basis(sentences: list[str]) -> Listing:
    """Return what a report's figures rest on."""
    return Listing("What the figures rest on", sentences)


def _rests_on(day: ledger.Day) -> list[str]:
    found = [f"Prices: {day.source}. Every figure is of book {day.book} alone."] if day.source else []
    modelled = sum(row.body.modelled for row in day.fills)
    if modelled:
        found.append(f"{modelled} of {len(day.fills)} trades filled at MODELLED prices, marked M.")
    return found + [f"ASSUMED: {sentence.removeprefix('ASSUMED: ')}" for sentence in day.assumed]


def _closed(folder: Path, day: str) -> str:
    """Return why there was no trading, where the calendar knows."""
    try:
        open_ = Calendar.load(folder).is_trading_day(date.fromisoformat(day), Segment.CASH_FNO)
    except UnknownDate:
        return ""
    return "" if open_ else "; the exchange was closed"


class Totals(msgspec.Struct, Piece):
    """Control totals: what any other count of the same journal must give; they go into the manifest too."""

    totals: dict[str, int]
    how: str = "Summed over the rows of this report. Any other count of the same journal has to give the same."

    def html(self) -> str:
        """Return the totals as a table."""
        rows = [(_words(name), _written(name, value)) for name, value in self.totals.items()]
        return table("What, Total:written", rows, how=self.how).html()

    def text(self) -> str:
        """Return a line a total."""
        return "\n".join(f"{_words(name)}: {_written(name, value)}" for name, value in self.totals.items())

    def _repr_mimebundle_(self, **_asked: object) -> dict[str, object]:
        return {"text/html": self.html(), "text/plain": self.text(), "application/json": self.totals}


CHARGES_IN_WORDS = {
    "brokerage": "Brokerage",
    "stt": "Securities transaction tax (STT)",
    "transaction": "Exchange transaction charges",
    "sebi": "SEBI turnover fee",
    "ipft": "Investor-protection fund (IPFT)",
    "stamp": "Stamp duty",
    "gst": "GST",
    "dp": "Depository (DP)",
}


def who(strategy: str, actor: str) -> str:
    """Return who is behind an order: the strategy, or the person."""
    return f"strategy {strategy}" if strategy else actor or "a person"


def headline(words: str, number: int, remark: str = "", mood: str = "") -> Figure:
    """Return a number as a headline."""
    return Figure(words, count(number), remark, mood)


def amount(words: str, paise: int, remark: str = "", *, sign: bool = False) -> Figure:
    """Return an amount as a headline."""
    return Figure(words, format_rupees(paise, sign=sign), remark)


def segment(instrument: str) -> str:
    """Return the exchange segment of an instrument key: NSE, NFO, BSE, BFO or MCX."""
    return instrument.partition(":")[0]


def _words(name: str) -> str:
    plain = name.removesuffix("_paise")
    return CHARGES_IN_WORDS.get(plain) or plain.replace("_", " ").capitalize().replace("Pnl", "P&L")


def _written(name: str, value: int) -> str:
    return format_rupees(value) if name.endswith("_paise") else count(value)
