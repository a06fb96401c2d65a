"""How much of each limit a day used: the desk's own (limits.toml) and the exchange's order rate.

What counts is what was sent, in units and paise as the limits have them; refusals are counted beside, by rule.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date

import msgspec

from aitrade.core.clock import SECOND
from aitrade.core.instruments import derivative_terms
from aitrade.core.orders import Order
from aitrade.market.rules import Rules
from aitrade.ops.ledger import Day
from aitrade.risk.limits import Limits


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and the most of it that was used; `way` is count or rupees (paise); a limit of 0 is none."""

    name: str
    words: str
    used: int
    limit: int
    way: str = "count"
    of: str = ""
    """The order or exchange segment that used it."""

    @property
    def share(self) -> float | None:
        """Part of the limit that was used, None where there is no limit."""
        return self.used / self.limit if self.limit else None


class Peak(msgspec.Struct, frozen=True):
    """The most messages that went to an exchange segment within one second of market time."""

    segment: str
    at: int
    """ns UTC of that second's begin."""
    orders: int


def limit_use(day: Day, limits: Limits, rules: Rules) -> list[Use]:
    """Return each limit with the most that the day used of it."""
    orders = [story.order for story in day.stories.values() if story.sent is not None]
    traded = date.fromisoformat(day.day)
    deepest = min((row.body.day_pnl for row in day.marks), default=0)
    shares = [order for order in orders if derivative_terms(order.request.instrument) is None]
    contracts = [order for order in orders if derivative_terms(order.request.instrument) is not None]
    peak = max(peaks(day), key=lambda one: one.orders, default=Peak("", 0, 0))
    return [
        Use(
            name="day_loss_rupees", words="Deepest loss of the day, marked each minute, charges taken off",
            used=max(-deepest, 0), limit=limits.day_loss, way="rupees",
        ),
        Use(name="day_orders", words="Orders sent on the day", used=len(orders), limit=limits.day_orders),
        _most("order_value_rupees", "Value of the largest order", orders, value, limits.order_value, "rupees"),
        _most("order_units", "Shares in the largest order", shares, units, limits.order_units),
        _most(
            "order_lots", "Lots in the largest derivative order", contracts, lambda order: lots(order, traded, rules),
            limits.order_lots,
        ),
        Use(
            name="order_rate", words="Orders, changes and cancellations in the busiest second of one exchange segment",
            used=peak.orders, limit=rules.order_rate(traded), of=peak.segment,
        ),
    ]  # fmt: skip


def _most(
    name: str, words: str, orders: Iterable[Order], of: Callable[[Order], int], limit: int, way: str = "count"
) -> Use:
    measured = [(of(order), order.id) for order in orders]
    used, order_id = max(measured, default=(0, ""))
    return Use(name=name, words=words, used=used, limit=limit, way=way, of=order_id)


def value(order: Order) -> int:
    """Return an order's value, paise: at its price, or at what it filled for where it had none."""
    return order.quantity * (order.price or order.trigger) or order.filled_value


def units(order: Order) -> int:
    """Return an order's units."""
    return order.quantity


def lots(order: Order, day: date, rules: Rules) -> int:
    """Return a derivative order's lots, begun ones counted; 0 where the lot is not known."""
    terms = derivative_terms(order.request.instrument)
    lot = rules.lot(day, terms.base) if terms else None
    return -(-order.quantity // lot) if lot else 0


def peaks(day: Day) -> list[Peak]:
    """Return the busiest second of each exchange segment: orders, changes and cancellations sent, by market time."""
    sent = [(story.order.request.instrument, story.sent.ts) for story in day.stories.values() if story.sent is not None]
    sent += [(story.order.request.instrument, row.at.ts) for story in day.stories.values() for row in story.asked]
    counted = Counter((key.partition(":")[0], ts // SECOND * SECOND) for key, ts in sent)
    busiest: dict[str, Peak] = {}
    for (segment, ts), orders in sorted(counted.items()):
        if segment not in busiest or orders > busiest[segment].orders:
            busiest[segment] = Peak(segment, ts, orders)
    return list(busiest.values())


def refusals_by_rule(day: Day) -> dict[str, int]:
    """Return how many refusals named each rule, most first."""
    counted = Counter(rule for row in day.refusals for rule, _sentence in row.body.problems)
    return dict(counted.most_common())
