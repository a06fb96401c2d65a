"""One probe for each risk rule: an order, or what has to happen before it, that this rule and no luck refuses.

Each returns the rules that refused its order. The table's order is the day's: the market opens, trades, and closes.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from aitrade.core.clock import DAY, SECOND, at
from aitrade.core.instruments import Instrument, Kind
from aitrade.core.orders import OrderType, Product, Side, Validity
from aitrade.engine.settings import Who
from aitrade.market.calendar import Segment
from aitrade.market.rules import Rules
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.probed_market import ACTOR, Market
from aitrade.risk.limits import FILE
from aitrade.risk.refusals import Rule

PRE_OPEN, OPEN = "09:05", "09:20"
FALL = 0.08
"""Share of its price that a probe's position loses at a stroke, inside any band."""
MOST_ORDERS = 20_000
"""More than this a day are not sent to find the limit."""
A_SECOND = 5
"""Orders that the order rate lets through beside all else."""


class Probe(NamedTuple):
    """A rule, and what sends the order that it has to refuse."""

    rule: Rule
    send: Callable[[Market], set[str]]


def _order_type(market: Market) -> set[str]:
    last = market.last(market.share)
    return market.send(market.request(market.share, type=OrderType.SL, price=last, trigger=last))


def _instrument(market: Market) -> set[str]:
    return market.send(market.request(msgspec.structs.replace(market.share, key="NSE:NO-SUCH-SHARE")))


def _product(market: Market) -> set[str]:
    return market.send(market.request(market.share, product=Product.NRML))


def _lot(market: Market) -> set[str]:
    option = market.one(lambda row: row.is_option)
    return market.send(market.request(option, option.lot + 1, product=Product.NRML))


def _price(market: Market) -> set[str]:
    return market.send(market.request(market.share, type=OrderType.LIMIT))


def _tick(market: Market) -> set[str]:
    share = market.one(lambda row: row.tradable and not row.is_derivative and row.tick > 1)
    return market.send(market.request(share, type=OrderType.LIMIT, price=market.last(share) + 1))


def _band(market: Market) -> set[str]:
    share = market.one(lambda row: row.tradable and row.upper > 0)
    return market.send(market.request(share, share.lot, type=OrderType.LIMIT, price=share.upper + 10 * share.tick))


