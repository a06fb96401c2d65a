"""From what a source calls an instrument to our key."""

import re
import tomllib
from functools import cache
from importlib.resources import files

from aitrade.core.instruments import Exchange, Kind


@cache
def _names() -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = tomllib.loads(
        files("aitrade.market").joinpath("symbols.toml").read_text(encoding="utf-8")
    )
    return loaded


@cache
def index_name(text: str) -> str:
    """Return the index that `text` names ("Nifty 50", "NIFTY BANK"), or "" where it names none."""
    bare = re.sub(r"[\s_-]", "", text).upper()
    return next((name for name, others in _names()["indices"].items() if bare == name or bare in others), "")


@cache
def short_name(text: str) -> str:
    """Return the exchange symbol behind a broker's short code; a code that we do not know stands for itself."""
    symbol: str = str(_names()["short_names"].get(text.upper(), text.upper()))
    return symbol


@cache
def cash_key(symbol: str, exchange: Exchange = Exchange.NSE) -> str:
    """Return the key of a stock, fund or index: NSE:RELIANCE, NSE:NIFTY, BSE:SENSEX."""
    index = index_name(symbol)
    home = Exchange.BSE if index in _names()["bse"]["indices"] else exchange
    return f"{home}:{index or symbol.upper()}"


_OWN_SERIES = frozenset({"", "EQ", "BE", "BZ", "SM", "ST", "A", "B", "T", "X", "XT", "M", "MT", "Z", "P", "E", "IF"})
"""Series in which the share itself trades; those of bonds, rights and blocks stand beside it under the same symbol."""


@cache
def series_key(symbol: str, series: str, exchange: Exchange) -> str:
    """Return the key of a row of a cash market: NSE:INFY for the share, NSE:INFY-N1 for another paper of the name."""
    return f"{exchange}:{symbol}" if series in _OWN_SERIES else f"{exchange}:{symbol}-{series}"


@cache
def kind_of(key: str) -> Kind:
    """Return INDEX, ETF or EQUITY for a cash key."""
    symbol = key.split(":", 1)[1]
    if symbol in _names()["indices"]:
        return Kind.INDEX
    return Kind.ETF if symbol in _names()["etfs"]["symbols"] else Kind.EQUITY


_NOT_A_SYMBOL = re.compile(r"^(\d+|\d+d|\d+min(ute)?s?|\d{4}-\d{2}(-\d{2})?|\d{2}-\d{2}-\d{4})$")


def symbol_in(name: str) -> str:
    """Return the symbol in a file's name, upper case, or "": `nifty50_infy_5min` is INFY, `01-01-2025` has none.

    Words that say a period, a date or a kind of file are passed over; an index's name before a stock's says where the
    stock belongs.
    """
    words = [word for word in re.split(r"[_ ]+", name) if not _is_noise(word)]
    if len(words) > 1 and index_name(words[0]):
        words = words[1:]
    return "".join(words).upper()


def splice_in(name: str) -> str:
    """Return the key of a rolling at-the-money series that a file is named for (NFO:NIFTY-ATM-CE), or ""."""
    words = [word.upper() for word in re.split(r"[_ -]+", name)]
    side = next((side for word, side in _SIDES.items() if word in words), "")
    index = index_name(words[0])
    return f"NFO:{index}-ATM-{side}" if "ATM" in words and side and index else ""


_SIDES = {"CALL": "CE", "CE": "CE", "PUT": "PE", "PE": "PE"}


def _is_noise(word: str) -> bool:
    return bool(_NOT_A_SYMBOL.match(word.lower())) or word.lower() in _names()["noise"]["words"]
