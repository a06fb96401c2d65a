"""All rules at once, before an order is journaled: every broken rule is told, with its numbers.

Two kinds of rules: the exchange's, which every order meets, and the desk's own, which exits do not meet. Order of the
tables is order of the answer. The desk lives on the trading thread; a check changes nothing.
"""

from collections.abc import Sequence
from datetime import date

import msgspec

from aitrade.core.clock import DAY, at, ist_date, ist_time
from aitrade.core.errors import Refused
from aitrade.core.instruments import Exchange, Instrument
from aitrade.core.money import format_rupees
from aitrade.core.orders import Order, OrderRequest
from aitrade.market.calendar import Calendar, Segment, segment_of
from aitrade.market.rules import Rules
from aitrade.risk import desk_rules
from aitrade.risk.account import Account
from aitrade.risk.case import Case, Traded
from aitrade.risk.desk_rules import DeskRules
from aitrade.risk.exits import exits
from aitrade.risk.limits import Limits
from aitrade.risk.order_rate import OrderRate
from aitrade.risk.phases import TAKES, why_closed
from aitrade.risk.refusals import Refusal, Rule
from aitrade.risk.rulebook import Table, exchange_table, whole_table

NONE: tuple[Refusal, ...] = ()


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What a check found: every rule that the order breaks, and whether it is an exit."""

    refusals: tuple[Refusal, ...]
    is_exit: bool


_PASS = (Verdict(NONE, is_exit=False), Verdict(NONE, is_exit=True))
"""What most orders get, by whether they exit."""


class RiskDesk:
    """Checks orders against the limits, the market's rules and its calendar."""

    def __init__(self, limits: Limits, rules: Rules, calendar: Calendar, *, order_rate: int | None = None) -> None:
        """`order_rate` a second and exchange segment replaces the dated rule's, for a broker that sets its own."""
        self._limits = limits
        self._order_rate = order_rate
        self._rules = rules
        self._calendar = calendar
        self._own = DeskRules(limits)
        self._day_ends = 0
        self._traded: dict[str, Traded] = {}
        self._rates: dict[Exchange, OrderRate] = {}
        self._exchange, self._all = exchange_table(self._own), whole_table(self._own)
        self._unfunded = self._all.without(Rule.MARGIN)
        self._changed = self._all.without(Rule.DAY_ORDERS, Rule.DUPLICATE, Rule.STALE_PRICE)

    def check(
        self, request: OrderRequest, instrument: Instrument | None, now: int, account: Account, *, funded: bool = False
    ) -> Verdict:
        """Judge the order at `now` (ns UTC).

        `funded` says that its margin was found for the whole basket that it is a leg of.
        """
        if instrument is None or not instrument.tradable:
            return Verdict((_unknown(request.instrument, instrument),), is_exit=False)
        case = self._case(request, instrument, now, account)
        exiting = case.position * case.sign < 0 and exits(request, case.quantity, instrument, account)
        table = self._exchange if exiting else self._unfunded if funded else self._all
        found = self._judged(case, table)
        return Verdict(found, exiting) if found else _PASS[exiting]

    def check_modification(
        self, terms: OrderRequest, order: Order, instrument: Instrument, now: int, account: Account
    ) -> tuple[Refusal, ...]:
        """Return every rule that new terms for a working order break; `terms.quantity` counts what has filled."""
        own = order.remaining
        case = self._case(terms, instrument, now, account, own)
        case.quantity = terms.quantity - order.filled
        if case.quantity <= 0:
            text = f"{order.filled} units have filled: ask for more than that, or cancel the rest."
            return (Refusal(Rule.LOT, text),)
        present = order.request
        if order.trigger != present.trigger:
            present = msgspec.structs.replace(present, trigger=order.trigger)
        case.replaced = self._case(present, instrument, now, account, own)
        case.replaced.quantity, case.replaced.price = own, order.price or order.trigger or case.last
        exiting = exits(terms, case.quantity, instrument, account, own)
        return self._judged(case, self._exchange if exiting else self._changed)

    def intraday_refusal(self, instrument: Instrument, now: int) -> str:
        """Return why units cannot become intraday ones at `now` (ns UTC), or "": what no MIS order may open either."""
        traded = self._trade(instrument, now)
        if traded.trade_for_trade:
            return f"{instrument.key} is in series {instrument.series} (trade for trade), each trade is delivered."
        if now >= traded.square_off:
            return f"MIS positions are squared off from {ist_time(traded.square_off)[:5]}, it is {ist_time(now)}."
        return ""

    def check_basket(
        self, legs: Sequence[tuple[OrderRequest, Instrument | None]], now: int, account: Account
    ) -> tuple[Refusal, ...]:
        """Return every rule that any leg breaks; the legs' margin is found for all together, so that hedges count."""
        found = [
            Refusal(refusal.rule, f"{request.instrument}: {refusal.text}")
            for request, instrument in legs
            for refusal in self.check(request, instrument, now, account, funded=True).refusals
        ]
        if found:
            return tuple(found)
        need, free = self.needed(legs, now, account), account.available()
        short = f"The basket needs {format_rupees(need)}, {format_rupees(free)} is free: send less, or free money."
        return (Refusal(Rule.MARGIN, short),) if need > max(free, 0) else NONE

    def needed(self, legs: Sequence[tuple[OrderRequest, Instrument | None]], now: int, account: Account) -> int:
        """Return what the known ones of a basket's legs tie together, paise."""
        cases = [self._case(request, instrument, now, account) for request, instrument in legs if instrument]
        return desk_rules.needed_together(cases)

    def sent(self, request: OrderRequest, instrument: Instrument, now: int) -> None:
        """Count an order that was sent."""
        self._rate(instrument.exchange, now).count(now)
        if request.strategy:
            self._own.sent(request, now)

    def changed(self, instrument: Instrument, now: int) -> None:
        """Count a modification or a cancellation that was sent."""
        self._rate(instrument.exchange, now).count(now)

    def wait(self, instrument: Instrument, now: int) -> int:
        """Return how long an exit or a cancellation waits for its turn, ns; it is paced, never refused."""
        return self._rate(instrument.exchange, now).wait(now)

    def rates(self, now: int) -> dict[str, int]:
        """Return the messages of the last second by exchange segment."""
        return {str(exchange): rate.used(now) for exchange, rate in self._rates.items()}

    def _judged(self, case: Case, table: Table) -> tuple[Refusal, ...]:
        found = None
        if case.phase not in TAKES:
            found = [why_closed(self._calendar, case.traded.segment, case.phase, case.now)]
        for rule, judge in table.of(case):
            text = judge(case)
            if text is not None:
                found = found or []
                found.append(Refusal(rule, text))
        return NONE if found is None else tuple(found)

    def _case(self, request: OrderRequest, instrument: Instrument, now: int, account: Account, own: int = 0) -> Case:
        if now >= self._day_ends:
            self._new_day(now)
        traded = self._traded.get(instrument.key)
        if traded is None or traded.instrument is not instrument:
            traded = self._traded[instrument.key] = self._trade(instrument, now)
        return Case(request, traded, self._calendar.phase_at(now, traded.segment).name, now, account, own)

    def _new_day(self, now: int) -> None:
        self._day_ends = at(ist_date(now), "00:00") + DAY
        self._traded.clear()
        self._rates.clear()

    def _trade(self, instrument: Instrument, now: int) -> Traded:
        day, segment = ist_date(now), segment_of(instrument)
        square_off = self._square_off(day, segment)
        t2t = not instrument.is_derivative and instrument.series in self._limits.trade_for_trade
        rate = self._rate(instrument.exchange, now)
        return Traded(instrument, segment, rate, square_off, today=day.isoformat(), trade_for_trade=t2t)

    def _square_off(self, day: date, segment: Segment) -> int:
        """Return when MIS positions are squared off; the day's end where nothing trades."""
        try:
            return at(day, self._rules.square_off(day, segment))
        except Refused:
            return self._day_ends

    def _rate(self, exchange: Exchange, now: int) -> OrderRate:
        if now >= self._day_ends:
            self._new_day(now)
        rate = self._rates.get(exchange)
        if rate is None:
            limit = self._order_rate or self._rules.order_rate(ist_date(now))
            rate = self._rates[exchange] = OrderRate(limit, self._limits.exit_reserve_per_second)
        return rate


def _unknown(key: str, instrument: Instrument | None) -> Refusal:
    if instrument is None:
        return Refusal(Rule.INSTRUMENT, f"{key!r} is not in today's instrument master: search for it by name.")
    return Refusal(Rule.INSTRUMENT, f"{key} is an index, which cannot be traded: trade its futures, options or an ETF.")