def _freeze(market: Market) -> set[str]:
    row = market.one(lambda row: row.is_derivative and row.freeze > 0)
    return market.send(market.request(row, (row.freeze // row.lot + 1) * row.lot, product=Product.NRML))


def _delivery(market: Market) -> set[str]:
    return market.send(market.request(market.share, 1, Side.SELL, product=Product.CNC))


def _reference(market: Market) -> set[str]:
    """Send a reference twice: it stands for one order, and asked about it the rule says so."""
    request = market.request(market.share, reference="preflight-once")
    before = len(market.engine.book.state.orders)
    twice = market.send(request) | market.send(request)
    sent = len(market.engine.book.state.orders) - before
    return twice or ({rule for rule, _ in market.engine.refusals(request, Who(ACTOR))} if sent == 1 else set())


def _duplicate(market: Market) -> set[str]:
    request = market.request(market.share, strategy="preflight-probe")
    return market.send(request) or market.send(request)


def _value(market: Market) -> set[str]:
    limit = market.engine.limits.order_value or 10**12
    return market.send(market.request(market.share, limit // market.last(market.share) + 2))


def _quantity(market: Market) -> set[str]:
    limits = market.engine.limits
    option = market.one(lambda row: row.is_option)
    shares = market.send(market.request(market.share, (limits.order_units or 10**6) + 1))
    market.service.step(1)
    lots = market.send(market.request(option, ((limits.order_lots or 10**4) + 1) * option.lot, product=Product.NRML))
    return shares & lots


def _margin(market: Market) -> set[str]:
    free = market.engine.account.available()
    return market.send(market.request(market.share, free // market.last(market.share) + 2, product=Product.CNC))


def _order_rate(market: Market) -> set[str]:
    market.service.step(1)
    return _first_refusal(market, 1_000)


def _expiry(market: Market) -> set[str]:
    """Let a stock's future expire today: a copy of the newest, under a name of its own."""
    indices = market.service.feed.indices
    future = market.one(lambda row: row.kind is Kind.FUTURE and row.underlying not in indices)
    due = msgspec.structs.replace(future, key=f"{future.key}-DUE", expiry=market.day.isoformat())
    market.engine.instruments[due.key] = due
    price = market.last(future)
    return market.send(market.request(due, due.lot, type=OrderType.LIMIT, price=price, product=Product.NRML))


def _trading_state(market: Market) -> set[str]:
    commands, who = market.service.commands, Who(ACTOR, "operator")
    commands.set_trading("HALTED", {"reason": "a preflight probe"}, who)
    found = market.send(market.request(market.share, 1, Side.BUY, product=Product.CNC))
    commands.set_trading("ACTIVE", {"reason": "the probe is over"}, who)
    return found


def _daily_loss(market: Market) -> set[str]:
    """Buy enough that one fall loses more than the day may, and ask for more of something else."""
    share, loss = market.share, market.engine.limits.day_loss or 50_000_00
    last = market.last(share)
    wanted = math.ceil(loss * 1.25 / (last * FALL))
    for part in _parts(market, share, wanted):
        market.send(market.request(share, part))
        market.service.step(1)
    market.service.step(5)
    market.print(share, round(last * (1 - FALL)) // share.tick * share.tick)
    other = market.engine.instruments[market.service.feed.watchlist[1]]
    found = market.send(market.request(other))
    market.service.step(5)
    market.service.commands.exit(f"{share.key}|MIS", Who(ACTOR, "trader"))
    market.service.step(5)
    return found


def _parts(market: Market, share: Instrument, wanted: int) -> list[int]:
    """Return `wanted` units in orders that the limits let through."""
    limits = market.engine.limits
    most = min(limits.order_units or wanted, (limits.order_value or 10**15) // (market.last(share) + share.tick) or 1)
    return [min(most, wanted - done) for done in range(0, wanted, most)][:50]


def _day_orders(market: Market) -> set[str]:
    """Send orders that go away at once until the day's are used up."""
    return _first_refusal(market, min(market.engine.limits.day_orders or 50, MOST_ORDERS) + 1, A_SECOND)


def _first_refusal(market: Market, most: int, a_second: int = 0) -> set[str]:
    share = market.share
    away = {"type": OrderType.LIMIT, "validity": Validity.IOC}
    for number in range(most):
        if a_second and number % a_second == 0:
            market.service.step(1)
        price = share.lower or market.last(share) // 2 // share.tick * share.tick
        if found := market.send(market.request(share, price=price, **away)):
            return found
    return set()


def _stale_price(market: Market) -> set[str]:
    market.stand_still(market.engine.clock.now() + (market.engine.limits.stale_price_seconds + 60) * SECOND)
    return market.send(market.request(market.share))


def _square_off(market: Market) -> set[str]:
    due = Rules.load(market.service.settings.home_path).square_off(market.day, Segment.CASH)
    market.stand_still(at(market.day, due) + SECOND)
    return market.send(market.request(market.share))


def _phase(market: Market) -> set[str]:
    market.stand_still(at(market.day, "23:00"))
    return market.send(market.request(market.share, product=Product.CNC))


def _date(market: Market) -> set[str]:
    market.stand_still(at(market.day, "11:00") + 36_525 * DAY)
    return market.send(market.request(market.share, product=Product.CNC))


BEFORE_OPEN = (Probe(Rule.ORDER_TYPE, _order_type),)
TRADING = (
    Probe(Rule.INSTRUMENT, _instrument), Probe(Rule.PRODUCT, _product), Probe(Rule.LOT, _lot),
    Probe(Rule.PRICE, _price), Probe(Rule.TICK, _tick), Probe(Rule.BAND, _band), Probe(Rule.FREEZE, _freeze),
    Probe(Rule.DELIVERY, _delivery), Probe(Rule.REFERENCE, _reference), Probe(Rule.DUPLICATE, _duplicate),
    Probe(Rule.VALUE, _value), Probe(Rule.QUANTITY, _quantity), Probe(Rule.MARGIN, _margin),
    Probe(Rule.EXPIRY, _expiry), Probe(Rule.TRADING_STATE, _trading_state), Probe(Rule.ORDER_RATE, _order_rate),
    Probe(Rule.DAILY_LOSS, _daily_loss), Probe(Rule.DAY_ORDERS, _day_orders),
)  # fmt: skip
"""Each beside an order that is accepted just before it."""
CLOSING = (
    Probe(Rule.STALE_PRICE, _stale_price), Probe(Rule.SQUARE_OFF, _square_off), Probe(Rule.PHASE, _phase),
    Probe(Rule.DATE, _date),
)  # fmt: skip
PROBES = (*BEFORE_OPEN, *TRADING, *CLOSING)


class Answers(NamedTuple):
    """What came of the probes: rules that did not refuse theirs, sound orders refused (by which rules), and sent."""

    silent: list[str]
    refused: dict[str, set[str]]
    sound: int

    @property
    def accepted(self) -> int:
        """Sound orders that were sent."""
        return self.sound - len(self.refused)

    @property
    def status(self) -> Status:
        """The verdict."""
        return Status.of(not (self.silent or self.refused))

    def words(self, probes: int) -> str:
        """Return what came of so many probes, in a sentence or two."""
        if self.refused:
            found = "; ".join(f"beside {rule}: {', '.join(sorted(why))}" for rule, why in self.refused.items())
            return f"Sound orders were refused, so the probes prove nothing ({found}); look at {FILE}."
        if self.silent:
            return f"These rules did not refuse their probe: {', '.join(self.silent)}; look at {FILE}."
        return f"{probes} probes, one for each rule, were refused by it; {self.accepted} orders beside them passed."


def probe(market: Market) -> Answers:
    """Send every probe in its order, sound orders beside those of the open market."""
    silent = [one.rule for one in BEFORE_OPEN if one.rule not in one.send(market)]
    market.until(OPEN)
    refused: dict[str, set[str]] = {}
    for one in TRADING:
        if found := market.sound():
            refused[one.rule] = found
        if one.rule not in one.send(market):
            silent.append(one.rule)
    silent += [one.rule for one in CLOSING if one.rule not in one.send(market)]
    silent += sorted(set(Rule) - {one.rule for one in PROBES})
    return Answers([str(rule) for rule in silent], refused, len(TRADING))
