"""Positions of a day and the position limits of SEBI, as far as dated facts know them.

An index option's limits are told in delta terms (SEBI/HO/MRD/TPD-1/P/CIR/2025/79): for each index, the long deltas
(bought calls, sold puts) and the short ones, each at units x delta x forward; net is their sum without its sign, gross
each by itself. The day's path between the exchange's snapshots is not known to a book, so the intraday figure is the
most that stood after any fill, at the close's deltas and forwards: a MODELLED figure. What a stock's limit is in shares
depends on its market-wide limit, which the exchange publishes and this book does not have.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec

from aitrade.core.money import PAISE
from aitrade.market.rules import PositionLimit, Rules, StockLimit
from aitrade.ops.ledger import Day, Standing
from aitrade.ops.reports.closing import Closing
from aitrade.ops.reports.exposure import Exposure

CRORE = 1_00_00_000 * PAISE


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a day did to one instrument in one product; units and paise: opening + bought - sold + moved = closing."""

    instrument: str
    product: str
    opening: int
    bought: int
    sold: int
    moved: int
    """Conversions; expiry, splits and deliveries come in the night, after the close."""
    closing: int
    cost: int
    last: int
    realised: int
    charges: int

    @property
    def value(self) -> int:
        """Units at the close."""
        return self.closing * self.last if self.last else self.cost

    @property
    def unrealised(self) -> int:
        """Value less cost."""
        return self.value - self.cost


class LimitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of one index, paise; `modelled` where it rests on an assumption."""

    underlying: str
    what: str
    used: int
    limit: int
    source: str
    confidence: str
    modelled: bool = False

    @property
    def share(self) -> float:
        """Part of the limit."""
        return self.used / self.limit


class StockRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stock's derivatives: future-equivalent shares held, and the part of the market-wide limit that one may hold."""

    underlying: str
    net: int
    part: float
    source: str
    confidence: str


def position_rows(day: Day, market: Closing) -> list[PositionRow]:
    """Return what the day did to every position, flat ones included; holdings by themselves as product HOLDING."""
    rows = [_row(day, key, market) for key in sorted({*day.before.open, *day.close.positions})]
    held = sorted({*day.before.holdings, *day.close.holdings})
    return [row for row in rows if row.opening or row.bought or row.sold or row.closing] + [
        _holding(day, key, market) for key in held
    ]


def _row(day: Day, key: str, market: Closing) -> PositionRow:
    instrument, product = key.rsplit("|", 1)
    fills = [row.body for row in day.fills if (row.body.instrument, str(row.body.product)) == (instrument, product)]
    converted = [row.body for row in day.charged if (row.body.instrument, row.body.product) == (instrument, product)]
    bought = sum(fill.quantity for fill in fills if fill.side.sign > 0)
    sold = sum(fill.quantity for fill in fills if fill.side.sign < 0)
    before, lot = day.before.positions.get(key), day.close.positions.get(key)
    opening, closing = before.quantity if before else 0, lot.quantity if lot else 0
    return PositionRow(
        instrument=instrument, product=product, opening=opening, bought=bought, sold=sold,
        moved=closing - opening - bought + sold, closing=closing, cost=lot.cost if lot else 0,
        last=market.last(instrument), realised=lot.realised if lot else 0,
        charges=sum(map(sum, [fill.charges for fill in fills] + [move.charges for move in converted])),
    )  # fmt: skip


def _holding(day: Day, key: str, market: Closing) -> PositionRow:
    """A delivered (or T+1) holding; what a sale of the day took from it was sold as CNC, and is `moved` here."""
    before, after = day.before.holdings.get(key), day.close.holdings.get(key)
    opening, closing = before.lot.quantity if before else 0, after.lot.quantity if after else 0
    return PositionRow(
        instrument=key, product="HOLDING", opening=opening, bought=0, sold=0, moved=closing - opening, closing=closing,
        cost=after.lot.cost if after else 0, last=market.last(key), realised=_realised_by_holding(day, key), charges=0,
    )  # fmt: skip


