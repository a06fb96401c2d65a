"""The rules in the order of their answers, and on which kinds of orders each can speak at all.

An order is judged by those rules only that can speak on its kind (its instrument, type, product and side): which ones
these are is worked out once for each kind and day, so that a check costs what it has to.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from aitrade.core.orders import OrderType, Product, Side
from aitrade.market.calendar import PhaseName
from aitrade.risk import desk_rules, exchange_rules
from aitrade.risk.case import Case
from aitrade.risk.desk_rules import DeskRules
from aitrade.risk.refusals import Rule

Judge = Callable[[Case], str | None]


class Row(NamedTuple):
    """A rule: its name, what judges a case by it, and whether it can speak on this kind of order."""

    rule: Rule
    judge: Judge
    speaks: Callable[[Case], bool]


class Table:
    """Rules, in the order of their answers."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)

    def without(self, *rules: Rule) -> "Table":
        """Return the table without some rules."""
        return Table(row for row in self.rows if row.rule not in rules)

    def of(self, case: Case) -> tuple[tuple[Rule, Judge], ...]:
        """Return the rules that can speak on this kind of order."""
        request, kept = case.request, case.traded.rules
        kind = (
            self, case.phase, request.type, request.product, request.side, not request.strategy, not request.reference,
        )  # fmt: skip
        found = kept.get(kind)
        if found is None:
            found = kept[kind] = tuple((row.rule, row.judge) for row in self.rows if row.speaks(case))
        return found


def exchange_table(own: DeskRules) -> Table:
    """Return the rules that every order meets, an exit too."""
    return Table((
        Row(Rule.INSTRUMENT, exchange_rules.expired, lambda case: case.traded.expired),
        Row(Rule.ORDER_TYPE, exchange_rules.order_type, lambda case: case.phase is not PhaseName.CONTINUOUS),
        Row(Rule.ORDER_TYPE, own.stop_market, lambda case: case.traded.option),
        Row(Rule.PRODUCT, exchange_rules.product, lambda case: exchange_rules.product(case) is not None),
        Row(Rule.LOT, exchange_rules.lot, _always),
        Row(Rule.PRICE, exchange_rules.unpriced, lambda case: not _priced(case)),
        Row(Rule.PRICE, exchange_rules.price, _priced),
        Row(Rule.PRICE, exchange_rules.trigger, _triggered),
        Row(Rule.TICK, exchange_rules.tick, _priced),
        Row(Rule.BAND, exchange_rules.band, _priced),
        Row(Rule.FREEZE, exchange_rules.freeze, lambda case: case.instrument.freeze > 0),
        Row(Rule.DELIVERY, exchange_rules.delivery, _sells_delivery),
        Row(Rule.REFERENCE, exchange_rules.reference, lambda case: case.request.reference != ""),
    ))  # fmt: skip


def whole_table(own: DeskRules) -> Table:
    """Return the rules that an order meets which may open exposure: the exchange's, and the desk's own."""
    return Table((
        *exchange_table(own).rows,
        Row(Rule.EXPIRY, desk_rules.expiry, lambda case: case.traded.expires),
        Row(Rule.SQUARE_OFF, desk_rules.square_off, lambda case: case.request.product is Product.MIS),
        Row(Rule.STALE_PRICE, own.stale_price, lambda case: not _priced(case)),
        Row(Rule.VALUE, own.value, _always),
        Row(Rule.QUANTITY, own.quantity, _always),
        Row(Rule.DAY_ORDERS, own.day_orders, _always),
        Row(Rule.DAILY_LOSS, own.daily_loss, _always),
        Row(Rule.DUPLICATE, own.duplicate, lambda case: case.request.strategy != ""),
        Row(Rule.ORDER_RATE, own.order_rate, _always),
        Row(Rule.MARGIN, desk_rules.margin, _always),
    ))  # fmt: skip


def _always(_case: Case) -> bool:
    return True


def _priced(case: Case) -> bool:
    return case.request.type is not OrderType.MARKET


def _triggered(case: Case) -> bool:
    return case.request.type in exchange_rules.TRIGGERED


def _sells_delivery(case: Case) -> bool:
    return case.request.side is Side.SELL and case.request.product is Product.CNC
