"""What can be traded or watched: one row of a day's contract master."""

import re
from typing import NamedTuple

import msgspec

from aitrade.core.money import PAISE
from aitrade.core.words import Word


class Exchange(Word):
    """Where an instrument is listed; NFO and BFO are the equity-derivative segments of NSE and BSE."""

    NSE = "NSE"
    BSE = "BSE"
    NFO = "NFO"
    BFO = "BFO"
    MCX = "MCX"


class Kind(Word):
    """What an instrument is."""

    EQUITY = "EQUITY"
    ETF = "ETF"
    INDEX = "INDEX"
    FUTURE = "FUTURE"
    CALL = "CALL"
    PUT = "PUT"


_INDEX = Kind.INDEX
OPTIONS = frozenset({Kind.CALL, Kind.PUT})
DERIVATIVES = OPTIONS | {Kind.FUTURE}


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument on one day. Prices in paise, quantities in units, dates as ISO text.

    `key` identifies it everywhere: "NSE:RELIANCE", "NSE:NIFTY", "NFO:NIFTY27MAR25FUT", "NFO:NIFTY27MAR2523500CE".
    """

    key: str
    exchange: Exchange
    symbol: str
    kind: Kind
    name: str = ""
    tick: int = 5
    lot: int = 1
    freeze: int = 0
    """Largest quantity in one order, units; 0 where no limit is known."""
    underlying: str = ""
    """Key of the underlying of a derivative."""
    expiry: str = ""
    strike: int = 0
    series: str = "EQ"
    isin: str = ""
    has_derivatives: bool = False
    """A stock with futures and options: its sessions and bands differ (closing auction from 2026-08-03)."""
    lower: int = 0
    upper: int = 0
    """Price band of the day, paise; 0 where none is known."""
    previous_close: int = 0
    previous_oi: int = 0
    """Open interest on the evening before, units; 0 where none is known."""
    modelled: bool = False
    """Its prices are computed by us, not printed by an exchange."""

    @property
    def is_derivative(self) -> bool:
        """True for futures and options."""
        return self.kind in DERIVATIVES

    @property
    def is_option(self) -> bool:
        """True for calls and puts."""
        return self.kind in OPTIONS

    @property
    def tradable(self) -> bool:
        """An index is watched, never traded."""
        return self.kind is not _INDEX


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def derivative_key(exchange: Exchange, base: str, expiry: str, kind: Kind, strike: int = 0) -> str:
    """Return the key of a future or option, e.g. NFO:NIFTY27MAR2523500CE; expiry ISO, strike in paise."""
    year, month, day = expiry.split("-")
    stem = f"{exchange}:{base}{day}{_MONTHS[int(month) - 1]}{year[2:]}"
    if kind is Kind.FUTURE:
        return f"{stem}FUT"
    rupees, paise = divmod(strike, 100)
    text = f"{rupees}.{paise:02d}".rstrip("0") if paise else str(rupees)
    return f"{stem}{text}{'CE' if kind is Kind.CALL else 'PE'}"


class Terms(NamedTuple):
    """What the key of a future or option says; expiry ISO, strike in paise (0 for a future)."""

    exchange: Exchange
    base: str
    expiry: str
    kind: Kind
    strike: int


_DERIVATIVE = re.compile(r"(NFO|BFO|MCX):(.+?)(\d\d)([A-Z]{3})(\d\d)(?:FUT|(\d+)(?:\.(\d+))?(CE|PE))")
_RIGHTS = {None: Kind.FUTURE, "CE": Kind.CALL, "PE": Kind.PUT}


def derivative_terms(key: str) -> Terms | None:
    """Return what the key of a future or option says (`derivative_key` backwards), None for any other key."""
    found = _DERIVATIVE.fullmatch(key)
    if found is None or found[4] not in _MONTHS:
        return None
    exchange, base, day, month, year, rupees, paise, right = found.groups()
    expiry = f"20{year}-{_MONTHS.index(month) + 1:02d}-{day}"
    strike = int(rupees or 0) * PAISE + int((paise or "0").ljust(2, "0"))
    return Terms(Exchange(exchange), base, expiry, _RIGHTS[right], strike)