def _realised_by_holding(day: Day, key: str) -> int:
    """Return what sales out of a holding realised: all that the share realised, less what its positions did.

    All of it is the money that its trades brought in, plus what the cost of what is held changed by.
    """
    fills = [row.body for row in day.fills if row.body.instrument == key]
    money = -sum(fill.side.sign * fill.quantity * fill.price for fill in fills)
    lots = [lot for name, lot in day.close.positions.items() if name.rsplit("|", 1)[0] == key]
    return money + _cost(day.close, key) - _cost(day.before, key) - sum(lot.realised for lot in lots)


def _cost(standing: Standing, key: str) -> int:
    lots = [lot for name, lot in standing.positions.items() if name.rsplit("|", 1)[0] == key]
    holding = standing.holdings.get(key)
    return sum(lot.cost for lot in lots) + (holding.lot.cost if holding else 0)


def index_limits(rows: Sequence[Exposure], day: Day, rules: Rules) -> list[LimitRow]:
    """Return the use of each limit by each index on whose options something is held, or was traded that day."""
    limit = rules.position_limit(date.fromisoformat(day.day))
    answer = []
    for underlying in sorted({row.underlying for row in rows if _on_index(row, rules)}):
        own = {row.key: row for row in rows if row.underlying == underlying and row.is_option}
        answer += _of_index(underlying, own, day, limit)
    return answer


def _of_index(underlying: str, own: Mapping[str, Exposure], day: Day, limit: PositionLimit) -> list[LimitRow]:
    net, long, short = _deltas(own, {key: row.units for key, row in own.items()})
    path = [_deltas(own, units) for units in _path(own, day)]
    whole = [
        ("net, end of day", net, limit.net_end_of_day, False),
        ("gross long, end of day", long, limit.gross_end_of_day, False),
        ("gross short, end of day", short, limit.gross_end_of_day, False),
        ("net, most within the day", max(one[0] for one in path), limit.net_intraday, True),
        ("gross long, most within the day", max(one[1] for one in path), limit.gross_intraday, True),
        ("gross short, most within the day", max(one[2] for one in path), limit.gross_intraday, True),
    ]
    return [
        LimitRow(
            underlying=underlying, what=what, used=used, limit=crores * CRORE, source=limit.source,
            confidence=limit.confidence, modelled=modelled,
        )
        for what, used, crores, modelled in whole
        if crores
    ]  # fmt: skip


def _deltas(own: Mapping[str, Exposure], units: Mapping[str, int]) -> tuple[int, int, int]:
    """Return net, long and short in delta terms, paise, none below zero."""
    values = [units[key] * row.delta * row.forward for key, row in own.items()]
    return (
        abs(round(sum(values))), round(sum(v for v in values if v > 0)), -round(sum(v for v in values if v < 0))
    )  # fmt: skip


def _path(own: Mapping[str, Exposure], day: Day) -> Iterator[dict[str, int]]:
    """Yield the units held as the day began, and after each of its fills."""
    units = dict.fromkeys(own, 0)
    for key, lot in day.before.open.items():
        if (name := key.rsplit("|", 1)[0]) in units:
            units[name] += lot.quantity
    yield dict(units)
    for row in day.fills:
        if row.body.instrument in units:
            units[row.body.instrument] += row.body.side.sign * row.body.quantity
            yield dict(units)


def stock_limits(rows: Sequence[Exposure], day: date, rules: Rules) -> list[StockRow]:
    """Return the stocks whose derivatives are held, with the part of the market-wide limit that one person may hold."""
    limit: StockLimit = rules.stock_limit(day)
    own = [row for row in rows if row.underlying != row.key and not _of_an_index(row, rules)]
    names = sorted({row.underlying for row in own})
    return [
        StockRow(
            underlying=name, net=abs(round(sum(row.units * row.delta for row in own if row.underlying == name))),
            part=limit.individual / 1_000_000, source=limit.source, confidence=limit.confidence,
        )
        for name in names
    ]  # fmt: skip


def _on_index(row: Exposure, rules: Rules) -> bool:
    return row.is_option and _of_an_index(row, rules)


def _of_an_index(row: Exposure, rules: Rules) -> bool:
    return rules.is_index(row.underlying.partition(":")[2])
