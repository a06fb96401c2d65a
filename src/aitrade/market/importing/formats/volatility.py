"""Daily risk figures: India VIX, SPAN scan ranges, the exchange's daily volatility of underlyings."""

from aitrade.core.clock import DAY, at
from aitrade.core.quotes import Bar
from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Delimited, Parser
from aitrade.market.importing.values import iso_day, number, paise
from aitrade.market.input_rows import DailyVolatility, ScanRange

VIX = ("date", "open", "high", "low", "close", "prev. close", "change", "% change")
SPAN = ("date", "symbol", "expiry", "futures_price", "price_scan", "price_scan_pct", "vol_scan")
VOLATILITY = (
    *("date", "symbol", "spot_close", "spot_prev", "fut_close", "fut_prev"),
    *("sigma_underlying", "sigma_futures", "sigma_applicable", "ann_applicable"),
)
_MONTH = 6
"""Length of an expiry that is given as a month only, 201207."""


def _vix(_: Document) -> Parser:
    def bar(cells: list[str]) -> Bar:
        start = at(iso_day(cells[0]), "00:00")
        opened, high, low, close = map(paise, cells[1:5])
        return Bar("NSE:INDIAVIX", start, start + DAY, opened, high, low, close)

    return bar


def _span(_: Document) -> Parser:
    def row(cells: list[str]) -> ScanRange:
        day, symbol, expiry, future, scan, percent, volatility = cells
        return ScanRange(
            symbol=symbol,
            day=iso_day(day),
            expiry=f"{expiry[:4]}-{expiry[4:]}" if len(expiry) == _MONTH else iso_day(expiry),
            futures_price=paise(future),
            price_scan=paise(scan),
            price_scan_percent=number(percent),
            volatility_scan=number(volatility),
        )

    return row


def _volatility(_: Document) -> Parser:
    def row(cells: list[str]) -> DailyVolatility:
        day, symbol, *figures = cells
        spot, spot_before, future, future_before = map(paise, figures[:4])
        underlying, futures, applicable, annual = map(number, figures[4:])
        return DailyVolatility(
            symbol=symbol,
            day=iso_day(day),
            spot_close=spot,
            spot_previous=spot_before,
            future_close=future,
            future_previous=future_before,
            sigma_underlying=underlying,
            sigma_futures=futures,
            sigma_applicable=applicable,
            annual=annual,
        )

    return row


VIX_FORMAT = Delimited(name="India VIX", headers=(VIX,), parser=_vix)
SPAN_FORMAT = Delimited(name="SPAN scan ranges", headers=(SPAN,), parser=_span)
VOLATILITY_FORMAT = Delimited(name="daily volatility", headers=(VOLATILITY,), parser=_volatility)
