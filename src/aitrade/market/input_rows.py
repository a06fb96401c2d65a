"""What imported data holds besides bars. Prices in paise, quantities and open interest in units, days as ISO text."""

import msgspec

from aitrade.core.instruments import Exchange, Kind


class EndOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's day in an exchange's bhavcopy; unadjusted by nature. 0 where a field does not apply."""

    key: str
    day: str
    exchange: Exchange
    symbol: str
    kind: Kind
    series: str = ""
    isin: str = ""
    expiry: str = ""
    strike: int = 0
    open: int = 0
    high: int = 0
    low: int = 0
    close: int = 0
    last: int = 0
    previous_close: int = 0
    settlement: int = 0
    underlying_price: int = 0
    oi: int = 0
    oi_change: int = 0
    volume: int = 0
    """Units, never contracts."""
    value: int = 0
    """Traded value, paise; of options the notional where the file gives that."""
    trades: int = 0
    lot: int = 0
    delivered: int = -1
    """Units delivered; -1 where the file says nothing."""


class ChainQuote(msgspec.Struct, frozen=True, kw_only=True):
    """One option in a snapshot of a chain; `iv` is a fraction (0.15), Greeks as the source gives them."""

    key: str
    underlying: str
    ts: int
    """Moment of the snapshot, ns UTC; 0 where neither content nor file name says it."""
    expiry: str
    strike: int
    kind: Kind
    spot: int = 0
    price: int = 0
    bid: int = 0
    ask: int = 0
    bid_quantity: int = 0
    ask_quantity: int = 0
    volume: int = 0
    oi: int = 0
    oi_change: int = 0
    iv: float = 0.0
    delta: float = 0.0
    gamma: float = 0.0
    theta: float = 0.0
    vega: float = 0.0


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a broker's contract master; `as_of` is a day, a month, or empty where the file does not say."""

    key: str
    source: str
    as_of: str
    exchange: Exchange
    symbol: str
    kind: Kind
    name: str = ""
    token: str = ""
    trading_symbol: str = ""
    tick: int = 0
    lot: int = 1
    freeze: int = 0
    underlying: str = ""
    expiry: str = ""
    strike: int = 0
    series: str = ""
    isin: str = ""


class LotSize(msgspec.Struct, frozen=True, kw_only=True):
    """The lot of an underlying's contracts that expire in `month` (2026-08)."""

    symbol: str
    month: str
    lot: int


class CorporateAction(msgspec.Struct, frozen=True, kw_only=True):
    """A corporate action as the exchange words it in `subject`."""

    symbol: str
    ex_day: str
    subject: str
    series: str = ""
    isin: str = ""
    company: str = ""
    face_value: int = 0
    record_day: str = ""


class ScanRange(msgspec.Struct, frozen=True, kw_only=True):
    """SPAN price scan (paise a unit, and percent of the futures price) and volatility scan of an index on a day."""

    symbol: str
    day: str
    expiry: str
    futures_price: int
    price_scan: int
    price_scan_percent: float
    volatility_scan: float


class DailyVolatility(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange's daily volatility file: closes in paise, sigmas as fractions a day, `annual` a year."""

    symbol: str
    day: str
    spot_close: int
    spot_previous: int
    future_close: int
    future_previous: int
    sigma_underlying: float
    sigma_futures: float
    sigma_applicable: float
    annual: float


class PreOpen(msgspec.Struct, frozen=True, kw_only=True):
    """What the pre-open auction of a stock came to; zeros where nobody asked for it."""

    key: str
    ts: int
    symbol: str
    series: str
    price: int
    previous_close: int
    quantity: int
    value: int
    buy_quantity: int
    sell_quantity: int


class DepthTick(msgspec.Struct, frozen=True, gc=False):
    """One print with up to five levels of the book, best first."""

    instrument: str
    ts: int
    price: int
    quantity: int = 0
    """Units since the tick before."""
    bid: int = 0
    ask: int = 0
    bid_quantity: int = 0
    ask_quantity: int = 0
    volume: int = 0
    oi: int = 0
    bid_prices: tuple[int, ...] = ()
    bid_quantities: tuple[int, ...] = ()
    ask_prices: tuple[int, ...] = ()
    ask_quantities: tuple[int, ...] = ()
